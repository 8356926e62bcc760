//! The page `docs/performance/README.md`.

use super::plots::Plot;
use super::units::{bytes, count, dash, median, micros, plain, spread};
use super::{Missing, Outcome, rados};
use crate::bar::{Verdict, Want};
use crate::campaign::Cell;
use crate::peer::{PROFILES, Peer};
use crate::pinning::Pinning;
use crate::sample::Spread;
use crate::scenario::{SHARED_DEPTH, Scenario};
use comfy_table::{Table, presets};

const TITLE: &str = "\
# Axon beside its peers

This page is written by `cargo xtask bench`; [performance.md](../performance.md) says what to make of it. Times depend on \
the machine: read the ratios.
";

/// All figures are of one run.
const ONE_RUN: &str = "\
All figures are of one run, in which the peers of a scenario alternated round by round.
";

/// Parts were measured again.
const SEVERAL_RUNS: &str = "\
**These figures are of several runs**, as parts were measured again later: the tables say when each was measured. Within a \
run, the peers of a scenario alternated round by round. Where a ratio is of figures of two runs, it says so, and is worth \
less. The table of conditions is that of the last run.
";

const BARS: &str = "\
\"Bare sockets\" is the ratio that bare sockets reach in Axon's place where the kernel may be the limit: nobody can do \
better over this loopback with the same calls. \"Two modes\": the rounds of one of the two differ by more than twice, so \
that the ratio of the medians says little. Unless a scenario says blocking, Axon looks for work for up to 50 us before it \
sleeps (not as a client of a cluster), while most peers, Ceph's C++ messenger among them, sleep at once.
";

/// What a round has before it.
const WARM_UP: &str = "after a warm-up of a tenth; the C++ client and UCX, who are told a count, measure as much more instead, \
and clients of a cluster have no warm-up";

/// More than every tenth measurement was disturbed.
const DISTURBED: &str = "\
**Not to be quoted:** other processes used the processor during much of this run. Peers with several threads then get more \
of it than those with one, so that not even the ratios hold.
";

const READING: &str = "\
Figures are medians of the rounds, with the least and the greatest in brackets. Requests carry that many bytes of data, \
replies are small (64 B, or a reply message without data); of a stream, messages that arrived. Latency is from the send \
to the reply, in us. Processor time is per message, in us, client and server apart, taken from the middle of each \
measurement. The C++ benchmark tells no latencies: of a lone request its p50 is the mean. A quantile is shown if ten or more \
messages of each round were above it.
";

const SHARE: &str = "\
4 KiB requests, 1000 in flight over all connections, beside bare sockets that do nothing but move as many bytes (one \
thread, epoll): what is lost to more connections there is the kernel's.
";

/// The whole page.
pub(super) fn page(outcome: &Outcome, plots: &[Plot]) -> String {
    let images: Vec<_> = plots.iter().map(|plot| format!("![{}]({})", plot.title, plot.file)).collect();
    let parts = [
        format!("{TITLE}\n{}", if outcome.figures.are_of_one_run() { ONE_RUN } else { SEVERAL_RUNS }),
        format!("```console\n$ {}\n```\n", outcome.command),
        conditions(outcome),
        disturbed(outcome).to_owned(),
        format!("## Bars\n\n{BARS}\n{}\n", bars(&outcome.bars)),
        format!("## Plots\n\n{}\n", images.join("\n\n")),
        format!("## Figures\n\n{READING}"),
        figures(&outcome.figures.cells),
        format!("## The kernel's share\n\n{SHARE}\n{}\n", share(&outcome.figures.cells)),
        format!("## Probes\n\n{}\n", probes(outcome)),
        format!("## Clients of a Ceph cluster\n\n{}", rados::section(&outcome.figures.rados)),
        format!("## Peers\n\n{}\n", peers()),
        missing(outcome),
    ];
    parts.join("\n")
}

/// The bars and the conditions.
pub(super) fn summary(outcome: &Outcome) -> String {
    [bars(&outcome.bars), missing(outcome), noise(outcome)].join("\n\n")
}

pub(super) fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(heads);
    table
}

