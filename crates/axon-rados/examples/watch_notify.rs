//! Two who watch an object, and one who tells them something and hears what they answer.
//!
//! ```console
//! $ cargo run -p axon-rados --example watch_notify -- POOL
//! ```

use axon_rados::client::{RadosConfig, WatchEvent};
use axon_rados::conf::{Conf, Host};
use axon_rados::mon::MonConfig;
use axon_rados::{IoCtx, Rados};
use std::error::Error;
use std::thread;
use std::time::Duration;

const OBJECT: &str = "bell";

fn main() -> Result<(), Box<dyn Error>> {
    let pool = std::env::args().nth(1).ok_or("which pool?")?;
    let conf = Conf::find(Host::current())?;
    let rados = Rados::connect(RadosConfig::new(MonConfig::from_conf(&conf.of(&conf.name()))?))?;
    let io = rados.pool(&pool)?;
    io.create(OBJECT, false).wait()?;

    let watchers: Vec<_> =
        ["first", "second"].into_iter().map(|name| listen(&io, name)).collect::<Result<_, _>>()?;
    let told = io.notify(OBJECT, "dinner is ready", Duration::from_secs(30)).wait()?;
    for (client, _, answer) in &told.answers {
        println!("client.{client} answers: {}", answer.escape_ascii());
    }
    println!("{} answered, {} did not", told.answers.len(), told.missed.len());
    watchers.into_iter().for_each(|watcher| drop(watcher.join()));
    io.remove(OBJECT).wait()?;
    Ok(())
}

/// Watches, and answers one notification on a thread of its own. The watch is there when this returns.
fn listen(io: &IoCtx, name: &'static str) -> Result<thread::JoinHandle<()>, Box<dyn Error>> {
    let watch = io.watch_blocking(OBJECT)?;
    Ok(thread::spawn(move || match watch.next_timeout(Duration::from_secs(60)) {
        Ok(Some(WatchEvent::Notify { id, payload, .. })) => {
            println!("{name} hears: {}", payload.escape_ascii());
            if let Err(error) = watch.ack(id, format!("{name} comes")).wait() {
                eprintln!("{name}: {error}");
            }
        }
        other => eprintln!("{name}: {other:?}"),
    }))
}
