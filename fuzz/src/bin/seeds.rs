//! Writes the real captures to `corpus/TARGET/`, where `cargo fuzz run TARGET` begins.

use std::fs;
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, seeds) in axon_fuzz::seeds::all() {
        let dir = corpus.join(name);
        fs::create_dir_all(&dir)?;
        for (n, seed) in seeds.iter().enumerate() {
            fs::write(dir.join(format!("recorded-{n}")), seed)?;
        }
        println!("{name}: {} seeds", seeds.len());
    }
    Ok(())
}
