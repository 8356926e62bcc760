//! `axon rados bench`: operations per second, latency and processor time.

mod lanes;
mod report;

use super::Options;
use crate::error::CliError;
use crate::options::SpinArgs;
use crate::units;
use axon_rados::IoCtx;
use axon_rados::client::{Op, RadosError, WhenFull};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use report::{Report, process_cpu};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Options of `axon rados bench`.
#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// How long it runs.
    #[arg(value_parser = units::parse_seconds)]
    seconds: Duration,

    /// What it does: write objects, or read what was written with --no-cleanup.
    #[arg(value_enum)]
    load: Load,

    /// Bytes of an object.
    #[arg(short, long, value_name = "SIZE", default_value = "4M", value_parser = units::parse_size)]
    block_size: u32,

    /// Operations in flight.
    #[arg(short = 't', long, value_name = "DEPTH", default_value = "16")]
    concurrent_ios: usize,

    /// Leave the objects, for seq and rand.
    #[arg(long)]
    no_cleanup: bool,

    /// Write this many objects at most.
    #[arg(long, value_name = "COUNT")]
    max_objects: Option<u64>,

    /// What the objects' names begin with, so that runs do not meet.
    #[arg(long, value_name = "NAME", default_value = "axon_bench")]
    run_name: String,

    #[command(flatten)]
    spin: SpinArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Load {
    /// Write new objects.
    Write,
    /// Read them in order.
    Seq,
    /// Read them in any order.
    Rand,
}

impl Load {
    fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Seq => "seq",
            Self::Rand => "rand",
        }
    }
}

impl BenchArgs {
    pub(super) fn run(&self, options: &Options) -> Result<(), CliError> {
        let io = options.open_with(|builder| self.spin.configure(builder))?;
        let (count, size) = match self.load {
            Load::Write => (self.max_objects.unwrap_or(u64::MAX), self.block_size),
            Load::Seq | Load::Rand => self.read_notes(&io)?,
        };
        let (report, begun) = Run::new(self, io.clone(), count, size).go();
        report.print(options.json)?;
        if self.load == Load::Write { self.leave(&io.when_full(WhenFull::Try), begun) } else { Ok(()) }
    }

    /// Leaves the objects and says which, or removes them.
    fn leave(&self, io: &IoCtx, written: u64) -> Result<(), CliError> {
        if self.no_cleanup {
            return Ok(io.write_full(&self.notes(), format!("{written} {}", self.block_size)).wait()?);
        }
        let mut under_way = VecDeque::new();
        for number in 0..written {
            under_way.push_back(io.remove(&object(&self.run_name, number)));
            if under_way.len() >= self.concurrent_ios {
                forgive(under_way.pop_front())?;
            }
        }
        under_way.into_iter().try_for_each(|op| forgive(Some(op)))
    }

    /// The object that says what the last run with --no-cleanup left: `count size`.
    fn notes(&self) -> String {
        format!("{}_last_metadata", self.run_name)
    }

    fn read_notes(&self, io: &IoCtx) -> Result<(u64, u32), CliError> {
        let nothing = || CliError::Usage {
            what: "there is nothing to read",
            help: "write it first: axon rados -p POOL bench SECONDS write --no-cleanup",
        };
        let notes = match io.read(&self.notes(), 0, 0).wait() {
            Err(error) if error.is_not_found() => return Err(nothing()),
            notes => notes?,
        };
        let text = String::from_utf8_lossy(&notes).into_owned();
        let (count, size) = text.split_once(' ').ok_or_else(nothing)?;
        match (count.parse(), size.parse()) {
            (Ok(count), Ok(size)) if count > 0 => Ok((count, size)),
            _ => Err(nothing()),
        }
    }
}

/// An object that was not written need not be removed.
fn forgive(op: Option<Op<()>>) -> Result<(), CliError> {
    match op.map(Op::wait) {
        Some(Err(error)) if !error.is_not_found() => Err(error.into()),
        _ => Ok(()),
    }
}

/// Between the name of a run and the number of an object.
const OBJECT: &str = "_object";
/// Digits of a number.
const LONGEST_NUMBER: usize = 20;

