//! When two states are the same: when nothing that may happen from here on, and no check, can tell them apart.
//!
//! What is over is left out: a message that nobody holds and that is not on its way is delivered or not, and only whether
//! it was lost without notice matters; connections that are over deliver nothing; which session of the peer got the last
//! message concerns those alone who must be told of another.

use super::choice::Explored;
use crate::label::{Label, message_ids};
use crate::pipe::Unit;
use crate::socket::{DIALLER, Holder, Socket, Status};
use crate::{Entry, Fate, PeerId, World};
use axon_proto::WakeReason;
use axon_wire::{Control, Frame, FrameReader, Limits, Received, Tag};
use bytes::BytesMut;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// 128 bits of what a state is.
pub(super) type Digest = (u64, u64);

/// A part of what a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Plain(u64),
    /// Only equality matters.
    Cookie(u64),
    /// An attempt of a node; only the order matters.
    Attempt(usize, u64),
}

/// Instead of a node: counts of resumptions, which are compared with each other.
const RESUMPTIONS: usize = usize::MAX;

use Word::{Attempt, Cookie, Plain};

/// The digest of a state.
pub(super) fn of(explored: &Explored<'_>) -> Digest {
    let world = explored.see();
    let mut words = Vec::with_capacity(256);
    let [a, b] = explored.sent;
    let [c, d] = explored.restarts;
    words.extend(
        [a, b, c, d, explored.cuts, explored.late, explored.mark_downs, explored.impostors]
            .map(|count| Plain(count.into())),
    );
    let names = Names::new(world);
    for node in 0..world.nodes.len() {
        words.push(Attempt(node, world.nodes[node].global_seq));
        words.push(Plain(world.nodes[node].incarnation.into()));
        names.of(node).iter().for_each(|peer| put_peer(world, *peer, &names, &mut words));
    }
    put_sockets(world, &names, &mut words);
    put_ledger(world, &names, &mut words);
    hash(&words, u64::from(explored.faults()) + 1)
}

/// Connections by node and order of creation, messages by node and order of sending.
struct Names {
    by_node: Vec<Vec<PeerId>>,
    tids: Vec<u64>,
    /// Messages that somebody holds, or that are on their way, by transaction id less one.
    current: Vec<bool>,
}

impl Names {
    fn new(world: &World) -> Self {
        let of = |node| world.alive().filter(|(_, peer)| peer.node == node).map(|(id, _)| id).collect();
        let by_node = (0..world.nodes.len()).map(of).collect();
        let mut counts = vec![0; world.nodes.len()];
        let number = |entry: &crate::Entry| {
            counts[entry.from] += 1;
            (entry.from as u64) << 32 | counts[entry.from]
        };
        let tids = world.ledger.entries().iter().map(number).collect();
        Self { by_node, tids, current: current(world) }
    }

    fn of(&self, node: usize) -> &[PeerId] {
        &self.by_node[node]
    }

    fn peer(&self, id: PeerId) -> Word {
        let name = |(node, ids): (usize, &Vec<PeerId>)| {
            ids.iter().position(|known| *known == id).map(|nth| (node as u64) << 8 | nth as u64)
        };
        Plain(self.by_node.iter().enumerate().find_map(name).unwrap_or(u64::MAX))
    }

    fn is_alive(&self, id: PeerId) -> bool {
        self.by_node.iter().flatten().any(|known| *known == id)
    }

    fn message(&self, tid: u64) -> Word {
        Plain(self.tids.get((tid as usize).wrapping_sub(1)).copied().unwrap_or(u64::MAX))
    }
}

/// Which messages may still be delivered or come back.
fn current(world: &World) -> Vec<bool> {
    let mut current = vec![false; world.ledger.entries().len()];
    let mut mark = |tid: u64| {
        if let Some(place) = current.get_mut((tid as usize).wrapping_sub(1)) {
            *place = true;
        }
    };
    for (_, peer) in world.alive() {
        peer.machine.session().messages().for_each(|(_, message)| mark(message.header.tid));
    }
    let sides = world.live.iter().flat_map(|index| &world.sockets[*index].sides);
    let units = sides.flat_map(|side| &side.pipe.units);
    let messages = units.filter(|unit| unit.label == Label::Frame(Tag::Message));
    messages.filter_map(|unit| message_ids(&unit.bytes)).for_each(|(_, tid)| mark(tid));
    current
}

