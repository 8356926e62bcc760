use super::*;
use crate::mon::logins::Logins;
use crate::mon::pending::{Pending, Wakes, pending};
use crate::mon::query::{Command, NoOutput, Query, Versions};
use crate::mon::{CommandOutput, MapVersions, Request};
use crate::msg::{
    MConfig, MMonCommand, MMonCommandAck, MMonGetVersion, MMonGetVersionReply, MMonMap, MMonSubscribeAck,
};
use axon_denc::{Encode, Features, put_versioned};
use axon_messenger::Fault;
use bytes::Bytes;

mod tickets;

const FSID: Fsid = [7; 16];
const WITHIN: Duration = Duration::from_secs(30);
const FEATURES: Features = Features::ALL_REEF;

/// A session and the time; everything it wants done is collected.
struct World {
    session: Session,
    logins: Logins,
    now: Instant,
    done: Vec<Action>,
    wake: Option<Instant>,
}

impl World {
    fn new(monitors: &[&str]) -> Self {
        Self::with(config(monitors, 1))
    }

    fn with(config: MonConfig) -> Self {
        let logins = Logins::new(&config);
        let renewal = Renewal::new(&config, logins.clone());
        let session = Session::new(&config, renewal, "node1".into(), 1);
        let mut world = Self { session, logins, now: Instant::now(), done: Vec::new(), wake: None };
        world.poke();
        world
    }

    /// With the session open and the monitor map there; what was sent until then is forgotten.
    fn open(monitors: &[&str]) -> (Self, LinkId) {
        let mut world = Self::new(monitors);
        let link = world.connect();
        world.receive(link, two_monitors(1));
        world.take();
        (world, link)
    }

    fn poke(&mut self) {
        self.wake = self.session.poke(self.now);
        self.done.extend(self.session.take_actions());
    }

    fn take(&mut self) -> Vec<Action> {
        self.poke();
        std::mem::take(&mut self.done)
    }

    /// Lets time pass until the session wants to be woken.
    fn sleep(&mut self) {
        self.now = self.wake.expect("the session waits for something");
        self.poke();
    }

    /// What is dialled.
    fn dials(&mut self) -> Vec<(LinkId, AddrVec)> {
        let dials = self.take().into_iter().filter_map(|action| match action {
            Action::Dial(link, addrs) => Some((link, addrs)),
            _ => None,
        });
        dials.collect()
    }

    /// The one dial there is.
    fn dialled(&mut self) -> (LinkId, AddrVec) {
        let [dial] = &self.dials()[..] else { panic!("not one dial") };
        dial.clone()
    }

    fn connect(&mut self) -> LinkId {
        let (link, _) = self.dialled();
        self.connected(link);
        link
    }

    fn connected(&mut self, link: LinkId) {
        self.session.connected(link, FEATURES, 4100);
        self.poke();
    }

    fn fail(&mut self, link: LinkId) {
        self.session.failed(link, broken(), self.now);
        self.poke();
    }

    /// Does something again and again until no request waits.
    fn until_nothing_waits(&mut self, step: impl Fn(&mut Self)) {
        for _ in 0..1000 {
            if self.session.requests.next_deadline().is_none() {
                return;
            }
            step(self);
        }
        panic!("requests wait for ever");
    }

    /// Fails whatever is dialled, and lets time pass.
    fn be_refused(&mut self) {
        self.fail_dials();
        self.sleep();
    }

    /// Fails whatever is dialled.
    fn fail_dials(&mut self) {
        for action in self.take() {
            if let Action::Dial(link, _) = action {
                self.fail(link);
            }
        }
    }

    fn receive(&mut self, link: LinkId, message: Message) {
        assert!(self.session.message(link, &message, self.now), "the session's message");
        self.poke();
    }

    fn command(&mut self, json: &str) -> Pending<CommandOutput> {
        let (answer, pending) = pending(&Wakes::default());
        self.session.ask(
            Ask::query(Command { json: json.into(), input: Bytes::new() }, answer),
            WITHIN,
            self.now,
        );
        self.poke();
        pending
    }
}

fn config(monitors: &[&str], parallel: usize) -> MonConfig {
    let hosts = monitors.iter().map(|addrs| addrs.parse().unwrap()).collect();
    let mut config = MonConfig::new("client.a".parse().unwrap(), hosts);
    config.hunt_parallel = parallel;
    config
}

