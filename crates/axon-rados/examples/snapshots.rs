//! Takes snapshots that the application manages itself, reads what was, and goes back to it.
//!
//! ```console
//! $ cargo run -p axon-rados --example snapshots -- POOL
//! ```

use axon_rados::Rados;
use axon_rados::client::{RadosConfig, SnapContext};
use axon_rados::conf::{Conf, Host};
use axon_rados::mon::MonConfig;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let pool = std::env::args().nth(1).ok_or("which pool?")?;
    let conf = Conf::find(Host::current())?;
    let rados = Rados::connect(RadosConfig::new(MonConfig::from_conf(&conf.of(&conf.name()))?))?;
    let io = rados.pool(&pool)?;
    io.write_full("page", "first draft").wait()?;

    // The snapshot is of whatever is written with it in the context from now on, newest first.
    let snap = io.create_self_managed_snap()?;
    let writer = io.clone().with_snap_context(SnapContext { seq: snap, snaps: vec![snap] });
    writer.write_full("page", "second draft").wait()?;

    let now = io.read("page", 0, 0).wait()?;
    let then = io.clone().with_snap(snap).read("page", 0, 0).wait()?;
    println!("now: {}, then: {}", now.escape_ascii(), then.escape_ascii());
    writer.rollback("page", snap).wait()?;
    println!("again: {}", io.read("page", 0, 0).wait()?.escape_ascii());

    io.delete_self_managed_snap(snap)?;
    io.remove("page").wait()?;
    Ok(())
}
