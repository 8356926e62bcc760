//! Writes an object, looks at it, reads it and removes it.
//!
//! ```console
//! $ cargo run -p axon-rados --example objects -- POOL
//! ```

use axon_rados::Rados;
use axon_rados::client::RadosConfig;
use axon_rados::conf::{Conf, Host};
use axon_rados::mon::MonConfig;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let pool = std::env::args().nth(1).ok_or("which pool?")?;
    let conf = Conf::find(Host::current())?;
    let rados = Rados::connect(RadosConfig::new(MonConfig::from_conf(&conf.of(&conf.name()))?))?;
    let io = rados.pool(&pool)?;

    io.write_full("greeting", "hello").wait()?;
    io.append("greeting", ", world").wait()?;
    io.set_xattr("greeting", "language", "en").wait()?;

    let stat = io.stat("greeting").wait()?;
    let text = io.read("greeting", 0, 0).wait()?;
    let language = io.get_xattr("greeting", "language").wait()?;
    println!("{} bytes in {}: {}", stat.size, language.escape_ascii(), text.escape_ascii());

    io.remove("greeting").wait()?;
    match io.read("greeting", 0, 0).wait() {
        Err(error) if error.is_not_found() => println!("gone"),
        other => println!("still there: {other:?}"),
    }
    Ok(())
}
