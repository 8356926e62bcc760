//! What is fuzzed, and the real captures to begin with.
#![forbid(unsafe_code)]

pub mod memory;
pub mod seeds;
pub mod targets;

use std::path::Path;
use std::{fs, io};

/// Writes the seeds of a target to `corpus/TARGET/`, from where libFuzzer reads them next.
///
/// # Panics
///
/// If they cannot be written: what is found without them is worth little.
pub fn begin(name: &str) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    if let Err(error) = write_seeds(name, &dir) {
        panic!("cannot write the seeds to {}: {error}", dir.display());
    }
}

fn write_seeds(name: &str, dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for (n, seed) in seeds::all()[name].iter().enumerate() {
        fs::write(dir.join(format!("recorded-{n}")), seed)?;
    }
    Ok(())
}

/// Runs a target.
///
/// # Panics
///
/// If the target panics, or takes more memory than its bytes allow.
pub fn run(name: &str, bytes: &[u8]) {
    let target = targets::ALL.iter().find(|(known, _)| *known == name).expect("a target of `targets::ALL`").1;
    let taken = memory::peak(|| target(bytes));
    assert!(taken <= memory::limit(bytes.len()), "{taken} bytes of memory for {} bytes", bytes.len());
}
