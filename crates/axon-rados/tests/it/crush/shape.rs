//! CRUSH maps as text.

use std::fmt::Write;

/// A hierarchy of racks, hosts and devices.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) algorithm: &'static str,
    pub(crate) racks: u32,
    /// In each rack; every third rack has one less.
    pub(crate) hosts: u32,
    /// In each host; every other host has one less.
    pub(crate) devices: u32,
    /// Tunables and their values.
    pub(crate) tunables: &'static [(&'static str, u32)],
    /// Whether all items weigh the same.
    pub(crate) even: bool,
    /// Whether every third device is an `ssd`, and others are `hdd`.
    pub(crate) classes: bool,
    /// Rules, in the words of `crushtool`.
    pub(crate) rules: &'static [&'static str],
    /// What follows the rules.
    pub(crate) tail: String,
}

/// What buckets draw by.
pub(crate) const ALGORITHMS: [&str; 5] = ["straw2", "straw", "list", "tree", "uniform"];

/// What new clusters have.
pub(crate) const JEWEL: &[(&str, u32)] = &[
    ("choose_local_tries", 0),
    ("choose_local_fallback_tries", 0),
    ("choose_total_tries", 50),
    ("chooseleaf_descend_once", 1),
    ("chooseleaf_vary_r", 1),
    ("chooseleaf_stable", 1),
    ("straw_calc_version", 1),
    ("allowed_bucket_algs", 62),
];

/// Rules that between them use every kind of step.
pub(crate) const RULES: &[&str] = &[
    "type replicated\n step take root\n step chooseleaf firstn 0 type host\n step emit",
    "type replicated\n step take root\n step choose firstn 2 type rack\n step chooseleaf firstn 2 type host\n step emit",
    "type erasure\n step set_chooseleaf_tries 5\n step set_choose_tries 100\n step take root\n step chooseleaf indep 0 type host\n step emit",
    "type erasure\n step take root\n step choose indep 3 type rack\n step choose indep 2 type host\n step choose indep 1 type osd\n step emit",
    "type replicated\n step take root\n step choose firstn 0 type osd\n step emit",
    "type erasure\n step set_choose_tries 4\n step take root\n step chooseleaf indep 0 type osd\n step emit",
    "type replicated\n step take rack0\n step chooseleaf firstn 1 type host\n step emit\n step take root\n step chooseleaf firstn -1 type rack\n step emit",
];

impl Default for Shape {
    fn default() -> Self {
        Self {
            algorithm: "straw2",
            racks: 3,
            hosts: 3,
            devices: 3,
            tunables: JEWEL,
            even: false,
            classes: false,
            rules: RULES,
            tail: String::new(),
        }
    }
}

impl Shape {
    /// The map in the words of `crushtool`.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.tunables {
            writeln!(text, "tunable {name} {value}").unwrap();
        }
        let hosts = self.host_sizes();
        let devices = hosts.iter().map(|(_, devices)| devices).sum::<u32>();
        for device in 0..devices {
            let class = if device % 3 == 0 { "ssd" } else { "hdd" };
            let class = if self.classes { format!(" class {class}") } else { String::new() };
            writeln!(text, "device {device} osd.{device}{class}").unwrap();
        }
        text += "type 0 osd\ntype 1 host\ntype 2 rack\ntype 3 root\n";
        self.put_hosts(&hosts, &mut text);
        self.put_racks(&hosts, &mut text);
        for (id, rule) in self.rules.iter().enumerate() {
            // Newer releases ignore the sizes, Nautilus insists on them.
            let rule = rule.replacen('\n', "\n min_size 1\n max_size 20\n", 1);
            writeln!(text, "rule rule{id} {{\n id {id}\n {rule}\n}}").unwrap();
        }
        text + &self.tail
    }

    /// The rack of each host and its devices.
    fn host_sizes(&self) -> Vec<(u32, u32)> {
        let mut hosts = Vec::new();
        for rack in 0..self.racks {
            for host in 0..self.hosts - u32::from(rack % 3 == 2) {
                hosts.push((rack, self.devices - (rack + host) % 2));
            }
        }
        hosts
    }

    fn put_hosts(&self, hosts: &[(u32, u32)], text: &mut String) {
        let mut device = 0;
        for (host, (_, devices)) in hosts.iter().enumerate() {
            let items =
                (device..device + devices).map(|id| (format!("osd.{id}"), self.device_weight(id, host)));
            self.put_bucket("host", &format!("host{host}"), items.collect(), text);
            device += devices;
        }
    }

    fn put_racks(&self, hosts: &[(u32, u32)], text: &mut String) {
        for rack in 0..self.racks {
            let inside = hosts.iter().enumerate().filter(|(_, (at, _))| *at == rack);
            let items = inside.map(|(host, _)| (format!("host{host}"), self.weight(host as u32, 3)));
            self.put_bucket("rack", &format!("rack{rack}"), items.collect(), text);
        }
        let racks = (0..self.racks).map(|rack| (format!("rack{rack}"), self.weight(rack, 4)));
        self.put_bucket("root", "root", racks.collect(), text);
    }

    fn put_bucket(&self, kind: &str, name: &str, items: Vec<(String, f64)>, text: &mut String) {
        writeln!(text, "{kind} {name} {{\n alg {}\n hash 0", self.algorithm).unwrap();
        for (item, weight) in items {
            writeln!(text, " item {item} weight {weight:.3}").unwrap();
        }
        text.push_str("}\n");
    }

    /// Uniform buckets must hold items of one weight.
    fn device_weight(&self, device: u32, host: usize) -> f64 {
        match self.algorithm {
            "uniform" => self.weight(host as u32, 5),
            _ => self.weight(device, 5),
        }
    }

    fn weight(&self, n: u32, steps: u32) -> f64 {
        match self.even || (self.algorithm == "uniform" && steps < 5) {
            true => 1.0,
            false => 0.5 + f64::from(n % steps) * 0.375,
        }
    }
}
