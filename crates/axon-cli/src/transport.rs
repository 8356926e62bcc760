//! How bytes move: `--transport`.

use crate::error::CliError;
use axon_transport::{MemNetwork, TcpTransport, Transport, UringTransport};
use clap::ValueEnum;
use std::sync::Arc;

/// How bytes move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransportArg {
    /// What is measured to be faster for the load at hand: docs/performance.md.
    Auto,
    /// Sockets, over epoll.
    Tcp,
    /// Sockets, over io_uring: Linux 6.1 or later.
    Uring,
    /// Memory of this process.
    Mem,
}

/// What is known of a load before it begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Connections of each worker.
    pub(crate) per_worker: usize,
    /// Bytes each of them has on the way at most.
    pub(crate) on_the_way: usize,
}

impl Load {
    /// Connections per worker from which io_uring is faster.
    const MANY: usize = 16;
    /// Bytes on the way per connection up to which it is.
    const LITTLE: usize = 4096;

    /// Whether io_uring is measured to be faster: see docs/performance.md, "epoll or io_uring".
    const fn favours_uring(self) -> bool {
        self.per_worker >= Self::MANY && self.on_the_way <= Self::LITTLE
    }
}

impl TransportArg {
    /// As on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Tcp => "tcp",
            Self::Uring => "uring",
            Self::Mem => "mem",
        }
    }

    /// The choice for this load, if there is one. A kernel without io_uring makes it tcp, with a warning.
    pub(crate) fn choose(self, load: Option<Load>) -> Self {
        let favoured = load.is_some_and(Load::favours_uring);
        match self {
            Self::Auto if favoured => match UringTransport::new() {
                Ok(_) => Self::Uring,
                Err(error) => {
                    tracing::warn!(%error, "io_uring would be faster; going on with tcp");
                    Self::Tcp
                }
            },
            Self::Auto => Self::Tcp,
            chosen => chosen,
        }
    }

    /// The transport; of [`Auto`](Self::Auto), the one for an unknown load.
    ///
    /// # Errors
    /// If the kernel refuses io_uring.
    pub(crate) fn start(self) -> Result<Arc<dyn Transport>, CliError> {
        Ok(match self {
            Self::Auto | Self::Tcp => Arc::new(TcpTransport::new()),
            Self::Uring => Arc::new(UringTransport::new()?),
            Self::Mem => Arc::new(MemNetwork::new()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_decides() {
        let table = [
            (1, 64, TransportArg::Tcp),
            (15, 64, TransportArg::Tcp),
            (16, 64, TransportArg::Uring),
            (256, 4096, TransportArg::Uring),
            (256, 4097, TransportArg::Tcp),
        ];
        for (per_worker, on_the_way, expected) in table {
            let load = Some(Load { per_worker, on_the_way });
            assert_eq!(TransportArg::Auto.choose(load), expected, "{load:?}");
            assert_eq!(TransportArg::Mem.choose(load), TransportArg::Mem);
        }
        assert_eq!(TransportArg::Auto.choose(None), TransportArg::Tcp);
    }
}
