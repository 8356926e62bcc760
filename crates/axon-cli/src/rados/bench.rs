//! `axon rados bench`: operations per second, latency and processor time.

mod report;
mod window;

use super::Options;
use crate::error::CliError;
use crate::units;
use axon_rados::IoCtx;
use axon_rados::client::{Op, RadosError};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use report::{Report, process_cpu};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use window::Window;

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

/// The object that says what the last run with --no-cleanup left: `count size`.
const NOTES: &str = "axon_bench_last_metadata";

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
        let io = options.open()?;
        let (count, size) = match self.load {
            Load::Write => (u64::MAX, self.block_size),
            Load::Seq | Load::Rand => read_notes(&io)?,
        };
        let mut run = Run::new(self, &io, count, size);
        let report = run.go()?;
        if self.load == Load::Write {
            self.leave(&io, run.begun)?;
        }
        report.print(options.json)
    }

    /// Leaves the objects and says which, or removes them.
    fn leave(&self, io: &IoCtx, written: u64) -> Result<(), CliError> {
        if self.no_cleanup {
            return Ok(io.write_full(NOTES, format!("{written} {}", self.block_size)).wait()?);
        }
        let mut under_way = VecDeque::new();
        for number in 0..written {
            under_way.push_back(io.remove(&object(number)));
            if under_way.len() >= self.concurrent_ios {
                forgive(under_way.pop_front())?;
            }
        }
        under_way.into_iter().try_for_each(|op| forgive(Some(op)))
    }
}

/// An object that was not written need not be removed.
fn forgive(op: Option<Op<()>>) -> Result<(), CliError> {
    match op.map(Op::wait) {
        Some(Err(error)) if !error.is_not_found() => Err(error.into()),
        _ => Ok(()),
    }
}

fn object(number: u64) -> String {
    format!("axon_bench_object{number}")
}

fn read_notes(io: &IoCtx) -> Result<(u64, u32), CliError> {
    let nothing = || CliError::Usage {
        what: "there is nothing to read",
        help: "write it first: axon rados -p POOL bench SECONDS write --no-cleanup",
    };
    let notes = match io.read(NOTES, 0, 0).wait() {
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

/// One run.
struct Run<'a> {
    args: &'a BenchArgs,
    io: &'a IoCtx,
    /// Objects there are to read.
    count: u64,
    size: u32,
    data: Bytes,
    begun: u64,
    random: u64,
}

impl<'a> Run<'a> {
    fn new(args: &'a BenchArgs, io: &'a IoCtx, count: u64, size: u32) -> Self {
        let data: Vec<u8> = (0..size).map(|i| (i as u8).wrapping_mul(31)).collect();
        Self { args, io, count, size, data: data.into(), begun: 0, random: 0x9e37_79b9_7f4a_7c15 }
    }

    fn go(&mut self) -> Result<Report, CliError> {
        let mut report = Report::new(self.args.load.name(), self.size, self.args.concurrent_ios);
        let (began, cpu) = (Instant::now(), process_cpu());
        let until = began + self.args.seconds;
        let mut window = Window::new(self.args.concurrent_ios);
        loop {
            while window.has_room() && Instant::now() < until {
                let op = self.next();
                window.add(op);
            }
            let Some((took, result)) = window.wait() else { break };
            report.add(took, check(result, self.size));
        }
        report.finish(began.elapsed(), process_cpu().saturating_sub(cpu));
        Ok(report)
    }

    fn next(&mut self) -> BenchOp {
        let number = self.begun;
        self.begun += 1;
        match self.args.load {
            Load::Write => BenchOp::Write(self.io.write_full(&object(number), self.data.clone())),
            Load::Seq => self.read(number % self.count),
            Load::Rand => {
                let number = self.draw() % self.count;
                self.read(number)
            }
        }
    }

    fn read(&self, number: u64) -> BenchOp {
        BenchOp::Read(self.io.read(&object(number), 0, self.size.into()))
    }

    /// Numbers without a pattern that matters (xorshift).
    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

/// An operation of the run.
enum BenchOp {
    Write(Op<()>),
    Read(Op<Bytes>),
}

/// What came of it: bytes moved.
type Moved = Result<Option<usize>, RadosError>;

/// An operation counts as an error if it failed, or read fewer bytes than were written.
fn check(result: Moved, size: u32) -> Result<(), String> {
    match result {
        Ok(None) => Ok(()),
        Ok(Some(bytes)) if bytes == size as usize => Ok(()),
        Ok(Some(bytes)) => Err(format!("read {bytes} bytes instead of {size}")),
        Err(error) => Err(error.to_string()),
    }
}
