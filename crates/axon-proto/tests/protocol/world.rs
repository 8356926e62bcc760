//! A client that dials, a server that accepts, and the wires between them.
//!
//! The client is a [`Connection`]; every socket it opens has a server's end of its own, which starts as a [`Link`] and
//! becomes a connection when its session is agreed, as in a driver. Bytes take [`Setup::latency`]; nothing else takes
//! time.

mod chunks;
mod driver;
mod end;
mod pipe;
mod setup;
mod tap;

pub(crate) use chunks::Chunks;
pub(crate) use end::{End, Machine};
pub(crate) use setup::{CLIENT_SOCKET, Scheme, Setup, addr, cluster};
pub(crate) use tap::{Label, Unit};

use axon_proto::{Connection, Disconnect, Established, Event, Fault, Input, Instant, State, Verdict};
use axon_wire::{FrameBuf, Message};
use core::time::Duration;
use pipe::Pipe;
use std::collections::VecDeque;
use std::sync::Arc;
use tap::Tap;

/// An end of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Who dials.
    Client = 0,
    /// Who accepts.
    Server = 1,
}

impl Side {
    /// The other end.
    pub(crate) fn other(self) -> Side {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Where a socket breaks: for both ends, once everything up to this edge was delivered and dealt with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) from: Side,
    pub(crate) label: Label,
    pub(crate) edge: Edge,
}

/// An edge of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    Before,
    After,
}

/// What a dial comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialled {
    Connects,
    Fails(Disconnect),
    /// No answer ever comes.
    Hangs,
}

/// What the world saw of one side.
#[derive(Default)]
pub(crate) struct Seen {
    /// Messages delivered.
    pub(crate) messages: Vec<Message>,
    /// Events of its connections.
    pub(crate) events: Vec<Event>,
    /// Faults of links before their session was agreed.
    pub(crate) faults: Vec<Fault>,
}

struct Socket {
    /// By the side that writes.
    pipes: [Pipe; 2],
    tap: Tap,
    server: End,
    /// Whether the client holds its end.
    held: bool,
}

type Editor = Box<dyn FnMut(&mut Unit)>;

/// The world of one client.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) setup: Setup,
    pub(crate) client: End,
    sockets: Vec<Socket>,
    dialling: Option<Instant>,
    scratch: FrameBuf,
    global_seq: u64,
    /// Fires at the next unit that it names, once.
    pub(crate) cuts: Vec<Cut>,
    /// Breaks the next socket when so many bytes of this side were delivered.
    pub(crate) cut_at: Option<(Side, u64)>,
    /// When the client wanted to dial.
    pub(crate) dial_times: Vec<Instant>,
    /// A man in the middle.
    pub(crate) editor: Option<Editor>,
    /// What the next dials come to; they connect when nothing is said.
    pub(crate) dials: VecDeque<Dialled>,
    /// What the server says to the next idents; it accepts when nothing is said.
    pub(crate) verdicts: VecDeque<Verdict>,
    /// The server's process hangs: it neither reads nor writes, and its timers do not fire.
    pub(crate) deaf: bool,
    /// Messages wait until the test says so.
    pub(crate) hold_admissions: bool,
    admissions: [Option<usize>; 2],
    /// By side.
    pub(crate) seen: [Seen; 2],
    pub(crate) established: [Option<Box<Established>>; 2],
    /// Everything that crossed the wires.
    pub(crate) units: Vec<Unit>,
    log: String,
}

impl World {
    /// The client has asked for its first dial.
    pub(crate) fn new(setup: Setup) -> Self {
        let config = Arc::new(setup.client.clone());
        let connection = Connection::dial(config, setup.client_policy, setup.back_off, setup.seed);
        Self {
            now: Instant(1_000_000_000),
            setup,
            client: End::new(Machine::Connection(Box::new(connection))),
            sockets: Vec::new(),
            dialling: None,
            scratch: FrameBuf::new(),
            global_seq: 100,
            cuts: Vec::new(),
            cut_at: None,
            dial_times: Vec::new(),
            editor: None,
            dials: VecDeque::new(),
            verdicts: VecDeque::new(),
            deaf: false,
            hold_admissions: false,
            admissions: [None; 2],
            seen: Default::default(),
            established: [None, None],
            units: Vec::new(),
            log: String::new(),
        }
    }

