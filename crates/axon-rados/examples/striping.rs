//! Stores a large file as many objects, several of them at a time, and reads it back the same way. The pieces have the names and
//! the attributes that libradosstriper gives them: `rados --striper get` reads the file, too.
//!
//! ```console
//! $ cargo run --release -p axon-rados --example striping -- POOL FILE NAME
//! ```

use axon_rados::client::{Op, RadosConfig, RadosError};
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
/// How far pieces may reach while a file is being changed.
const EXTENT: &str = "axon.striper.extent";

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

/// Pieces cannot be changed together. Whatever breaks off, the attributes of the first piece say which beginning of the file is
/// right, and how far pieces may reach that have to be removed before the file grows over them:
///
/// 1. the first piece is written, and becomes the whole file, in one step;
/// 2. the other pieces are written, and old ones behind them removed;
/// 3. the size becomes that of the whole file.
fn put(io: &IoCtx, name: &str, file: &mut File) -> Result<u64, Box<dyn Error>> {
    let size = file.metadata()?.len();
    let old = extent(io, name)?;
    let mut op = WriteOp::new();
    op.write_full(next_piece(file)?).set_xattr("striper.layout.stripe_count", "1");
    for attribute in ["striper.layout.stripe_unit", "striper.layout.object_size"] {
        op.set_xattr(attribute, PIECE.to_string());
    }
    op.set_xattr("striper.size", size.min(PIECE).to_string()).set_xattr(EXTENT, size.max(old).to_string());
    io.operate(piece(name, 0), op).wait()?;

    let mut under_way = VecDeque::new();
    for number in 1..size.max(old).div_ceil(PIECE) {
        under_way.push_back(match number * PIECE < size {
            true => io.write_full(piece(name, number), next_piece(file)?),
            false => io.remove(piece(name, number)),
        });
        if under_way.len() == DEPTH {
            under_way.pop_front().map(or_gone).transpose()?;
        }
    }
    under_way.into_iter().try_for_each(or_gone)?;

    let mut op = WriteOp::new();
    op.assert_exists().set_xattr("striper.size", size.to_string()).remove_xattr(EXTENT);
    io.operate(piece(name, 0), op).wait()?;
    Ok(size)
}

/// How far the pieces of the file that is there may reach.
fn extent(io: &IoCtx, name: &str) -> Result<u64, Box<dyn Error>> {
    let attributes = match io.get_xattrs(piece(name, 0)).wait() {
        Err(error) if error.is_not_found() => return Ok(0),
        attributes => attributes?,
    };
    let said = ["striper.size", EXTENT].map(|attribute| attributes.get(attribute.as_bytes()));
    let numbers = said.into_iter().flatten().map(|said| Ok(std::str::from_utf8(said)?.parse()?));
    numbers.collect::<Result<Vec<u64>, Box<dyn Error>>>().map(|all| all.into_iter().max().unwrap_or(0))
}

fn next_piece(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    file.take(PIECE).read_to_end(&mut data)?;
    Ok(data)
}

/// A piece that is to be removed may be gone.
fn or_gone(op: Op<()>) -> Result<(), RadosError> {
    match op.wait() {
        Err(error) if error.is_not_found() => Ok(()),
        done => done,
    }
}

fn compare(io: &IoCtx, name: &str, file: &mut File, size: u64) -> Result<bool, Box<dyn Error>> {
    let mut numbers = 0..size.div_ceil(PIECE);
    let mut reads: VecDeque<_> =
        numbers.by_ref().take(DEPTH).map(|n| io.read(piece(name, n), 0, 0)).collect();
    let mut same = true;
    while let Some(read) = reads.pop_front() {
        let stored = read.wait()?;
        reads.extend(numbers.next().map(|n| io.read(piece(name, n), 0, 0)));
        same &= stored == next_piece(file)?;
    }
    Ok(same)
}
