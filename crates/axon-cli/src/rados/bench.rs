//! `axon rados bench`: operations per second, latency and processor time.

mod lanes;
mod report;
mod target;

use super::Options;
use super::window::{Window, was_there};
use crate::error::CliError;
use crate::units;
use axon_rados::IoCtx;
use axon_rados::client::{RadosError, WhenFull};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use report::{Report, process_cpu};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use target::Target;

/// What the names of objects begin with, unless said.
pub(super) const RUN_NAME: &str = "axon_bench";

/// Bytes of an object, unless said.
const BLOCK_SIZE: u32 = 4 << 20;

/// Options of `axon rados bench`.
#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// How long it runs.
    #[arg(value_parser = units::parse_seconds)]
    seconds: Duration,

    /// What it does: write objects, or read what was written with --no-cleanup.
    #[arg(value_enum)]
    load: Load,

    /// Bytes of an object [default: 4M, or as written]. Reads fail if objects of another size were written.
    #[arg(short, long, value_name = "SIZE", value_parser = units::parse_size)]
    block_size: Option<u32>,

    /// Operations in flight.
    #[arg(short = 't', long, value_name = "DEPTH", default_value = "16", value_parser = clap::value_parser!(u16).range(1..))]
    concurrent_ios: u16,

    /// Leave the objects, for seq and rand, which always do.
    #[arg(long)]
    no_cleanup: bool,

    /// Write this many objects at most, or read only the first so many.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    max_objects: Option<u64>,

    /// What the objects' names begin with, so that runs do not meet.
    #[arg(long, value_name = "NAME", default_value = RUN_NAME)]
    run_name: String,

    #[command(flatten)]
    target: Target,

    /// How long the worker looks for an answer before it sleeps, if that has paid of late: 50us, 0 for not at all.
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = units::parse_pause)]
    spin: Duration,
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
        self.target.check(self.load)?;
        let io = options.open_with(|builder| builder.spin(self.spin))?;
        let (there, size) = match self.load {
            Load::Write => (u64::MAX, self.block_size.unwrap_or(BLOCK_SIZE)),
            Load::Seq | Load::Rand => self.to_read(&io)?,
        };
        let count = self.max_objects.map_or(there, |most| most.min(there));
        let (report, done) = Run::new(self, io.clone(), count, size).go();
        let printed = report.print(options);
        let left = match self.load {
            Load::Write => self.leave(&io.when_full(WhenFull::Try), &done, size),
            Load::Seq | Load::Rand => Ok(()),
        };
        // Why operations failed explains more than what became of their objects, and that more than where the report went.
        report.verdict().and(left).and(printed)
    }

    /// What an earlier run left: how many objects, and of which size, which must be the one that is asked for.
    fn to_read(&self, io: &IoCtx) -> Result<(u64, u32), CliError> {
        let (count, size) = self.read_notes(io)?;
        match self.block_size.is_none_or(|asked| asked == size) {
            true => Ok((count, size)),
            false => Err(CliError::OtherBlockSize { written: size }),
        }
    }

    /// Leaves the objects and says which, or removes them. If nothing was written, what an earlier run left is as it was.
    fn leave(&self, io: &IoCtx, done: &Done, size: u32) -> Result<(), CliError> {
        if self.no_cleanup {
            if done.succeeded == 0 {
                return Ok(());
            }
            let readable = if self.target.has_data() { size } else { 0 };
            let notes = format!("{} {readable}", done.completed);
            return Ok(io.write_full(self.notes(), notes).wait()?);
        }
        let mut window = Window::of(self.concurrent_ios.into());
        for number in 0..done.begun {
            if let Some(op) = window.push(io.remove(object(&self.run_name, number))) {
                was_there(op.wait())?;
            }
        }
        window.into_iter().try_for_each(|op| was_there(op.wait()).map(drop))
    }

    /// The object that says what the last run with --no-cleanup left: `count size`.
    fn notes(&self) -> String {
        notes(&self.run_name)
    }

    fn read_notes(&self, io: &IoCtx) -> Result<(u64, u32), CliError> {
        let nothing = || CliError::Usage {
            what: "there is nothing to read",
            help: "write it first: axon rados -p POOL bench SECONDS write --no-cleanup",
        };
        let notes = match io.read(self.notes(), 0, 0).wait() {
            Err(error) if error.is_not_found() => return Err(nothing()),
            notes => notes?,
        };
        let text = String::from_utf8_lossy(&notes).into_owned();
        let (count, size) = text.split_once(' ').ok_or_else(nothing)?;
        match (count.parse(), size.parse()) {
            (Ok(count), Ok(size)) if count > 0 && size > 0 => Ok((count, size)),
            _ => Err(nothing()),
        }
    }
}

/// The object that says what a run left.
fn notes(run: &str) -> String {
    format!("{run}_last_metadata")
}