fn two_monitors(epoch: u32) -> Message {
    mon_map(epoch, &[("a", "v2:10.0.0.1:3300/0"), ("b", "v2:10.0.0.2:3300/0")])
}

fn broken() -> Failure {
    Failure::Fault(Fault::Stale)
}

/// What was sent on `link` as a `T`.
fn sent<T: TypedMessage>(actions: &[Action], link: LinkId) -> Vec<(u64, T)> {
    let on_link = actions.iter().filter_map(|action| match action {
        Action::Send(l, message) if *l == link => Some(message),
        _ => None,
    });
    let typed = on_link.filter(|message| message.header.kind == T::KIND);
    typed.map(|message| (message.header.tid, T::decode(message).unwrap())).collect()
}

fn mon_map(epoch: u32, mons: &[(&str, &str)]) -> Message {
    let mut map = Vec::new();
    put_versioned(&mut map, 9, 6, |out| {
        out.extend_from_slice(&FSID);
        epoch.encode(out);
        out.extend_from_slice(&[0; 16]); // changed, created
        (0..2).for_each(|_| put_versioned(out, 1, 1, |out| 0u64.encode(out)));
        (mons.len() as u32).encode(out);
        for (name, addrs) in mons {
            name.encode(out);
            put_versioned(out, 5, 1, |out| {
                name.encode(out);
                addrs.parse::<AddrVec>().unwrap().encode(out);
                0u32.encode(out); // priority, weight
            });
        }
        (mons.len() as u32).encode(out);
        mons.iter().for_each(|(name, _)| name.encode(out));
        16u8.encode(out);
    });
    MMonMap { map: map.into() }.encode(FEATURES).unwrap()
}

fn ack(tid: u64, result: i32, output: &'static str) -> Message {
    let ack = MMonCommandAck {
        version: 0,
        result,
        status: "said".into(),
        command: Vec::new(),
        output: Bytes::from_static(output.as_bytes()),
    };
    let mut message = ack.encode(FEATURES).unwrap();
    message.header.tid = tid;
    message
}

/// The subscriptions asked for on `link`, in one message, with the versions from which on.
fn subscribed(actions: &[Action], link: LinkId) -> Vec<(String, u64)> {
    let [(_, subscribe)] = &sent::<MMonSubscribe>(actions, link)[..] else { panic!("{actions:?}") };
    assert_eq!(subscribe.host, "node1");
    subscribe.what.iter().map(|(what, s)| (what.clone(), s.start)).collect()
}

fn want(what: &[(&str, u64)]) -> Vec<(String, u64)> {
    what.iter().map(|(what, start)| ((*what).to_owned(), *start)).collect()
}

#[test]
fn a_session_begins_with_the_map() {
    let mut world = World::new(&["[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]"]);
    let mut status = world.command("status");
    let link = world.connect();
    let actions = world.take();
    assert_eq!(subscribed(&actions, link), want(&[("monmap", 0)]));
    assert!(sent::<MMonCommand>(&actions, link).is_empty(), "the cluster's id is not known yet");
    assert_eq!(world.session.target(), None);

    world.receive(link, mon_map(5, &[("a", "v2:10.0.0.1:3300/0")]));
    let actions = world.take();
    assert_eq!(subscribed(&actions, link), want(&[("config", 0), ("monmap", 6)]));
    let [(tid, command)] = &sent::<MMonCommand>(&actions, link)[..] else { panic!("{actions:?}") };
    assert_eq!((command.fsid, &command.command[..]), (FSID, &["status".to_owned()][..]));
    world.receive(link, ack(tid + 1, 0, "somebody else's"));
    assert!(!is_answered(&mut status));
    world.receive(link, ack(*tid, -2, "output"));
    let answer = status.wait().unwrap();
    assert_eq!(answer, CommandOutput { code: -2, status: "said".into(), output: "output".into() });
    assert_eq!(
        world.session.target().unwrap().to_string(),
        "mon.a at [v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]"
    );
}

/// Whether the answer is there, without waiting.
fn is_answered<T>(pending: &mut Pending<T>) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::future::Future::poll(std::pin::Pin::new(pending), &mut context).is_ready()
}