fn conditions(outcome: &Outcome) -> String {
    let (machine, conditions) = (&outcome.machine, &outcome.conditions);
    let mut table = table(&["what", "is"]);
    let place = if machine.virtual_machine { "virtual machine" } else { "no virtual machine" };
    let cores = format!("{}, {} cores, {place}", machine.processor, machine.cores);
    let system = format!("{}, Linux {}, {} MiB", machine.system, machine.kernel, machine.memory_mib);
    let pinning = match conditions.pinning {
        Pinning::Split => "each end on a core of its own, for every peer",
        Pinning::None => "wherever the kernel puts them, for every peer",
    };
    let rounds = format!("{} of {} s each, {WARM_UP}", conditions.rounds, conditions.seconds);
    let rows = [
        ("date", machine.date.clone()),
        ("processor", cores),
        ("system", system),
        ("clock governor", machine.governor.clone()),
        ("ends", format!("processes of their own over loopback, {pinning}")),
        ("rounds", rounds),
        ("noise", noise(outcome)),
    ];
    for (what, is) in rows {
        table.add_row([what.to_owned(), is]);
    }
    for version in outcome.versions.iter().filter(|version| !version.version.is_empty()) {
        table.add_row([version.name.to_owned(), version.version.clone()]);
    }
    format!("{table}\n")
}

fn disturbed(outcome: &Outcome) -> &'static str {
    let conditions = &outcome.conditions;
    if conditions.noisy * 10 > conditions.kept { DISTURBED } else { "" }
}

fn noise(outcome: &Outcome) -> String {
    let conditions = &outcome.conditions;
    format!(
        "{} measurements kept, {} thrown away because other processes used more than {} cores, {} kept although they did",
        conditions.kept, conditions.discarded, conditions.noise, conditions.noisy
    )
}

fn bars(verdicts: &[Verdict]) -> String {
    let mut table = table(&["bar", "wanted", "measured", "bare sockets", "verdict", "as measured when"]);
    for verdict in verdicts {
        let wanted = match verdict.want {
            Want::AtLeast(least) => format!("at least {least:.2}"),
            Want::AtMost(most) => format!("at most {most:.2}"),
            Want::FasterOrLeaner(faster, least, lean) => {
                format!("at least {faster:.2}, or {least:.2} with at most {lean:.2} of the processor time")
            }
        };
        let ratio = verdict.ratio.map_or_else(dash, |ratio| format!("{ratio:.2}"));
        let cpu =
            verdict.cpu.map_or_else(String::new, |cpu| format!(", with {cpu:.2} of the processor time"));
        let bare = verdict.bare.map_or_else(String::new, |bare| format!("{bare:.2}"));
        let row = [verdict.what.clone(), wanted, ratio + &cpu, bare, word(verdict), verdict.measured.clone()];
        table.add_row(row);
    }
    table.to_string()
}

fn word(verdict: &Verdict) -> String {
    let word = match verdict.holds {
        None => return "not measured".into(),
        Some(true) => "pass",
        Some(false) => "**FAIL**",
    };
    let doubts = [(verdict.noisy, "noisy"), (verdict.bimodal, "two modes")];
    let doubts: Vec<_> = doubts.into_iter().filter_map(|(is, doubt)| is.then_some(doubt)).collect();
    if doubts.is_empty() { word.into() } else { format!("{word} ({})", doubts.join(", ")) }
}

/// A table for each scenario.
fn figures(cells: &[Cell]) -> String {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for cell in cells {
        if !scenarios.contains(&cell.scenario) {
            scenarios.push(cell.scenario);
        }
    }
    let section = |scenario: &Scenario| {
        let own = cells.iter().filter(|cell| cell.scenario == *scenario);
        format!("### {scenario}\n\n{}\n\n", scenario_table(own))
    };
    scenarios.iter().map(section).collect()
}

fn scenario_table<'a>(cells: impl Iterator<Item = &'a Cell>) -> String {
    let heads = [
        "peer",
        "messages/s",
        "data/s",
        "p50",
        "p90",
        "p99",
        "p99.9",
        "client CPU",
        "server CPU",
        "measured",
        "remarks",
    ];
    let mut table = table(&heads);
    for cell in cells {
        let figures = &cell.figures;
        table.add_row([
            cell.peer.profile().title.to_owned(),
            spread(figures.messages_per_second, count),
            median(figures.bytes_per_second, bytes),
            spread(figures.p50_us, micros),
            median(figures.p90_us, micros),
            median(figures.p99_us, micros),
            median(figures.p999_us, micros),
            median(figures.client_cpu_us, micros),
            median(figures.server_cpu_us, micros),
            cell.measured.to_string(),
            remarks(cell),
        ]);
    }
    table.to_string()
}

