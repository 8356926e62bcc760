//! How a dump's parts are spelled where the types themselves know nothing of serde.

use axon_denc::EntityType;
use axon_proto::{Policy, State};
use axon_wire::Revision;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

/// The fields of a policy that peers notice.
#[derive(Serialize)]
struct PolicyFields {
    lossy: bool,
    server: bool,
    standby: bool,
    resetcheck: bool,
    register_lossy_clients: bool,
    features_supported: String,
    features_required: String,
}

impl From<&Policy> for PolicyFields {
    fn from(policy: &Policy) -> Self {
        Self {
            lossy: policy.lossy,
            server: policy.server,
            standby: policy.standby,
            resetcheck: policy.resetcheck,
            register_lossy_clients: policy.register_lossy_clients,
            features_supported: policy.features_supported.to_string(),
            features_required: policy.features_required.to_string(),
        }
    }
}

pub(crate) fn text<S: Serializer>(value: &impl Display, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(value)
}

pub(crate) fn optional_text<S: Serializer>(value: &Option<impl Display>, out: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(ToString::to_string).serialize(out)
}

/// Programs that take every number for a floating one would round it.
pub(crate) fn hexadecimal<S: Serializer>(value: &u64, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(&format_args!("{value:#x}"))
}

pub(crate) fn optional_micros<S: Serializer>(value: &Option<Duration>, out: S) -> Result<S::Ok, S::Error> {
    value.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)).serialize(out)
}

pub(crate) fn micros<S: Serializer>(value: &Duration, out: S) -> Result<S::Ok, S::Error> {
    optional_micros(&Some(*value), out)
}

pub(crate) fn policy<S: Serializer>(value: &Policy, out: S) -> Result<S::Ok, S::Error> {
    PolicyFields::from(value).serialize(out)
}

pub(crate) fn policies<S: Serializer>(value: &[(EntityType, Policy)], out: S) -> Result<S::Ok, S::Error> {
    let fields = value.iter().map(|(kind, policy)| (kind.as_str(), PolicyFields::from(policy)));
    fields.collect::<BTreeMap<_, _>>().serialize(out)
}

pub(crate) fn state<S: Serializer>(value: &State, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(match value {
        State::Connecting => "connecting",
        State::Open => "open",
        State::Standby => "standby",
        State::Closed => "closed",
    })
}

pub(crate) fn revision<S: Serializer>(value: &Revision, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_u8(match value {
        Revision::Zero => 0,
        Revision::One => 1,
    })
}
