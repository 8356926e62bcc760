//! Listings, and pools.

use super::bed::everywhere;
use crate::monitors::{SECOND, eventually};
use axon_rados::Name;
use axon_rados::client::RadosError;
use axon_rados::mon::PoolSpec;
use axon_rados::ops::WriteOp;
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
        let writes: Vec<_> = (0..150).map(|i| io.create(format!("o{i}"), true)).collect();
        writes.into_iter().for_each(|op| op.wait().unwrap());
        named.create("inside", true).wait().unwrap();
        let expected: BTreeSet<_> = (0..150).map(|i| Name::from(format!("o{i}"))).collect();
        for page in [7, 1024] {
            let listed: Vec<_> = io.list().page_size(page).map(|object| object.unwrap().name).collect();
            assert_eq!(listed.len(), 150);
            assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected);
        }
        let tool = bed.rados_in(&pool, &["ls"]);
        assert_eq!(tool.lines().map(Name::from).collect::<BTreeSet<_>>(), expected);
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

#[test]
fn names_that_are_no_text_are_given_back() {
    for bed in everywhere() {
        let namespace = b"n\xff";
        let io = bed.io.clone().with_namespace(&namespace[..]);
        let name: &[u8] = b"o\x80\xfe\n";
        io.write_full(name, "there").wait().unwrap();
        let listed: Vec<_> = io.list().map(Result::unwrap).collect();
        assert_eq!(listed.len(), 1);
        assert_eq!((&listed[0].name[..], &listed[0].namespace[..]), (name, &namespace[..]));
        assert_eq!(listed[0].name.to_string(), r"o\x80\xfe\n");
        assert_eq!(io.read(&listed[0].name, 0, 0).wait().unwrap(), "there");
        assert!(io.clone().with_namespace(listed[0].namespace.clone()).stat(name).wait().is_ok());
        io.set_xattr(name, b"\xfe", "x").wait().unwrap();
        assert_eq!(io.get_xattrs(name).wait().unwrap()[&b"\xfe"[..]], "x");
        io.remove(name).wait().unwrap();
    }
}

#[test]
fn keys_that_are_no_text_are_shared() {
    for bed in everywhere() {
        let io = bed.io.clone().with_namespace("bytes");
        bed.python().run(include_str!("python/bytes.py"));
        let keys = io.omap_keys("theirs", "", 10).wait().unwrap();
        assert_eq!(keys.keys, [Name::from("a"), Name::from(&b"\x80key"[..])]);
        let vals = io.omap_vals("theirs", "a", b"\x80", 10).wait().unwrap();
        assert_eq!(vals.values.get(&b"\x80key"[..]).unwrap(), "value");
        let mut change = WriteOp::new();
        change.omap_remove([&b"\x80key"[..]]).omap_set([(&b"\xff"[..], "last")]);
        io.operate("theirs", change).wait().unwrap();
        let dump = bed.rados(&["-N", "bytes", "listomapvals", "theirs"]);
        assert!(dump.contains("key (1 bytes):\n00000000  ff") && !dump.contains("80 6b"), "{dump}");
        io.remove("theirs").wait().unwrap();
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
