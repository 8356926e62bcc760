//! Many operations in flight on one task, without a runtime: any executor will do.
//!
//! ```console
//! $ cargo run --release -p axon-rados --example many -- POOL
//! ```

use axon_messenger::park;
use axon_rados::Rados;
use axon_rados::client::{Op, RadosConfig, RadosError};
use axon_rados::conf::{Conf, Host};
use axon_rados::mon::MonConfig;
use bytes::Bytes;
use std::collections::VecDeque;
use std::error::Error;
use std::time::Instant;

const OBJECTS: usize = 1000;
/// Operations in flight. More than `RadosConfig::max_ops` would wait in line.
const DEPTH: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    park::wait(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let pool = std::env::args().nth(1).ok_or("which pool?")?;
    let conf = Conf::find(Host::current())?;
    let name = conf.name();
    let config = MonConfig::from_conf_async(conf, name).await?;
    let rados = Rados::connect_async(RadosConfig::new(config)).await?;
    let io = rados.pool_async(&pool).await?;
    let data = Bytes::from(vec![7; 4096]); // shared by all writes, not copied
    timed("written", |n| io.write_full(name_of(n), data.clone())).await?;
    timed("read", |n| io.read(name_of(n), 0, 0)).await?;
    timed("removed", |n| io.remove(name_of(n))).await?;
    Ok(())
}

fn name_of(n: usize) -> String {
    format!("many-{n}")
}

/// An operation begins when its function is called: what is awaited in turn is done side by side.
async fn timed<T>(what: &str, begin: impl Fn(usize) -> Op<T>) -> Result<(), RadosError> {
    let start = Instant::now();
    let mut in_flight = VecDeque::with_capacity(DEPTH);
    for n in 0..OBJECTS {
        if in_flight.len() == DEPTH
            && let Some(oldest) = in_flight.pop_front()
        {
            let oldest: Op<T> = oldest;
            oldest.await?;
        }
        in_flight.push_back(begin(n));
    }
    for op in in_flight {
        op.await?;
    }
    println!("{OBJECTS} objects {what}, {:.0} a second", OBJECTS as f64 / start.elapsed().as_secs_f64());
    Ok(())
}
