//! A load against responders that break the rules.

use super::*;
use crate::bench::conduct::{Run, conduct};
use crate::bench::stage::Plan;
use axon_denc::{EntityName, EntityType};
use axon_messenger::{BindSpec, Messenger, Policy};
use axon_rados::msg::MOSDOpView;
use axon_rados::osd::OsdFlags;
use axon_transport::MemNetwork;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

/// How a request is answered: with the replies to be sent, given its own and those held back so far.
type Habit = fn(n: u64, reply: Message, held: &mut Vec<Message>) -> Vec<Message>;

/// A responder with a habit; `n` counts the requests from 1.
struct Rogue(Habit, Mutex<(u64, Vec<Message>)>);

impl Dispatcher for Rogue {
    fn dispatch(&self, connection: &Connection, message: Received) {
        let request = MOSDOpView::parse(&message).unwrap();
        let reply = MOSDOpReply::answer(&request, 0, OsdFlags::ACK, 0);
        let mut state = self.1.lock().unwrap();
        state.0 += 1;
        let n = state.0;
        for reply in (self.0)(n, reply, &mut state.1) {
            connection.send(reply).unwrap();
        }
    }
}

/// Runs 100 requests, 8 in flight, against a responder with this habit.
fn run_against(habit: Habit) -> (Run<CliError>, Mishaps) {
    run_patiently(habit, Duration::from_secs(5))
}

/// The same, waiting so long for what does not come.
fn run_patiently(habit: Habit, patience: Duration) -> (Run<CliError>, Mishaps) {
    let network = Arc::new(MemNetwork::new());
    let server = Messenger::builder(EntityName::new(EntityType::Osd, 0))
        .bind(BindSpec::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))
        .transport(network.clone())
        .start(Rogue(habit, Mutex::default()))
        .unwrap();
    let span = Span::Count(100);
    let (attempt, outcome) = Attempt::new();
    let (sender, news) = channel();
    let load = Load::new("rogue".into(), Shape { size: 100, depth: 8, span }, 1, attempt, sender);
    let load = Arc::new(load);
    let client = Messenger::builder(EntityName::new(EntityType::Client, -1))
        .default_policy(Policy::lossy_client())
        .transport(network)
        .start(load.clone())
        .unwrap();
    let connection = client.connect_anonymous(EntityType::Osd, &server.addrs()).unwrap();
    outcome.wait("rogue", 1, Duration::from_secs(10)).unwrap();
    let plan = Plan { span, patience };
    let run =
        conduct(load.recorder(), plan, &news, "test", &|| None, || load.start(vec![connection])).unwrap();
    (run, load.mishaps())
}

fn counts(mishaps: Mishaps) -> [u64; 3] {
    [mishaps.lost, mishaps.duplicated, mishaps.reordered]
}

#[test]
fn an_honest_one() {
    let (run, mishaps) = run_against(|_, reply, _| vec![reply]);
    assert_eq!((run.sample.messages(), counts(mishaps)), (100, [0, 0, 0]));
    assert!(run.broken.is_none());
}

#[test]
fn one_that_forgets() {
    let habit: Habit = |n, reply, _| if n % 50 == 0 { vec![] } else { vec![reply] };
    let (run, mishaps) = run_patiently(habit, Duration::from_millis(300));
    assert_eq!((run.sample.messages(), counts(mishaps)), (98, [2, 0, 0]));
}

#[test]
fn one_that_repeats_itself() {
    let (run, mishaps) = run_against(|n, reply, _| vec![reply; if n == 10 { 3 } else { 1 }]);
    assert_eq!((run.sample.messages(), counts(mishaps)), (100, [0, 2, 0]));
}

#[test]
fn one_that_answers_late() {
    let (run, mishaps) = run_against(|n, reply, held| match n {
        10 => {
            held.push(reply);
            vec![]
        }
        12 => vec![reply, held.remove(0)],
        _ => vec![reply],
    });
    assert_eq!((run.sample.messages(), counts(mishaps)), (100, [0, 0, 1]));
}

#[test]
fn one_that_answers_what_nobody_asked() {
    let (run, _) = run_against(|_, mut reply, _| {
        reply.header.tid += 1000;
        vec![reply]
    });
    assert!(matches!(run.broken, Some(CliError::StrangeReply { tid: 1001.. })), "{:?}", run.broken);
    let (run, _) = run_against(|_, mut reply, _| {
        reply.header.tid = u64::MAX;
        vec![reply]
    });
    assert!(matches!(run.broken, Some(CliError::StrangeReply { tid: u64::MAX })), "{:?}", run.broken);
}
