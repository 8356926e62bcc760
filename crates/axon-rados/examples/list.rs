//! Lists the objects of a namespace, page by page, stops half-way, and goes on from there.
//!
//! ```console
//! $ cargo run -p axon-rados --example list -- POOL
//! ```

use axon_messenger::park;
use axon_rados::Rados;
use axon_rados::client::RadosConfig;
use axon_rados::conf::{Conf, Host};
use axon_rados::mon::MonConfig;
use std::collections::BTreeSet;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let pool = std::env::args().nth(1).ok_or("which pool?")?;
    let conf = Conf::find(Host::current())?;
    let rados = Rados::connect(RadosConfig::new(MonConfig::from_conf(&conf.of(&conf.name()))?))?;
    let io = rados.pool(&pool)?.with_namespace("letters");
    let letters: Vec<String> = ('a'..='z').map(|letter| letter.to_string()).collect();
    let writes: Vec<_> = letters.iter().map(|name| io.write_full(name, "x")).collect(); // all at once
    writes.into_iter().try_for_each(|write| write.wait())?;

    let mut names = BTreeSet::new();
    let mut first = io.list().page_size(5);
    while names.len() < 13
        && let Some(page) = park::wait(first.next_page())?
    {
        names.extend(page.into_iter().map(|found| found.name));
    }
    // A cursor is the place behind a page, and can be kept as text.
    let kept = first.cursor().to_string();
    println!("{} objects up to {kept}", names.len());
    let mut rest = io.list_from(kept.parse()?);
    while let Some(found) = rest.next_blocking().transpose()? {
        names.insert(found.name);
    }
    println!("{} objects in the namespace", names.len());
    letters
        .iter()
        .map(|name| io.remove(name))
        .collect::<Vec<_>>()
        .into_iter()
        .try_for_each(|op| op.wait())?;
    Ok(())
}
