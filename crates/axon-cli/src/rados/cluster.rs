//! The pools and how full they are.

use super::Options;
use crate::error::CliError;
use crate::{output, units};
use axon_rados::client::RadosError;
use serde_json::json;

/// `rados lspools`.
pub(super) fn list_pools(options: &Options) -> Result<(), CliError> {
    for (id, name) in options.connect()?.pools()? {
        match options.json {
            true => options.tell(&json!({ "id": id, "name": name }))?,
            false => output::print(name)?,
        }
    }
    Ok(())
}

/// `rados df`.
pub(super) fn usage(options: &Options) -> Result<(), CliError> {
    let rados = options.connect()?;
    let names: Vec<_> = rados.pools()?.into_iter().map(|(_, name)| name).collect();
    let names = match &options.pool {
        None => names,
        Some(pool) if names.contains(pool) => vec![pool.clone()],
        Some(pool) => return Err(RadosError::NoPool(pool.clone()).into()),
    };
    let pools = rados.pool_stats(names)?;
    let whole = rados.usage()?;
    if options.json {
        let pools: Vec<_> = pools.iter().map(|(name, pool)| json!({
            "name": name, "bytes": pool.bytes, "objects": pool.objects, "clones": pool.clones,
            "copies": pool.copies, "degraded": pool.degraded, "unfound": pool.unfound,
            "reads": pool.reads, "read_kib": pool.read_kib, "writes": pool.writes, "written_kib": pool.written_kib,
        })).collect();
        return options.tell(&json!({
            "pools": pools, "total_objects": whole.objects, "total_kib": whole.total_kib,
            "used_kib": whole.used_kib, "available_kib": whole.available_kib,
        }));
    }
    output::print(format_args!(
        "{:<24} {:>12} {:>10} {:>8} {:>10} {:>10}",
        "POOL", "DATA", "OBJECTS", "CLONES", "READS", "WRITES"
    ))?;
    for (name, pool) in &pools {
        let data = units::bytes(pool.bytes as f64);
        output::print(format_args!(
            "{name:<24} {data:>12} {:>10} {:>8} {:>10} {:>10}",
            pool.objects, pool.clones, pool.reads, pool.writes
        ))?;
    }
    let kib = |kib: u64| units::bytes(kib as f64 * 1024.0);
    output::print(format_args!(
        "\nobjects {}, used {}, available {}, total {}",
        whole.objects,
        kib(whole.used_kib),
        kib(whole.available_kib),
        kib(whole.total_kib)
    ))
}
