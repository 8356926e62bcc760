//! What a messenger tells about itself (Ceph, since release 20: `messenger dump`, `src/test/msgr/test_msgr.cc`).

use crate::hall::{Guest, Hall, PATIENCE, eventually, filled, numbered};
use axon_messenger::{Dump, DumpError, EntityType, Origin, Policy, State};
use serde_json::{Value, json};

fn json(dump: &Dump) -> Value {
    serde_json::to_value(dump).expect("a dump is plain data")
}

/// Names of the keys of an object.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Every section is there and says what is so: addresses, policies, connections, the queue, budgets, workers.
#[test]
fn dump_basics() {
    let hall = Hall::new();
    let server = hall.server("osd.3").default_policy(Policy::stateful_server());
    let server = Guest::new(server.receive_budget(EntityType::Client, 100, 1 << 20).workers(2));
    let client = Guest::new(hall.builder("client.7").default_policy(Policy::lossless_client()));
    let empty = json(&server.messenger.dump(PATIENCE).unwrap());
    assert_eq!((&empty["connections"], &empty["accepting"]), (&json!([]), &json!([])));

    let here = client.connect(&server.messenger);
    here.send(filled(1, 1000)).unwrap();
    let (there, message) = server.hear_message();
    there.send(message).unwrap();
    client.hear_message();
    let dump = || client.messenger.dump(PATIENCE).unwrap();
    eventually("the acknowledgement", || dump().connections[0].queue.bytes == 0);

    let dump = || server.messenger.dump(PATIENCE).unwrap();
    eventually("the news to be handed out", || dump().dispatch.stats.queued == 0);
    let dump = dump();
    let [connection] = &dump.connections[..] else { panic!("{dump:?}") };
    assert_eq!(
        (connection.id, connection.origin, connection.state),
        (there.id(), Origin::Accepted, State::Open)
    );
    let dump = json(&dump);
    let sections = [
        "name",
        "addrs",
        "closing",
        "policies",
        "listening",
        "connections",
        "accepting",
        "calls",
        "dispatch",
        "throttles",
        "workers",
        "counters",
    ];
    let mut expected = sections;
    expected.sort_unstable();
    let mut found = keys(&dump);
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(dump["name"], "osd.3");
    assert_eq!(dump["addrs"], server.messenger.addrs().to_string());
    assert_eq!(dump["policies"]["client"]["lossy"], false);
    assert_eq!(dump["listening"].as_array().map(Vec::len), Some(1));
    assert_eq!(dump["workers"][1]["answered"], true);
    assert_eq!(dump["counters"]["messages_in"], 1);
    assert_eq!(dump["dispatch"]["queued"], 0);
    let throttle = json!({"name": "client messages", "limit": 100, "in_use": 0, "waiters": 0});
    assert_eq!(dump["throttles"][1], throttle);

    let connection = &dump["connections"][0];
    assert_eq!((&connection["peer"], &connection["state"]), (&json!("client.7"), &json!("open")));
    assert_eq!(connection["policy"]["server"], true);
    assert_eq!(connection["agreed"]["mode"], "crc");
    assert_eq!((&connection["session"]["in_seq"], &connection["session"]["out_seq"]), (&json!(1), &json!(1)));
    let secrets = ["key", "secret", "ticket", "caps", "nonce"];
    let text = dump.to_string();
    assert!(secrets.iter().all(|word| !text.contains(word)), "{text}");
}

/// Who may ask at any time gets an answer as long as there is a messenger, and an error ever after; never those of another.
#[test]
fn admin_socket_hook_lifecycle() {
    let hall = Hall::new();
    let [first, second] = ["osd.1", "osd.2"].map(|name| Guest::new(hall.server(name)));
    let dumpers = [first.messenger.dumper(), second.messenger.dumper()];
    let names = dumpers.clone().map(|dumper| dumper.dump(PATIENCE).unwrap().name.to_string());
    assert_eq!(names, ["osd.1", "osd.2"]);

    let client = Guest::new(hall.builder("client.7"));
    let kept = client.connect(&first.messenger);
    kept.send(numbered(1)).unwrap();
    first.hear_message();
    first.messenger.shutdown(PATIENCE);
    assert_eq!(dumpers[0].dump(PATIENCE).unwrap_err(), DumpError::ShutDown);
    assert_eq!(dumpers[1].dump(PATIENCE).unwrap().name.to_string(), "osd.2");

    let clone = dumpers[1].clone();
    drop(second);
    assert_eq!(clone.dump(PATIENCE).unwrap_err(), DumpError::ShutDown);
    assert_eq!(DumpError::ShutDown.to_string(), "the messenger has shut down");

    let again = Guest::new(hall.server("osd.2"));
    assert_eq!(again.messenger.dumper().dump(PATIENCE).unwrap().name.to_string(), "osd.2");
    assert_eq!(clone.dump(PATIENCE).unwrap_err(), DumpError::ShutDown, "that is another one");
}
