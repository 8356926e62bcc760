//! Placements equal to those of `crushtool`, for every algorithm, rule and tunable.

pub(crate) mod shape;

use axon_rados::crush::CrushMap;
use axon_testbed::{MapTools, Release};
use shape::{ALGORITHMS, RULES, Shape};

/// The weight of a device that keeps all it is given.
const WHOLE: u32 = 0x10000;

/// A map, and which devices keep less than all.
struct Case<'a> {
    tools: &'a MapTools,
    bytes: Vec<u8>,
    map: CrushMap,
    /// Device and weight, the rest keeps all.
    reweights: Vec<(u32, f64)>,
}

impl<'a> Case<'a> {
    fn compile(tools: &'a MapTools, text: &str) -> Self {
        Self::new(tools, tools.compile_crush(text).unwrap())
    }

    fn new(tools: &'a MapTools, bytes: Vec<u8>) -> Self {
        let map = CrushMap::decode(&bytes).unwrap();
        Self { tools, bytes, map, reweights: Vec::new() }
    }

    fn reweighted(mut self, reweights: &[(u32, f64)]) -> Self {
        self.reweights = reweights.to_vec();
        self
    }

    fn weights(&self) -> Vec<u32> {
        let mut weights = vec![WHOLE; self.map.max_devices() as usize];
        for (device, weight) in &self.reweights {
            weights[*device as usize] = (weight * f64::from(WHOLE)) as u32;
        }
        weights
    }

    /// Places `0..inputs` by `rule` and compares each with the tool's answer.
    fn check(&self, rule: u32, size: usize, inputs: u32) {
        let (rule_text, size_text, last) = (rule.to_string(), size.to_string(), (inputs - 1).to_string());
        let mut args = vec!["--rule", &rule_text, "--num-rep", &size_text, "--min-x", "0", "--max-x", &last];
        let reweights: Vec<_> =
            self.reweights.iter().map(|(device, weight)| (device.to_string(), weight.to_string())).collect();
        for (device, weight) in &reweights {
            args.extend(["--weight", device, weight]);
        }
        let theirs = self.tools.crush_mappings(&self.bytes, &args).unwrap();
        assert_eq!(theirs.len(), inputs as usize);
        let weights = self.weights();
        // The tool looks for alternative weights of pool 0.
        let choose_args = self.map.choose_args(0);
        for (x, expected) in theirs {
            let ours = self.map.do_rule(rule, x, size, &weights, choose_args).unwrap();
            assert_eq!(ours, expected, "rule {rule}, {size} of {x}, reweights {:?}", self.reweights);
        }
    }

    /// The same for every rule of the map.
    fn check_rules(&self, size: usize, inputs: u32) {
        self.map.rule_ids().for_each(|rule| self.check(rule, size, inputs));
    }
}

/// Some devices out, some that keep a part.
const REWEIGHTS: &[(u32, f64)] =
    &[(1, 0.0), (3, 0.5), (7, 0.25), (10, 0.0), (11, 0.9), (17, 0.01), (19, 0.0)];

#[test]
fn every_algorithm_and_rule() {
    const INPUTS: u32 = 1500;
    let tools = MapTools::new(Release::Reef).unwrap();
    let mut checked = 0;
    for algorithm in ALGORITHMS {
        let shape = Shape { algorithm, ..Shape::default() };
        for reweights in [&[][..], REWEIGHTS] {
            let case = Case::compile(&tools, &shape.text()).reweighted(reweights);
            for (rule, size) in (0..RULES.len() as u32).zip([3, 4, 6, 5, 3, 4, 6].into_iter().cycle()) {
                case.check(rule, size, INPUTS);
                checked += INPUTS;
            }
        }
    }
    assert!(checked >= 100_000, "{checked}");
}

#[test]
fn many_inputs_of_one_map() {
    let tools = MapTools::new(Release::Tentacle).unwrap();
    let shape = Shape { racks: 5, hosts: 4, devices: 6, ..Shape::default() };
    let case = Case::compile(&tools, &shape.text()).reweighted(REWEIGHTS);
    case.check(0, 3, 10_000);
}

/// Tunables of every generation, and one nobody has.
const TUNABLES: &[&[(&str, u32)]] = &[
    // argonaut
    &[
        ("choose_local_tries", 2),
        ("choose_local_fallback_tries", 5),
        ("choose_total_tries", 19),
        ("chooseleaf_descend_once", 0),
        ("chooseleaf_vary_r", 0),
        ("chooseleaf_stable", 0),
    ],
    // bobtail
    &[
        ("choose_local_tries", 0),
        ("choose_local_fallback_tries", 0),
        ("choose_total_tries", 50),
        ("chooseleaf_descend_once", 1),
        ("chooseleaf_vary_r", 0),
        ("chooseleaf_stable", 0),
    ],
    // hammer
    &[("chooseleaf_descend_once", 1), ("chooseleaf_vary_r", 1), ("chooseleaf_stable", 0)],
    &[
        ("choose_local_tries", 1),
        ("choose_local_fallback_tries", 1),
        ("choose_total_tries", 7),
        ("chooseleaf_descend_once", 0),
        ("chooseleaf_vary_r", 3),
        ("chooseleaf_stable", 1),
    ],
];

#[test]
fn every_generation_of_tunables() {
    let tools = MapTools::new(Release::Pacific).unwrap();
    for tunables in TUNABLES {
        for algorithm in ALGORITHMS {
            let shape = Shape { algorithm, tunables, ..Shape::default() };
            let case = Case::compile(&tools, &shape.text()).reweighted(REWEIGHTS);
            case.check_rules(4, 150);
        }
    }
}

