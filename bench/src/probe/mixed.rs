//! Small requests beside large ones on the same connection.

use super::findings::Pings;
use super::{ProbeArgs, What};
use crate::drive::DriveError;
use crate::drive::axon::{KIND, client, failed, peer};
use axon_messenger::{Connection, EntityType, Expect, Message, incoming};
use bytes::Bytes;
use hdrhistogram::Histogram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of a small request.
const SMALL: usize = 64;
/// Bytes of a large one: an object of Ceph's usual size.
const LARGE: usize = 4 << 20;
/// Large ones in flight.
const LARGE_IN_FLIGHT: usize = 4;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends one request after the other, and large ones beside them as the probe says.
pub(super) fn ping(args: &ProbeArgs) -> Result<Pings, DriveError> {
    let (dispatcher, _rest) = incoming();
    let messenger = client().start(dispatcher).map_err(failed("starting a messenger"))?;
    let connection = messenger.connect(EntityType::Osd, &peer(args.addr)?).map_err(failed("connecting"))?;
    let flood = Arc::new(Flood::default());
    let threads = match priority(args.what) {
        None => Vec::new(),
        Some(priority) => flood.start(&connection, priority),
    };
    let size = if args.what == What::Large { LARGE } else { SMALL };
    let measured = measure(&connection, size, args, &flood);
    flood.stop.store(true, Ordering::Relaxed);
    for thread in threads {
        // It ends by itself.
        let _ = thread.join();
    }
    measured
}

/// Of the large messages; small ones have the default.
fn priority(what: What) -> Option<u16> {
    match what {
        What::BesideLower => Some(Message::PRIORITY_LOW),
        What::BesideHigher => Some(Message::PRIORITY_HIGH),
        _ => None,
    }
}

/// Measures for as long as it is told, and as many requests, after a tenth of that time.
fn measure(
    connection: &Connection,
    size: usize,
    args: &ProbeArgs,
    flood: &Flood,
) -> Result<Pings, DriveError> {
    let data = Bytes::from(vec![0; size]);
    let warm = Instant::now() + args.span() / 10;
    while Instant::now() < warm {
        round_trip(connection, &data)?;
    }
    let mut latency = Histogram::<u64>::new(3).map_err(failed("a histogram"))?;
    let (begin, before) = (Instant::now(), flood.answered.load(Ordering::Relaxed));
    while begin.elapsed() < args.span() || latency.len() < args.requests {
        let took = round_trip(connection, &data)?;
        latency.record(took.as_nanos() as u64).map_err(failed("recording"))?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    let answered = flood.answered.load(Ordering::Relaxed) - before;
    Ok(Pings {
        round_trips: latency.iter_recorded().map(|v| (v.value_iterated_to(), v.count_at_value())).collect(),
        seconds,
        large_bytes_per_second: answered as f64 * LARGE as f64 / seconds,
    })
}

fn round_trip(connection: &Connection, data: &Bytes) -> Result<Duration, DriveError> {
    let sent = Instant::now();
    let request = Message { data: data.clone(), ..Message::new(KIND, Bytes::new()) };
    let reply = connection.call_within(request, Expect::Kind(KIND), PATIENCE).map_err(failed("sending"))?;
    reply.wait().map_err(failed("waiting for a reply"))?;
    Ok(sent.elapsed())
}

/// The large ones.
#[derive(Default)]
struct Flood {
    stop: AtomicBool,
    answered: AtomicU64,
}

impl Flood {
    fn start(self: &Arc<Self>, connection: &Connection, priority: u16) -> Vec<thread::JoinHandle<()>> {
        let data = Bytes::from(vec![0; LARGE]);
        let one = |_| {
            let (flood, connection, data) = (self.clone(), connection.clone(), data.clone());
            thread::spawn(move || flood.pour(&connection, &data, priority))
        };
        (0..LARGE_IN_FLIGHT).map(one).collect()
    }

    fn pour(&self, connection: &Connection, data: &Bytes, priority: u16) {
        while !self.stop.load(Ordering::Relaxed) {
            let mut message = Message { data: data.clone(), ..Message::new(KIND, Bytes::new()) };
            message.header.priority = priority;
            let answered =
                connection.call_within(message, Expect::Kind(KIND), PATIENCE).map(|reply| reply.wait());
            match answered {
                Ok(Ok(_)) => drop(self.answered.fetch_add(1, Ordering::Relaxed)),
                _ => return,
            }
        }
    }
}
