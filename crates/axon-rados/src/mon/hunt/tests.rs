use super::*;
use axon_messenger::Fault;
use std::collections::BTreeSet;

const INTERVAL: Duration = Duration::from_secs(3);

fn target(last: u8) -> Target {
    Target { name: None, addrs: format!("v2:10.0.0.{last}:3300/0").parse().unwrap() }
}

fn targets(n: u8) -> Vec<Target> {
    (1..=n).map(target).collect()
}

fn broken() -> Failure {
    Failure::Fault(Fault::Stale)
}

fn dial(hunt: &mut Hunt, now: Instant) -> Target {
    match hunt.next(now) {
        Next::Try(target, _) => target,
        Next::Pause(until) => panic!("pauses for {:?}", until - now),
    }
}

/// Fails every monitor of a round; returns them in the order tried, and the end of the pause.
fn fail_round(hunt: &mut Hunt, now: Instant) -> (Vec<Target>, Instant) {
    let mut tried = Vec::new();
    loop {
        match hunt.next(now) {
            Next::Pause(until) => return (tried, until),
            Next::Try(target, _) => {
                tried.push(target.clone());
                hunt.failed(target, broken(), now);
            }
        }
    }
}

#[test]
fn every_monitor_once_per_round_and_then_a_pause() {
    let now = Instant::now();
    let mut hunt = Hunt::new(targets(5), INTERVAL, 1);
    let (tried, until) = fail_round(&mut hunt, now);
    let addrs = |tried: &[Target]| tried.iter().map(|t| t.addrs.to_string()).collect::<BTreeSet<_>>();
    assert_eq!(addrs(&tried), addrs(&targets(5)));
    assert_eq!((tried.len(), until), (5, now + INTERVAL));
    assert_eq!(hunt.attempts().len(), 5);
    let (again, later) = fail_round(&mut hunt, until);
    assert_eq!(addrs(&again), addrs(&tried));
    assert_eq!(later, until + INTERVAL.mul_f64(1.5), "pauses grow");
    assert_eq!(hunt.attempts().len(), 5, "one attempt is kept for each monitor");
}

#[test]
fn patience_has_a_limit() {
    let mut now = Instant::now();
    let mut hunt = Hunt::new(targets(1), INTERVAL, 1);
    for _ in 0..50 {
        now = fail_round(&mut hunt, now).1;
    }
    assert!(matches!(hunt.next(now), Next::Try(_, patience) if patience == 10 * INTERVAL));
}

#[test]
fn clients_differ_in_their_order() {
    let now = Instant::now();
    let first = |seed| dial(&mut Hunt::new(targets(5), INTERVAL, seed), now).addrs.to_string();
    let firsts: BTreeSet<String> = (0..100).map(first).collect();
    assert_eq!(firsts.len(), 5, "{firsts:?}");
}

#[test]
fn the_one_that_answered_is_tried_first_and_at_once() {
    let now = Instant::now();
    for seed in 0..20 {
        let mut hunt = Hunt::new(targets(5), INTERVAL, seed);
        let until = fail_round(&mut hunt, now).1;
        let answered = dial(&mut hunt, until);
        hunt.succeeded(&answered);
        assert!(hunt.attempts().is_empty());
        assert_eq!(dial(&mut hunt, until), answered);
    }
}

#[test]
fn monitors_of_a_new_map_count_at_once() {
    let now = Instant::now();
    let mut hunt = Hunt::new(targets(1), INTERVAL, 1);
    let first = dial(&mut hunt, now);
    hunt.succeeded(&first);
    hunt.set_targets(targets(3));
    let (tried, _) = fail_round(&mut hunt, now);
    assert_eq!((tried.len(), &tried[0]), (3, &target(1)));
    hunt.set_targets(Vec::new());
    assert_eq!(fail_round(&mut hunt, now + 10 * INTERVAL).0.len(), 3, "an empty map is no map");
}

#[test]
fn a_search_is_hopeless_when_all_refuse_for_good() {
    let now = Instant::now();
    let mut hunt = Hunt::new(targets(2), INTERVAL, 1);
    let first = dial(&mut hunt, now);
    hunt.failed(first, Failure::NoV2Address, now);
    assert!(!hunt.is_hopeless(), "one is left to try");
    let second = dial(&mut hunt, now);
    hunt.failed(second, Failure::TooSlow(INTERVAL), now);
    assert!(!hunt.is_hopeless(), "one may come back");
    let mut hunt = Hunt::new(targets(1), INTERVAL, 1);
    let only = dial(&mut hunt, now);
    hunt.failed(only, Failure::NoV2Address, now);
    assert!(hunt.is_hopeless());
}
