//! Who listens on a port of this machine, as the kernel tells it (proc_net_tcp(5), proc_pid_fd(5)).

use std::fs;

/// Whether the process `id` itself listens on a TCP port: others may have taken it.
pub(crate) fn listens(id: u32, port: u16) -> bool {
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{id}/net/{table}")));
    tables.iter().flatten().flat_map(|table| listeners(table, port)).any(|inode| holds(id, &inode))
}

/// The inodes of the sockets that listen on a port, by a table of sockets. Its columns: number, local address and port,
/// remote ones, state, queues, timer, retransmits, user, timeout, inode; numbers are hexadecimal, 0A is listening.
fn listeners(table: &str, port: u16) -> Vec<String> {
    let local = format!(":{port:04X}");
    let inode = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            [_, at, _, "0A", _, _, _, _, _, inode, ..] if at.ends_with(&local) => Some(inode.to_owned()),
            _ => None,
        }
    };
    table.lines().filter_map(inode).collect()
}

/// Whether a descriptor of the process is the socket with that inode.
fn holds(id: u32, inode: &str) -> bool {
    let name = format!("socket:[{inode}]");
    let descriptors = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
    descriptors
        .map(|entry| fs::read_link(entry.path()))
        .any(|link| link.is_ok_and(|link| link.as_os_str() == name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Process, Scratch};
    use std::net::TcpListener;
    use std::process::Command;

    #[test]
    fn only_the_listener_itself_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let scratch = Scratch::new("listening").unwrap();
        let mut command = Command::new("sleep");
        command.arg("600");
        let other = Process::spawn("sleep", &command, &scratch.log()).unwrap();
        assert!(listens(std::process::id(), port));
        assert!(!other.listens_on(port));
        drop(listener);
        assert!(!listens(std::process::id(), port));
    }

    #[test]
    fn connected_sockets_listen_not() {
        let line = |port: &str, state: &str| {
            format!(
                "   0: 0100007F:{port} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 4711 1 0 100"
            )
        };
        assert_eq!(listeners(&line("4E20", "0A"), 20_000), ["4711"]);
        assert!(listeners(&line("4E20", "01"), 20_000).is_empty());
        assert!(listeners(&line("4E21", "0A"), 20_000).is_empty());
    }
}
