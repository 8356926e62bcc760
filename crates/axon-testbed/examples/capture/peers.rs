//! Lossless sessions, cut and resumed.

use super::{Captured, TAP_LIMIT, name_destinations, said, vector, wait_until, with_keys};
use axon_testbed::{Banner, Cluster, Conversation, Mode, Release, Tap};
use std::error::Error;
use std::sync::Arc;

const KIB: usize = 1024;

/// Two OSDs that replicate, whose connection is cut while they do.
pub(super) fn osds(release: Release) -> Captured {
    let tap = Arc::new(Tap::for_all(TAP_LIMIT, Banner::Kept)?);
    let plan = Cluster::builder().release(release).mode(Mode::Crc).osds(2).through(&tap);
    let plan = plan.set("osd_pool_default_size", "2");
    // Negotiated, but for frames larger than any here: how they are compressed depends on libraries' versions.
    let plan = match release {
        Release::Nautilus | Release::Pacific => plan,
        _ => plan.set("ms_osd_compress_mode", "force").set("ms_osd_compress_min_size", "1000000000"),
    };
    let cluster = plan.pool("p", 8).boot()?;
    let ports = [
        (cluster.osd_cluster_addr(0)?.addr.port(), "osd.0"),
        (cluster.osd_cluster_addr(1)?.addr.port(), "osd.1"),
    ];
    let between = |said: &Conversation| {
        let to_osd = ports.iter().any(|(port, _)| said.title.ends_with(&format!(":{port}")));
        said.title.starts_with("osd.") && to_osd
    };
    put(&cluster)?;
    let count = || tap.conversations().iter().filter(|said| between(said)).count();
    let before = count();
    tap.cut_where(between);
    put(&cluster)?;
    wait_until("second connection between the OSDs", || count() > before)?;
    let how = "two OSDs replicating, connection cut once, cephx, crc";
    let mut vector = vector(cluster.tree(), how)?;
    vector.conversations = name_destinations(said(&tap, 8 * KIB), &ports);
    vector.conversations.retain(|said| said.title.starts_with("osd."));
    Ok(vector)
}

fn put(cluster: &Cluster) -> Result<(), Box<dyn Error>> {
    let file = cluster.dir().join("in");
    std::fs::write(&file, [7; 600])?;
    for object in ["a", "b", "c", "d"] {
        cluster.run("rados", &["-p", "p", "put", object, &file.to_string_lossy()])?;
    }
    Ok(())
}

/// Mounts, makes a folder, waits to be told to go on, and makes another.
const MOUNT: &str = "
import cephfs, sys, time, os
fs = cephfs.LibCephFS(conffile=sys.argv[1])
fs.mount()
fs.mkdir('/one', 0o755)
open(sys.argv[2], 'w').close()
while os.path.exists(sys.argv[2]): time.sleep(0.01)
fs.mkdir('/two', 0o755)
fs.unmount()
";

/// A file system client, whose connection to the metadata server is cut between two operations.
pub(super) fn file_system(release: Release) -> Captured {
    let cluster = Cluster::builder().release(release).mode(Mode::Crc).osds(1).mds().boot()?;
    let tap = Tap::for_all(TAP_LIMIT, Banner::Kept)?;
    cluster.through(&tap)?;
    let mds = mds_port(&cluster)?;
    let ready = cluster.dir().join("ready");
    let mut command = cluster.python()?;
    command.arg("-c").arg(MOUNT).arg(cluster.conf()).arg(&ready).env("AXON_NAME", "client.admin");
    let mut client = axon_testbed::Process::spawn("client", &command, &cluster.dir().join("client.out"))?;
    wait_until("mounted file system", || ready.exists() || client.ended().is_some())?;
    tap.cut_where(|said| said.title.ends_with(&format!(":{mds}")));
    let _ = std::fs::remove_file(&ready);
    wait_until("end of the client", || client.ended().is_some())?;
    if client.ended().is_none_or(|status| !status.success()) {
        return Err(client.output().into());
    }
    let how = "cephfs mount and two mkdirs, connection cut between them, cephx, crc";
    let mut vector = with_keys(vector(cluster.tree(), how)?, &cluster, &["client.admin"])?;
    let ports = [(cluster.mon_addr().port(), "mon.a"), (mds, "mds.a")];
    vector.conversations = name_destinations(said(&tap, 8 * KIB), &ports);
    Ok(vector)
}

/// The port of the metadata server's msgr2 address.
fn mds_port(cluster: &Cluster) -> Result<u16, Box<dyn Error>> {
    let dump = cluster.ceph_json(&["fs", "dump"])?;
    let infos = dump["filesystems"][0]["mdsmap"]["info"].as_object();
    let addrs =
        infos.into_iter().flatten().flat_map(|(_, info)| info["addrs"]["addrvec"].as_array().cloned());
    let v2 = addrs.flatten().find(|addr| addr["type"] == "v2").ok_or("no metadata server")?;
    let addr: std::net::SocketAddr = v2["addr"].as_str().ok_or("no address")?.parse()?;
    Ok(addr.port())
}
