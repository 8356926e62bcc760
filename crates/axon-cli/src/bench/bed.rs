//! The messengers of one round: the client's side, and a responder unless it is elsewhere.

mod far;
mod near;

use super::BenchArgs;
use super::conduct::{News, Run, conduct};
use super::knife::{Cut, Knife};
use super::load::Load;
use super::stage::Plan;
use crate::attempt::Attempt;
use crate::error::CliError;
use crate::options::PolicyArg;
use crate::transport::TransportArg;
use axon_messenger::{Connection, Messenger};
use axon_rados::mon::MonClient;
use axon_transport::{Cuttable, Transport};
use far::Far;
use near::Near;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long the messengers may take to close.
const CLOSE: Duration = Duration::from_secs(2);

/// The messengers of one round, connected.
pub(super) struct Bed {
    near: Arc<Near>,
    responder: Option<Messenger>,
    /// Keeps the tickets fresh.
    _mon: Option<MonClient>,
    connections: Vec<Connection>,
    load: Arc<Load>,
    news: Receiver<News<CliError>>,
    plan: Plan,
    policy: PolicyArg,
    /// What to cut, and how often.
    cut: Option<(Cut, Duration)>,
}

impl Bed {
    /// Starts them and opens the sessions.
    ///
    /// # Errors
    /// When they do not start, or a session does not open in time.
    pub(super) fn start(
        args: &BenchArgs,
        policy: PolicyArg,
        transport: TransportArg,
        plan: Plan,
    ) -> Result<Self, CliError> {
        let transport = transport.start()?;
        let far = match &args.connect {
            Some(text) => Far::remote(args, policy, text)?,
            None => Far::local(args, policy, &transport)?,
        };
        let peer = far.addrs.to_string();
        let (attempt, outcome) = Attempt::new();
        let (sender, news) = channel();
        let load = Load::new(peer.clone(), args.shape(plan.span), args.workers as usize, attempt, sender);
        let load = Arc::new(load);
        let cut = args.cut_every.map(|every| (Cuttable::new(transport.clone(), args.seed), every));
        let own: Arc<dyn Transport> = cut.as_ref().map_or(transport, |(cut, _)| Arc::new(cut.clone()));
        let near = Near::start(args, policy, &own, &far, &load)?;
        let mut connections = Vec::new();
        while connections.len() < args.connections as usize {
            let wave = near.connect_more(connections.len(), args.connections as usize)?;
            outcome.wait(&peer, wave.len(), args.timeout)?;
            connections.extend(wave);
        }
        check_promise(&peer, policy, &connections)?;
        let Far { responder, mon, .. } = far;
        Ok(Self { near: Arc::new(near), responder, _mon: mon, connections, load, news, plan, policy, cut })
    }

    /// Runs the load and closes everything.
    ///
    /// # Errors
    /// When the load cannot start; what breaks it later is part of the result.
    pub(super) fn run(self) -> Result<Run<CliError>, CliError> {
        let Self { near, responder, _mon, connections, load, news, plan, policy, cut } = self;
        if cut.is_some() && policy.is_lossy() {
            let near = near.clone();
            load.redial_with(Some(Box::new(move || near.connect())));
        }
        let mut knife = None;
        let begin = || -> Result<(), CliError> {
            load.start(connections)?;
            if let Some((transport, every)) = &cut {
                let started = Knife::start(transport.clone(), *every, load.clone());
                knife = Some(started.map_err(CliError::Thread)?);
            }
            Ok(())
        };
        let far = |responder: &Messenger| responder.counters();
        let meter = || Some([near.counters()].into_iter().chain(responder.as_ref().map(far)).sum());
        let mut run = conduct(load.recorder(), plan, &news, "axon", &meter, begin)?;
        drop(knife);
        load.redial_with(None);
        let mishaps = load.mishaps();
        run.sample.lost = mishaps.lost;
        run.sample.duplicated = mishaps.duplicated;
        run.sample.reordered = mishaps.reordered;
        run.sample.longest_stall = mishaps.longest_stall;
        run.sample.reconnects = load.redialled() + near.reconnects();
        run.sample.cuts = cut.map_or(0, |(transport, _)| transport.cuts());
        if let Some(near) = Arc::into_inner(near) {
            near.shutdown(CLOSE);
        }
        if let Some(responder) = responder {
            responder.shutdown(CLOSE);
        }
        Ok(run)
    }
}

/// The side that listens decides whether sessions are lossy; it must have decided what was asked for here.
fn check_promise(peer: &str, policy: PolicyArg, connections: &[Connection]) -> Result<(), CliError> {
    let lossy = connections.iter().filter_map(Connection::established).find(|e| e.lossy != policy.is_lossy());
    match lossy {
        Some(established) => Err(CliError::OtherPromise { peer: peer.into(), lossy: established.lossy }),
        None => Ok(()),
    }
}
