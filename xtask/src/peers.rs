//! Making the real peers available.

use crate::steps::{Outcome, Steps};
use axon_testbed::{Release, Tree, prepare};

/// Prepares every release and the libraries loaded into their programs.
pub(crate) fn prepare() -> Steps {
    let mut steps = Steps::default();
    prepare_in(&mut steps);
    steps
}

/// The same, as steps of something larger.
pub(crate) fn prepare_in(steps: &mut Steps) {
    for release in Release::ALL {
        steps.step(&format!("peer: Ceph {release}"), || one(release));
    }
    steps.step("peer: libraries loaded into it", || {
        prepare::shims().map(|()| String::new()).map_err(|error| error.to_string())
    });
}

fn one(release: Release) -> Outcome {
    let version = || {
        prepare::release(release)?;
        prepare::version(&Tree::find(release)?)
    };
    version().map_err(|error| error.to_string())
}
