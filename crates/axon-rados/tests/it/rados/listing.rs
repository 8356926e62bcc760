//! Listings, and pools.

use super::bed::everywhere;
use crate::monitors::{SECOND, eventually};
use axon_rados::client::RadosError;
use axon_rados::mon::PoolSpec;
use std::collections::BTreeSet;

#[test]
fn pools_come_and_go() {
    for bed in everywhere() {
        let spec = PoolSpec { placement_groups: Some(4), ..PoolSpec::default() };
        let coming = bed.named("coming");
        let io = bed.rados.create_pool(&coming, &spec).unwrap();
        io.write_full("o", "x").wait().unwrap();
        // Other tests make pools in the meantime.
        eventually("the same pools", 60 * SECOND, || {
            let ours: BTreeSet<_> = bed.rados.pools().unwrap().into_iter().map(|(_, name)| name).collect();
            assert!(ours.contains(&coming), "{ours:?}");
            ours == bed.rados(&["lspools"]).lines().map(str::to_owned).collect()
        });
        bed.rados.delete_pool(&coming).unwrap();
        assert!(matches!(bed.rados.pool(&coming), Err(RadosError::NoPool(name)) if name == coming));
        let late = io.write_full("o", "y").wait();
        assert!(matches!(&late, Err(RadosError::NoPool(name)) if *name == coming), "{late:?}");
    }
}

#[test]
fn everything_is_listed_once() {
    for bed in everywhere() {
        let spec = PoolSpec { placement_groups: Some(8), ..PoolSpec::default() };
        let pool = bed.named("listed");
        let io = bed.rados.create_pool(&pool, &spec).unwrap();
        let named = io.clone().with_namespace("ns");
        let writes: Vec<_> = (0..150).map(|i| io.create(&format!("o{i}"), true)).collect();
        writes.into_iter().for_each(|op| op.wait().unwrap());
        named.create("inside", true).wait().unwrap();
        let expected: BTreeSet<_> = (0..150).map(|i| format!("o{i}")).collect();
        for page in [7, 1024] {
            let listed: Vec<_> = io.list().page_size(page).map(|object| object.unwrap().name).collect();
            assert_eq!(listed.len(), 150);
            assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected);
        }
        let tool = bed.rados_in(&pool, &["ls"]);
        assert_eq!(tool.lines().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
        let inside: Vec<_> = named.list().map(|object| object.unwrap().name).collect();
        assert_eq!(inside, ["inside"]);
        let all: Vec<_> = io.list().all_namespaces().map(Result::unwrap).collect();
        assert_eq!(all.len(), 151);
        assert_eq!(all.iter().filter(|object| object.namespace == "ns").count(), 1);

        // Go on from a cursor that went through text.
        let mut first = io.list().page_size(10);
        let begin = futures_free(first.next_page()).unwrap().unwrap();
        let cursor: axon_rados::client::Cursor = first.cursor().to_string().parse().unwrap();
        let rest: BTreeSet<_> = io.list_from(cursor).map(|object| object.unwrap().name).collect();
        let begin: BTreeSet<_> = begin.into_iter().map(|object| object.name).collect();
        assert!(begin.is_disjoint(&rest));
        assert_eq!(begin.union(&rest).cloned().collect::<BTreeSet<_>>(), expected);
    }
}

/// Awaits on this thread.
fn futures_free<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
