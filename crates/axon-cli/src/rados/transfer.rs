//! Files into objects and back, several pieces at a time.

use super::Options;
use super::striper::{self, PIECE};
use crate::error::CliError;
use crate::output::LiveLine;
use crate::units;
use axon_rados::IoCtx;
use axon_rados::client::Op;
use bytes::Bytes;
use serde_json::json;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Pieces on their way at a time.
const DEPTH: usize = 8;
/// Between two looks at the progress.
const SHOW_EVERY: Duration = Duration::from_millis(200);

/// `rados put`.
pub(super) fn put(options: &Options, object: &str, file: &Path) -> Result<(), CliError> {
    let io = options.open()?;
    let mut input = open_input(file)?;
    let mut progress = Progress::new();
    let mut under_way = VecDeque::new();
    let mut number = 0;
    loop {
        let piece = read_piece(&mut *input)?;
        let (first, last) = (number == 0, (piece.len() as u64) < PIECE);
        if !piece.is_empty() || first {
            progress.add(piece.len());
            under_way.push_back(put_piece(options, &io, object, number, piece));
        }
        if last || under_way.len() >= DEPTH {
            settle(&mut under_way, if last { 0 } else { DEPTH - 1 })?;
        }
        if last {
            break;
        }
        number += 1;
    }
    if options.striper {
        striper::describe(&io, object, progress.bytes)?;
    }
    progress.report(options, object)
}

/// `rados append`. One request carries it all, so that it is done once and as a whole.
pub(super) fn append(options: &Options, object: &str, file: &Path) -> Result<(), CliError> {
    if options.striper {
        return Err(CliError::Usage {
            what: "append does not work on striped files",
            help: "put the whole file again",
        });
    }
    let io = options.open()?;
    let mut progress = Progress::new();
    let mut data = Vec::new();
    open_input(file)?.read_to_end(&mut data).map_err(CliError::Input)?;
    progress.add(data.len());
    io.append(object, data).wait()?;
    progress.report(options, object)
}

/// The first piece replaces the object; in a striped file each does.
fn put_piece(options: &Options, io: &IoCtx, object: &str, number: u64, piece: Bytes) -> Op<()> {
    match (options.striper, number) {
        (true, _) => io.write_full(&striper::piece(object, number), piece),
        (false, 0) => io.write_full(object, piece),
        (false, _) => io.write(object, number * PIECE, piece),
    }
}

fn settle(under_way: &mut VecDeque<Op<()>>, down_to: usize) -> Result<(), CliError> {
    while under_way.len() > down_to {
        if let Some(op) = under_way.pop_front() {
            op.wait()?;
        }
    }
    Ok(())
}

/// `rados get`.
pub(super) fn get(options: &Options, object: &str, file: &Path) -> Result<(), CliError> {
    let io = options.open()?;
    let size = match options.striper {
        true => striper::stat(&io, object)?.size,
        false => io.stat(object).wait()?.size,
    };
    let mut output = open_output(file)?;
    let mut progress = Progress::new();
    let mut under_way: VecDeque<(u64, Op<Bytes>)> = VecDeque::new();
    let mut numbers = 0..size.div_ceil(PIECE);
    loop {
        while under_way.len() < DEPTH
            && let Some(number) = numbers.next()
        {
            let length = PIECE.min(size - number * PIECE);
            under_way.push_back((length, get_piece(options, &io, object, number, length)));
        }
        let Some((length, op)) = under_way.pop_front() else { break };
        let piece = if options.striper { or_hole(op.wait())? } else { op.wait()? };
        write_piece(&mut *output, &piece, if options.striper { length } else { 0 })?;
        progress.add(piece.len());
    }
    output.flush().map_err(CliError::Output)?;
    drop(output);
    match file == Path::new("-") {
        true => Ok(()), // where the object went is no place for a report
        false => progress.report(options, object),
    }
}

fn get_piece(options: &Options, io: &IoCtx, object: &str, number: u64, length: u64) -> Op<Bytes> {
    match options.striper {
        true => io.read(&striper::piece(object, number), 0, length),
        false => io.read(object, number * PIECE, length),
    }
}

/// A piece that was never written is a hole.
fn or_hole(piece: Result<Bytes, axon_rados::client::RadosError>) -> Result<Bytes, CliError> {
    match piece {
        Err(error) if error.is_not_found() => Ok(Bytes::new()),
        piece => Ok(piece?),
    }
}

/// Writes a piece, and zeroes up to `length`.
fn write_piece(output: &mut dyn Write, piece: &[u8], length: u64) -> Result<(), CliError> {
    let missing = length.saturating_sub(piece.len() as u64);
    output
        .write_all(piece)
        .and_then(|()| io::copy(&mut io::repeat(0).take(missing), output).map(drop))
        .map_err(CliError::Output)
}

fn read_piece(input: &mut dyn Read) -> Result<Bytes, CliError> {
    let mut piece = Vec::with_capacity(PIECE as usize);
    input.take(PIECE).read_to_end(&mut piece).map_err(CliError::Input)?;
    Ok(piece.into())
}

fn open_input(path: &Path) -> Result<Box<dyn Read>, CliError> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(source) => Err(CliError::Unreadable { path: path.into(), source }),
    }
}

fn open_output(path: &Path) -> Result<Box<dyn Write>, CliError> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdout().lock()));
    }
    match File::create(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(source) => Err(CliError::Unwritable { path: path.into(), source }),
    }
}

/// How far a transfer has come, on the terminal.
struct Progress {
    line: LiveLine,
    began: Instant,
    shown: Instant,
    bytes: u64,
}

impl Progress {
    fn new() -> Self {
        let now = Instant::now();
        Self { line: LiveLine::new(), began: now, shown: now, bytes: 0 }
    }

    /// What it came to, with --json.
    fn report(self, options: &Options, object: &str) -> Result<(), CliError> {
        let Self { line, began, bytes, .. } = self;
        drop(line);
        options.done(json!({ "object": object, "bytes": bytes, "seconds": began.elapsed().as_secs_f64() }))
    }

    fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if self.shown.elapsed() >= SHOW_EVERY {
            self.shown = Instant::now();
            let rate = self.bytes as f64 / self.began.elapsed().as_secs_f64();
            self.line.show(format_args!("{}, {}/s", units::bytes(self.bytes as f64), units::bytes(rate)));
        }
    }
}
