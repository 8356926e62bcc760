//! The hot paths, one by one, for counting the instructions they take: `cargo xtask instructions` runs each case under
//! callgrind, which counts inside [`measured`] only, and compares with `bounds.txt`.
//!
//! ```text
//! instructions --list    the cases, and how many messages each measures
//! instructions CASE      runs a case
//! instructions           runs all of them
//! ```
//!
//! Times mean nothing here: `cargo bench -p axon-wire` has those.
#![forbid(unsafe_code)]

mod checksum;
mod frames;
mod pair;

use std::process::ExitCode;

/// How often a path is walked before it counts: buffers have their final size and are used again then.
const WARM_UP: usize = 100;
/// How often it is walked while it counts.
const MEASURED: usize = 1000;

/// A path that is walked again and again.
type Path = Box<dyn FnMut()>;

/// A name, and what makes the path ready.
type Case = (&'static str, fn() -> Path);

const CASES: &[Case] = &[
    ("crc32c-preamble", checksum::preamble),
    ("write-crc-64", || frames::write(false, 64)),
    ("write-crc-4096", || frames::write(false, 4096)),
    ("write-secure-64", || frames::write(true, 64)),
    ("write-secure-4096", || frames::write(true, 4096)),
    ("read-crc-64", || frames::read(false, 64)),
    ("read-crc-4096", || frames::read(false, 4096)),
    ("read-secure-64", || frames::read(true, 64)),
    ("read-secure-4096", || frames::read(true, 4096)),
    ("message-lossy-64", || pair::messages(pair::LOSSY, 64, 1)),
    ("message-lossy-4096", || pair::messages(pair::LOSSY, 4096, 1)),
    ("message-lossy-64-batch-16", || pair::messages(pair::LOSSY, 64, 16)),
    ("message-lossless-64", || pair::messages(pair::LOSSLESS, 64, 1)),
    ("message-lossless-4096", || pair::messages(pair::LOSSLESS, 4096, 1)),
    ("message-lossless-64-batch-16", || pair::messages(pair::LOSSLESS, 64, 16)),
];

fn main() -> ExitCode {
    // Cargo adds --bench.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match wanted.first().map(String::as_str) {
        None => CASES.iter().for_each(run),
        Some("--list") => CASES.iter().for_each(|(name, _)| println!("{name} {MEASURED}")),
        Some(name) => match CASES.iter().find(|case| case.0 == name) {
            Some(case) => run(case),
            None => {
                eprintln!("there is no case {name}; --list shows them");
                return ExitCode::FAILURE;
            }
        },
    }
    ExitCode::SUCCESS
}

fn run((_, prepare): &Case) {
    let mut path = prepare();
    for _ in 0..WARM_UP {
        path();
    }
    measured(&mut path);
}

/// Callgrind counts from here until the return.
#[inline(never)]
fn measured(path: &mut Path) {
    for _ in 0..MEASURED {
        path();
    }
}