#[test]
fn after_a_failover_everything_is_asked_again() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    let status = world.command("status");
    world.session.subscribe("osdmap", Subscription { start: 3, once: false });
    world.session.subscribe("mgrmap", Subscription { start: 0, once: true });
    world.session.got("osdmap", 9);
    world.session.got("mgrmap", 1);
    world.take();
    world.fail(link);

    let (same, addrs) = world.dialled();
    assert_eq!(addrs.to_string(), "v2:10.0.0.1:3300/0", "the monitor that answered is tried first");
    world.fail(same);
    let (other, addrs) = world.dialled();
    assert_eq!(addrs.to_string(), "v2:10.0.0.2:3300/0", "the map's monitors are tried");
    world.connected(other);
    assert_eq!(subscribed(&world.take(), other), want(&[("monmap", 0)]), "also if it is not new");
    world.receive(other, two_monitors(1));
    let actions = world.take();
    assert_eq!(subscribed(&actions, other), want(&[("config", 0), ("monmap", 2), ("osdmap", 10)]));
    let [(tid, _)] = sent::<MMonCommand>(&actions, other)[..] else { panic!("{actions:?}") };
    world.session.message(link, &ack(tid, 1, "late, of the old connection"), world.now);
    world.receive(other, ack(tid, 0, ""));
    assert_eq!(status.wait().unwrap().code, 0);
}

/// The monitors were rebuilt, with a map that was made anew.
#[test]
fn a_session_begins_with_a_map_whose_epoch_went_back() {
    let mut world = World::new(&["v2:10.0.0.1:3300/0"]);
    let first = world.connect();
    world.receive(first, two_monitors(7));
    world.fail(first);
    world.sleep(); // a pause, as the session was short
    let second = world.connect();
    assert_eq!(subscribed(&world.take(), second), want(&[("monmap", 0)]), "any map is news");
    world.receive(second, mon_map(1, &[("c", "v2:10.0.0.1:3300/0")]));
    assert_eq!(subscribed(&world.take(), second), want(&[("config", 0), ("monmap", 2)]));
    assert_eq!(world.session.monmap().unwrap().epoch, 1);
    assert_eq!(world.session.target().unwrap().name.as_deref(), Some("c"));
    world.receive(second, two_monitors(2));
    assert_eq!(world.session.monmap().unwrap().epoch, 2, "it goes on from there");
}

#[test]
fn slow_monitors_are_left_for_others() {
    let mut world = World::new(&["v2:10.0.0.1:3300/0", "v2:10.0.0.2:3300/0"]);
    let (first, first_addrs) = world.dialled();
    world.sleep();
    let actions = world.take();
    let [Action::Close(closed), Action::Dial(second, second_addrs)] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!(*closed, first);
    assert_ne!(*second_addrs, first_addrs);
    world.connected(first);
    assert!(sent::<MMonSubscribe>(&world.take(), first).is_empty(), "too late");
    world.connected(*second);
    world.receive(*second, two_monitors(1));
    assert_eq!(world.session.target().unwrap().addrs, *second_addrs);
}

#[test]
fn monitors_that_say_nothing_are_left_for_others() {
    let mut world = World::new(&["v2:10.0.0.1:3300/0", "v2:10.0.0.2:3300/0"]);
    let first = world.connect();
    world.take();
    world.sleep();
    let actions = world.take();
    let [Action::Close(closed), Action::Dial(second, _)] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!(*closed, first);
    let silent = world.session.hunt.attempts()[0].why.clone();
    assert_eq!(silent, Failure::Silent(Duration::from_secs(3)));
    world.connected(*second);
    world.receive(*second, two_monitors(1));
    world.take();
    assert_eq!(world.wake, None, "a monitor that serves may be silent");
}

#[test]
fn the_first_that_serves_wins() {
    let monitors = ["v2:10.0.0.1:3300/0", "v2:10.0.0.2:3300/0", "v2:10.0.0.3:3300/0", "v2:10.0.0.4:3300/0"];
    let mut world = World::with(config(&monitors, 3));
    let dials = world.dials();
    let [(silent, _), (slow, _), (fast, addrs)] = &dials[..] else { panic!("{dials:?}") };
    world.connected(*silent);
    world.connected(*fast);
    world.take();
    world.receive(*fast, two_monitors(1));
    let actions = world.take();
    assert_eq!(actions[..2], [Action::Close(*silent), Action::Close(*slow)], "before anything else");
    assert!(!actions.iter().any(|action| matches!(action, Action::Dial(..))));
    assert_eq!(world.session.target().unwrap().addrs, *addrs);
    world.session.message(*silent, &two_monitors(2), world.now);
    assert!(world.session.is_open(*fast), "one session is kept");
}

