//! The frames with which an acceptor turns an attempt down or asks for another one.

use super::probe::{Outcome, Probe, Roles};
use super::{Captured, TAP_LIMIT, vector};
use axon_auth::AuthName;
use axon_denc::{AddrVec, EntityAddr, EntityType, Features};
use axon_testbed::{Auth, Cluster, Conversation, Mode, Release, Tap};
use axon_wire::{ClientIdent, Control, SessionReconnect};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

const COOKIE: u64 = 0x00c0_ffee_00c0_ffee;

/// Every frame of the kind; each comes from a real daemon.
pub(super) fn all(release: Release) -> Captured {
    let how = "a hand-driven peer that names itself osd.77 (and mon.us), without authentication, crc; \
               the accepting side is a real daemon";
    let tree = axon_testbed::Tree::find(release)?;
    let mut vector = vector(&tree, how)?;
    vector.conversations = from_osd(release)?;
    vector.conversations.push(from_monitor(release)?);
    Ok(vector)
}

/// An odd OSD at the door of a real one.
fn from_osd(release: Release) -> Outcome<Vec<Conversation>> {
    let plan = Cluster::builder().release(release).auth(Auth::None).mode(Mode::Crc).osds(1);
    let cluster = plan.boot()?;
    let osd = cluster.osd_cluster_addr(0)?;
    let tap = Tap::start(osd.addr, TAP_LIMIT)?;
    let stranger = Stranger {
        via: tap.addr(),
        roles: roles(EntityType::Osd, "77", EntityType::Osd, EntityAddr::msgr2(osd.addr, osd.nonce)),
        addr: EntityAddr::msgr2(SocketAddr::from((Ipv4Addr::LOCALHOST, 9)), 7),
    };
    stranger.lacks_features()?;
    stranger.resumes_nothing()?;
    stranger.is_late()?;
    let titles = ["lacks features", "resumes nothing", "opens", "resumes", "resumes with old numbers"];
    let said = tap.conversations().into_iter().zip(titles);
    Ok(said.map(|(said, title)| titled(said, &format!("osd.77 -> osd.0: {title}"))).collect())
}

/// A monitor that dials somebody who dials back, and has the lower address.
fn from_monitor(release: Release) -> Outcome<Conversation> {
    // Ports of the system's choice are above those of the testbed's monitors.
    let us = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = us.local_addr()?;
    let plan = Cluster::builder().release(release).auth(Auth::None).mode(Mode::Crc).msgr1(false);
    let cluster = plan.foreign_monitor("us", addr).boot()?;
    // Accepted and left unanswered: the monitor is now connecting to us.
    let _dialled = us.accept()?;
    let tap = Tap::start(cluster.mon_addr(), TAP_LIMIT)?;
    let target = EntityAddr::msgr2(cluster.mon_addr(), 0);
    let us = Stranger {
        via: tap.addr(),
        roles: roles(EntityType::Mon, "us", EntityType::Mon, target),
        addr: EntityAddr::msgr2(addr, 0),
    };
    let mut probe = us.connect()?;
    probe.send(us.ident(Features::ALL_REEF, 1))?;
    probe.expect(|c| matches!(c, Control::Wait(_)))?;
    let said = tap.conversations().remove(0);
    Ok(titled(said, "mon.us -> mon.a: both dial at once"))
}

fn titled(mut said: Conversation, title: &str) -> Conversation {
    said.title = title.into();
    said
}

fn roles(me: EntityType, id: &str, peer: EntityType, target: EntityAddr) -> Roles {
    Roles { me: AuthName { kind: me, id: id.into() }, peer, target }
}

struct Stranger {
    via: SocketAddr,
    roles: Roles,
    addr: EntityAddr,
}

impl Stranger {
    fn connect(&self) -> Outcome<Probe> {
        Probe::connect(self.via, &self.roles)
    }

    fn ident(&self, features: Features, global_seq: u64) -> ClientIdent {
        ClientIdent {
            addrs: AddrVec::from(self.addr),
            target_addr: self.roles.target,
            gid: 77,
            global_seq,
            features_supported: features,
            features_required: Features::NONE,
            flags: 0,
            client_cookie: COOKIE,
        }
    }

    fn reconnect(&self, global_seq: u64, connect_seq: u64) -> SessionReconnect {
        SessionReconnect {
            addrs: AddrVec::from(self.addr),
            client_cookie: COOKIE,
            server_cookie: 1,
            global_seq,
            connect_seq,
            msg_seq: 0,
        }
    }

    fn lacks_features(&self) -> Outcome<()> {
        let mut probe = self.connect()?;
        probe.send(self.ident(Features::NONE, 1))?;
        probe.expect(|c| matches!(c, Control::IdentMissingFeatures(_)))?;
        Ok(())
    }

    fn resumes_nothing(&self) -> Outcome<()> {
        let mut probe = self.connect()?;
        probe.send(self.reconnect(1, 1))?;
        probe.expect(|c| matches!(c, Control::SessionReset(_)))?;
        Ok(())
    }

    /// Opens a session, resumes it, then comes with numbers from before that.
    fn is_late(&self) -> Outcome<()> {
        let mut opener = self.connect()?;
        opener.send(self.ident(Features::ALL_REEF, 10))?;
        opener.expect(|c| matches!(c, Control::ServerIdent(_)))?;
        let mut second = self.connect()?;
        second.send(self.reconnect(11, 5))?;
        second.expect(|c| matches!(c, Control::SessionReconnectOk(_)))?;
        let mut late = self.connect()?;
        late.send(self.reconnect(3, 6))?;
        late.expect(|c| matches!(c, Control::SessionRetryGlobal(_)))?;
        late.send(self.reconnect(12, 2))?;
        late.expect(|c| matches!(c, Control::SessionRetry(_)))?;
        Ok(())
    }
}
