//! rados-rs, the other msgr2 in Rust, at both ends: the arguments and the output of `axon-bench drive`.
//!
//! Its `Connection` is driven directly by one task on one thread, which spares it the channels of its client; requests
//! have the type of an MOSDOp and nothing but data, replies that of an MOSDOpReply. No authentication, crc mode, lossy,
//! so that it keeps no copies of what it sent.
#![forbid(unsafe_code)]

use bytes::Bytes;
use clap::{Parser, ValueEnum};
use hdrhistogram::Histogram;
use rados::msgr2::message::Message;
use rados::msgr2::{Connection, ConnectionConfig, ConnectionMode};
use serde_json::json;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// Types of messages. Ceph: src/include/ceph_fs.h
const MOSDOP: u16 = 42;
const MOSDOPREPLY: u16 = 43;

type Failure = Box<dyn std::error::Error>;

/// One end of the peer
#[derive(Parser)]
struct Args {
    #[arg(value_enum)]
    side: Side,
    addr: SocketAddr,
    #[arg(long, default_value_t = 64)]
    size: usize,
    #[arg(long, default_value_t = 1)]
    depth: usize,
    #[arg(long, default_value_t = 0.1)]
    warm_up: f64,
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Side {
    Serve,
    Load,
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match args.side {
        Side::Serve => runtime.block_on(serve(args.addr)),
        Side::Load => runtime.block_on(load(&args)),
    }
}

fn config() -> ConnectionConfig {
    let mut config = ConnectionConfig::with_no_auth();
    config.preferred_modes = vec![ConnectionMode::Crc];
    config.is_lossy = true;
    config
}

async fn serve(addr: SocketAddr) -> Result<(), Failure> {
    let listener = TcpListener::bind(addr).await?;
    println!("listening on {addr}");
    let (stream, _) = listener.accept().await?;
    let mut connection = Connection::accept(stream, config(), None).await?;
    connection.accept_session().await?;
    loop {
        let request = connection.recv_message().await?;
        connection.send_message(Message::new(MOSDOPREPLY, Bytes::new()).with_tid(request.tid())).await?;
    }
}

async fn load(args: &Args) -> Result<(), Failure> {
    let mut connection = Connection::connect(args.addr, config()).await?;
    connection.establish_session().await?;
    let data = Bytes::from(vec![0; args.size]);
    let request = |tid| {
        let mut message = Message::new(MOSDOP, Bytes::new()).with_tid(tid);
        message.data = data.clone();
        message
    };
    let begin = Instant::now() + Duration::from_secs_f64(args.warm_up);
    let end = begin + Duration::from_secs_f64(args.seconds);
    let mut latency = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3)?;
    let mut sent = VecDeque::with_capacity(args.depth);
    for tid in 0..args.depth {
        sent.push_back(Instant::now());
        connection.send_message(request(tid as u64)).await?;
    }
    for tid in args.depth.. {
        connection.recv_message().await?;
        let now = Instant::now();
        let left = sent.pop_front().unwrap_or(now);
        if now >= end {
            break;
        }
        if now >= begin {
            latency.saturating_record((now - left).as_nanos() as u64);
        }
        sent.push_back(now);
        connection.send_message(request(tid as u64)).await?;
    }
    report(args, &latency);
    Ok(())
}

fn report(args: &Args, latency: &Histogram<u64>) {
    let per_second = latency.len() as f64 / args.seconds;
    let at = |quantile| latency.value_at_quantile(quantile) as f64 / 1e3;
    let report = json!({
        "messages_per_second": per_second,
        "bytes_per_second": per_second * args.size as f64,
        "latency_us": { "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999) },
        "messages": latency.len(),
    });
    println!("{report}");
}
