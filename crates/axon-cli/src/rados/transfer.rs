//! Files into objects and back, several pieces at a time.

use super::striper::{self, PIECE};
use super::window::Window;
use super::{Options, text};
use crate::error::CliError;
use crate::output::LiveLine;
use crate::units;
use axon_rados::client::Op;
use axon_rados::{IoCtx, Name};
use bytes::Bytes;
use serde_json::json;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Pieces on their way at a time.
const DEPTH: usize = 8;
/// Bytes that one request may carry, as OSDs are set unless told otherwise (Ceph: `osd_max_write_size`).
const MAX_REQUEST: u64 = 90 << 20;
/// Between two looks at the progress.
const SHOW_EVERY: Duration = Duration::from_millis(200);

/// `rados put`. With an offset, be it 0, it leaves what is before and behind.
pub(super) fn put(
    options: &Options,
    object: &Name,
    file: &Path,
    offset: Option<u64>,
) -> Result<(), CliError> {
    if options.striper && offset.is_some() {
        return Err(CliError::Usage {
            what: "striped files are put as a whole",
            help: "put the whole file again, without --offset",
        });
    }
    let io = options.open()?;
    let mut input = open_input(file)?;
    let mut progress = Progress::new();
    match options.striper {
        true => put_striped(&io, object, &mut *input, &mut progress)?,
        false => put_whole(&io, object, offset, &mut *input, &mut progress)?,
    }
    progress.report(options, object)
}

/// Into one object: the first piece replaces it, unless it goes to an offset; the others are written behind.
fn put_whole(
    io: &IoCtx,
    object: &Name,
    offset: Option<u64>,
    input: &mut dyn Read,
    progress: &mut Progress,
) -> Result<(), CliError> {
    let full = aligned(PIECE, io.required_alignment());
    let mut window = Window::of(DEPTH);
    let mut piece = read_piece(input, full)?;
    let (mut at, mut replaces) = (offset.unwrap_or(0), offset.is_none());
    loop {
        let length = piece.len() as u64;
        progress.add(piece.len());
        let write = match replaces {
            true => io.write_full(object, piece),
            false => io.write(object, at, piece),
        };
        if let Some(op) = window.push(write) {
            op.wait()?;
        }
        replaces = false;
        at = at.saturating_add(length);
        piece = if length < full { Bytes::new() } else { read_piece(input, full)? };
        if piece.is_empty() {
            return window.into_iter().try_for_each(|op| Ok(op.wait()?));
        }
    }
}

/// The size of pieces that all begin where a pool allows writes behind the end.
fn aligned(piece: u64, alignment: Option<u64>) -> u64 {
    alignment.map_or(piece, |alignment| piece.next_multiple_of(alignment))
}

fn put_striped(
    io: &IoCtx,
    file: &Name,
    input: &mut dyn Read,
    progress: &mut Progress,
) -> Result<(), CliError> {
    let first = read_piece(input, PIECE)?;
    let mut length = first.len();
    let mut writer = striper::Writer::begin(io, file, first)?;
    while length as u64 == PIECE {
        progress.add(length);
        let piece = read_piece(input, PIECE)?;
        length = piece.len();
        if length > 0 {
            writer.add(piece)?;
        }
    }
    progress.add(length);
    writer.finish()
}

/// `rados append`. One request carries it all, so that it is done once and as a whole.
pub(super) fn append(options: &Options, object: &Name, file: &Path) -> Result<(), CliError> {
    let io = options.open()?;
    let mut progress = Progress::new();
    let data = read_for_one_request(&mut *open_input(file)?)?;
    progress.add(data.len());
    io.append(object, data).wait()?;
    progress.report(options, object)
}

/// Reads input to its end, which must come before one request can carry no more.
pub(super) fn read_for_one_request(input: &mut dyn Read) -> Result<Vec<u8>, CliError> {
    let mut data = Vec::new();
    input.take(MAX_REQUEST + 1).read_to_end(&mut data).map_err(CliError::Input)?;
    match data.len() as u64 > MAX_REQUEST {
        true => Err(CliError::InputTooLong { limit: MAX_REQUEST }),
        false => Ok(data),
    }
}

/// `rados get`.
pub(super) fn get(options: &Options, object: &Name, file: &Path) -> Result<(), CliError> {
    let io = options.open()?;
    let size = match options.striper {
        true => striper::File::open(&io, object)?.stat.size,
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

fn get_piece(options: &Options, io: &IoCtx, object: &Name, number: u64, length: u64) -> Op<Bytes> {
    match options.striper {
        true => io.read(striper::piece(object, number), 0, length),
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

/// The next `size` bytes, or what there is.
fn read_piece(input: &mut dyn Read, size: u64) -> Result<Bytes, CliError> {
    let mut piece = Vec::with_capacity(size as usize);
    input.take(size).read_to_end(&mut piece).map_err(CliError::Input)?;
    Ok(piece.into())
}

pub(super) fn open_input(path: &Path) -> Result<Box<dyn Read>, CliError> {
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
    fn report(self, options: &Options, object: &Name) -> Result<(), CliError> {
        let Self { line, began, bytes, .. } = self;
        drop(line);
        let report = json!({ "bytes": bytes, "seconds": began.elapsed().as_secs_f64() });
        options.done(text::with(report, "object", object))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_with_stripes() {
        for (alignment, size) in [(None, PIECE), (Some(8192), PIECE), (Some(12288), 342 * 12288)] {
            assert_eq!(aligned(PIECE, alignment), size, "{alignment:?}");
        }
    }
}
