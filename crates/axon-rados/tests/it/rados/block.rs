//! Images of `rbd`: their metadata and data as objects. What the tool makes we read, what we make the tool reads.
//!
//! | object | what is in it |
//! |---|---|
//! | `rbd_directory` | omap: `name_NAME` is the id, `id_ID` the name, as strings |
//! | `rbd_id.NAME` | the id, as a string |
//! | `rbd_header.ID` | omap: `size`, `order`, `features`, `object_prefix`, `snapshot_SNAP` |
//! | `rbd_data.ID.NUMBER` | 4 MiB of the image |
//!
//! Ceph: `src/cls/rbd/cls_rbd.cc`, `src/include/rbd_types.h`.

use super::bed::{Bed, everywhere};
use axon_denc::{Decode, Decoder, Encode};
use axon_rados::IoCtx;
use axon_rados::client::SnapContext;
use axon_rados::mon::PoolSpec;
use bytes::Bytes;

const MIB: u64 = 1 << 20;
/// Layering, the only feature: no map of objects that we would have to keep.
const LAYERING: u64 = 1;
/// A header's method that asks for the present state, not for that of a snapshot.
const HEAD: u64 = axon_rados::osd::NO_SNAP;

/// The tool and we, in one pool.
struct Images<'a> {
    bed: &'a Bed,
    io: IoCtx,
}

impl<'a> Images<'a> {
    fn new(bed: &'a Bed) -> Self {
        let spec = PoolSpec { placement_groups: Some(4), ..PoolSpec::default() };
        Self { bed, io: bed.rados.create_pool(&bed.named("rbd"), &spec).unwrap() }
    }

    fn rbd(&self, args: &[&str]) -> String {
        self.bed.tool("rbd", &[&["-p", self.io.pool_name()], args].concat())
    }

    /// The id of an image, by its object and by the directory.
    fn id(&self, name: &str) -> String {
        let object = self.io.read(format!("rbd_id.{name}"), 0, 0).wait().unwrap();
        let id = string(&object);
        let directory = self.io.omap_vals("rbd_directory", "", "", 100).wait().unwrap().values;
        assert_eq!(string(&directory[format!("name_{name}").as_bytes()]), id);
        assert_eq!(string(&directory[format!("id_{id}").as_bytes()]), name);
        id
    }

    fn export(&self, image: &str) -> Vec<u8> {
        let path = self.bed.file(&format!("exported-{image}"), b"");
        std::fs::remove_file(&path).unwrap(); // the tool wants to make it
        self.rbd(&["export", image, &path]);
        std::fs::read(&path).unwrap()
    }
}

fn string(bytes: &Bytes) -> String {
    Decoder::new(bytes).string("text of an image").unwrap()
}

fn number(bytes: &Bytes) -> u64 {
    u64::from_bytes(bytes).unwrap()
}

/// The name of an image's data object.
fn data_object(id: &str, number: u64) -> String {
    format!("rbd_data.{id}.{number:016x}")
}

#[test]
fn what_the_tool_makes_we_read() {
    for bed in everywhere() {
        let images = Images::new(bed);
        let content: Vec<u8> = (0..5 * MIB).map(|i| (i / 1000) as u8 | 1).collect();
        let file = bed.file("image", &content);
        images.rbd(&["import", "--image-feature", "layering", &file, "theirs"]);
        let id = images.id("theirs");
        let header = format!("rbd_header.{id}");
        let fields = images.io.omap_vals(&header, "", "", 100).wait().unwrap().values;
        assert_eq!(
            (number(&fields["size".as_bytes()]), number(&fields["features".as_bytes()])),
            (5 * MIB, LAYERING)
        );
        assert_eq!(fields["order".as_bytes()][..], [22]);
        assert_eq!(string(&fields["object_prefix".as_bytes()]), format!("rbd_data.{id}"));
        let size = images.io.call(&header, "rbd", "get_size", HEAD.to_vec()).wait().unwrap();
        assert_eq!((size[0], number(&size.slice(1..))), (22, 5 * MIB));
        for (object, part) in (0..).zip(content.chunks(4 << 20)) {
            assert!(images.io.read(data_object(&id, object), 0, 0).wait().unwrap() == part, "{object}");
        }
        snapshots(&images, &id, &content);
        images.rbd(&["lock", "add", "theirs", "cookie"]);
        let lock = images.io.lock_info(&header, "rbd_lock").wait().unwrap();
        assert_eq!(lock.holders.len(), 1, "{lock:?}");
        assert!(lock.holders[0].cookie.contains("cookie"), "{lock:?}");
    }
}

