//! Nanoseconds per frame and per checksum: `cargo bench -p axon-wire`. Ratios between lines of one run are what counts.

use axon_wire::{
    Ack, Frame, FrameBuf, FrameReader, FrameWriter, Limits, Message, Provider, Received, default_provider,
    provider,
};
use bytes::{Bytes, BytesMut};
use std::hint::black_box;
use std::time::{Duration, Instant};

const KEY: [u8; 16] = [1; 16];
const NONCE: [u8; 12] = [2; 12];

fn main() {
    // Cargo passes --bench; when it runs the targets as tests it does not, and one round of each is enough.
    let budget = match std::env::args().any(|a| a == "--bench") {
        true => Duration::from_millis(200),
        false => Duration::ZERO,
    };
    for (name, provider) in providers() {
        checksums(budget, name, provider);
        ciphers(budget, name, provider);
    }
    for secure in [false, true] {
        for (front, data) in [(0, 0), (100, 0), (100, 4096), (4096, 0), (100, 65536), (100, 4 << 20)] {
            frames(budget, secure, front, data);
        }
    }
    controls(budget);
}

fn providers() -> Vec<(&'static str, &'static dyn Provider)> {
    vec![
        ("rust", &provider::rust::Rust),
        #[cfg(feature = "fast")]
        ("fast", provider::fast::detect()),
    ]
}

/// The best of a few runs, in nanoseconds per call.
fn time(budget: Duration, mut f: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let mut calls = 0u32;
        let start = Instant::now();
        loop {
            for _ in 0..16 {
                f();
            }
            calls += 16;
            if start.elapsed() >= budget / 5 {
                break;
            }
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(calls));
    }
    best
}

fn report(what: &str, nanos: f64, bytes: usize) {
    println!("{what:<44} {nanos:>10.1} ns {:>8.2} GB/s", bytes as f64 / nanos);
}

fn checksums(budget: Duration, name: &str, provider: &dyn Provider) {
    for len in [28, 41, 64, 100, 128, 256, 512, 4096, 1 << 20] {
        let data = vec![7; len];
        let nanos = time(budget, || {
            black_box(provider.crc32c(!0, black_box(&data)));
        });
        report(&format!("crc32c {name} {len}"), nanos, len);
    }
}

fn ciphers(budget: Duration, name: &str, provider: &dyn Provider) {
    let aead = provider.aes128gcm(&KEY);
    for len in [80, 256, 4096, 1 << 20] {
        let mut data = vec![7; len];
        let nanos = time(budget, || {
            black_box(aead.seal(&NONCE, black_box(&mut data)));
        });
        report(&format!("aes128gcm seal {name} {len}"), nanos, len);
    }
}

fn frames(budget: Duration, secure: bool, front: usize, data: usize) {
    let mut message = Message::new(42, Bytes::from(vec![1; front]));
    message.data = Bytes::from(vec![2; data]);
    let mode = if secure { "secure" } else { "crc" };
    let what = format!("{mode} front {front} data {data}");

    let mut writer = writer(secure);
    let mut out = FrameBuf::new();
    let mut pieces = Vec::new();
    // What a batch shares is divided among its messages; large ones go out alone.
    let batch = if data > 1 << 20 { 1 } else { 16 };
    let nanos = time(budget, || {
        for _ in 0..batch {
            writer.message(black_box(&message), &mut out).unwrap();
        }
        out.drain_into(&mut pieces);
        black_box(&pieces);
        pieces.clear();
    });
    report(&format!("write {what}"), nanos / f64::from(batch), front + data);
    read(budget, secure, &what, &message);
}

fn read(budget: Duration, secure: bool, what: &str, message: &Message) {
    let mut out = FrameBuf::new();
    writer(secure).message(message, &mut out).unwrap();
    let mut pieces = Vec::new();
    out.drain_into(&mut pieces);
    let bytes = pieces.concat();
    let len = message.body_len();
    // The same frame again and again: the reader must start over each time, which a secure one pays for with a new key,
    // and the copy into the buffer is what a receive from the kernel would do. Both are measured and taken off.
    let mut lent = BytesMut::new();
    let copy = time(budget, || {
        lent.reserve(bytes.len());
        lent.extend_from_slice(black_box(&bytes));
        black_box(reader(secure));
        black_box(lent.split());
    });
    let nanos = time(budget, || {
        lent.reserve(bytes.len());
        lent.extend_from_slice(black_box(&bytes));
        let mut reader = reader(secure);
        let mut block = lent.split_to(reader.first_block_len());
        let head = reader.open_head(&mut block).unwrap();
        let body = lent.split_to(head.body_len());
        let received = reader.open_body(head, body).unwrap();
        let Received::Frame(Frame::Message(message)) = &received else { panic!("a message was sent") };
        assert_eq!(message.body_len(), len);
        black_box(received);
    });
    report(&format!("read  {what}"), nanos - copy, len);
}

fn controls(budget: Duration) {
    for secure in [false, true] {
        let mut writer = writer(secure);
        let mut out = FrameBuf::new();
        let mut pieces = Vec::new();
        let nanos = time(budget, || {
            writer.control(&Ack { seq: 1 }.into(), &mut out).unwrap();
            out.drain_into(&mut pieces);
            pieces.clear();
        });
        report(&format!("write ACK secure={secure}"), nanos, 8);
    }
}

fn writer(secure: bool) -> FrameWriter {
    let mut writer = FrameWriter::new(default_provider());
    if secure {
        writer.secure(&KEY, NONCE);
    }
    writer
}

fn reader(secure: bool) -> FrameReader {
    let mut reader = FrameReader::new(default_provider());
    reader.set_limits(Limits::SESSION);
    if secure {
        reader.secure(&KEY, NONCE);
    }
    reader
}
