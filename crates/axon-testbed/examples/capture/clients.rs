//! Sessions of real clients.

use super::{Captured, TAP_LIMIT, name_destinations, said, vector, with_keys};
use axon_testbed::{Auth, Banner, Cluster, Mode, Release, Tap, run};
use std::time::Duration;

const KIB: usize = 1024;

/// `ceph osd stat` against a monitor.
pub(super) fn monitor(release: Release, mode: Mode) -> Captured {
    let cluster = Cluster::builder().release(release).mode(mode).boot()?;
    let tap = Tap::for_all(TAP_LIMIT, Banner::Kept)?;
    cluster.through(&tap)?;
    cluster.ceph(&["osd", "stat"])?;
    let how = format!("ceph osd stat, cephx, all modes {mode:?}, everything through a recording proxy");
    let mut vector = with_keys(vector(cluster.tree(), &how)?, &cluster, &["client.admin"])?;
    vector.conversations = name_destinations(said(&tap, 6 * KIB), &[(cluster.mon_addr().port(), "mon.a")]);
    Ok(vector)
}

/// A client that lives long enough to ask the monitor whether it is there.
pub(super) fn keepalive(release: Release) -> Captured {
    let cluster = Cluster::builder().release(release).mode(Mode::Crc).osds(1).pool("p", 8).boot()?;
    let tap = Tap::for_all(TAP_LIMIT, Banner::Kept)?;
    cluster.through(&tap)?;
    let bench = ["--mon_client_ping_interval=0.5", "-p", "p", "bench", "3", "write", "-b", "64", "-t", "1"];
    cluster.run("rados", &bench)?;
    let how = "rados bench for 3 s with mon_client_ping_interval = 0.5, cephx, crc; to the monitor only";
    let mut vector = with_keys(vector(cluster.tree(), how)?, &cluster, &["client.admin"])?;
    vector.conversations = name_destinations(said(&tap, 12 * KIB), &[(cluster.mon_addr().port(), "mon.a")]);
    Ok(vector)
}

/// Objects written and read; two OSD connections' worth of tickets and data.
pub(super) fn objects(release: Release, mode: Mode) -> Captured {
    let cluster = Cluster::builder().release(release).mode(mode).osds(1).pool("p", 8).boot()?;
    let tap = Tap::for_all(TAP_LIMIT, Banner::Kept)?;
    put_and_get(&cluster, &tap)?;
    let how = format!("rados put and get of 5000 bytes, cephx, all modes {mode:?}");
    let mut vector = with_keys(vector(cluster.tree(), &how)?, &cluster, &["client.admin"])?;
    let ports = [(cluster.mon_addr().port(), "mon.a"), (cluster.osd_addr(0)?.addr.port(), "osd.0")];
    vector.conversations = name_destinations(said(&tap, 12 * KIB), &ports);
    Ok(vector)
}

/// The same in revision 0, to which the proxy brings two peers that know better.
pub(super) fn revision_0(release: Release) -> Captured {
    let cluster = Cluster::builder().release(release).auth(Auth::None).osds(1).pool("p", 8).boot()?;
    let tap = Tap::for_all(TAP_LIMIT, Banner::Revision0)?;
    put_and_get(&cluster, &tap)?;
    let how =
        "rados put and get of 5000 bytes, auth none, through a proxy that clears REVISION_1 in both banners";
    let mut vector = vector(cluster.tree(), how)?;
    let ports = [(cluster.mon_addr().port(), "mon.a"), (cluster.osd_addr(0)?.addr.port(), "osd.0")];
    vector.conversations = name_destinations(said(&tap, 12 * KIB), &ports);
    Ok(vector)
}

fn put_and_get(cluster: &Cluster, tap: &Tap) -> Result<(), Box<dyn std::error::Error>> {
    let file = cluster.dir().join("in");
    // Not all alike, so that a byte out of place shows.
    let bytes: Vec<u8> = (0..5000u32).map(|n| (n * 7 + n / 256) as u8).collect();
    std::fs::write(&file, bytes)?;
    cluster.through(tap)?;
    let file = file.to_string_lossy();
    cluster.run("rados", &["-p", "p", "put", "o", &file])?;
    cluster.run("rados", &["-p", "p", "get", "o", "/dev/null"])?;
    Ok(())
}

/// A client whose key is another's.
pub(super) fn wrong_key(release: Release) -> Captured {
    let cluster = Cluster::builder().release(release).boot()?;
    let tap = Tap::for_all(TAP_LIMIT, Banner::Kept)?;
    cluster.through(&tap)?;
    let keyring = format!("[client.admin]\nkey = {}\n", cluster.key("mon.")?);
    let forged = cluster.dir().join("forged");
    std::fs::write(&forged, keyring)?;
    let mut command = cluster.command("ceph")?;
    command.args(["--connect-timeout", "3", "osd", "stat", "--keyring"]).arg(forged);
    refused(&command)?;
    let how = "ceph osd stat with a wrong key, cephx";
    let key = cluster.key("mon.")?;
    let mut vector = vector(cluster.tree(), how)?.with_note("key client.admin", key);
    vector.conversations = name_destinations(said(&tap, 4 * KIB), &[(cluster.mon_addr().port(), "mon.a")]);
    vector.conversations.truncate(1);
    Ok(vector)
}

/// A client that offers method none where cephx is required, then cephx.
pub(super) fn wrong_method(release: Release) -> Captured {
    let cluster = Cluster::builder().release(release).mode(Mode::Crc).boot()?;
    let tap = Tap::for_all(TAP_LIMIT, Banner::Kept)?;
    cluster.through(&tap)?;
    let mut command = cluster.command("ceph")?;
    command.args(["--connect-timeout", "3", "--auth_client_required=none", "osd", "stat"]);
    refused(&command)?;
    let how = "ceph osd stat with auth_client_required = none, where cephx is required";
    let mut vector = vector(cluster.tree(), how)?;
    vector.conversations = name_destinations(said(&tap, 4 * KIB), &[(cluster.mon_addr().port(), "mon.a")]);
    vector.conversations.truncate(1);
    Ok(vector)
}

fn refused(command: &std::process::Command) -> Result<(), Box<dyn std::error::Error>> {
    let run = run(command, Duration::from_secs(30))?;
    match run.status.success() {
        true => Err("the client was let in".into()),
        false => Ok(()),
    }
}
