use super::*;
use crate::{MonInfo, MonMap};
use axon_messenger::Fault;
use std::collections::BTreeSet;

const INTERVAL: Duration = Duration::from_secs(3);

fn target(last: u8) -> Target {
    Target { name: None, addrs: format!("v2:10.0.0.{last}:3300/0").parse().unwrap() }
}

fn candidates(n: u8) -> Vec<Candidate> {
    Candidate::of_hosts(&(1..=n).map(|last| target(last).addrs.into()).collect::<Vec<_>>())
}

fn hunt(n: u8, seed: u64) -> Hunt {
    Hunt::new(candidates(n), INTERVAL, seed)
}

fn broken() -> Failure {
    Failure::Fault(Fault::Stale)
}

fn dial(hunt: &mut Hunt, now: Instant) -> Target {
    match hunt.next(now, 0, 1) {
        Next::Try(target, _) => target,
        other => panic!("{other:?}"),
    }
}

/// Fails every monitor of a round; returns them in the order tried, and the end of the pause.
fn fail_round(hunt: &mut Hunt, now: Instant) -> (Vec<Target>, Instant) {
    let mut tried = Vec::new();
    loop {
        match hunt.next(now, 0, 1) {
            Next::Pause(until) => return (tried, until),
            Next::Wait => panic!("waits for nothing"),
            Next::Try(target, _) => {
                tried.push(target.clone());
                hunt.failed(target, broken());
            }
        }
    }
}

fn addrs(tried: &[Target]) -> BTreeSet<String> {
    tried.iter().map(|target| target.addrs.to_string()).collect()
}

#[test]
fn every_monitor_once_per_round_and_then_a_pause() {
    let now = Instant::now();
    let mut hunt = hunt(5, 1);
    let (tried, until) = fail_round(&mut hunt, now);
    assert_eq!(tried.len(), 5);
    assert_eq!(addrs(&tried), addrs(&(1..=5).map(target).collect::<Vec<_>>()));
    assert_eq!(hunt.attempts().len(), 5);
    let pause = until - now;
    assert!(pause >= INTERVAL.mul_f64(0.075) && pause <= INTERVAL.mul_f64(0.125), "{pause:?}");
    assert_eq!(hunt.next(until - Duration::from_millis(1), 0, 3), Next::Pause(until));
    let (again, later) = fail_round(&mut hunt, until);
    assert_eq!(addrs(&again), addrs(&tried));
    assert!(later - until >= INTERVAL.mul_f64(0.15), "pauses grow");
    assert_eq!(hunt.attempts().len(), 5, "one attempt is kept for each monitor");
}

#[test]
fn several_are_tried_at_a_time() {
    let now = Instant::now();
    let mut hunt = hunt(4, 1);
    let mut tried = Vec::new();
    for trying in 0..3 {
        let Next::Try(target, patience) = hunt.next(now, trying, 3) else { panic!("{trying}") };
        assert_eq!(patience, INTERVAL);
        tried.push(target);
    }
    assert_eq!(hunt.next(now, 3, 3), Next::Wait);
    hunt.failed(tried[0].clone(), broken());
    let Next::Try(last, _) = hunt.next(now, 2, 3) else { panic!("a place is free") };
    tried.push(last);
    assert_eq!(addrs(&tried).len(), 4);
    assert_eq!(hunt.next(now, 2, 3), Next::Wait, "the round is not over while some are being tried");
}

#[test]
fn patience_and_pauses_have_a_limit() {
    let mut now = Instant::now();
    let mut hunt = hunt(1, 1);
    for _ in 0..50 {
        let until = fail_round(&mut hunt, now).1;
        assert!(until - now <= INTERVAL.mul_f64(1.25), "{:?}", until - now);
        now = until;
    }
    assert!(matches!(hunt.next(now, 0, 1), Next::Try(_, patience) if patience == 10 * INTERVAL));
}