fn put_peer(world: &World, id: PeerId, names: &Names, words: &mut Vec<Word>) {
    let peer = world.peer(id);
    let session = peer.machine.session();
    let ids = session.ids();
    let redials = matches!(peer.machine.deadline(), Some((_, WakeReason::Redial)));
    words.extend([
        Plain(0xc0),
        Plain(session.state() as u64),
        Plain(
            u64::from(session.is_mutual()) << 2 | u64::from(session.policy().lossy) << 1 | u64::from(redials),
        ),
        Plain(u64::from(world.nodes[peer.node].registered(&peer.addrs) == Some(id))),
        Plain(peer.addrs.first().nonce.into()),
        Cookie(ids.client_cookie),
        Cookie(ids.server_cookie),
        Attempt(peer.other, ids.peer_global_seq),
        Attempt(RESUMPTIONS, ids.connect_seq),
        Plain(session.out_seq()),
        Plain(session.in_seq()),
        Plain(peer.machine.link_state().map_or(0, text)),
    ]);
    let is_forgotten = world.ledger.forgets(peer.node, peer.other) > peer.forgets;
    words.extend([is_forgotten, world.may_end(peer)].map(|flag| Plain(flag.into())));
    // Who checks may not send to another session of its peer before it heard that the last one is lost.
    if let Some((partner, told)) = peer.partner.filter(|_| peer.policy.resetcheck) {
        words.extend([names.peer(partner), Plain(u64::from(told == peer.counts.remote_resets))]);
    }
    for (progress, message) in session.messages() {
        words.extend([Plain(progress as u64), names.message(message.header.tid)]);
    }
}

fn put_sockets(world: &World, names: &Names, words: &mut Vec<Word>) {
    let mut sockets: Vec<Vec<Word>> =
        world.live.iter().map(|index| socket_words(world, *index, names)).collect();
    sockets.sort_by_cached_key(|words| {
        let shape: Vec<Word> = words.iter().map(|word| shape_of(*word)).collect();
        (shape, words.clone())
    });
    sockets.into_iter().for_each(|socket| words.extend(socket));
}

/// A word without what is only a name.
fn shape_of(word: Word) -> Word {
    match word {
        Plain(value) => Plain(value),
        Cookie(value) => Cookie(u64::from(value != 0)),
        Attempt(node, _) => Attempt(node, 0),
    }
}

fn socket_words(world: &World, index: usize, names: &Names) -> Vec<Word> {
    let socket = &world.sockets[index];
    let status = match socket.status {
        Status::Dialling { outcome: Ok(()), .. } => 1,
        Status::Dialling { outcome: Err(_), .. } => 2,
        Status::Open => 3,
        Status::Dead => 4,
    };
    let mut words = vec![Plain(0x50), Plain(status), Plain(socket.nodes[0] as u64)];
    words.push(Plain(is_outlived(world, socket).into()));
    for (at, side) in socket.sides.iter().enumerate() {
        words.push(match &side.holder {
            Holder::Nobody => Plain(0),
            Holder::Peer(peer) => names.peer(*peer),
            Holder::Link(link) | Holder::Impostor(link) => Plain(text(link.state())),
        });
        words.push(Plain(
            side.pipe.end.map_or(0, |_| 1)
                | u64::from(side.pipe.is_broken) << 1
                | u64::from(side.pipe.is_severed) << 2,
        ));
        let nodes = [socket.nodes[at], socket.nodes[1 - at]];
        side.pipe.units.iter().for_each(|unit| unit_words(unit, nodes, names, &mut words));
        if let (Holder::Peer(peer), Some(asked)) = (&side.holder, &side.asked)
            && world.peer(*peer).machine.link_state() != Some("open")
            && let Some(Frame::Control(asked)) = parse(asked)
        {
            control_words(&asked, nodes, &mut words);
        }
    }
    put_question(socket, names, &mut words);
    words
}

