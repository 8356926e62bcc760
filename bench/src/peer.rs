//! Who is measured: the table of peers, with how each is started and set up, and why so.

use crate::drive::Library;
use crate::scenario::{For, Mode, Pattern, Row, Scenario, Wait};
use serde::{Deserialize, Serialize};

/// A client and a server that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Peer {
    /// Axon on both ends.
    Axon,
    /// Ceph's C++ messenger on both ends.
    Cpp,
    /// Axon's client, the C++ server.
    AxonToCpp,
    /// The C++ client, Axon's server.
    CppToAxon,
    /// rados-rs on both ends.
    RadosRs,
    /// Bare sockets.
    Raw,
    /// Bare sockets, with checksums.
    RawSum,
    /// libzmq.
    ZeroMq,
    /// libnng.
    Nng,
    /// tonic.
    Grpc,
    /// UCX over TCP.
    Ucx,
}

/// What is known about a peer before it is measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Profile {
    /// Which.
    pub(crate) peer: Peer,
    /// Its name in tables and plots.
    pub(crate) title: &'static str,
    /// How server and client are started.
    pub(crate) start: &'static str,
    /// Settings, and the reason for each that is not the default.
    pub(crate) settings: &'static str,
    /// Where the settings and the pattern are documented.
    pub(crate) source: &'static str,
    /// What its threads do when they have nothing to do.
    pub(crate) idle: &'static str,
}

/// Every peer, in the order of tables and plots.
pub(crate) const PROFILES: [Profile; 11] = [
    Profile {
        peer: Peer::Axon,
        title: "Axon",
        start: "`axon serve`, `axon bench --connect`; streams by `axon-bench drive axon`",
        settings: "one worker on each side",
        source: "`axon bench --help`",
        idle: "spins for 50 us if that has paid of late, then sleeps in epoll; `--spin 0` where the scenario says \
               blocking, `--spin 1s` where it says spinning",
    },
    Profile {
        peer: Peer::Cpp,
        title: "C++ messenger",
        start: "`ceph_perf_msgr_server`, `ceph_perf_msgr_client` of Ceph 18.2, Debian 13",
        settings: "one worker on each side; `usleep(0)` returns at once, which else costs 50 us per message; \
                   concurrency depth - 1, because c keeps c + 1 in flight",
        source: "Ceph: src/test/msgr/perf_msgr_client.cc",
        idle: "sleeps in epoll",
    },
    Profile {
        peer: Peer::AxonToCpp,
        title: "Axon to C++",
        start: "`ceph_perf_msgr_server`, `axon bench --connect`",
        settings: "as above",
        source: "as above",
        idle: "the client spins for 50 us as above, the server sleeps",
    },
    Profile {
        peer: Peer::CppToAxon,
        title: "C++ to Axon",
        start: "`axon serve`, `ceph_perf_msgr_client`",
        settings: "as above",
        source: "as above",
        idle: "the server spins for 50 us as above, the client sleeps",
    },
    Profile {
        peer: Peer::RadosRs,
        title: "rados-rs",
        start: "`bench/rados-rs`: the `Connection` of rados 0.1.4 on both ends, MOSDOp and MOSDOpReply",
        settings: "no authentication, crc mode, one runtime of one thread on each side",
        source: "docs.rs/rados, `msgr2::Connection`",
        idle: "sleeps in epoll (tokio)",
    },
    Profile {
        peer: Peer::Raw,
        title: "raw sockets",
        start: "`axon-bench drive raw`",
        settings: "ping-pong by blocking calls at depth 1, else one gathering write and one large read per batch; \
                   from 256 KiB on messages are read in their final place, with SO_RCVLOWAT as long as more than 64 KiB \
                   are missing; several connections by epoll; TCP_NODELAY",
        source: "tcp(7), socket(7), sendmsg(2)",
        idle: "sleeps in recv; looks again and again where the scenario says spinning",
    },
    Profile {
        peer: Peer::RawSum,
        title: "raw sockets, crc32c",
        start: "`axon-bench drive raw --checksum`",
        settings: "the same, and the crc32c of each message on each side",
        source: "as above",
        idle: "as above",
    },
    Profile {
        peer: Peer::ZeroMq,
        title: "ZeroMQ",
        start: "`axon-bench drive zeromq` with Debian 13's libzmq5",
        settings: "DEALER to DEALER without high-water mark, streams PUSH to PULL; sends without copying; one thread of I/O",
        source: "manual pages of libzmq 4.3: zmq_socket, zmq_send_const, zmq_setsockopt",
        idle: "sleeps in epoll and poll",
    },
    Profile {
        peer: Peer::Nng,
        title: "nng",
        start: "`axon-bench drive nng` with Debian 13's libnng1",
        settings: "pair0, streams push0 to pull0; queues as long as the depth; messages handed over, not copied",
        source: "nng: perf/perf.c; manual pages nng_pair_open, nng_sendmsg",
        idle: "sleeps in epoll and on condition variables",
    },
    Profile {
        peer: Peer::Grpc,
        title: "gRPC (tonic)",
        start: "`axon-bench drive grpc`",
        settings: "one bidirectional stream, streams by a server-streaming call; windows of 16 MiB; one thread on each side",
        source: "grpc.io, Performance Best Practices; docs.rs/tonic, `Endpoint`, `Server`",
        idle: "sleeps in epoll (tokio)",
    },
    Profile {
        peer: Peer::Ucx,
        title: "UCX over TCP",
        start: "`ucx_perftest` of Debian 13",
        settings: "UCX_TLS=tcp on lo, its own window; depth 1 by ucp_am_lat, whose replies are as large as the requests; \
                   streams by ucp_am_bw",
        source: "ucx_perftest -h; openucx.readthedocs.io",
        idle: "spins always",
    },
];

