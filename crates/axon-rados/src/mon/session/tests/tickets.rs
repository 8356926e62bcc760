//! Tickets that are due, with a monitor that makes real ones.

use super::*;
use crate::msg::{MAuth, MAuthReply};
use axon_auth::testing::{TestClock, ToyMonitor, converse};
use axon_auth::{ClientAuth, Identity, KeyType, Method, Mode, ServerAuth};
use axon_denc::EntityType;

const HOUR: Duration = Duration::from_secs(3600);

/// A session, and what its monitors know.
struct Cluster {
    world: World,
    clock: TestClock,
    monitor: ToyMonitor,
    config: MonConfig,
    identity: Option<Identity>,
}

impl Cluster {
    /// With the session open.
    fn open() -> (Self, LinkId) {
        let clock = TestClock::at(1_700_000_000);
        let surroundings = clock.surroundings(1);
        let monitor = ToyMonitor::new(KeyType::Aes, surroundings.clone());
        let mut config = config(&["v2:10.0.0.1:3300/0", "v2:10.0.0.2:3300/0"], 1);
        let caps = [(EntityType::Mon, "allow r"), (EntityType::Osd, "allow *")];
        config.key = Some(monitor.create(config.name.clone(), KeyType::Aes, &caps));
        config.surroundings = surroundings;
        let world = World::with(config.clone());
        let mut cluster = Self { world, clock, monitor, config, identity: None };
        let (link, _) = cluster.world.dialled();
        cluster.log_in(link);
        cluster.world.receive(link, two_monitors(1));
        cluster.world.take();
        (cluster, link)
    }

    /// The handshake on a connection.
    fn log_in(&mut self, link: LinkId) {
        let mut client = self.world.logins.start(EntityType::Mon).unwrap();
        let mut server = self.monitor.start();
        let outcome = converse(&mut *client, &mut *server, EntityType::Client, Mode::SECURE).unwrap();
        self.world.session.connected(link, FEATURES, outcome.client.global_id);
        self.identity = Some(outcome.identity);
        self.world.poke();
    }

    fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
        self.world.poke();
    }

    fn expires(&self, service: EntityType) -> Duration {
        self.config.tickets.with(|tickets| tickets.get(service).map(|ticket| ticket.expires)).unwrap()
    }

    /// The monitor's answer to a request for tickets.
    fn answer(&mut self, link: LinkId, request: &MAuth) {
        let payload = self.monitor.answer(self.identity.as_ref().unwrap(), &request.payload).unwrap();
        let reply = MAuthReply {
            protocol: Method::CEPHX.0,
            result: 0,
            global_id: 0,
            payload: payload.into(),
            text: String::new(),
        };
        self.world.receive(link, reply.encode(FEATURES).unwrap());
    }
}

#[test]
fn service_tickets_are_renewed_in_the_session() {
    let (mut cluster, link) = Cluster::open();
    cluster.pass(HOUR / 2);
    assert_eq!(cluster.world.take(), [], "half of their time is left");
    let before = cluster.expires(EntityType::Osd);
    cluster.pass(HOUR / 3);
    let [(_, request)] = &sent::<MAuth>(&cluster.world.take(), link)[..] else { panic!("not asked") };
    assert_eq!(request.monmap_epoch, 1);
    cluster.pass(Duration::ZERO);
    assert_eq!(cluster.world.take(), [], "asked once");
    cluster.answer(link, request);
    assert!(cluster.expires(EntityType::Osd) > before);
}

/// Asks for tickets once, and has the monitor say no.
fn refused(result: i32, payload: &[u8]) -> (Cluster, LinkId) {
    let (mut cluster, link) = Cluster::open();
    cluster.pass(HOUR - Duration::from_secs(60));
    let actions = cluster.world.take();
    assert_eq!(sent::<MAuth>(&actions, link).len(), 1);
    let payload = Bytes::copy_from_slice(payload);
    let refused = MAuthReply { protocol: 2, result, global_id: 0, payload, text: "no".into() };
    cluster.world.receive(link, refused.encode(FEATURES).unwrap());
    assert_eq!(cluster.world.take(), [], "not at once");
    cluster.pass(Duration::from_secs(11));
    (cluster, link)
}

#[test]
fn a_failure_to_renew_is_not_the_end() {
    let (mut cluster, link) = refused(-11, &[]);
    let actions = cluster.world.take();
    assert_eq!(sent::<MAuth>(&actions, link).len(), 1, "after a while");
}