/// Whether a session that it may still begin was forgotten already.
fn is_outlived(world: &World, socket: &Socket) -> bool {
    let [dialler, acceptor] = socket.nodes;
    let is_open = |holder: &Holder| match holder {
        Holder::Peer(peer) => world.peer(*peer).machine.link_state() == Some("open"),
        _ => false,
    };
    let may_begin = !socket.sides.iter().all(|side| is_open(&side.holder));
    may_begin && world.ledger.forgets(dialler, acceptor) > socket.forgets
}

/// What was asked and has not come before its owner.
fn put_question(socket: &Socket, names: &Names, words: &mut Vec<Word>) {
    let Some(question) = &socket.question else { return };
    words.extend([Plain(0x51), question.owner.map_or(Plain(0), |owner| names.peer(owner))]);
    if let Some(Frame::Control(asked)) = socket.sides[DIALLER].asked.as_deref().and_then(parse) {
        control_words(&asked, socket.nodes, words);
    }
}

fn unit_words(unit: &Unit, nodes: [usize; 2], names: &Names, words: &mut Vec<Word>) {
    words.push(Plain(0x40));
    if !matches!(unit.label, Label::Frame(_)) {
        return words.push(Plain(0x41));
    }
    match parse(&unit.bytes) {
        Some(Frame::Message(message)) => words.extend([
            Plain(message.header.seq),
            Plain(message.header.ack_seq),
            names.message(message.header.tid),
        ]),
        Some(Frame::Control(control)) => control_words(&control, nodes, words),
        None => words.push(Plain(0x42)),
    }
}

fn control_words(control: &Control, [from, to]: [usize; 2], words: &mut Vec<Word>) {
    words.push(Plain(control.tag() as u64));
    match control {
        Control::ClientIdent(ident) => words.extend([
            Attempt(from, ident.global_seq),
            Cookie(ident.client_cookie),
            Plain(ident.target_addr.nonce.into()),
        ]),
        Control::ServerIdent(ident) => {
            words.extend([Attempt(from, ident.global_seq), Cookie(ident.server_cookie)]);
        }
        Control::SessionReconnect(frame) => words.extend([
            Attempt(from, frame.global_seq),
            Cookie(frame.client_cookie),
            Cookie(frame.server_cookie),
            Attempt(RESUMPTIONS, frame.connect_seq),
            Plain(frame.msg_seq),
        ]),
        Control::SessionReconnectOk(ok) => words.push(Plain(ok.msg_seq)),
        Control::SessionRetry(retry) => words.push(Attempt(RESUMPTIONS, retry.connect_seq)),
        Control::SessionRetryGlobal(retry) => words.push(Attempt(to, retry.global_seq)),
        Control::SessionReset(reset) => words.push(Plain(reset.full.into())),
        Control::Ack(ack) => words.push(Plain(ack.seq)),
        _ => {}
    }
}

fn put_ledger(world: &World, names: &Names, words: &mut Vec<Word>) {
    for node in 0..world.nodes.len() {
        let all = world.ledger.entries().iter().zip(&names.current);
        for (entry, is_current) in all.filter(|(entry, _)| entry.from == node) {
            put_entry(world, entry, *is_current, names, words);
        }
    }
    put_order(world, names, words);
}

fn put_entry(world: &World, entry: &Entry, is_current: bool, names: &Names, words: &mut Vec<Word>) {
    if !is_current {
        let is_lost = entry.fate == Fate::Accepted && entry.delivered == 0;
        return words.push(Plain(0x60 | u64::from(is_lost)));
    }
    let flags = [entry.written, entry.delivered > 0, world.ledger.may_come(entry)].map(u64::from);
    let [written, delivered, may_come] = flags;
    let all = 0x80 | (entry.fate as u64) << 8 | may_come << 2 | written << 1 | delivered;
    words.extend([Plain(all), names.peer(entry.peer)]);
}

/// What was delivered last, where an earlier message, or that one, may come once more.
fn put_order(world: &World, names: &Names, words: &mut Vec<Word>) {
    let may_come = |sender: PeerId, last: u64| {
        let until = world.ledger.entries().iter().zip(&names.current).take(last as usize);
        until.into_iter().any(|(entry, is_current)| *is_current && entry.peer == sender)
    };
    let streams = world.ledger.last_delivered();
    let mut last: Vec<[Word; 3]> = streams
        .filter(|(receiver, sender, tid)| names.is_alive(*receiver) && may_come(*sender, *tid))
        .map(|(receiver, sender, tid)| [names.peer(receiver), names.peer(sender), names.message(tid)])
        .collect();
    last.sort();
    words.extend(last.into_iter().flatten());
}

