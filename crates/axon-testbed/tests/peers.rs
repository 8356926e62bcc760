//! The testbed itself: every release boots, serves, and leaves nothing behind.
use axon_testbed::{Cluster, Release};

fn put_and_get(release: Release) {
    let cluster = Cluster::builder()
        .release(release)
        .osds(1)
        .pool("p", 8)
        .boot()
        .unwrap();
    let file = cluster.dir().join("in");
    std::fs::write(&file, "forty-two").unwrap();
    cluster
        .run("rados", &["-p", "p", "put", "o", file.to_str().unwrap()])
        .unwrap();
    let got = cluster.run("rados", &["-p", "p", "get", "o", "-"]).unwrap();
    assert_eq!(got.stdout, "forty-two");
    assert_ne!(cluster.osd_addr(0).unwrap().addr.port(), 0);
}

#[test]
fn nautilus_serves() {
    put_and_get(Release::Nautilus);
}

#[test]
fn pacific_serves() {
    put_and_get(Release::Pacific);
}

#[test]
fn reef_serves() {
    put_and_get(Release::Reef);
}

#[test]
fn tentacle_serves() {
    put_and_get(Release::Tentacle);
}