/// Axon beside bare sockets, over connections.
fn share(cells: &[Cell]) -> String {
    let heads = [
        "connections",
        "Axon, messages/s",
        "sockets, messages/s",
        "Axon beside sockets",
        "sockets beside one",
    ];
    let mut table = table(&heads);
    let rate = |peer: Peer, connections: u32| {
        let scenario = Scenario::requests(4096, SHARED_DEPTH).over(connections);
        let cell = cells.iter().find(|cell| cell.peer == peer && cell.scenario == scenario)?;
        Some(cell.figures.messages_per_second?.median)
    };
    let shown = |rate: Option<f64>| rate.map_or_else(dash, count);
    let ratio = |a: Option<f64>, b: Option<f64>| a.zip(b).map_or_else(dash, |(a, b)| format!("{:.2}", a / b));
    for connections in [1, 10, 100, 1000] {
        let (axon, raw) = (rate(Peer::Axon, connections), rate(Peer::Raw, connections));
        let ratios = [ratio(axon, raw), ratio(raw, rate(Peer::Raw, 1))];
        let [beside, lost] = ratios;
        table.add_row([connections.to_string(), shown(axon), shown(raw), beside, lost]);
    }
    table.to_string()
}

fn remarks(cell: &Cell) -> String {
    let noisy = cell.rounds.iter().filter(|round| round.noisy).count();
    let counted = [(noisy, "noisy"), (cell.discarded as usize, "thrown away")];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let mut remarks: Vec<_> = counted.map(|(count, what)| format!("{count} {what}")).collect();
    let bimodal = cell.figures.messages_per_second.is_some_and(Spread::is_bimodal);
    remarks.extend(bimodal.then(|| "two modes".to_owned()));
    remarks.extend(cell.failure.as_ref().map(|why| format!("failed: {}", one_line(why))));
    remarks.join("; ")
}

fn probes(outcome: &Outcome) -> String {
    let mut table = table(&["what", "found", "measured", "remarks"]);
    for survey in &outcome.figures.surveys {
        for finding in &survey.findings {
            let remarks = finding.failure.as_deref().map_or_else(String::new, one_line);
            let row =
                [finding.what.clone(), spread(finding.value, plain), survey.measured.to_string(), remarks];
            table.add_row(row);
        }
    }
    table.to_string()
}

fn peers() -> String {
    let mut table = table(&["peer", "started as", "settings", "when idle", "source"]);
    for profile in PROFILES {
        table.add_row([profile.title, profile.start, profile.settings, profile.idle, profile.source]);
    }
    table.to_string()
}

fn missing(outcome: &Outcome) -> String {
    if outcome.missing.is_empty() {
        return "No peer was missing.\n".into();
    }
    let line = |Missing { peer, why }: &Missing| {
        format!("- {} was not measured: {}\n", peer.profile().title, one_line(why))
    };
    outcome.missing.iter().map(line).collect()
}

/// A text for a cell of a table.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_said_in_a_word() {
        let verdict = |ratio, noisy| {
            word(&Verdict { noisy, ..Verdict::relative(String::new(), Want::AtLeast(2.0), ratio) })
        };
        assert_eq!(verdict(None, true), "not measured");
        assert_eq!(verdict(Some(2.5), false), "pass");
        assert_eq!(verdict(Some(1.5), false), "**FAIL**");
        assert_eq!(verdict(Some(1.5), true), "**FAIL** (noisy)");
        let bimodal = Verdict { bimodal: true, ..Verdict::absolute(String::new(), Want::AtMost(2.0), 1.0) };
        assert_eq!(word(&bimodal), "pass (two modes)");
    }

    #[test]
    fn reasons_fit_a_cell() {
        assert_eq!(one_line("a\n  b | c"), "a b / c");
    }
}