#[test]
fn more_wanted_than_there_is() {
    let tools = MapTools::new(Release::Reef).unwrap();
    for algorithm in ["straw2", "uniform"] {
        let shape = Shape { algorithm, racks: 2, hosts: 2, devices: 2, even: true, ..Shape::default() };
        let case = Case::compile(&tools, &shape.text()).reweighted(&[(0, 0.0), (4, 0.3)]);
        case.check_rules(10, 60);
    }
}

#[test]
fn maps_that_crushtool_builds() {
    let tools = MapTools::new(Release::Reef).unwrap();
    for algorithm in ALGORITHMS {
        let layers = [["host", algorithm, "4"], ["rack", algorithm, "5"], ["root", algorithm, "0"]];
        let case = Case::new(&tools, tools.build_crush(60, &layers).unwrap()).reweighted(REWEIGHTS);
        assert_eq!(case.map.buckets().count(), 15 + 3 + 1, "{algorithm}");
        case.check(0, 3, 1000);
    }
}

/// Rules that take one class each.
const BY_CLASS: &[&str] = &[
    "type replicated\n step take root class ssd\n step chooseleaf firstn 0 type host\n step emit",
    "type erasure\n step take root class hdd\n step chooseleaf indep 0 type host\n step emit",
    "type replicated\n step take root class ssd\n step chooseleaf firstn 1 type host\n step emit\n step take root class hdd\n step chooseleaf firstn -1 type host\n step emit",
];

#[test]
fn device_classes() {
    let tools = MapTools::new(Release::Tentacle).unwrap();
    let shape = Shape { classes: true, rules: BY_CLASS, ..Shape::default() };
    let case = Case::compile(&tools, &shape.text()).reweighted(REWEIGHTS);
    case.check_rules(3, 2000);
    let map = &case.map;
    assert_eq!(
        (map.device_class(0), map.device_class(1), map.device_class(99)),
        (Some("ssd"), Some("hdd"), None)
    );
    let root = map.buckets().find(|bucket| map.item_name(bucket.id()) == Some("root")).unwrap();
    let shadow = map.bucket(map.shadow(root.id(), "ssd").unwrap()).unwrap();
    assert_eq!(map.item_name(shadow.id()), Some("root~ssd"));
    assert_eq!(map.type_name(shadow.kind()), Some("root"));
    assert_eq!(shadow.items().len(), root.items().len());
    assert_eq!(map.rule_by_name("rule2"), Some(2));
}

/// For pool 0: weights by position for every bucket of the map, and other ids for half of them.
fn choose_args(map: &CrushMap) -> String {
    let mut text = String::from("choose_args 0 {\n");
    for bucket in map.buckets() {
        let n = bucket.items().len();
        let weights = |position: usize| -> String {
            (0..n)
                .map(|item| format!(" {:.3}", 0.25 + ((item * 7 + position * 3) % 5) as f64 * 0.5))
                .collect()
        };
        let ids: String = bucket.items().iter().map(|item| format!(" {}", item - 1000)).collect();
        text += &format!(
            " {{\n bucket_id {}\n weight_set [\n [{} ]\n [{} ]\n ]\n",
            bucket.id(),
            weights(0),
            weights(1)
        );
        if bucket.id() % 2 == 0 {
            text += &format!(" ids [{ids} ]\n");
        }
        text += " }\n";
    }
    text + "}\n"
}

#[test]
fn alternative_weights_and_ids() {
    let tools = MapTools::new(Release::Reef).unwrap();
    let plain = Case::compile(&tools, &Shape::default().text());
    let shape = Shape { tail: choose_args(&plain.map), ..Shape::default() };
    let case = Case::compile(&tools, &shape.text()).reweighted(REWEIGHTS);
    let args = case.map.choose_args(0);
    assert!(args.is_some() && case.map.choose_args(7).is_none() && plain.map.choose_args(0).is_none());
    case.check_rules(4, 1000);
    let weights = case.weights();
    let differs = |x| case.map.do_rule(0, x, 3, &weights, None) != case.map.do_rule(0, x, 3, &weights, args);
    assert!((0..100).any(differs), "they change nothing");
}

/// Rules that retry across steps.
const MSR: &[&str] = &[
    "type msr_indep\n step take root\n step choosemsr 3 type host\n step choosemsr 2 type osd\n step emit",
    "type msr_firstn\n step take root\n step choosemsr 0 type host\n step choosemsr 1 type osd\n step emit",
    "type msr_indep\n step set_msr_descents 3\n step set_msr_collision_tries 2\n step take root\n step choosemsr 2 type rack\n step choosemsr 2 type host\n step choosemsr 2 type osd\n step emit",
    "type msr_firstn\n step take rack0\n step choosemsr 2 type host\n step choosemsr 1 type osd\n step emit\n step take rack1\n step choosemsr 2 type host\n step choosemsr 1 type osd\n step emit",
];

#[test]
fn rules_that_retry_across_steps() {
    let tools = MapTools::new(Release::Tentacle).unwrap();
    for algorithm in ["straw2", "list", "uniform"] {
        let shape = Shape { algorithm, rules: MSR, ..Shape::default() };
        for reweights in [&[][..], REWEIGHTS] {
            let case = Case::compile(&tools, &shape.text()).reweighted(reweights);
            for (rule, size) in [(0, 6), (0, 4), (1, 3), (1, 5), (2, 8), (2, 5), (3, 4), (3, 3)] {
                case.check(rule, size, 300);
            }
        }
    }
}
