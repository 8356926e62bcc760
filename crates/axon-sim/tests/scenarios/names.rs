//! The list of scenarios in `docs/simulation.md` and the tests of this program are the same.

use std::collections::BTreeSet;
use std::process::Command;

const PAGE: &str = include_str!("../../../../docs/simulation.md");

/// The heading above the list.
const HEADING: &str = "## The scenarios of other suites";

/// The list's rows: the module of the tests, and the names of the scenarios as their suites have them.
fn rows() -> Vec<(String, Vec<String>)> {
    let section = PAGE.split(HEADING).nth(1).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(row).collect()
}

fn row(line: &str) -> (String, Vec<String>) {
    let mut cells = line.split('|').map(str::trim).filter(|cell| !cell.is_empty());
    let module = cells.next().expect("the module").trim_matches('`');
    let names = cells.next().expect("the names").split(", ").map(str::to_owned);
    (module.to_owned(), names.collect())
}

/// `ReconnectRaceTest` is `reconnect_race_test`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (before, c) in std::iter::once('_').chain(name.chars()).zip(name.chars()) {
        if c.is_uppercase() && before != '_' && !before.is_uppercase() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// What this program can run, as it lists it.
fn tests() -> BTreeSet<String> {
    let program = std::env::current_exe().expect("this program");
    let output =
        Command::new(program).args(["--list", "--format", "terse"]).output().expect("it lists its tests");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

#[test]
fn every_scenario_of_the_list_is_a_test() {
    let wanted: Vec<String> = rows()
        .into_iter()
        .flat_map(|(module, names)| {
            names.into_iter().map(move |name| format!("{module}::{}", snake_case(&name)))
        })
        .collect();
    assert!(wanted.len() > 70, "the list of {HEADING:?} was not understood: {wanted:?}");
    let there = tests();
    let missing: Vec<_> = wanted.iter().filter(|name| !there.contains(*name)).collect();
    assert!(missing.is_empty(), "of the list in docs/simulation.md there is no test {missing:?}");
}

#[test]
fn names_are_turned_as_the_list_says() {
    for (theirs, ours) in [
        ("SimpleMsgr2Test", "simple_msgr2_test"),
        ("MissingServerIdenTest2", "missing_server_iden_test2"),
        ("AdminSocketHookLifecycle", "admin_socket_hook_lifecycle"),
        ("test_echo", "test_echo"),
    ] {
        assert_eq!(snake_case(theirs), ours);
    }
}
