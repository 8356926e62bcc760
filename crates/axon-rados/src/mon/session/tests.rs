use super::*;
use crate::mon::pending::{Pending, pending};
use crate::mon::query::{Command, Versions};
use crate::mon::{CommandOutput, MapVersions, Request};
use crate::msg::{Fsid, MConfig, MMonCommand, MMonCommandAck, MMonGetVersion, MMonGetVersionReply, MMonMap};
use axon_denc::{Encode, put_versioned};
use axon_messenger::Fault;
use bytes::Bytes;

const FSID: Fsid = [7; 16];
const WITHIN: Duration = Duration::from_secs(30);
const FEATURES: Features = Features::ALL_REEF;

/// A session and the time; everything it wants done is collected.
struct World {
    session: Session,
    now: Instant,
    done: Vec<Action>,
    wake: Option<Instant>,
}

impl World {
    fn new(monitors: &[&str]) -> Self {
        let hosts = monitors.iter().map(|addrs| addrs.parse().unwrap()).collect();
        let config = MonConfig::new("client.a".parse().unwrap(), hosts);
        let session = Session::new(&config, "node1".into(), 1);
        let mut world = Self { session, now: Instant::now(), done: Vec::new(), wake: None };
        world.poke();
        world
    }

    /// With the session open and the monitor map there; what was sent until then is forgotten.
    fn open(monitors: &[&str]) -> (Self, LinkId) {
        let mut world = Self::new(monitors);
        let link = world.connect();
        world.receive(link, mon_map(1, &[("a", "v2:10.0.0.1:3300/0"), ("b", "v2:10.0.0.2:3300/0")]));
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

    /// The one dial there is.
    fn dialled(&mut self) -> (LinkId, AddrVec) {
        let dials = self.take().into_iter().filter_map(|action| match action {
            Action::Dial(link, addrs) => Some((link, addrs)),
            _ => None,
        });
        let [dial] = &dials.collect::<Vec<_>>()[..] else { panic!("not one dial") };
        dial.clone()
    }

    fn connect(&mut self) -> LinkId {
        let (link, _) = self.dialled();
        self.session.connected(link, FEATURES);
        self.poke();
        link
    }

    fn fail(&mut self, link: LinkId) {
        self.session.failed(link, broken(), self.now);
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
        assert!(self.session.message(link, &message), "the session's message");
        self.poke();
    }

    fn command(&mut self, json: &str) -> Pending<CommandOutput> {
        let (answer, pending) = pending();
        self.session.ask(
            Ask::query(Command { json: json.into(), input: Bytes::new() }, answer),
            WITHIN,
            self.now,
        );
        self.poke();
        pending
    }
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

#[test]
fn a_session_begins_with_subscriptions_and_waits_for_the_map() {
    let mut world = World::new(&["[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]"]);
    let mut status = world.command("status");
    let link = world.connect();
    let actions = world.take();
    let [(_, subscribe)] = &sent::<MMonSubscribe>(&actions, link)[..] else { panic!("{actions:?}") };
    assert_eq!(subscribe.host, "node1");
    let asked: Vec<_> = subscribe.what.iter().map(|(what, s)| (what.as_str(), s.start, s.once)).collect();
    assert_eq!(asked, [("config", 0, false), ("monmap", 0, false)]);
    assert!(sent::<MMonCommand>(&actions, link).is_empty(), "the cluster's id is not known yet");

    world.receive(link, mon_map(5, &[("a", "v2:10.0.0.1:3300/0")]));
    let actions = world.take();
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
    world.session.connected(other, FEATURES);
    let actions = world.take();
    let [(_, subscribe)] = &sent::<MMonSubscribe>(&actions, other)[..] else { panic!("{actions:?}") };
    let asked: Vec<_> = subscribe.what.iter().map(|(what, s)| (what.as_str(), s.start)).collect();
    assert_eq!(asked, [("config", 0), ("monmap", 2), ("osdmap", 10)]);
    let [(tid, _)] = sent::<MMonCommand>(&actions, other)[..] else { panic!("{actions:?}") };
    world.session.message(link, &ack(tid, 1, "late, of the old connection"));
    world.receive(other, ack(tid, 0, ""));
    assert_eq!(status.wait().unwrap().code, 0);
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
    world.session.connected(first, FEATURES);
    assert_eq!(world.session.target(), None, "too late");
    world.session.connected(*second, FEATURES);
    assert_eq!(world.session.target().unwrap().addrs, *second_addrs);
}

#[test]
fn monitors_that_say_nothing_are_left_for_others() {
    let mut world = World::new(&["v2:10.0.0.1:3300/0", "v2:10.0.0.2:3300/0"]);
    let (first, first_addrs) = world.dialled();
    world.session.connected(first, FEATURES);
    world.take();
    world.sleep();
    let actions = world.take();
    let [Action::Close(closed), Action::Dial(second, second_addrs)] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!(*closed, first);
    assert_ne!(*second_addrs, first_addrs);
    world.session.connected(*second, FEATURES);
    world.receive(*second, mon_map(1, &[("b", "v2:10.0.0.2:3300/0")]));
    world.take();
    assert_eq!(world.wake, None, "a monitor that serves may be silent");
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
    let unasked = world.command("two");
    while world.session.requests.next_deadline().is_some() {
        world.fail_dials();
        world.sleep();
    }
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
    match status.wait().unwrap_err() {
        MonError::Refused { attempts } => assert_eq!(attempts[0].why, Failure::NoV2Address),
        other => panic!("{other}"),
    }
    world.sleep();
    world.dialled(); // goes on all the same
}

#[test]
fn versions_are_answered_by_handle() {
    let (mut world, link) = World::open(&["v2:10.0.0.1:3300/0"]);
    let (answer, versions) = pending();
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
    assert!(!world.session.message(link, &Message::new(41, Bytes::new())));
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
