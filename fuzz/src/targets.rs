//! One function for each target: it must neither panic nor take more memory than its bytes allow.

use crate::seal;
use axon_auth::Keyring;
use axon_denc::{AddrType, AddrVec, Decode, Decoder, EntityAddr};
use axon_rados::MonMap;
use axon_rados::conf::{Conf, Host, Resolve, parse_mon_host};
use axon_rados::crush::CrushMap;
use axon_rados::msg::*;
use axon_rados::osd::{ObjectLocator, PgId};
use axon_rados::osdmap::{Incremental, OsdMap};
use axon_wire::{Banner, FrameReader, Limits, Message, default_provider};
use bytes::{Bytes, BytesMut};
use std::io;
use std::net::IpAddr;
use std::path::Path;

/// A target's name and function.
pub type Target = (&'static str, fn(&[u8]));

/// All of them but those of whole sockets.
pub const ALL: [Target; 9] = [
    ("frames", frames),
    ("osd_map", osd_map),
    ("osd_map_change", osd_map_change),
    ("crush", crush),
    ("mon_map", mon_map),
    ("osd_op_reply", osd_op_reply),
    ("messages", messages),
    ("conf", conf),
    ("addrs", addrs),
];

/// What a peer sends first: a banner, and frames, as they are and with right checksums, so that what is in them counts.
pub fn frames(bytes: &[u8]) {
    let Ok(Some((banner, length))) = Banner::parse(bytes) else { return };
    for bytes in [bytes.to_vec(), seal::stream(bytes)] {
        let mut rest = BytesMut::from(bytes.get(length..).unwrap_or_default());
        let mut reader = FrameReader::new(default_provider());
        reader.set_revision(seal::revision(banner));
        reader.set_limits(Limits::SESSION);
        while rest.len() >= reader.first_block_len() {
            let mut block = rest.split_to(reader.first_block_len());
            let Ok(head) = reader.open_head(&mut block) else { break };
            if head.body_len() > rest.len() {
                break;
            }
            let body = rest.split_to(head.body_len());
            if reader.open_body(head, body).is_err() {
                break;
            }
        }
    }
}

/// A whole OSD map, as it is and with a right checksum; what can be read is asked for places.
pub fn osd_map(bytes: &[u8]) {
    for bytes in [bytes.to_vec(), seal::map(bytes, 0)] {
        if let Ok(map) = OsdMap::decode(&bytes) {
            use_map(&map);
        }
    }
}

/// A change to an OSD map, applied to nothing.
pub fn osd_map_change(bytes: &[u8]) {
    for bytes in [bytes.to_vec(), seal::map(bytes, 4)] {
        let mut map = OsdMap::default();
        if Incremental::decode(&bytes).is_ok_and(|change| map.apply(&change).is_ok()) {
            use_map(&map);
        }
    }
}

/// A hierarchy, and placements by each of its rules.
pub fn crush(bytes: &[u8]) {
    let Ok(map) = CrushMap::decode(bytes) else { return };
    let weights = vec![0x10000; 64];
    for rule in map.rule_ids().take(8) {
        for (x, size) in [(0, 1), (7, 3), (u32::MAX, 12)] {
            // That it gives up on maps that take too much work is an answer, too.
            let _ = map.do_rule(rule, x, size, &weights, map.choose_args(0));
        }
    }
}

/// A monitor map.
pub fn mon_map(bytes: &[u8]) {
    if let Ok(map) = MonMap::from_bytes(bytes) {
        map.by_rank().for_each(drop);
    }
}

/// An OSD's answer: its front, and half as much data.
pub fn osd_op_reply(bytes: &[u8]) {
    let (front, data) = bytes.split_at(bytes.len() / 3 * 2);
    for (front, data) in [(bytes, &[][..]), (front, data)] {
        read::<MOSDOpReply>(front, data, MOSDOpReply::HEAD_VERSION);
    }
}

/// What monitors and OSDs say to clients; the first byte chooses the type, the second the version.
pub fn messages(bytes: &[u8]) {
    let [kind, version, front @ ..] = bytes else { return };
    let read = READERS[usize::from(*kind) % READERS.len()];
    read(front, &[], u16::from(*version));
    read(&[], front, u16::from(*version));
}

type Read = fn(&[u8], &[u8], u16);

/// In the order of [`crate::seeds`].
const READERS: [Read; 13] = [
    read::<MMonMap>,
    read::<MOSDMap>,
    read::<MOSDOpReply>,
    read::<MMonCommandAck>,
    read::<MPoolOpReply>,
    read::<MStatFsReply>,
    read::<MGetPoolStatsReply>,
    read::<MConfig>,
    read::<MAuthReply>,
    read::<MMonGetVersionReply>,
    read::<MMonSubscribeAck>,
    read::<MWatchNotify>,
    read::<MOSDBackoff>,
];

fn read<T: TypedMessage>(front: &[u8], data: &[u8], version: u16) {
    let mut message = Message::new(T::KIND, Bytes::copy_from_slice(front));
    message.data = Bytes::copy_from_slice(data);
    message.header.version = version;
    let _ = T::decode(&message);
}

/// A configuration file, and what is asked of it; the same bytes as a keyring.
pub fn conf(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = text.parse::<Keyring>();
    let host = Host { name: "host".into(), pid: 1, ..Host::default() };
    let Ok(conf) = Conf::parse(&text, Path::new("/etc/ceph/ceph.conf"), host) else { return };
    let Ok(name) = "client.admin".parse() else { return };
    let conf = conf.of(&name);
    for option in ["keyring", "fsid", "log file", "mon host", "a"] {
        let _ = conf.get(option);
    }
    let _ = (conf.fsid(), conf.seconds("mon client hunt interval"), conf.mon_host_with(&Nobody));
}

/// Addresses as people write them, and as peers do.
pub fn addrs(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ =
        (EntityAddr::parse(&text, AddrType::Any), text.parse::<AddrVec>(), parse_mon_host(&text, &Nobody));
    let mut input = Decoder::new(bytes);
    while EntityAddr::decode(&mut input).is_ok() {}
    let _ = AddrVec::from_bytes(bytes);
}

/// Knows no names.
struct Nobody;

impl Resolve for Nobody {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn use_map(map: &OsdMap) {
    for (id, pool) in map.pools().take(3) {
        let _ = map.object_to_pg(&ObjectLocator::pool(id), b"name");
        for seed in [0, pool.pg_num, u32::MAX] {
            let pg = PgId { pool: id.cast_unsigned(), seed };
            assert_eq!(map.pg_to_up_acting(pg).acting_primary, map.primary(pg));
        }
    }
}