/// The ticket that renews the others may have been made with a secret that is gone; a login shows the key instead.
#[test]
fn a_ticket_that_is_refused_is_replaced_by_a_login() {
    let in_payload = [0x00, 0x02, 0xf3, 0xff, 0xff, 0xff];
    for (result, payload) in [(-13, &[][..]), (-1, &[]), (0, &in_payload)] {
        let (mut cluster, link) = refused(result, payload);
        let before = cluster.expires(EntityType::Osd);
        let actions = cluster.world.take();
        assert_eq!(sent::<MAuth>(&actions, link), [], "{result}");
        let dialled = actions.iter().find_map(|action| match action {
            Action::Dial(link, _) => Some(*link),
            _ => None,
        });
        cluster.log_in(dialled.expect("another login"));
        cluster.world.receive(dialled.unwrap(), two_monitors(1));
        assert!(cluster.expires(EntityType::Osd) > before, "{result}");
        cluster.world.take();
        cluster.pass(Duration::from_secs(11));
        assert_eq!(cluster.world.dials(), [], "one login will do");
    }
}

/// An OSD without keys, or with a clock that is off, refuses every ticket.
#[test]
fn refusals_of_an_osd_do_not_flood_the_monitor() {
    let (mut cluster, link) = Cluster::open();
    let refuse = |cluster: &mut Cluster| {
        let mut exchange = cluster.world.logins.start(EntityType::Osd).unwrap();
        exchange.request().unwrap();
        exchange.bad_method(Method::CEPHX, -13, &[Method::CEPHX]).unwrap_err();
        sent::<MAuth>(&cluster.world.take(), link)
    };
    let [(_, request)] = &refuse(&mut cluster)[..] else { panic!("not asked") };
    assert!(cluster.world.logins.start(EntityType::Osd).is_ok(), "another OSD is shown the ticket there is");
    cluster.answer(link, request);
    for _ in 0..2 {
        cluster.pass(Duration::from_secs(4));
        assert_eq!(refuse(&mut cluster), [], "another ticket did not help");
    }
    cluster.world.poke();
    let nap = cluster.world.wake.expect("the ticket is due") - cluster.world.now;
    assert!(nap <= Duration::from_secs(2), "{nap:?}");
    cluster.pass(nap);
    assert_eq!(sent::<MAuth>(&cluster.world.take(), link).len(), 1, "in case one does now");
}

#[test]
fn a_monitor_that_does_not_renew_is_left() {
    let (mut cluster, link) = Cluster::open();
    cluster.pass(HOUR);
    assert_eq!(sent::<MAuth>(&cluster.world.take(), link).len(), 1);
    cluster.world.now += Duration::from_secs(15);
    let actions = cluster.world.take();
    assert_eq!(actions[0], Action::Close(link));
    let why = &cluster.world.session.hunt.attempts()[0].why;
    assert_eq!(*why, Failure::AuthSilent(Duration::from_secs(15)));
    assert!(matches!(actions[1], Action::Dial(..)), "{actions:?}");
}

#[test]
fn another_login_lets_requests_finish() {
    let (mut cluster, old) = Cluster::open();
    let number = cluster.config.tickets.global_id();
    let mut early = cluster.world.command("early");
    let [(early_tid, _)] = sent::<MMonCommand>(&cluster.world.take(), old)[..] else { panic!("not sent") };
    let before = cluster.expires(EntityType::Auth);
    cluster.pass(60 * HOUR);
    let dials = cluster.world.dials();
    let [(new, addrs)] = &dials[..] else { panic!("{dials:?}") };
    assert_eq!(addrs.to_string(), "v2:10.0.0.1:3300/0", "the same monitor");
    cluster.log_in(*new);
    cluster.world.take();
    cluster.world.receive(*new, two_monitors(1));
    let actions = cluster.world.take();
    assert!(!actions.contains(&Action::Close(old)), "it owes an answer");
    assert!(sent::<MMonCommand>(&actions, *new).is_empty(), "which is not asked for twice");
    assert_eq!(cluster.config.tickets.global_id(), number);
    assert!(cluster.expires(EntityType::Auth) > before);

    let late = cluster.world.command("late");
    let [(late_tid, _)] = sent::<MMonCommand>(&cluster.world.take(), *new)[..] else { panic!("not sent") };
    cluster.world.session.message(*new, &ack(early_tid, 0, ""), cluster.world.now);
    assert!(!is_answered(&mut early), "that is not the connection that was asked");
    cluster.world.session.message(old, &ack(early_tid, 0, ""), cluster.world.now);
    assert_eq!(early.wait().unwrap().code, 0);
    assert_eq!(cluster.world.take(), [Action::Close(old)]);
    cluster.world.receive(*new, ack(late_tid, 0, ""));
    assert_eq!(late.wait().unwrap().code, 0);
}

#[test]
fn what_the_old_connection_loses_is_asked_again() {
    let (mut cluster, old) = Cluster::open();
    let early = cluster.world.command("early");
    cluster.pass(60 * HOUR);
    let (new, _) = cluster.world.dialled();
    cluster.log_in(new);
    cluster.world.receive(new, two_monitors(1));
    cluster.world.take();
    cluster.world.fail(old);
    let [(tid, _)] = sent::<MMonCommand>(&cluster.world.take(), new)[..] else { panic!("not asked again") };
    cluster.world.receive(new, ack(tid, 0, ""));
    assert_eq!(early.wait().unwrap().code, 0);
}