/// The name of an object. Made for each operation: by hand, as `format!` takes four times the instructions.
fn object(run: &str, number: u64) -> String {
    let mut name = String::with_capacity(run.len() + OBJECT.len() + LONGEST_NUMBER);
    name.push_str(run);
    name.push_str(OBJECT);
    name.push_str(itoa::Buffer::new().format(number));
    name
}

/// One run: as many lanes as operations may be in flight, each with one after the other.
struct Run {
    load: Load,
    run_name: String,
    depth: usize,
    io: IoCtx,
    /// Objects there are to read, or may be written.
    count: u64,
    size: u32,
    data: Bytes,
    seconds: Duration,
    /// Operations begun.
    begun: AtomicU64,
    /// Whether one failed.
    failed: AtomicBool,
    report: Mutex<Report>,
}

impl Run {
    fn new(args: &BenchArgs, io: IoCtx, count: u64, size: u32) -> Self {
        let data: Vec<u8> = (0..size).map(|i| (i as u8).wrapping_mul(31)).collect();
        Self {
            load: args.load,
            run_name: args.run_name.clone(),
            depth: args.concurrent_ios.max(1),
            io,
            count,
            size,
            data: data.into(),
            seconds: args.seconds,
            begun: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            report: Mutex::new(Report::new(args.load.name(), size, args.concurrent_ios)),
        }
    }

    /// What was measured, and how many operations were begun.
    fn go(self) -> (Report, u64) {
        let run = Arc::new(self);
        let (began, cpu) = (Instant::now(), process_cpu());
        let until = began + run.seconds;
        let lane = |_| Box::pin(run.clone().lane(until)) as Pin<Box<dyn Future<Output = ()> + Send>>;
        lanes::run((0..run.depth).map(lane).collect());
        let placeholder = Report::new(run.load.name(), run.size, run.depth);
        let mut report = std::mem::replace(&mut *run.report(), placeholder);
        report.finish(began.elapsed(), process_cpu().saturating_sub(cpu));
        (report, run.begun.load(Ordering::Relaxed))
    }

    /// One operation after the other. The first that fails ends the run, as with `rados(8)`: what fails at once, on the thread
    /// that continues it, would keep that thread from everything else.
    async fn lane(self: Arc<Self>, until: Instant) {
        let mut now = Instant::now();
        while now < until
            && !self.failed.load(Ordering::Relaxed)
            && let Some(number) = self.next()
        {
            let result = self.one(number).await;
            let over = Instant::now();
            self.failed.fetch_or(result.is_err(), Ordering::Relaxed);
            self.report().add(over - now, result);
            now = over;
        }
    }

    /// The number of the next object.
    fn next(&self) -> Option<u64> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        match self.load {
            Load::Write if number < self.count => Some(number),
            Load::Write => {
                self.begun.fetch_sub(1, Ordering::Relaxed);
                None
            }
            Load::Seq => Some(number % self.count),
            Load::Rand => Some(scattered(number) % self.count),
        }
    }

    /// An operation counts as an error if it failed, or read fewer bytes than were written.
    async fn one(&self, number: u64) -> Result<(), String> {
        let object = object(&self.run_name, number);
        match self.load {
            Load::Write => self.io.write(&object, 0, self.data.clone()).await.map_err(said),
            Load::Seq | Load::Rand => {
                let data = self.io.read(&object, 0, self.size.into()).await.map_err(said)?;
                match data.len() == self.size as usize {
                    true => Ok(()),
                    false => Err(format!("read {} bytes instead of {}", data.len(), self.size)),
                }
            }
        }
    }

    fn report(&self) -> std::sync::MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn said(error: RadosError) -> String {
    error.to_string()
}

/// Numbers without a pattern that matters, one for each (the finalizer of splitmix64).
fn scattered(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn random_reads_reach_all_objects() {
        let drawn: BTreeSet<u64> = (0..1000).map(|number| scattered(number) % 64).collect();
        assert_eq!(drawn.len(), 64);
    }
}
