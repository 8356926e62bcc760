//! Pools: creating and deleting them, and their snapshots.

use super::query::{NewSnap, PoolChange};
use super::{MonClient, Pending, PoolOp, PoolOpOutput};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What a new pool is to be like; what is not said is up to the monitors' configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolSpec {
    /// How many placement groups it begins with, a power of two (Ceph: `pg_num`).
    pub placement_groups: Option<u32>,
    /// How many copies there are of an object; for replicated pools only.
    pub size: Option<u32>,
    /// The profile of an erasure-coded pool; without one the pool is replicated.
    pub erasure_profile: Option<String>,
    /// The name of the CRUSH rule that places its objects.
    pub crush_rule: Option<String>,
}

impl PoolSpec {
    /// The command that creates a pool like this. Ceph: `osd pool create` in `src/mon/MonCommands.h`.
    fn command(&self, name: &str) -> String {
        let kind = if self.erasure_profile.is_some() { "erasure" } else { "replicated" };
        let mut command = Map::new();
        command.insert("prefix".into(), json!("osd pool create"));
        command.insert("pool".into(), json!(name));
        command.insert("pool_type".into(), json!(kind));
        let optional = [
            ("pg_num", self.placement_groups.map(Value::from)),
            ("size", self.size.map(Value::from)),
            ("erasure_code_profile", self.erasure_profile.clone().map(Value::from)),
            ("rule", self.crush_rule.clone().map(Value::from)),
        ];
        let said = optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        command.extend(said);
        Value::Object(command).to_string()
    }
}

impl MonClient {
    /// Creates a pool, or does nothing if there is one of this name. It is in the OSD map then, and in use as soon as
    /// its placement groups are.
    ///
    /// # Errors
    /// When waiting for the answer, as [`MonClient::run`].
    pub fn create_pool(&self, name: &str, spec: &PoolSpec, within: Duration) -> Pending<Bytes> {
        self.run(&spec.command(name), Bytes::new(), within)
    }

    /// Deletes a pool and everything in it; nothing happens if there is none of this name. Monitors refuse unless their
    /// option `mon_allow_pool_delete` is set.
    ///
    /// # Errors
    /// When waiting for the answer, as [`MonClient::run`].
    pub fn delete_pool(&self, name: &str, within: Duration) -> Pending<Bytes> {
        let command = json!({
            "prefix": "osd pool delete",
            "pool": name,
            "pool2": name,
            "yes_i_really_really_mean_it": true,
        });
        self.run(&command.to_string(), Bytes::new(), within)
    }

    /// Changes a pool. Like a command it may be carried out twice if the monitor goes away before it answers.
    ///
    /// # Errors
    /// When waiting for the answer: [`MonError::Failed`](super::MonError::Failed) if the monitor refuses, and as
    /// [`MonClient::command`].
    pub fn pool_op(&self, op: PoolOp, within: Duration) -> Pending<PoolOpOutput> {
        self.query(within, PoolChange(op))
    }

    /// Takes a number for a snapshot that the application manages by itself, in the pool with this number.
    ///
    /// # Errors
    /// When waiting for the answer, as [`MonClient::pool_op`].
    pub fn create_self_managed_snap(&self, pool: u32, within: Duration) -> Pending<NewSnapshot> {
        self.query(within, NewSnap(pool))
    }
}

/// A new self-managed snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSnapshot {
    /// Its number.
    pub snap: u64,
    /// The epoch of the OSD map that knows it.
    pub epoch: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_say_what_is_said() {
        let plain: Value = serde_json::from_str(&PoolSpec::default().command("p\"q")).unwrap();
        assert_eq!(plain, json!({"prefix": "osd pool create", "pool": "p\"q", "pool_type": "replicated"}));
        let spec = PoolSpec {
            placement_groups: Some(16),
            size: None,
            erasure_profile: Some("k2m1".into()),
            crush_rule: Some("ssd".into()),
        };
        let erasure: Value = serde_json::from_str(&spec.command("p")).unwrap();
        assert_eq!(
            erasure,
            json!({"prefix": "osd pool create", "pool": "p", "pool_type": "erasure", "pg_num": 16,
                "erasure_code_profile": "k2m1", "rule": "ssd"})
        );
    }
}