#[test]
fn a_place_that_is_free_is_taken_at_once() {
    let monitors = ["v2:10.0.0.1:3300/0", "v2:10.0.0.2:3300/0", "v2:10.0.0.3:3300/0"];
    let mut world = World::with(config(&monitors, 2));
    let dials = world.dials();
    world.fail(dials[0].0);
    let (third, _) = world.dialled();
    world.fail(dials[1].0);
    world.fail(third);
    assert_eq!(world.dials(), [], "the round is over");
    world.sleep();
    assert_eq!(world.dials().len(), 2);
}

#[test]
fn a_monitor_of_another_cluster_is_refused() {
    let mut other = config(&["v2:10.0.0.1:3300/0"], 1);
    other.fsid = Some([8; 16]);
    let mut world = World::with(other);
    let status = world.command("status");
    let link = world.connect();
    world.receive(link, two_monitors(1));
    let error = status.wait().unwrap_err().to_string();
    assert!(error.contains("it belongs to the cluster 07070707-0707-"), "{error}");
}

#[test]
fn a_map_that_makes_no_sense_opens_nothing() {
    let mut world = World::new(&["v2:10.0.0.1:3300/0", "v2:10.0.0.2:3300/0"]);
    let first = world.connect();
    world.receive(first, Message::new(MMonMap::KIND, Bytes::from_static(b"\x09\0\0\0garbage")));
    let [Action::Send(..), Action::Close(closed), Action::Dial(..)] = &world.take()[..] else { panic!() };
    assert_eq!(*closed, first);
    assert!(matches!(world.session.hunt.attempts()[0].why, Failure::Malformed(_)));
}

#[test]
fn subscriptions_are_repeated_for_monitors_of_old() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    world.receive(link, MMonSubscribeAck { interval: 300, fsid: FSID }.encode(FEATURES).unwrap());
    let start = world.now;
    world.take();
    world.sleep();
    assert_eq!(world.now - start, Duration::from_secs(150));
    assert_eq!(subscribed(&world.take(), link), want(&[("config", 0), ("monmap", 2)]));
}

#[test]
fn deadlines_say_who_was_asked() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    let asked = world.command("one");
    world.sleep();
    match asked.wait().unwrap_err() {
        MonError::NoAnswer { asked, what, within } => {
            assert_eq!(asked.name.as_deref(), Some("a"));
            assert_eq!((what, within), (Request::Command("one".into()), WITHIN));
        }
        other => panic!("{other}"),
    }
    world.fail(link);
    world.now += Duration::from_secs(1);
    let unasked = world.command("two");
    world.until_nothing_waits(World::be_refused);
    match unasked.wait().unwrap_err() {
        MonError::Unreachable { attempts, within } => assert_eq!((attempts.len(), within), (2, WITHIN)),
        other => panic!("{other}"),
    }
}

#[test]
fn a_hopeless_search_fails_what_waits() {
    let mut world = World::new(&["v1:10.0.0.1:6789/0"]);
    let status = world.command("status");
    let (link, _) = world.dialled();
    world.session.failed(link, Failure::NoV2Address, world.now);
    world.poke();
    match status.wait().unwrap_err() {
        MonError::Refused { attempts } => assert_eq!(attempts[0].why, Failure::NoV2Address),
        other => panic!("{other}"),
    }
    world.sleep();
    world.dialled(); // goes on all the same
}

/// Loses the connection of a session, on which a command and a question were sent; later, they end as `end` makes them.
fn after_asking(end: impl Fn(&mut World)) -> (MonError, MonError) {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    let command = world.command("osd set");
    let (answer, question) = pending(&Wakes::default());
    world.session.ask(Ask::query(Versions("osdmap".into()), answer), WITHIN, world.now);
    let actions = world.take();
    assert_eq!(sent::<MMonCommand>(&actions, link).len(), 1);
    world.fail(link);
    world.until_nothing_waits(end);
    (command.wait().unwrap_err(), question.wait().unwrap_err())
}

