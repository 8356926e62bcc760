//! Counts in an object that others count in, too: each step is done only if nobody was faster, and with it goes a note.
//!
//! ```console
//! $ cargo run -p axon-rados --example compound -- POOL
//! ```

use axon_rados::client::{Errno, RadosConfig, RadosError};
use axon_rados::conf::{Conf, Host};
use axon_rados::mon::MonConfig;
use axon_rados::ops::{ReadOp, WriteOp};
use axon_rados::{IoCtx, Rados};
use std::error::Error;

const OBJECT: &str = "counter";

fn main() -> Result<(), Box<dyn Error>> {
    let pool = std::env::args().nth(1).ok_or("which pool?")?;
    let conf = Conf::find(Host::current())?;
    let rados = Rados::connect(RadosConfig::new(MonConfig::from_conf(&conf.of(&conf.name()))?))?;
    let io = rados.pool(&pool)?;
    io.write_full(OBJECT, "0").wait()?;
    let io = &io;
    let counted = std::thread::scope(|scope| {
        let counters: Vec<_> = (0..4).map(|who| scope.spawn(move || count(io, who))).collect();
        counters.into_iter().map(|counter| counter.join().expect("no panic")).collect::<Result<Vec<u32>, _>>()
    })?;
    let last = io.read(OBJECT, 0, 0).wait()?;
    println!("counted to {}, starting over {} times", last.escape_ascii(), counted.iter().sum::<u32>());
    io.remove(OBJECT).wait()?;
    Ok(())
}

/// Counts ten times; returns how often somebody else was faster.
fn count(io: &IoCtx, who: u32) -> Result<u32, RadosError> {
    let mut again = 0;
    for _ in 0..10 {
        while !count_once(io, who)? {
            again += 1;
        }
    }
    Ok(again)
}

fn count_once(io: &IoCtx, who: u32) -> Result<bool, RadosError> {
    let mut look = ReadOp::new();
    let text = look.read(0, 0);
    let answer = io.operate_read(OBJECT, look).wait()?;
    let number: u32 = String::from_utf8_lossy(&answer.get(text)?).parse().unwrap_or_default();

    let mut op = WriteOp::new(); // all of it or nothing
    op.assert_version(answer.version())
        .write_full((number + 1).to_string())
        .set_xattr("last", who.to_string());
    match io.operate(OBJECT, op).wait() {
        Ok(_) => Ok(true),
        Err(error) if error.errno() == Some(Errno::ERANGE) => Ok(false),
        Err(error) => Err(error),
    }
}