    /// A world whose session is agreed.
    pub(crate) fn open(setup: Setup) -> Self {
        let mut world = Self::new(setup);
        world.run(Duration::from_secs(1));
        assert_eq!(world.client().state(), State::Open, "{}", world.log);
        assert!(matches!(world.server(), Machine::Connection(_)), "{}", world.log);
        world
    }

    pub(crate) fn client(&mut self) -> &mut Connection {
        match &mut self.client.machine {
            Machine::Connection(connection) => connection,
            _ => unreachable!("the client is a connection"),
        }
    }

    /// The server's end of the newest socket.
    pub(crate) fn server(&mut self) -> &mut Machine {
        &mut self.sockets.last_mut().expect("a socket").server.machine
    }

    /// The connection of `side`.
    pub(crate) fn connection(&mut self, side: Side) -> &mut Connection {
        match side {
            Side::Client => self.client(),
            Side::Server => match self.server() {
                Machine::Connection(connection) => connection,
                _ => panic!("the server has no session"),
            },
        }
    }

    /// Gives an input to the connection of `side`.
    pub(crate) fn tell(&mut self, side: Side, input: Input) {
        let now = self.now;
        self.connection(side).handle(now, input);
        self.serve();
    }

    pub(crate) fn send(&mut self, side: Side, message: Message) {
        self.tell(side, Input::Send(message));
    }

    /// From now on `side` has room for messages of up to `bytes`, and is not asked about those.
    pub(crate) fn make_room(&mut self, side: Side, bytes: usize) {
        let end = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.sockets.last_mut().expect("a socket").server,
        };
        end.room = Some(bytes);
    }

    /// Lets the held message of `side` in.
    pub(crate) fn admit(&mut self, side: Side) {
        self.admissions[side as usize].take().expect("a message waits");
        self.tell(side, Input::Admitted);
    }

    /// The body bytes of the message that waits at `side`.
    pub(crate) fn waiting(&self, side: Side) -> Option<usize> {
        self.admissions[side as usize]
    }

    /// Breaks the newest socket for both ends.
    pub(crate) fn cut(&mut self) {
        let newest = self.sockets.len() - 1;
        self.break_socket(newest);
    }

    /// Lets time pass, with all that happens in it.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.settle();
            let Some(next) = self.next_time().filter(|next| *next <= end) else { break };
            self.now = next;
            self.wake();
        }
        self.now = end;
        self.settle();
    }

    /// What happened, one line each, and forgets it.
    pub(crate) fn log(&mut self) -> String {
        core::mem::take(&mut self.log)
    }

    /// Transaction ids of the messages delivered to `side`.
    pub(crate) fn tids(&self, side: Side) -> Vec<u64> {
        self.seen[side as usize].messages.iter().map(|m| m.header.tid).collect()
    }

    /// Why the client's attempts failed.
    pub(crate) fn attempts(&self) -> Vec<&Fault> {
        let events = self.seen[Side::Client as usize].events.iter();
        events
            .filter_map(|event| match event {
                Event::AttemptFailed(fault) => Some(fault),
                _ => None,
            })
            .collect()
    }

    /// How often `side` was told that its session is over.
    pub(crate) fn resets(&self, side: Side) -> usize {
        let events = self.seen[side as usize].events.iter();
        events.filter(|event| matches!(event, Event::Reset { .. })).count()
    }

    /// Adds `bytes` to what `from` has under way on the newest socket, as somebody in the middle would.
    pub(crate) fn inject(&mut self, from: Side, bytes: &[u8]) {
        let at = self.now;
        self.sockets.last_mut().expect("a socket").pipes[from as usize].write(bytes, at);
    }
}

/// Seconds since the world began.
fn stamp(now: Instant) -> String {
    format!("{:.3}", now.since(Instant(1_000_000_000)).as_secs_f64())
}

/// A message with this transaction id and bodies of these sizes, whose content depends on both.
pub(crate) fn message(tid: u64, front: usize, middle: usize, data: usize) -> Message {
    let fill = |length: usize, salt: u64| -> Vec<u8> {
        (0..length).map(|i| ((i as u64).wrapping_mul(31) + tid + salt) as u8).collect()
    };
    let mut message = Message::new(42, fill(front, 1));
    message.header.tid = tid;
    message.middle = fill(middle, 2).into();
    message.data = fill(data, 3).into();
    message
}
