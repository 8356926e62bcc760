//! Prints how full a cluster and its pools are, and then every change of its OSD map.
//!
//! ```console
//! $ cargo run -p axon-rados --example df
//! $ CEPH_ARGS="--conf /etc/ceph/other.conf --id reader" cargo run -p axon-rados --example df
//! ```

use axon_rados::conf::{Conf, Host};
use axon_rados::mon::{MonClient, MonConfig};
use axon_rados::msg::MOSDMap;
use bytes::Bytes;
use std::error::Error;
use std::sync::mpsc::channel;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    let conf = Conf::find(Host::current())?;
    let mon = MonClient::connect(MonConfig::from_conf(&conf.of(&conf.name()))?)?;
    if let Some(monitor) = mon.monitor() {
        println!("asking {monitor} as {} (client.{})", conf.name(), mon.global_id());
    }
    print_usage(&mon)?;
    watch(&mon);
    Ok(())
}

/// Asks for everything at once and then waits for the answers.
fn print_usage(mon: &MonClient) -> Result<(), Box<dyn Error>> {
    let cluster = mon.stat_fs(None, WITHIN);
    let names = mon.run(r#"{"prefix": "osd pool ls", "format": "json"}"#, Bytes::new(), WITHIN).wait()?;
    let names: Vec<String> = serde_json::from_slice(&names)?;
    println!("{:20} {:>12} {:>12} {:>12} {:>12}", "pool", "objects", "KiB", "reads", "writes");
    for (name, stats) in mon.pool_stats(names, WITHIN).wait()? {
        let kib = stats.bytes.div_ceil(1024);
        println!("{name:20} {:>12} {kib:>12} {:>12} {:>12}", stats.objects, stats.reads, stats.writes);
    }
    let cluster = cluster.wait()?;
    println!("{} of {} KiB used, {} objects", cluster.used_kib, cluster.total_kib, cluster.objects);
    Ok(())
}

/// Prints the epochs of the OSD map as they come, until nothing changed for a while.
fn watch(mon: &MonClient) {
    let (sender, epochs) = channel();
    mon.subscribe_osdmaps(0, move |maps: MOSDMap| {
        let newest = maps.full.keys().chain(maps.incremental.keys()).max().copied().unwrap_or_default();
        let _ = sender.send(newest);
        newest // applied: after a failover the next one is asked for
    });
    while let Ok(epoch) = epochs.recv_timeout(Duration::from_secs(5)) {
        println!("OSD map {epoch}");
    }
}