/// Whether a run left this object.
pub(super) fn is_left_by(run: &str, name: &[u8]) -> bool {
    let number = name.strip_prefix(run.as_bytes()).and_then(|rest| rest.strip_prefix(OBJECT.as_bytes()));
    let is_object = number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit));
    is_object || name == notes(run).as_bytes()
}

/// Between the name of a run and the number of an object.
const OBJECT: &str = "_object";
/// Digits of a number.
const LONGEST_NUMBER: usize = 20;

/// The name of an object.
fn object(run: &str, number: u64) -> String {
    ObjectName::of(run).numbered(number).to_owned()
}

/// The name of one object after the other of a run. By hand, and in one place, as it is made for each operation.
struct ObjectName {
    text: String,
    /// Bytes in front of the number.
    stem: usize,
}

impl ObjectName {
    fn of(run: &str) -> Self {
        let mut text = String::with_capacity(run.len() + OBJECT.len() + LONGEST_NUMBER);
        text.push_str(run);
        text.push_str(OBJECT);
        Self { stem: text.len(), text }
    }

    fn numbered(&mut self, number: u64) -> &str {
        self.text.truncate(self.stem);
        self.text.push_str(itoa::Buffer::new().format(number));
        &self.text
    }
}

/// How far a run came: objects have the numbers from 0 on.
struct Done {
    /// Operations begun, whether they failed or not.
    begun: u64,
    /// All operations below this number succeeded.
    completed: u64,
    /// Operations that succeeded, whatever their numbers.
    succeeded: u64,
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
    target: Target,
    data: Bytes,
    seconds: Duration,
    /// Operations begun.
    begun: AtomicU64,
    /// The least number of one that failed.
    first_failed: AtomicU64,
    report: Mutex<Report>,
}

impl Run {
    fn new(args: &BenchArgs, io: IoCtx, count: u64, size: u32) -> Self {
        let data: Vec<u8> = (0..size).map(|i| (i as u8).wrapping_mul(31)).collect();
        Self {
            load: args.load,
            run_name: args.run_name.clone(),
            depth: args.concurrent_ios.into(),
            io,
            count,
            size,
            target: args.target,
            data: data.into(),
            seconds: args.seconds,
            begun: AtomicU64::new(0),
            first_failed: AtomicU64::new(u64::MAX),
            report: Mutex::new(Report::new(args.load.name(), size, args.concurrent_ios.into())),
        }
    }

    /// What was measured, and how far it came.
    fn go(self) -> (Report, Done) {
        let run = Arc::new(self);
        let (began, cpu) = (Instant::now(), process_cpu());
        let until = began + run.seconds;
        let lane = |_| Box::pin(run.clone().lane(until)) as Pin<Box<dyn Future<Output = ()> + Send>>;
        lanes::run((0..run.depth).map(lane).collect());
        let placeholder = Report::new(run.load.name(), run.size, run.depth);
        let mut report = std::mem::replace(&mut *run.report(), placeholder);
        report.finish(began.elapsed(), process_cpu().saturating_sub(cpu));
        let begun = run.begun.load(Ordering::Relaxed);
        let completed = begun.min(run.first_failed.load(Ordering::Relaxed));
        let done = Done { begun, completed, succeeded: report.succeeded() };
        (report, done)
    }

    /// One operation after the other. The first that fails ends the run, as with `rados(8)`: what fails at once, on the thread
    /// that continues it, would keep that thread from everything else.
    async fn lane(self: Arc<Self>, until: Instant) {
        let mut name = ObjectName::of(&self.run_name);
        let mut now = Instant::now();
        while now < until
            && self.first_failed.load(Ordering::Relaxed) == u64::MAX
            && let Some(number) = self.next()
        {
            let result = self.one(name.numbered(number)).await;
            let over = Instant::now();
            if result.is_err() {
                self.first_failed.fetch_min(number, Ordering::Relaxed);
            }
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
    async fn one(&self, object: &str) -> Result<(), String> {
        match self.load {
            Load::Write => {
                let op = self.target.write(self.data.clone());
                self.io.operate(object, op).await.map(drop).map_err(said)
            }
            Load::Seq | Load::Rand => {
                let data = self.io.read(object, 0, self.size.into()).await.map_err(said)?;
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
    fn objects_of_a_run() {
        for name in [object("r", 7), object("r", u64::MAX), notes("r")] {
            let bytes = name.as_bytes();
            assert!(is_left_by("r", bytes) && !is_left_by("s", bytes), "{name}");
        }
        for name in ["r", "r_object", "r_object7x", "rr_object7", "r_last_metadata2"] {
            assert!(!is_left_by("r", name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn random_reads_reach_all_objects() {
        let drawn: BTreeSet<u64> = (0..1000).map(|number| scattered(number) % 64).collect();
        assert_eq!(drawn.len(), 64);
    }
}
