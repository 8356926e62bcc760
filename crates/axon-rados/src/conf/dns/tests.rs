//! Questions to name servers in this process.

use super::*;
use crate::conf::{Conf, Host};
use simple_dns::ResourceRecord;
use simple_dns::rdata::{A, SRV};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

/// How a name server behaves.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// Knows the service in `ceph.example`, with addresses.
    Helpful,
    /// Cuts its datagrams.
    Terse,
    /// Answers what was not asked, before it answers what was.
    Deceptive,
    /// Answers with bytes that make no sense.
    Mad,
    /// Has trouble.
    Failing,
    Silent,
}

/// Starts a server that lives as long as the test's process.
fn server(manner: Manner) -> SocketAddr {
    let (udp, tcp) = loop {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
            break (udp, tcp);
        }
    };
    let addr = udp.local_addr().unwrap();
    thread::spawn(move || serve_udp(&udp, manner));
    thread::spawn(move || serve_tcp(&tcp));
    addr
}

fn serve_udp(socket: &UdpSocket, manner: Manner) {
    let mut buffer = [0; LARGEST];
    while let Ok((length, client)) = socket.recv_from(&mut buffer) {
        let question = &buffer[..length];
        let send = |bytes: &[u8]| drop(socket.send_to(bytes, client));
        match manner {
            Manner::Helpful => send(&answer(question, |_| ())),
            Manner::Terse => send(&answer(question, |packet| {
                packet.answers.clear();
                packet.set_flags(PacketFlag::TRUNCATION);
            })),
            Manner::Deceptive => {
                send(&answer(question, |packet| packet.set_id(packet.id().wrapping_add(1))));
                send(b"not DNS");
                send(question);
                send(&answer(question, |_| ()));
            }
            Manner::Mad => send(&[&question[..2], &[0x80, 0, 0, 1, 0, 9, 0, 0, 0, 0, 0xc0, 0x0c]].concat()),
            Manner::Failing => send(&answer(question, |packet| *packet.rcode_mut() = RCODE::ServerFailure)),
            Manner::Silent => {}
        }
    }
}

fn serve_tcp(listener: &TcpListener) {
    while let Ok((mut stream, _)) = listener.accept() {
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut question = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut question).unwrap();
        let answer = answer(&question, |_| ());
        let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], &answer].concat()).unwrap();
    }
}

/// Two monitors for `_ceph-mon._tcp.ceph.example`; nothing else is known.
fn answer(question: &[u8], change: impl FnOnce(&mut Packet<'_>)) -> Vec<u8> {
    let question = Packet::parse(question).unwrap();
    let asked = question.questions[0].qname.to_string();
    let mut packet = Packet::new_reply(question.id());
    packet.questions = question.questions.clone();
    if asked == "_ceph-mon._tcp.ceph.example" {
        for (host, port, priority, ip) in [("a.ceph.example", 3300, 10, 1), ("b.ceph.example", 6789, 20, 2)] {
            let target = Name::new(host).unwrap();
            let srv = SRV { priority, weight: 60, port, target: target.clone() };
            let name = packet.questions[0].qname.clone();
            packet.answers.push(ResourceRecord::new(name, CLASS::IN, 60, RData::SRV(srv)));
            let a = A { address: u32::from_be_bytes([127, 0, 0, ip]) };
            packet.additional_records.push(ResourceRecord::new(target, CLASS::IN, 60, RData::A(a)));
        }
    } else {
        *packet.rcode_mut() = RCODE::NameError;
    }
    change(&mut packet);
    packet.build_bytes_vec().unwrap()
}

fn hosts(found: io::Result<Vec<ServiceHost>>) -> Vec<String> {
    let text = |host: ServiceHost| {
        format!("{}:{} {}/{} {:?}", host.host, host.port, host.priority, host.weight, host.ips)
    };
    found.unwrap().into_iter().map(text).collect()
}

const FOUND: [&str; 2] = ["a.ceph.example:3300 10/60 [127.0.0.1]", "b.ceph.example:6789 20/60 [127.0.0.2]"];

#[test]
fn services_are_found() {
    for manner in [Manner::Helpful, Manner::Terse, Manner::Deceptive] {
        let resolver = DnsResolver::new(vec![server(manner)]);
        assert_eq!(hosts(resolver.services("ceph-mon", Some("ceph.example"))), FOUND);
    }
}

#[test]
fn domains_and_servers_are_tried_in_turn() {
    let servers = [Manner::Silent, Manner::Failing, Manner::Helpful].map(server).to_vec();
    let search = vec!["elsewhere.example".to_owned(), "ceph.example".to_owned()];
    let resolver = DnsResolver::new(servers).with_search(search);
    assert_eq!(hosts(resolver.services("ceph-mon", None)), FOUND);
}

#[test]
fn errors_say_what_happened() {
    let error = |manner: Manner, service| {
        let answers = matches!(manner, Manner::Helpful | Manner::Failing);
        let timeout = if answers { Duration::from_secs(4) } else { Duration::from_millis(200) };
        let resolver = DnsResolver::new(vec![server(manner)]).with_timeout(timeout);
        resolver.services(service, Some("ceph.example")).unwrap_err().to_string()
    };
    assert_eq!(error(Manner::Helpful, "nfs"), "DNS has no SRV records for _nfs._tcp.ceph.example");
    assert!(error(Manner::Failing, "ceph-mon").ends_with(": it answers ServerFailure"));
    assert!(error(Manner::Silent, "ceph-mon").ends_with(": no answer in time"));
    assert!(error(Manner::Mad, "ceph-mon").ends_with(": no answer in time"));
    let nobody = DnsResolver::new(Vec::new()).services("ceph-mon", None).unwrap_err();
    assert_eq!(nobody.to_string(), "no name server is configured");
}

#[test]
fn monitors_are_found_by_name() {
    let resolver = DnsResolver::new(vec![server(Manner::Helpful)]);
    let monitors = |text: &str| {
        let conf = Conf::parse(text, Path::new("ceph.conf"), Host::default()).unwrap();
        let name = "client.admin".parse().unwrap();
        conf.of(&name).monitors_with(&resolver)
    };
    let found = monitors("[global]\nmon dns srv name = ceph-mon_ceph.example").unwrap();
    let mons = found.mons.iter().map(|mon| format!("{} {}/{}", mon.addrs, mon.priority, mon.weight));
    assert_eq!(mons.collect::<Vec<_>>(), ["v2:127.0.0.1:3300/0 10/60", "v1:127.0.0.2:6789/0 20/60"]);
    let named =
        monitors("[global]\nmon dns srv name = ceph-mon_ceph.example\nmon host = 10.0.0.9:3300").unwrap();
    assert_eq!(named.mons[0].addrs.to_string(), "v2:10.0.0.9:3300/0", "what is written down comes first");
    let error = monitors("[global]\nmon dns srv name = ceph_nowhere.example").unwrap_err().to_string();
    let says = "(and DNS does not help with mon dns srv name = ceph_nowhere.example: DNS has no SRV records for _ceph._tcp.nowhere.example)";
    assert!(
        error.starts_with("ceph.conf does not say where the monitors are") && error.ends_with(says),
        "{error}"
    );
}