impl Peer {
    /// Its row of the table.
    pub(crate) fn profile(self) -> &'static Profile {
        PROFILES.iter().find(|profile| profile.peer == self).unwrap_or(&PROFILES[0])
    }

    /// The library it is driven through from here, if it is.
    pub(crate) fn library(self) -> Option<Library> {
        match self {
            Self::Raw | Self::RawSum => Some(Library::Raw),
            Self::ZeroMq => Some(Library::Zeromq),
            Self::Nng => Some(Library::Nng),
            Self::Grpc => Some(Library::Grpc),
            // For what the program `axon` has no command for.
            Self::Axon => Some(Library::Axon),
            Self::Cpp | Self::AxonToCpp | Self::CppToAxon | Self::RadosRs | Self::Ucx => None,
        }
    }

    /// Whether it takes part in this row.
    pub(crate) fn takes_part(self, row: &Row) -> bool {
        self.is_for(row.whom) && self.can(&row.scenario)
    }

    fn is_for(self, whom: For) -> bool {
        match whom {
            For::All => true,
            For::Msgr2 => matches!(self, Self::Axon | Self::Cpp | Self::AxonToCpp | Self::CppToAxon),
            For::Bare => matches!(self, Self::Axon | Self::Raw | Self::RawSum),
            For::Rust => matches!(self, Self::Axon | Self::RadosRs),
            For::Spinning => matches!(self, Self::Axon | Self::Ucx),
        }
    }

    fn can(self, scenario: &Scenario) -> bool {
        let Scenario { pattern, depth, connections, mode, wait, .. } = *scenario;
        let plain = mode == Mode::Crc && connections == 1;
        let requests = pattern == Pattern::Requests;
        match self {
            Self::Axon => requests || (plain && wait != Wait::Block),
            // Its benchmark knows no keys, and each of its connections is a thread.
            Self::Cpp | Self::AxonToCpp | Self::CppToAxon => {
                requests && mode == Mode::Crc && connections <= 100 && wait == Wait::Usual
            }
            Self::Raw | Self::RawSum => {
                mode == Mode::Crc && (connections == 1 || requests && wait == Wait::Usual)
            }
            Self::RadosRs => plain && requests && wait == Wait::Usual,
            Self::ZeroMq | Self::Nng | Self::Grpc => plain && wait == Wait::Usual,
            // It spins in any case.
            Self::Ucx => plain && wait == Wait::Spin && (!requests || depth == 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ROWS;

    #[test]
    fn every_peer_has_one_profile_and_something_to_do() {
        for profile in PROFILES {
            assert_eq!(PROFILES.iter().filter(|p| p.peer == profile.peer).count(), 1);
            assert_eq!(profile.peer.profile().title, profile.title);
            assert!(ROWS.iter().any(|row| profile.peer.takes_part(row)), "{}", profile.title);
        }
    }

    #[test]
    fn spinning_is_compared_with_spinning() {
        let spinning = Scenario::requests(64, 1).spinning();
        let who: Vec<_> = PROFILES.iter().map(|p| p.peer).filter(|peer| peer.can(&spinning)).collect();
        assert_eq!(who, [Peer::Axon, Peer::Raw, Peer::RawSum, Peer::Ucx]);
    }
}
