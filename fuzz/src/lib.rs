//! What is fuzzed, and the real captures to begin with.
#![forbid(unsafe_code)]

pub mod link;
pub mod memory;
pub mod seal;
pub mod seeds;
pub mod targets;

use std::path::Path;
use std::{fs, io};

/// Writes the seeds of a target to `corpus/TARGET/`, from where libFuzzer reads them next.
///
/// # Panics
/// If they cannot be written: what is found without them is worth little.
pub fn begin(name: &str) {
    let seeds = match name {
        "dialled" => link::seeds_dialled(),
        "accepted" => link::seeds_accepted(),
        name => seeds::all().remove(name).unwrap_or_default(),
    };
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    if let Err(error) = write(&dir, &seeds) {
        panic!("cannot write the seeds to {}: {error}", dir.display());
    }
}

fn write(dir: &Path, seeds: &[Vec<u8>]) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let files = seeds.iter().enumerate().map(|(n, seed)| (dir.join(format!("seed-{n}")), seed));
    files.into_iter().try_for_each(|(path, seed)| fs::write(path, seed))
}

/// Gives a target one input.
///
/// # Panics
/// If the target panics, or takes more memory than it may.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, read) =
        targets::ALL.iter().chain(&link::ALL).find(|(known, _)| *known == name).expect("a target");
    let taken = memory::peak(|| read(bytes));
    let limit = memory::limit(name, bytes.len());
    assert!(
        taken <= limit,
        "{taken} bytes of memory for {} bytes of input; {limit} are allowed",
        bytes.len()
    );
}
