//! Transports: how Axon moves bytes, and nothing about what they mean.
//!
//! A [`Transport`] makes one [`Reactor`] per worker thread. The contract is completion-based with owned buffers: the caller
//! says what shall happen and hands over the buffers it takes, and [`Reactor::poll`] reports what did happen. Devices that
//! work this way (io_uring, verbs) need no emulation and no copy; the one that does not (epoll) emulates it cheaply.
//!
//! # Back ends
//!
//! | back end | what for |
//! |---|---|
//! | [`TcpTransport`] | TCP over epoll, Linux |
//! | `UringTransport` (feature `uring`) | TCP over io_uring, Linux 6.1 |
//! | [`MemNetwork`] | a network inside the process: tests, virtual time, a hand on each link |
//! | [`Faulty`] | middleware over any other: pieces, delays, cuts and refusals from a seed |
//! | [`Cuttable`] | middleware over any other: connections break when somebody says so |
//!
//! # A connection, from both ends
//!
//! ```
//! use axon_transport::{Completion, ListenOptions, MemNetwork, Transport};
//! use bytes::Bytes;
//! use std::time::Duration;
//!
//! let mut reactor = MemNetwork::new().reactor()?;
//! let (_, addr) = reactor.listen("10.0.0.1:0".parse().unwrap(), &ListenOptions::default())?;
//! let client = reactor.connect(addr)?;
//! reactor.send(client, &mut vec![Bytes::from("head"), Bytes::from("body")]);
//!
//! let mut completions = Vec::new();
//! let mut heard = Vec::new();
//! while heard.len() < 8 {
//!     reactor.poll(Some(Duration::from_secs(1)), &mut completions)?;
//!     for completion in completions.drain(..) {
//!         match completion {
//!             Completion::Accepted { socket, .. } => {
//!                 let server = reactor.adopt(socket)?;
//!                 reactor.receive(server);
//!             }
//!             Completion::Received { data, .. } => heard.extend_from_slice(&data),
//!             Completion::Closed { error, .. } => panic!("{error:?}"),
//!             _ => (),
//!         }
//!     }
//! }
//! assert_eq!(heard, b"headbody");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # The legal order of calls
//!
//! ```text
//!   connect ──► connecting ──Connected──► ┌──────────────── open ────────────────┐
//!                   │                     │ paused ──receive──► lending          │
//!                   │        adopt ─────► │ paused ◄──pause──── lending          │ ──detach──► Detached
//!                   │          ▲          │ paused, lending ──receive_into──►    │                │
//!                   │          │          │                       filling        │                │
//!                   │          │          │ paused ◄──Filled───── filling        │                │
//!                   ▼          │          └──────────────────────────────────────┘                │
//!                 Closed       └── Accepted                  │  │                  ◄────adopt─────┘
//!                                                    Closed ◄┘  └► close
//! ```
//!
//! - `send` is legal in every state with an id; while connecting, the bytes wait.
//! - `receive`, `receive_into` and `pause` while connecting take effect once connected.
//! - While filling, `receive` and `pause` are ignored; another `receive_into` is a bug of the caller.
//! - After `Closed`, `close` and `detach` the id is dead, and every call with it does nothing.
//! - `Connected` comes first, `Closed` last and once; between `close` or `detach` and the next `connect` or `adopt` there is
//!   no completion of the socket, not even one that was on its way.
//! - `Filled` answers each `receive_into` unless `Closed` does; `Drained` comes each time `unsent` falls to zero after it was
//!   not zero at the return of a `send`.
//! - Everything but [`Waker::wake`] and the move of a [`Detached`] happens on the reactor's thread; with a
//!   [shared](Transport::shared_reactor) one, on that of whoever's turn it is. Between `park` and `unpark` nobody polls.
//!
//! # What a back end must provide
//!
//! 1. A **byte stream** in each direction, whatever the device has: ordered, complete up to its end, with back-pressure that
//!    reaches the sender's `unsent`. Nothing may need a bound on the sender's side but the caller's own.
//! 2. A **reactor**: one thread's sockets, their completions and the sleep of its `poll`. Steady work allocates nothing per
//!    operation; a `poll` with a timeout of zero that finds nothing costs at most one system call, for drivers spin on it.
//! 3. A **waker** that is cheap while the reactor is awake: it may cost a system call only if the reactor sleeps, and no
//!    wake-up is lost. `alarm.rs` has the state machine, which serves any device with something to sleep on.
//! 4. **Lent buffers** whose memory belongs to the reactor, not to the socket: an idle socket owns none. They are
//!    [`BytesMut`](bytes::BytesMut) so that the receiver may decrypt in place. `chunks.rs` serves any device: a chunk whose
//!    lent parts are gone is used again.
//! 5. **Fairness**: a bounded amount of work per socket and `poll`, a bounded number of accepts.
//! 6. **Ids with generations** (`slots.rs`), which double as the token of the device's event: an event that was on its way
//!    when its socket was closed finds nobody.
//! 7. **Sockets that move**: `detach` and `adopt` carry unsent bytes and a pending fill along.
//! 8. **Survival**: without descriptors or memory a listener rests and goes on; `connect` fails and nothing else does.
//!
//! Then it must pass the suite in `tests/conformance`: add it to the list in `main.rs` there.
//!
//! # How the calls map to devices
//!
//! | call | epoll (`tcp`) | io_uring | libfabric, `FI_EP_MSG` (verbs, tcp) | shared memory |
//! |---|---|---|---|---|
//! | `reactor` | `epoll_create1` | a ring with `SINGLE_ISSUER`, `DEFER_TASKRUN`, a buffer ring, a table of fixed files | domain, event queue, completion queue with `FI_WAIT_FD` | epoll over one eventfd, which all peers share |
//! | `waker` | eventfd, written if asleep | eventfd under a poll, written if asleep | the same eventfd beside the queues' fds in an epoll | the reactor's eventfd, written if asleep |
//! | `listen` | `bind`, `listen`, `EPOLLIN` | `bind`, `listen`, multishot `ACCEPT` | `fi_passive_ep`, `fi_listen` | a Unix socket |
//! | `Accepted` | `accept4`, at most 64 a turn; on `EMFILE`: rest, watch again | one CQE each, with a descriptor, for nobody has adopted it; on `EMFILE` the multishot ends: rest, await a caller, arm again | `FI_CONNREQ`: the `fi_info` travels in the `Detached` | peer sends memfd and eventfds (`SCM_RIGHTS`) |
//! | `adopt` | `EPOLL_CTL_ADD` before the next wait | put the file into this ring's table; without a place there, use its descriptor | `fi_endpoint` bound to this reactor's queues, post receives, `fi_accept` | map the rings |
//! | `connect` | non-blocking `connect`, `EPOLLOUT`, `SO_ERROR` | `CONNECT`, submitted at once | `fi_connect`, answered by `FI_CONNECTED` or an error entry | connect the Unix socket, send memfd |
//! | `detach` | `EPOLL_CTL_DEL` | cancel what is in flight, wait for its CQEs, take the file out of the table | a queue pair cannot change its queues: see below | unmap |
//! | `send` | `send` or `sendmsg` at once, on the thread that calls; the rest waits for `EPOLLOUT`, and from then on the kernel holds little that it has not sent | one `SEND` or `SENDMSG` in flight per socket, what comes meanwhile is gathered into the next; leaves with the next `enter`. Small ones may not wait and succeed in silence | `fi_sendmsg` of registered pieces, as far as the peer's credits go | copy into the ring; eventfd if the peer sleeps |
//! | `unsent` | bytes in the backlog | backlog and what is in flight, but for small sends that leave with the next `enter` | backlog and what has no completion | bytes that found no room |
//! | `Drained` | the backlog became empty in a turn | the CQE of the last send; of a small one nobody is told, for it was never unsent | the last send completion | the peer made room, the backlog is empty |
//! | `receive` | level-triggered `EPOLLIN`, one `recv` into the shared chunk per turn; after a fill, a few short ones | multishot `RECV` over the buffer ring, whose entries are parts of chunks; after a fill, a few short ones | the posted receives (`fi_recv`) are the lent buffers; each is posted anew | copy out of the ring |
//! | `receive_into` | `recv` with the destination's spare room, not more than asked for | cancel the multishot, `RECV` of the rest with `MSG_WAITALL` | large: `fi_read` from the sender's registered buffer into the destination, registered through a cache; small: copy out of the posted receives | copy out of the ring to its place |
//! | `arrived` | `TCP_INFO` | `TCP_INFO` | what was copied out of posted receives; of an `fi_read`, which is cut into parts, those that are complete | the writer's place in the ring |
//! | `pause` | leave `EPOLLIN`; take it away when it fires | leave the multishot; cancel it when it brings something, which is kept for the next `receive`; await errors with a multishot poll | post no receives, give no credits | leave the bytes in the ring |
//! | `close` | `close` | cancel; the file is closed after the last CQE; late CQEs meet a dead id | `fi_shutdown`, `fi_close`; flushed completions meet a dead id | a mark in the ring, close the Unix socket |
//! | `Closed` | `recv` of 0; `EPOLLERR`, `EPOLLHUP`; failed `sendmsg` | CQE with 0 or an error | `FI_SHUTDOWN`, or an error completion | the mark, or the Unix socket hung up: the peer died |
//! | `poll` | `epoll_wait`, at most 256 events; with a timeout of zero mostly `recv` on the one or two sockets that were readable last | submit and wait in one `enter`; with a timeout of zero `GETEVENTS`, for plain `submit` never reaps under `DEFER_TASKRUN` | read the queues; `fi_trywait`, then epoll on their fds | look at the rings with marks set; else epoll |
//! | `park` | the same `epoll_wait`, on what the reactor and its wait share | none: one issuer | none, or the wait on the queues' fds | the same wait on the eventfd |
//! | [`Capabilities`] | stream, gather of 1024, foreign send | stream, gather of 1024, zero-copy where the device has it (`SENDMSG_ZC` lost on loopback) | registered memory, zero-copy, gather of `iov_limit` | stream, any gather |
//!
//! ## Where emulation is needed
//!
//! - **epoll** tells readiness, not completion: the back end does the read or write itself, in its turn. Arming is lazy:
//!   changing between `receive`, `receive_into` and a short pause costs no system call.
//! - **io_uring** fills lent buffers before it is asked whether they are still wanted: after `pause` or `receive_into`, the
//!   bytes of CQEs on their way are kept in order in front of the stream, and count for a following `receive_into`. A fill
//!   that follows a lent header closely should therefore expect its first bytes to be copied. `detach` must wait for the
//!   cancelled operations; it may do so inside the call, for they end at once.
//! - **Verbs** move messages, not bytes. The back end cuts the stream into messages that fit the receives the peer has
//!   posted, and counts credits, for a message without a posted receive breaks the connection (receiver not ready). It may
//!   not report boundaries upward: `message_boundaries` says that a `send` arrives as one `Received`, and only a device that
//!   promises it sets it. Buffers of a send are registered when they come from the back end's own pool
//!   (`Bytes::from_owner` around a registered slot, which returns on the last drop); others are copied into such a slot, or
//!   registered through a cache if they are large. A queue pair is bound to its completion queue for life: either each
//!   endpoint has a queue of its own, whose fd moves between the epolls, or the old reactor forwards completions to the
//!   new. That accepted sockets belong to nobody until adopted makes the second case rare. The `shm` and `udp;ofi_rxd`
//!   providers have no fd to sleep on (libfabric 1.17): their reactor spins, or looks up on a timer.
//! - **Shared memory** is written by a process that may be hostile: bytes are copied out before anybody looks at them, so
//!   lending parts of the ring itself is not allowed.
//! - A **foreign thread's send** is possible where the wait can be taken out of the reactor (`park`, `unpark`): the threads
//!   that share it then agree on whose turn it is, by a lock of theirs. Epoll waits with nothing but a descriptor. Rings and
//!   queue pairs with one issuer cannot; shared memory could. [`Capabilities::foreign_send`] says who can.
#![deny(unsafe_code)]

mod alarm;
mod backlog;
mod chunks;
mod contract;
mod counters;
mod cuttable;
mod dice;
mod faulty;
mod inet;
mod mem;
mod reading;
mod slots;
mod tcp;
#[cfg(feature = "uring")]
mod uring;

pub use contract::*;
pub use counters::Counters;
pub use cuttable::Cuttable;
pub use faulty::{Faults, Faulty};
pub use mem::{Direction, MemLink, MemNetwork, MemOptions};
pub use tcp::TcpTransport;
#[cfg(feature = "uring")]
pub use uring::{UringTransport, UringUnavailable};