/// The tool takes a snapshot; what we write after it, with the snapshot in the context, leaves it as it was.
fn snapshots(images: &Images<'_>, id: &str, content: &[u8]) {
    images.rbd(&["snap", "create", "theirs@monday"]);
    let keys = images.io.omap_keys(format!("rbd_header.{id}"), "", 100).wait().unwrap().keys;
    let snap = keys.iter().find_map(|key| key.to_str()?.strip_prefix("snapshot_")).unwrap();
    let snap = u64::from_str_radix(snap, 16).unwrap();
    let writer = images.io.clone().with_snap_context(SnapContext { seq: snap, snaps: vec![snap] });
    let changed = vec![0xee; 4096];
    writer.write(data_object(id, 1), 4096, changed.clone()).wait().unwrap();
    assert!(images.export("theirs@monday") == content, "the snapshot has changed");
    let mut now = content.to_vec();
    now[4 * MIB as usize + 4096..][..4096].copy_from_slice(&changed);
    assert!(images.export("theirs") == now, "not what we wrote");
    let then = images.io.clone().with_snap(snap);
    assert!(then.read(data_object(id, 1), 0, 0).wait().unwrap() == content[4 * MIB as usize..]);
}

#[test]
fn what_we_make_the_tool_reads() {
    for bed in everywhere() {
        let images = Images::new(bed);
        let (name, id) = ("ours", "a0b1c2");
        make_image(&images.io, name, id, 8 * MIB);
        assert!(images.rbd(&["ls"]).lines().any(|line| line == name));
        let info = images.rbd(&["info", name]);
        for text in ["size 8 MiB in 2 objects", "order 22", "block_name_prefix: rbd_data.a0b1c2", "layering"]
        {
            assert!(info.contains(text), "{text}: {info}");
        }
        images.io.write_full(data_object(id, 1), vec![7; 4 << 20]).wait().unwrap();
        let exported = images.export(name);
        assert_eq!(exported.len() as u64, 8 * MIB);
        assert!(exported[..4 << 20].iter().all(|byte| *byte == 0));
        assert!(exported[4 << 20..].iter().all(|byte| *byte == 7));

        let header = format!("rbd_header.{id}");
        images.io.call_write(&header, "rbd", "set_size", (16 * MIB).to_vec()).wait().unwrap();
        assert!(images.rbd(&["info", name]).contains("size 16 MiB in 4 objects"));
        images.rbd(&["rm", name]);
        assert!(images.io.stat(&header).wait().unwrap_err().is_not_found());
        assert!(images.io.stat(data_object(id, 1)).wait().unwrap_err().is_not_found());
    }
}

/// Makes an image as librbd does, by the methods of its object class.
fn make_image(io: &IoCtx, name: &str, id: &str, size: u64) {
    let id_object = format!("rbd_id.{name}");
    io.create(&id_object, true).wait().unwrap();
    io.call_write(&id_object, "rbd", "set_id", id.to_vec()).wait().unwrap();
    let mut names = name.to_vec();
    id.encode(&mut names);
    io.call_write("rbd_directory", "rbd", "dir_add_image", names).wait().unwrap();
    let mut image = size.to_vec();
    22u8.encode(&mut image);
    LAYERING.encode(&mut image);
    format!("rbd_data.{id}").encode(&mut image);
    io.call_write(format!("rbd_header.{id}"), "rbd", "create", image).wait().unwrap();
}
