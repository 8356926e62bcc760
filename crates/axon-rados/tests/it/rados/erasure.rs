//! Pools with erasure codes: two parts of data and one of parity.

use super::bed::{Bed, command, everywhere};
use axon_rados::IoCtx;
use axon_rados::client::{Errno, RadosError};
use axon_rados::mon::PoolSpec;
use serde_json::json;

/// Bytes of a stripe: appends begin at multiples of it.
const STRIPE: usize = 8192;

fn unsupported<T: std::fmt::Debug>(result: Result<T, RadosError>) {
    let error = result.unwrap_err();
    assert!(matches!(&error, RadosError::Refused { errno: Errno::EOPNOTSUPP, .. }), "{error}");
    assert!(error.to_string().contains("not supported"), "{error}");
}

fn pool(bed: &Bed) -> IoCtx {
    let profile = ["k=2", "m=1", "crush-failure-domain=osd"];
    let make = json!({"prefix": "osd erasure-code-profile set", "name": "k2m1", "profile": profile});
    command(&bed.rados, &make);
    let spec =
        PoolSpec { placement_groups: Some(4), erasure_profile: Some("k2m1".into()), ..PoolSpec::default() };
    bed.rados.create_pool(&bed.named("coded"), &spec).unwrap()
}

#[test]
fn pools_with_erasure_codes() {
    for bed in everywhere() {
        let io = pool(bed);
        let data: Vec<u8> = (0..100_000u32).map(|i| (i * 11) as u8).collect();
        io.write_full("o", data.clone()).wait().unwrap();
        assert!(io.read("o", 0, 0).wait().unwrap() == data);
        assert!(io.read("o", 33_333, 20_000).wait().unwrap() == data[33_333..53_333]);
        let path = bed.file("coded", b"");
        bed.rados_in(io.pool_name(), &["get", "o", &path]);
        assert!(std::fs::read(&path).unwrap() == data);
        bed.rados_in(io.pool_name(), &["put", "theirs", &path]);
        assert!(io.read("theirs", 0, 0).wait().unwrap() == data);

        assert_eq!(io.required_alignment(), Some(STRIPE as u64));
        io.append("log", vec![1; STRIPE]).wait().unwrap();
        io.append("log", vec![2; 100]).wait().unwrap();
        assert_eq!(io.stat("log").wait().unwrap().size, STRIPE as u64 + 100);
        assert_eq!(io.read("log", STRIPE as u64 - 1, 2).wait().unwrap()[..], [1, 2]);
        unsupported(io.append("log", "not at a stripe's end").wait());
        unsupported(io.write("o", 10, "in the middle").wait());
        unsupported(io.omap_set("o", [("k", "v")]).wait());
        io.set_xattr("o", "x", "1").wait().unwrap();
        assert_eq!(io.get_xattr("o", "x").wait().unwrap(), "1");
        let mut names: Vec<_> = io.list().map(|object| object.unwrap().name).collect();
        names.sort();
        assert_eq!(names, ["log", "o", "theirs"]);
        io.remove("theirs").wait().unwrap();

        let (pool, var) = (io.pool_name(), "allow_ec_overwrites");
        command(&bed.rados, &json!({"prefix": "osd pool set", "pool": pool, "var": var, "val": "true"}));
        bed.rados.wait_for_latest_map().unwrap();
        assert_eq!(io.required_alignment(), None);
        overwrites(&io, data);
    }
}

/// What a pool can do that allows overwrites.
fn overwrites(io: &IoCtx, mut data: Vec<u8>) {
    io.write("o", 10, "in the middle").wait().unwrap();
    data[10..23].copy_from_slice(b"in the middle");
    io.zero("o", 20_000, 30_000).wait().unwrap();
    data[20_000..50_000].fill(0);
    io.append("o", "at any place").wait().unwrap();
    data.extend_from_slice(b"at any place");
    assert!(io.read("o", 0, 0).wait().unwrap() == data);
    io.truncate("o", 12_345).wait().unwrap();
    assert!(io.read("o", 0, 0).wait().unwrap() == data[..12_345]);
    io.compare_and_write("o", 10, "in", "IN").wait().unwrap();
    assert_eq!(io.read("o", 8, 5).wait().unwrap()[2..], b"IN "[..]);
    unsupported(io.omap_set("o", [("k", "v")]).wait());
}
