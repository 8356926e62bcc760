//! What real daemons sent, as input of the targets.

use axon_denc::Decoder;
use axon_rados::crush::CrushMap;
use axon_rados::msg::*;
use std::collections::BTreeMap;

/// Recorded messages.
const MESSAGES: [&str; 3] = [
    include_str!("../../vectors/messages/pacific.txt"),
    include_str!("../../vectors/messages/reef.txt"),
    include_str!("../../vectors/messages/tentacle.txt"),
];

/// Recorded connections without encryption.
const CONNECTIONS: [&str; 2] =
    [include_str!("../../vectors/osd-crc-pacific.vec"), include_str!("../../vectors/mon-crc-pacific.vec")];

/// Bytes of a connection that are kept.
const LONGEST: usize = 6000;

const CONF: &str = "\
[global]
    fsid = 4afec9cc-5e1e-4b2e-a3f5-000000000007  # a cluster
    mon host = [v2:10.0.0.1:3300,v1:10.0.0.1:6789],10.0.0.2;mon3.example.com
    mon client hunt interval = 1.5 s
    log file = /var/log/ceph/$cluster-$name.log
    a = \"quoted # text\" ; comment
[client.admin]
    key = AQD2Vr1mAAAAABAAEjRWeJq83vASNFZ4mrze8A==
    keyring = /etc/ceph/${cluster}.$name.keyring,\\
        $home/keyring
";

/// Every target's seeds.
pub fn all() -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let maps: Vec<MOSDMap> = fronts(MOSDMap::NAME).map(|front| read_front(&front)).collect();
    let mon_maps = fronts(MMonMap::NAME).map(|front| read_front::<MMonMap>(&front).map.to_vec());
    let whole: Vec<Vec<u8>> =
        maps.iter().flat_map(|maps| maps.full.values()).map(|map| map.to_vec()).collect();
    let changes = maps.iter().flat_map(|maps| maps.incremental.values()).map(|map| map.to_vec());
    let texts =
        ["v2:10.0.0.1:3300/0", "[v2:[fd00::1]:3300/7,v1:10.0.0.1:6789/7]", "mon1:4000, 10.0.0.2;[fd00::2]"];
    BTreeMap::from([
        ("frames", CONNECTIONS.into_iter().flat_map(streams).collect()),
        ("crush", whole.iter().filter_map(|map| crush_in(map)).collect()),
        ("osd_map", whole),
        ("osd_map_change", changes.collect()),
        ("mon_map", mon_maps.collect()),
        ("osd_op_reply", fronts(MOSDOpReply::NAME).collect()),
        ("messages", messages()),
        ("conf", vec![CONF.into()]),
        ("addrs", texts.into_iter().map(|text| text.into()).chain(addrs()).collect()),
    ])
}

/// The fronts of all recorded messages of a type.
fn fronts(name: &str) -> impl Iterator<Item = Vec<u8>> {
    let blocks = MESSAGES.into_iter().flat_map(|text| text.split("\n\n").skip(1));
    let blocks = blocks.filter(move |block| block.split(' ').next() == Some(name));
    blocks.filter_map(|block| block.lines().find_map(|line| line.strip_prefix("front "))).map(unhex)
}

fn read_front<T: TypedMessage>(front: &[u8]) -> T {
    T::read_front(T::HEAD_VERSION, &mut Decoder::new(front)).expect("a recorded message")
}

/// Messages with the two bytes that `targets::messages` chooses their type and version by.
fn messages() -> Vec<Vec<u8>> {
    let names = [
        (MMonMap::NAME, MMonMap::HEAD_VERSION),
        (MOSDMap::NAME, MOSDMap::HEAD_VERSION),
        (MOSDOpReply::NAME, MOSDOpReply::HEAD_VERSION),
        (MMonCommandAck::NAME, MMonCommandAck::HEAD_VERSION),
        (MPoolOpReply::NAME, MPoolOpReply::HEAD_VERSION),
        (MStatFsReply::NAME, MStatFsReply::HEAD_VERSION),
        (MGetPoolStatsReply::NAME, MGetPoolStatsReply::HEAD_VERSION),
        (MConfig::NAME, MConfig::HEAD_VERSION),
        (MAuthReply::NAME, MAuthReply::HEAD_VERSION),
        (MMonGetVersionReply::NAME, MMonGetVersionReply::HEAD_VERSION),
        (MMonSubscribeAck::NAME, MMonSubscribeAck::HEAD_VERSION),
        (MWatchNotify::NAME, MWatchNotify::HEAD_VERSION),
        (MOSDBackoff::NAME, MOSDBackoff::HEAD_VERSION),
    ];
    let mut seeds = Vec::new();
    for (kind, (name, version)) in (0u8..).zip(names) {
        let head = [kind, version as u8];
        seeds.extend(fronts(name).map(|front| [&head[..], &front].concat()));
        seeds.push([&head[..], &[0; 64]].concat()); // for types that were not recorded
    }
    seeds
}

/// The hierarchy in an OSD map: it begins with a magic number, and where it does is nothing an OSD map's reader tells.
fn crush_in(map: &[u8]) -> Option<Vec<u8>> {
    const MAGIC: [u8; 4] = [0, 0, 1, 0];
    let starts = (4..map.len()).filter(|at| map[*at..].starts_with(&MAGIC));
    let blob = |at: usize| {
        let length = u32::from_le_bytes(*map[..at].last_chunk()?);
        map.get(at..at + length as usize)
    };
    starts
        .filter_map(blob)
        .find(|blob| CrushMap::decode(blob).is_ok_and(|map| map.buckets().count() > 0))
        .map(<[u8]>::to_vec)
}

/// A vector of two addresses, as peers write it. Ceph: `entity_addrvec_t` in `src/msg/msg_types.h`.
fn addrs() -> Vec<Vec<u8>> {
    let addr = |kind: u8, ip: &[u8]| {
        let body = [&[kind, 0, 0, 0, 7, 0, 0, 0, ip.len() as u8, 0, 0, 0], ip].concat();
        [&[1, 1, 1, body.len() as u8, 0, 0, 0][..], &body].concat()
    };
    let v4 = addr(2, &[2, 0, 0x0c, 0xe4, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    let v1 = addr(1, &[2, 0, 0x1a, 0x85, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    vec![[&[2, 2, 0, 0, 0][..], &v4, &v1].concat(), v4]
}

/// Both directions of the connections in a recording.
fn streams(text: &str) -> Vec<Vec<u8>> {
    let mut streams = Vec::new();
    for connection in text.split("\nconnection ").skip(1) {
        let mut bytes = BTreeMap::<&str, Vec<u8>>::new();
        let mut direction = "";
        for line in connection.lines().skip(1) {
            match line {
                ">" | "<" => direction = line,
                hex if !direction.is_empty() && !hex.is_empty() && !hex.starts_with("trimmed") => {
                    bytes.entry(direction).or_default().extend(unhex(hex));
                }
                _ => {}
            }
        }
        streams.extend(bytes.into_values().map(|mut stream| {
            stream.truncate(LONGEST);
            stream
        }));
    }
    streams
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).expect("hexadecimal") as u8;
    hex.as_bytes().as_chunks::<2>().0.iter().map(|[a, b]| digit(*a) << 4 | digit(*b)).collect()
}