#[test]
fn clients_differ_in_their_order_and_their_pauses() {
    let now = Instant::now();
    let first = |seed| dial(&mut hunt(5, seed), now).addrs.to_string();
    let firsts: BTreeSet<String> = (0..100).map(first).collect();
    assert_eq!(firsts.len(), 5, "{firsts:?}");
    let pause = |seed| fail_round(&mut hunt(1, seed), now).1;
    let pauses: BTreeSet<Instant> = (0..100).map(pause).collect();
    assert!(pauses.len() > 50, "{}", pauses.len());
}

#[test]
fn the_one_that_served_is_tried_first_and_at_once() {
    let now = Instant::now();
    for seed in 0..20 {
        let mut hunt = hunt(5, seed);
        let until = fail_round(&mut hunt, now).1;
        let served = dial(&mut hunt, until);
        hunt.succeeded(&served, until);
        assert!(hunt.attempts().is_empty());
        hunt.lost(false, until + INTERVAL);
        assert_eq!(dial(&mut hunt, until + INTERVAL), served);
        assert_eq!(hunt.round, 0, "patience is what it was");
    }
}

#[test]
fn sessions_that_end_soon_do_not_follow_each_other_at_once() {
    let mut now = Instant::now();
    let mut hunt = hunt(1, 1);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let served = dial(&mut hunt, now);
        hunt.succeeded(&served, now);
        hunt.lost(false, now);
        let Next::Pause(until) = hunt.next(now, 0, 3) else { panic!("no pause") };
        pauses.push(until - now);
        now = until;
    }
    assert!(pauses[0] < INTERVAL / 4 && pauses[7] > INTERVAL / 2, "{pauses:?}");
    let served = dial(&mut hunt, now);
    hunt.succeeded(&served, now);
    hunt.lost(true, now);
    assert_eq!(dial(&mut hunt, now), served, "a session that was of use may end soon");
}

#[test]
fn monitors_of_a_new_map_count_at_once() {
    let now = Instant::now();
    let mut hunt = hunt(1, 1);
    let first = dial(&mut hunt, now);
    hunt.succeeded(&first, now);
    hunt.set_candidates(candidates(3));
    let (tried, _) = fail_round(&mut hunt, now);
    assert_eq!((tried.len(), &tried[0]), (3, &target(1)));
    hunt.set_candidates(Vec::new());
    assert_eq!(fail_round(&mut hunt, now + 10 * INTERVAL).0.len(), 3, "an empty map is no map");
}

#[test]
fn priorities_come_first_and_weights_count() {
    let now = Instant::now();
    let mon =
        |last, priority, weight| (format!("{last}"), MonInfo { addrs: target(last).addrs, priority, weight });
    let map = MonMap {
        fsid: [1; 16],
        epoch: 1,
        changed: Default::default(),
        created: Default::default(),
        mons: [mon(1, 1, 0), mon(2, 0, 10), mon(3, 0, 30)].into(),
        ranks: ["1", "2", "3"].map(String::from).to_vec(),
        min_release: 0,
    };
    let candidates = Candidate::of_map(&map);
    let mut third_first = 0;
    for seed in 0..400 {
        let (tried, _) = fail_round(&mut Hunt::new(candidates.clone(), INTERVAL, seed), now);
        let names: Vec<&str> = tried.iter().filter_map(|t| t.name.as_deref()).collect();
        assert_eq!(names[2], "1", "its priority is the worse one");
        third_first += usize::from(names[0] == "3");
    }
    assert!((260..340).contains(&third_first), "three of four: {third_first} of 400");
}

#[test]
fn a_search_is_hopeless_when_all_refuse_for_good() {
    let now = Instant::now();
    let mut two = hunt(2, 1);
    let first = dial(&mut two, now);
    two.failed(first, Failure::NoV2Address);
    assert!(!two.is_hopeless(), "one is left to try");
    let second = dial(&mut two, now);
    two.failed(second, Failure::TooSlow(INTERVAL));
    assert!(!two.is_hopeless(), "one may come back");
    let mut one = hunt(1, 1);
    assert!(!one.is_hopeless());
    let only = dial(&mut one, now);
    one.failed(only, Failure::NoV2Address);
    assert!(one.is_hopeless());
}
