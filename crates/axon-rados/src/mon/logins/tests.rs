use super::*;
use axon_auth::testing::{TestClock, ToyMonitor, converse};
use axon_auth::{AuthName, KeyType, ServerAuth, Step};

struct World {
    monitor: ToyMonitor,
    config: MonConfig,
    logins: Logins,
}

fn world() -> World {
    let surroundings = TestClock::at(1_700_000_000).surroundings(1);
    let monitor = ToyMonitor::new(KeyType::Aes, surroundings.clone());
    let name: AuthName = "client.a".parse().unwrap();
    let key = monitor.create(
        name.clone(),
        KeyType::Aes,
        &[(EntityType::Mon, "allow r"), (EntityType::Osd, "allow *")],
    );
    let mut config = MonConfig::new(name, Vec::new()).with_key(key);
    config.surroundings = surroundings;
    let logins = Logins::new(&config);
    World { monitor, config, logins }
}

impl World {
    /// Logs in to a monitor; returns the number given.
    fn log_in(&self) -> u64 {
        let mut client = self.logins.start(EntityType::Mon).unwrap();
        let mut server = self.monitor.start();
        converse(&mut *client, &mut *server, EntityType::Client, Mode::SECURE).unwrap().client.global_id
    }

    fn osd_ticket(&self) -> Option<axon_auth::cephx::TicketBlob> {
        self.config.tickets.with(|tickets| tickets.get(EntityType::Osd).map(|ticket| ticket.blob.clone()))
    }
}

#[test]
fn the_session_decides_which_tickets_count() {
    let world = world();
    let (first, second) = (world.log_in(), world.log_in());
    assert_ne!(first, second);
    assert_eq!((world.config.tickets.global_id(), world.osd_ticket()), (0, None), "no session is open yet");
    world.logins.adopt(first);
    let ticket = world.osd_ticket().expect("the first login's ticket");
    assert_eq!(world.config.tickets.global_id(), first);
    world.logins.adopt(second);
    assert_eq!(world.osd_ticket(), Some(ticket), "the second login was forgotten");
    assert!(world.logins.lock().is_empty());
}

/// An old AUTH_DONE opens, but whoever sends it cannot sign it.
#[test]
fn a_login_counts_when_it_is_confirmed() {
    let world = world();
    let first = world.log_in();
    let mut client = world.logins.start(EntityType::Mon).unwrap();
    let mut server = world.monitor.start();
    let request = client.request().unwrap();
    let step = server.request(EntityType::Client, request.method, Mode::SECURE, &request.payload);
    let Ok(Step::More(challenge)) = step else { panic!("no challenge") };
    let Ok(Step::Done { payload, .. }) = server.more(&client.more(&challenge).unwrap()) else {
        panic!("refused");
    };
    client.done(first, Mode::SECURE, &payload).unwrap();
    assert_eq!(world.logins.lock().len(), 1, "only the first login");
    client.confirmed();
    assert_eq!(world.logins.lock().len(), 2);
}

#[test]
fn the_next_login_keeps_the_number() {
    let world = world();
    let first = world.log_in();
    world.logins.adopt(first);
    let before = world.osd_ticket();
    assert_eq!((world.log_in(), world.log_in()), (first, first));
    world.logins.adopt(first);
    assert_ne!(world.osd_ticket(), before, "with new tickets");
}

#[test]
fn attempts_that_lead_nowhere_do_not_pile_up() {
    let world = world();
    for _ in 0..MAX_GRANTED + 5 {
        world.log_in();
    }
    assert_eq!(world.logins.lock().len(), MAX_GRANTED);
}