#[test]
fn a_command_that_was_sent_may_be_carried_out_whatever_follows() {
    let unreachable = after_asking(World::be_refused);
    assert!(matches!(unreachable.1, MonError::Unreachable { .. }), "{:?}", unreachable.1);
    let refused = after_asking(|world| {
        world.now += Duration::from_secs(1);
        for (link, _) in world.dials() {
            world.session.failed(link, Failure::NoV2Address, world.now);
        }
    });
    assert!(matches!(refused.1, MonError::Refused { .. }), "{:?}", refused.1);
    for (error, before) in [(unreachable.0, WITHIN), (refused.0, Duration::from_secs(10))] {
        let MonError::NoAnswer { asked, what, within } = &error else { panic!("{error:?}") };
        assert_eq!(asked.name.as_deref(), Some("a"));
        assert_eq!(*what, Request::Command("osd set".into()));
        assert!(*within <= before && *within >= Duration::from_secs(1), "{within:?}");
    }
}

#[test]
fn a_command_that_no_connection_took_was_not_asked() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    let command = world.command("osd set");
    let [(tid, _)] = sent::<MMonCommand>(&world.take(), link)[..] else { panic!("not sent") };
    world.session.not_sent(link, tid, Rejection::Closed, world.now);
    world.fail(link);
    world.until_nothing_waits(World::be_refused);
    let error = command.wait().unwrap_err();
    assert!(matches!(error, MonError::Unreachable { .. }), "{error:?}");
}

#[test]
fn versions_are_answered_by_handle() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    let (answer, versions) = pending(&Wakes::default());
    world.session.ask(Ask::query(Versions("osdmap".into()), answer), WITHIN, world.now);
    let actions = world.take();
    let [(_, question)] = &sent::<MMonGetVersion>(&actions, link)[..] else { panic!("{actions:?}") };
    assert_eq!(question.what, "osdmap");
    let reply = MMonGetVersionReply { handle: question.handle, newest: 9, oldest: 2 };
    world.receive(link, reply.encode(FEATURES).unwrap());
    assert_eq!(versions.wait().unwrap(), MapVersions { newest: 9, oldest: 2 });
}

#[test]
fn what_is_not_the_sessions_is_left_to_the_application() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    let options = BTreeMap::from([("debug_ms".to_owned(), "1".to_owned())]);
    world.receive(link, MConfig { options: options.clone() }.encode(FEATURES).unwrap());
    assert_eq!(world.session.options(), &options);
    assert!(!world.session.message(link, &Message::new(41, Bytes::new()), world.now));
    world.receive(link, Message::new(MMonMap::KIND, Bytes::new())); // malformed
    assert_eq!(world.session.monmap().unwrap().epoch, 1);
}

#[test]
fn an_older_map_does_not_replace_a_newer_one() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    world.receive(link, mon_map(4, &[("x", "v2:10.0.0.1:3300/0")]));
    world.receive(link, mon_map(3, &[("y", "v2:10.0.0.1:3300/0")]));
    assert_eq!(world.session.monmap().unwrap().epoch, 4);
    assert_eq!(world.session.target().unwrap().name.as_deref(), Some("x"));
}

#[test]
fn closing_fails_what_waits() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    let before = world.command("before");
    world.take();
    world.session.close();
    let after = world.command("after");
    assert_eq!(world.take(), [Action::Close(link)]);
    assert!(matches!(before.wait(), Err(MonError::Closed)));
    assert!(matches!(after.wait(), Err(MonError::Closed)));
    assert_eq!(world.session.poke(world.now), None);
}

#[test]
fn what_cannot_be_sent_is_said() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    let (large, mut small) = (world.command("large"), world.command("small"));
    let actions = world.take();
    let [(tid, _), (other, _)] = sent::<MMonCommand>(&actions, link)[..] else { panic!("{actions:?}") };
    let too_large = Rejection::TooLarge { size: 2, limit: 1 };
    world.session.not_sent(link, tid, too_large, world.now);
    world.session.not_sent(link, other, Rejection::Closed, world.now);
    match large.wait().unwrap_err() {
        MonError::NotSent { asked, what, why } => {
            assert_eq!(asked.name.as_deref(), Some("a"));
            assert_eq!((what, why), (Request::Command("large".into()), too_large));
        }
        other => panic!("{other}"),
    }
    assert!(
        !is_answered(&mut small),
        "a closed connection fails by itself, and the next one gets the request"
    );
}

/// A command that can be written for no monitor.
#[derive(Debug)]
struct Unwritable;

impl Query for Unwritable {
    type Output = ();
    const REPLY: u16 = MMonCommandAck::KIND;

