//! The SRV records of DNS, which the system's resolver does not tell.
//!
//! ```text
//! question: _ceph-mon._tcp.example.com IN SRV       by UDP, and by TCP if the answer was cut
//! answer:   priority weight port target             and, if the server is kind, the targets' addresses beside it
//! ```
//!
//! RFC 2782, RFC 1035; RFC 7766 for the length before each message over TCP.

use super::resolver::{Resolve, ServiceHost, SystemResolver};
use axon_auth::Entropy;
use axon_messenger::OsEntropy;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, TYPE};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// Asks name servers for services, and the system for hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsResolver {
    servers: Vec<SocketAddr>,
    /// Domains tried one after the other for services without one.
    search: Vec<String>,
    /// How long a server has for an answer.
    timeout: Duration,
    attempts: u32,
}

const RESOLV_CONF: &str = "/etc/resolv.conf";
const PORT: u16 = 53;
/// The largest message without extensions.
const LARGEST: usize = 512;
/// How long all servers, domains and attempts may take together.
const LIMIT: Duration = Duration::from_secs(5);

impl DnsResolver {
    /// Asks these servers, in this order.
    pub fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers, search: Vec::new(), timeout: Duration::from_secs(5), attempts: 2 }
    }

    /// Tries these domains for services without one.
    pub fn with_search(mut self, search: Vec<String>) -> Self {
        self.search = search;
        self
    }

    /// Gives each server this long for an answer, instead of 5 s.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The servers that `/etc/resolv.conf` names.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn system() -> io::Result<Self> {
        let conf = resolv_conf::Config::parse(fs::read(RESOLV_CONF)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{RESOLV_CONF}: {error}")))?;
        let servers = conf.nameservers.iter().map(|ip| SocketAddr::new(ip.into(), PORT)).collect();
        let search = conf.get_last_search_or_domain().map(ToString::to_string).collect();
        let timeout = Duration::from_secs(conf.timeout.max(1).into());
        Ok(Self { servers, search, timeout, attempts: conf.attempts.max(1) })
    }

    /// Asks for one name until a server answers. Those still to be asked share the time that is left, so that a silent one
    /// does not silence the others.
    fn ask(&self, name: &str, until: Instant) -> io::Result<Vec<ServiceHost>> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "no name server is configured");
        let tries = self.servers.len() * self.attempts as usize;
        for (tried, server) in self.servers.iter().cycle().take(tries).enumerate() {
            let share = left(until)? / (tries - tried) as u32;
            match ask_server(*server, name, share.min(self.timeout)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    last = io::Error::new(error.kind(), format!("the name server {server}: {error}"));
                }
                answer => return answer,
            }
        }
        Err(last)
    }
}

impl Resolve for DnsResolver {
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        SystemResolver.resolve(host)
    }

    fn services(&self, service: &str, domain: Option<&str>) -> io::Result<Vec<ServiceHost>> {
        let until = Instant::now() + LIMIT;
        let bare = format!("_{service}._tcp");
        let names: Vec<String> = match domain {
            Some(domain) => vec![format!("{bare}.{domain}")],
            None => {
                let in_domains = self.search.iter().map(|domain| format!("{bare}.{domain}"));
                in_domains.chain([bare.clone()]).collect()
            }
        };
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for name in &names {
            match self.ask(name, until) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => last = error,
                found => return found,
            }
        }
        Err(last)
    }
}

/// Asks one server once.
fn ask_server(server: SocketAddr, name: &str, within: Duration) -> io::Result<Vec<ServiceHost>> {
    let mut id = [0; 2];
    OsEntropy.fill(&mut id);
    let id = u16::from_le_bytes(id);
    let question = question(id, name)?;
    let until = Instant::now() + within;
    let answer = ask_udp(server, &question, id, until)?;
    match Packet::parse(&answer).map_err(malformed)?.has_flags(PacketFlag::TRUNCATION) {
        true => read_answer(&ask_tcp(server, &question, until)?, id, name),
        false => read_answer(&answer, id, name),
    }
}

