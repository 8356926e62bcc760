//! Stores a large file as many objects, several of them at a time, and reads it back the same way. The pieces have the names and
//! the attributes that libradosstriper gives them: `rados --striper get` reads the file, too.
//!
//! ```console
//! $ cargo run --release -p axon-rados --example striping -- POOL FILE NAME
//! ```

use axon_rados::client::RadosConfig;
use axon_rados::conf::{Conf, Host};
use axon_rados::mon::MonConfig;
use axon_rados::ops::WriteOp;
use axon_rados::{IoCtx, Rados};
use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io::Read;

/// Bytes of a piece.
const PIECE: u64 = 4 << 20;
/// Pieces on their way.
const DEPTH: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [pool, path, name] = &args[..] else { return Err("which POOL, FILE and NAME?".into()) };
    let conf = Conf::find(Host::current())?;
    let rados = Rados::connect(RadosConfig::new(MonConfig::from_conf(&conf.of(&conf.name()))?))?;
    let io = rados.pool(pool)?;
    let size = put(&io, name, &mut File::open(path)?)?;
    println!("{size} bytes in {} pieces", size.div_ceil(PIECE));
    let same = compare(&io, name, &mut File::open(path)?, size)?;
    println!("{}", if same { "read back as it was" } else { "what was read is different" });
    Ok(())
}

fn piece(name: &str, number: u64) -> String {
    format!("{name}.{number:016x}")
}

fn put(io: &IoCtx, name: &str, file: &mut File) -> Result<u64, Box<dyn Error>> {
    let mut writes = VecDeque::new();
    let (mut size, mut number) = (0, 0);
    loop {
        let mut data = Vec::new();
        file.take(PIECE).read_to_end(&mut data)?;
        if data.is_empty() && number > 0 {
            break;
        }
        size += data.len() as u64;
        writes.push_back(io.write_full(&piece(name, number), data));
        number += 1;
        if writes.len() == DEPTH {
            writes.pop_front().map(|write| write.wait()).transpose()?;
        }
    }
    writes.into_iter().try_for_each(|write| write.wait())?;
    let mut op = WriteOp::new();
    op.set_xattr("striper.size", size.to_string()).set_xattr("striper.layout.stripe_count", "1");
    for attribute in ["striper.layout.stripe_unit", "striper.layout.object_size"] {
        op.set_xattr(attribute, PIECE.to_string());
    }
    io.operate(&piece(name, 0), op).wait()?;
    Ok(size)
}

fn compare(io: &IoCtx, name: &str, file: &mut File, size: u64) -> Result<bool, Box<dyn Error>> {
    let mut numbers = 0..size.div_ceil(PIECE);
    let mut reads: VecDeque<_> =
        numbers.by_ref().take(DEPTH).map(|n| io.read(&piece(name, n), 0, 0)).collect();
    let mut same = true;
    while let Some(read) = reads.pop_front() {
        let stored = read.wait()?;
        reads.extend(numbers.next().map(|n| io.read(&piece(name, n), 0, 0)));
        let mut expected = Vec::new();
        file.take(PIECE).read_to_end(&mut expected)?;
        same &= stored == expected;
    }
    Ok(same)
}
