//! Lone reads of 4 KiB from an OSD in this process, for counting what one costs outside of the kernel.
//!
//! ```text
//! read --list                 the case that `cargo xtask instructions` counts, and its reads
//! read rados-read-4096 READS  the case with so many reads; prints the time of one
//! ```
//!
//! A monitor and an OSD of which there is just enough answer over the transport in memory, without authentication and in crc
//! mode. The client's worker, which read an answer, goes on with the next read, and nobody spins, so that of two runs the
//! difference in instructions is that of their reads: the client's, and what the OSD takes to answer.
#![forbid(unsafe_code)]

#[path = "read/cluster.rs"]
mod cluster;

use axon_auth::Method;
use axon_rados::client::{Op, RadosConfig};
use axon_rados::mon::MonConfig;
use axon_rados::{IoCtx, Rados};
use axon_transport::MemNetwork;
use bytes::Bytes;
use cluster::{Cluster, DATA, POOL};
use std::error::Error;
use std::pin::Pin;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

const CASE: &str = "rados-read-4096";
/// Reads that are counted.
const COUNTED: u64 = 10_000;

/// One read after the other, continued by whoever wakes it.
struct Chain {
    io: IoCtx,
    link: Mutex<Link>,
    done: SyncSender<Result<(), String>>,
}

/// The read under way, and how many are left with it.
struct Link {
    read: Op<Bytes>,
    left: u64,
}

impl Chain {
    /// The next read, once the one under way is over.
    fn go_on(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        while let Poll::Ready(data) = Pin::new(&mut link.read).poll(&mut Context::from_waker(&waker)) {
            link.left -= 1;
            let over = match data {
                Ok(data) if data.len() == DATA && link.left > 0 => None,
                Ok(data) if data.len() == DATA => Some(Ok(())),
                Ok(data) => Some(Err(format!("{} bytes", data.len()))),
                Err(error) => Some(Err(error.to_string())),
            };
            if let Some(over) = over {
                // The caller waits for it, unless it has given up.
                let _ = self.done.send(over);
                return;
            }
            link.read = read(&self.io);
        }
    }
}

impl Wake for Chain {
    fn wake(self: Arc<Self>) {
        self.go_on();
    }
}

fn read(io: &IoCtx) -> Op<Bytes> {
    io.read("object", 0, DATA as u64)
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds --bench.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.first().map_or(CASE, String::as_str) {
        "--list" => println!("{CASE} {COUNTED}"),
        CASE => run(args.get(1).map_or(Ok(COUNTED), |number| number.parse())?)?,
        other => return Err(format!("no case {other}").into()),
    }
    Ok(())
}

fn run(reads: u64) -> Result<(), Box<dyn Error>> {
    let network = Arc::new(MemNetwork::new());
    let cluster = Cluster::start(&network)?;
    let mut mon = MonConfig::new("client.reader".parse()?, vec![cluster.monitors()]);
    mon.methods = vec![Method::NONE];
    let rados = Rados::connect_with(RadosConfig::new(mon), |builder| {
        builder.transport(network.clone()).workers(1).spin(Duration::ZERO)
    })?;
    let io = rados.pool(POOL)?;
    read(&io).wait()?;
    let (done, finished) = sync_channel(1);
    let begin = Instant::now();
    let link = Mutex::new(Link { read: read(&io), left: reads });
    Arc::new(Chain { io, link, done }).go_on();
    finished.recv_timeout(Duration::from_secs(600))??;
    println!("{reads} reads, {:?} each", begin.elapsed() / u32::try_from(reads)?);
    Ok(())
}
