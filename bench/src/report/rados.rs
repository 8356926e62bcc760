//! The page's part about clients of clusters.

use super::markdown::{one_line, table};
use super::units::{bytes, count, dash, median, micros, plain, spread};
use crate::rados::{CLIENTS, Entries, Entry, Load};

const READING: &str = "\
One monitor and one OSD with its objects in memory, one copy each, on the machine of the clients; cephx, crc mode unless said. Every \
client does the same: it reads whole objects of its own set of equal size and number at random, or writes new ones. The \
mean latency is the operations in flight divided by the operations per second, as `rados bench` tells no quantiles. \
Processor time is per operation, in us, and peak memory is the largest resident set (VmHWM).
";

/// A table for each release and load.
pub(super) fn section(entries: &Entries) -> String {
    let mut groups: Vec<(&str, Load)> = Vec::new();
    for entry in &entries.entries {
        let group = (entry.release.as_str(), entry.load);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let tables = groups.into_iter().map(|(release, load)| {
        let own = entries.entries.iter().filter(|e| e.release == release && e.load == load);
        format!("### {load}, Ceph {release}\n\n{}\n\n", rows(own))
    });
    let missing = entries.missing.iter().map(|what| format!("- not measured: {}\n", one_line(what)));
    let tables: String = tables.collect();
    format!("{READING}\n{tables}{}\n{}\n", missing.collect::<String>(), clients())
}

fn rows<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let heads = [
        "client",
        "operations/s",
        "data/s",
        "mean latency",
        "p50",
        "p99",
        "client CPU",
        "OSD CPU",
        "peak MiB",
        "measured",
        "remarks",
    ];
    let mut table = table(&heads);
    for entry in entries {
        let figures = &entry.figures;
        table.add_row([
            entry.client.profile().title.to_owned(),
            spread(figures.messages_per_second, count),
            median(figures.bytes_per_second, bytes),
            entry.mean_us().map_or_else(dash, micros),
            median(figures.p50_us, micros),
            median(figures.p99_us, micros),
            spread(figures.client_cpu_us, micros),
            median(figures.server_cpu_us, micros),
            median(entry.peak_mib, plain),
            entry.measured.to_string(),
            remarks(entry),
        ]);
    }
    table.to_string()
}

fn remarks(entry: &Entry) -> String {
    let noisy = entry.rounds.iter().filter(|round| round.sample.noisy).count();
    let counted = [(noisy, "noisy"), (entry.discarded as usize, "thrown away")];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let mut remarks: Vec<_> = counted.map(|(count, what)| format!("{count} {what}")).collect();
    remarks.extend(entry.repeated.last().map(|why| {
        format!("{} failed and repeated, the last because: {}", entry.repeated.len(), one_line(why))
    }));
    remarks.extend(entry.failure.as_ref().map(|why| format!("failed: {}", one_line(why))));
    remarks.join("; ")
}

fn clients() -> String {
    let mut table = table(&["client", "started as", "threads"]);
    for profile in CLIENTS {
        table.add_row([profile.title, profile.start, profile.settings]);
    }
    table.to_string()
}