fn question(id: u16, name: &str) -> io::Result<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).map_err(malformed)?;
    packet.questions.push(Question::new(name, TYPE::SRV.into(), CLASS::IN.into(), false));
    packet.build_bytes_vec().map_err(malformed)
}

/// The datagram that answers; others are from somebody who guesses.
fn ask_udp(server: SocketAddr, question: &[u8], id: u16, until: Instant) -> io::Result<Vec<u8>> {
    let any: IpAddr = if server.is_ipv4() { [0; 4].into() } else { [0u16; 8].into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.send(question)?;
    let mut answer = [0; LARGEST];
    loop {
        socket.set_read_timeout(Some(left(until)?))?;
        let length = socket.recv(&mut answer).map_err(late)?;
        let answer = &answer[..length];
        if Packet::parse(answer).is_ok_and(|packet| is_answer(&packet, id)) {
            return Ok(answer.to_vec());
        }
    }
}

fn ask_tcp(server: SocketAddr, question: &[u8], until: Instant) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, left(until)?)?;
    stream.set_write_timeout(Some(left(until)?))?;
    let length = u16::try_from(question.len()).map_err(malformed)?;
    stream.write_all(&[&length.to_be_bytes()[..], question].concat())?;
    let mut length = [0; 2];
    read_until(&mut stream, &mut length, until)?;
    let mut answer = vec![0; u16::from_be_bytes(length).into()];
    read_until(&mut stream, &mut answer, until)?;
    Ok(answer)
}

/// Fills `buffer`; a server that sends a byte now and then gets no more time than others.
fn read_until(stream: &mut TcpStream, mut buffer: &mut [u8], until: Instant) -> io::Result<()> {
    while !buffer.is_empty() {
        stream.set_read_timeout(Some(left(until)?))?;
        match stream.read(buffer).map_err(late)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => buffer = &mut buffer[n..],
        }
    }
    Ok(())
}

fn left(until: Instant) -> io::Result<Duration> {
    match until.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(late(io::ErrorKind::TimedOut.into())),
        left => Ok(left),
    }
}

fn is_answer(packet: &Packet<'_>, id: u16) -> bool {
    packet.id() == id && packet.has_flags(PacketFlag::RESPONSE)
}

/// The hosts in an answer. A target of `.` says that there is no such service.
fn read_answer(bytes: &[u8], id: u16, name: &str) -> io::Result<Vec<ServiceHost>> {
    let packet = Packet::parse(bytes).map_err(malformed)?;
    if !is_answer(&packet, id) {
        return Err(malformed("it answers another question"));
    }
    let none = || io::Error::new(io::ErrorKind::NotFound, format!("DNS has no SRV records for {name}"));
    match packet.rcode() {
        RCODE::NoError => {}
        RCODE::NameError => return Err(none()),
        other => return Err(io::Error::other(format!("it answers {other:?}"))),
    }
    let hosts: Vec<ServiceHost> =
        packet.answers.iter().filter_map(|record| service_host(&packet, &record.rdata)).collect();
    if hosts.is_empty() { Err(none()) } else { Ok(hosts) }
}

fn service_host(packet: &Packet<'_>, record: &RData<'_>) -> Option<ServiceHost> {
    let RData::SRV(srv) = record else { return None };
    let host = srv.target.to_string();
    let ips = packet.additional_records.iter().filter(|extra| extra.name == srv.target);
    let ips = ips.filter_map(|extra| match &extra.rdata {
        RData::A(a) => Some(IpAddr::from(a.address.to_be_bytes())),
        RData::AAAA(aaaa) => Some(IpAddr::from(aaaa.address.to_be_bytes())),
        _ => None,
    });
    let ips = ips.collect();
    let named = !host.trim_matches('.').is_empty();
    named.then_some(ServiceHost { host, port: srv.port, priority: srv.priority, weight: srv.weight, ips })
}

fn malformed(error: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

/// What a time-out of a socket is called depends on the system.
fn late(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests;
