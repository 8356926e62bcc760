//! rados-rs as a client of a cluster: the words of `rados bench`, the output of `axon-bench drive`.
//!
//! One runtime of one thread, which is its fastest; as many tasks as operations in flight, each with one after the
//! other.
#![forbid(unsafe_code)]

use bytes::Bytes;
use clap::{Parser, ValueEnum};
use hdrhistogram::Histogram;
use rados::{Client, IoCtx};
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
struct Args {
    /// The cluster's configuration.
    #[arg(long)]
    conf: PathBuf,
    /// The keyring of client.admin.
    #[arg(long)]
    keyring: PathBuf,
    /// The pool.
    #[arg(short)]
    pool: String,
    /// `bench`, as `rados` has it.
    command: String,
    seconds: u64,
    #[arg(value_enum)]
    load: Load,
    /// Operations in flight.
    #[arg(short = 't', default_value_t = 16)]
    depth: u64,
    /// Bytes of an object.
    #[arg(short = 'b', default_value_t = 4096)]
    size: usize,
    /// What objects' names begin with.
    #[arg(long)]
    run_name: String,
    /// Objects there are to read, or may be written.
    #[arg(long, default_value_t = u64::MAX)]
    max_objects: u64,
    /// Objects are always left.
    #[arg(long)]
    no_cleanup: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Load {
    Write,
    Rand,
}

/// What the tasks share.
struct Run {
    args: Args,
    io: IoCtx,
    data: Bytes,
    until: Instant,
    begun: Cell<u64>,
    latency: RefCell<Histogram<u64>>,
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, bench(args))
}

async fn bench(args: Args) -> Result<(), Failure> {
    if args.command != "bench" {
        return Err(format!("{} is not known here", args.command).into());
    }
    let client = Client::builder().config_file(&args.conf).keyring(&args.keyring).entity_name("client.admin");
    let client = client.build().await?;
    let io = client.open_pool(&args.pool).await?;
    // Operations begun together on a session that does not exist yet are not all answered: one goes first.
    let _ = io.stat("nobody").await;
    let began = Instant::now();
    let run = Rc::new(Run {
        data: Bytes::from(vec![7; args.size]),
        io,
        until: began + Duration::from_secs(args.seconds),
        begun: Cell::new(0),
        latency: RefCell::new(Histogram::new_with_bounds(1, 60_000_000_000, 3)?),
        args,
    });
    let lanes: Vec<_> = (0..run.args.depth).map(|_| tokio::task::spawn_local(lane(run.clone()))).collect();
    for lane in lanes {
        lane.await??;
    }
    report(&run, began.elapsed());
    Ok(())
}

async fn lane(run: Rc<Run>) -> Result<(), rados::osdclient::OSDClientError> {
    let mut now = Instant::now();
    while now < run.until
        && let Some(object) = run.next()
    {
        match run.args.load {
            Load::Write => drop(run.io.write(&object, 0, run.data.clone()).await?),
            Load::Rand => {
                let read = run.io.read(&object, 0, run.args.size as u64).await?;
                assert_eq!(read.data.len(), run.args.size, "{object}");
            }
        }
        let over = Instant::now();
        run.latency.borrow_mut().saturating_record((over - now).as_nanos() as u64);
        now = over;
    }
    Ok(())
}

impl Run {
    fn next(&self) -> Option<String> {
        let number = self.begun.get();
        let number = match self.args.load {
            Load::Write if number >= self.args.max_objects => return None,
            Load::Write => number,
            Load::Rand => scattered(number) % self.args.max_objects,
        };
        self.begun.set(self.begun.get() + 1);
        Some(format!("rs_{}_{number}", self.args.run_name))
    }
}

/// Numbers without a pattern that matters, one for each.
fn scattered(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn report(run: &Run, took: Duration) {
    let latency = run.latency.borrow();
    let per_second = latency.len() as f64 / took.as_secs_f64();
    let at = |quantile| latency.value_at_quantile(quantile) as f64 / 1e3;
    let report = json!({
        "messages_per_second": per_second,
        "bytes_per_second": per_second * run.args.size as f64,
        "latency_us": { "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999) },
        "messages": latency.len(),
    });
    println!("{report}");
}