pub(super) fn parse(bytes: &[u8]) -> Option<Frame> {
    let mut reader = FrameReader::new(&crate::cheap::Cheap);
    reader.set_limits(Limits::SESSION);
    let first = reader.first_block_len();
    let mut block = [0; 32];
    block.copy_from_slice(bytes.get(..first)?);
    let head = reader.open_head(&mut block).ok()?;
    match reader.open_body(head, BytesMut::from(&bytes[first..])).ok()? {
        Received::Frame(frame) => Some(frame),
        Received::Aborted => None,
    }
}

fn text(words: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish() | 1
}

/// Gives cookies and attempts the names by which states are compared.
fn hash(words: &[Word], far: u64) -> Digest {
    let mut cookies = vec![0];
    let mut attempts: Vec<(usize, u64)> = words
        .iter()
        .filter_map(|word| if let Attempt(node, n) = word { Some((*node, *n)) } else { None })
        .collect();
    attempts.sort_unstable();
    attempts.dedup();
    let ranks = ranks(&attempts, far);
    let mut hashers = (DefaultHasher::new(), DefaultHasher::new());
    hashers.1.write_u8(1);
    for word in words {
        let named = match word {
            Plain(value) => *value,
            Cookie(value) => {
                let at = cookies.iter().position(|known| known == value).unwrap_or_else(|| {
                    cookies.push(*value);
                    cookies.len() - 1
                });
                at as u64
            }
            Attempt(node, n) => attempts.binary_search(&(*node, *n)).map_or(0, |at| ranks[at]),
        };
        hashers.0.write_u64(named);
        hashers.1.write_u64(named);
    }
    (hashers.0.finish(), hashers.1.finish())
}

/// The places of sorted attempts in their node's order; none is still none. Attempts are only ever told apart as earlier
/// and later, and the next is later than all. Who dials counts one resumption more than before, so that it matters by how
/// many another is ahead; but not beyond `far`, as each dial that reaches nobody who says so takes a fault.
fn ranks(attempts: &[(usize, u64)], far: u64) -> Vec<u64> {
    let mut ranks: Vec<u64> = Vec::with_capacity(attempts.len());
    for (at, (node, n)) in attempts.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| (attempts[before], ranks[before]));
        ranks.push(match before {
            Some(((same, earlier), rank)) if same == *node => {
                rank + if *node == RESUMPTIONS { (n - earlier).min(far) } else { 1 }
            }
            _ => u64::from(*n != 0) * far,
        });
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_earlier_or_later_and_resumptions_are_counted() {
        let of = |node: usize, numbers: &[u64]| {
            let attempts: Vec<_> = numbers.iter().map(|n| (node, *n)).collect();
            ranks(&attempts, 3)
        };
        assert_eq!(of(0, &[1000, 1001, 1007]), of(0, &[2000, 2500, 3000]));
        assert_ne!(of(0, &[0, 5]), of(0, &[4, 5]), "none is not an attempt");
        assert_ne!(of(RESUMPTIONS, &[1, 2]), of(RESUMPTIONS, &[1, 3]));
        assert_eq!(of(RESUMPTIONS, &[1, 4]), of(RESUMPTIONS, &[2, 9]), "both are out of reach");
    }

    #[test]
    fn only_the_names_of_cookies_and_attempts_do_not_matter() {
        let digest = |cookies: [u64; 2], attempts: [u64; 2], plain: u64| {
            let [a, b] = cookies.map(Cookie);
            let [c, d] = attempts.map(|n| Attempt(0, n));
            hash(&[a, c, Plain(plain), b, d], 2)
        };
        let one = digest([7, 9], [3, 5], 1);
        assert_eq!(digest([70, 30], [4, 50], 1), one);
        assert_ne!(digest([7, 7], [3, 5], 1), one);
        assert_ne!(digest([7, 9], [5, 3], 1), one);
        assert_ne!(digest([7, 9], [3, 5], 2), one);
    }
}