    fn request(&self) -> Request {
        Request::Command("unwritable".into())
    }

    fn message(&self, _: u64, _: Fsid, _: Features) -> Result<Message, MessageError> {
        Err(MessageError::MissingFeatures { message: "unwritable", missing: Features::ALL_REEF })
    }

    fn read(&self, _: &Message) -> Result<(), NoOutput> {
        Ok(())
    }
}

#[test]
fn what_cannot_be_written_for_a_monitor_ends_at_once() {
    let (mut world, _) = World::open(&["v2:10.0.0.1:3300/0"]);
    let (answer, unwritable) = pending(&Wakes::default());
    world.session.ask(Ask::query(Unwritable, answer), WITHIN, world.now);
    assert_eq!(world.take(), []);
    assert_eq!(world.session.requests.next_deadline(), None);
    let error = unwritable.wait().unwrap_err();
    assert!(matches!(error, MonError::Unsendable { .. }), "nobody may carry it out: {error}");
}

#[test]
fn answers_of_another_type_are_not_taken() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    let mut status = world.command("status");
    let actions = world.take();
    let [(tid, _)] = sent::<MMonCommand>(&actions, link)[..] else { panic!("{actions:?}") };
    let reply = MMonGetVersionReply { handle: tid, newest: 9, oldest: 2 };
    world.receive(link, reply.encode(FEATURES).unwrap());
    assert!(!is_answered(&mut status));
}

#[test]
fn an_answer_that_makes_no_sense_is_an_error() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    let status = world.command("status");
    let actions = world.take();
    let [(tid, _)] = sent::<MMonCommand>(&actions, link)[..] else { panic!("{actions:?}") };
    let mut cut = ack(tid, 0, "");
    cut.front.truncate(20);
    world.receive(link, cut);
    let error = status.wait().unwrap_err();
    assert!(matches!(error, MonError::Malformed { .. }), "{error}");
    assert!(
        error.to_string().starts_with("the answer of mon.a at v2:10.0.0.1:3300/0 cannot be read: "),
        "{error}"
    );
}

#[test]
fn a_deadline_without_a_session_says_what_is_being_tried() {
    let mut world = World::new(&["v2:10.0.0.1:3300/0"]);
    let (answer, status) = pending(&Wakes::default());
    let second = Duration::from_secs(1);
    world.session.ask(Ask::MonMap(answer), second, world.now);
    world.poke();
    world.now += second;
    world.poke();
    let error = status.wait().unwrap_err().to_string();
    let says =
        "no session with a monitor within 1s: the monitor at v2:10.0.0.1:3300/0: not connected within 1s";
    assert_eq!(error, says);
}

#[test]
fn too_many_questions_are_refused() {
    let mut world = World::new(&["v2:10.0.0.1:3300/0"]);
    let waiting: Vec<_> = (0..Requests::MAX).map(|_| world.command("status")).collect();
    let error = world.command("one more").wait().unwrap_err();
    assert!(matches!(error, MonError::TooMany { limit: Requests::MAX }), "{error}");
    drop(waiting);
}

#[test]
fn a_monitor_that_was_removed_is_left() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    world.receive(link, mon_map(2, &[("b", "v2:10.0.0.2:3300/0")]));
    assert_eq!(world.take(), [Action::Close(link)]);
    assert_eq!(world.session.hunt.attempts()[0].why, Failure::Removed);
    world.sleep();
    assert_eq!(world.dialled().1.to_string(), "v2:10.0.0.2:3300/0");
}

#[test]
fn a_monitor_that_moved_is_left() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    world.receive(link, mon_map(2, &[("a", "[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]")]));
    assert_eq!(world.take(), [], "it has one more address");
    world.receive(link, mon_map(3, &[("a", "v2:10.0.0.9:3300/0")]));
    assert_eq!(world.take(), [Action::Close(link)]);
    assert_eq!(world.session.hunt.attempts()[0].why, Failure::Removed);
    world.sleep();
    assert_eq!(world.dialled().1.to_string(), "v2:10.0.0.9:3300/0");
}

#[test]
fn a_monitor_that_no_map_ever_had_is_kept() {
    let (mut world, link) = World::open(&["v2:127.0.0.1:13300/0"]);
    world.receive(link, two_monitors(2));
    assert_eq!(world.take(), []);
    assert_eq!(world.session.target().unwrap().name, None);
}
