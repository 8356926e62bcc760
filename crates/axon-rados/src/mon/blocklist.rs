//! The blocklist: addresses whose requests OSDs refuse.

use super::{MonClient, Pending};
use axon_denc::EntityAddr;
use bytes::Bytes;
use serde_json::json;
use std::time::Duration;

/// The first release that calls it by this name (Pacific).
const RELEASE_BLOCKLIST: u8 = 16;

impl MonClient {
    /// Puts an address on the blocklist for a time, rounded down to seconds: OSDs refuse its requests as soon as they
    /// have the OSD map that says so. With the nonce it means one process; with port and nonce 0 it means the whole
    /// machine. This process's own addresses are [`axon_messenger::Messenger::addrs`].
    ///
    /// # Errors
    /// When waiting for the answer, as [`MonClient::run`].
    pub fn blocklist(&self, addr: &EntityAddr, lasts: Duration, within: Duration) -> Pending<Bytes> {
        let command = self.blocklist_command("add", addr, Some(lasts));
        self.run(&command, Bytes::new(), within)
    }

    /// Takes an address off the blocklist; nothing happens if it is not on it.
    ///
    /// # Errors
    /// When waiting for the answer, as [`MonClient::run`].
    pub fn unblocklist(&self, addr: &EntityAddr, within: Duration) -> Pending<Bytes> {
        let command = self.blocklist_command("rm", addr, None);
        self.run(&command, Bytes::new(), within)
    }

    /// Ceph: `osd blocklist` in `src/mon/MonCommands.h`.
    fn blocklist_command(&self, op: &str, addr: &EntityAddr, lasts: Option<Duration>) -> String {
        let name = match self.monmap().min_release {
            old if old < RELEASE_BLOCKLIST => "blacklist",
            _ => "blocklist",
        };
        let mut command = json!({
            "prefix": format!("osd {name}"),
            format!("{name}op"): op,
            "addr": plain(addr),
        });
        if let Some(lasts) = lasts {
            command["expire"] = json!(lasts.as_secs() as f64);
        }
        command.to_string()
    }
}

/// An address as the blocklist has it: without the protocol, which does not count.
fn plain(addr: &EntityAddr) -> String {
    match addr.socket {
        Some(socket) => format!("{socket}/{}", addr.nonce),
        None => format!("-/{}", addr.nonce),
    }
}
