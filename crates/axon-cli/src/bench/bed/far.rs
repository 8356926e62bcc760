//! The side that answers, and how to get in there.

use super::super::BenchArgs;
use super::super::responder::Responder;
use crate::auth;
use crate::error::CliError;
use crate::options::{ModeArg, PolicyArg};
use crate::target;
use axon_auth::{ClientAuth, CryptoKey, ServerAuth};
use axon_denc::{AddrVec, EntityName, EntityType};
use axon_messenger::{BindSpec, Builder, Messenger, Nonce};
use axon_rados::mon::MonClient;
use axon_transport::Transport;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// The far side, and how to get in there.
pub(super) struct Far {
    pub(super) addrs: AddrVec,
    pub(super) pass: Pass,
    /// `None` if it is another process.
    pub(super) responder: Option<Messenger>,
    pub(super) mon: Option<MonClient>,
}

/// How two processes believe each other.
#[derive(Clone)]
pub(super) struct Pass {
    /// For who dials; without it messengers say their names.
    pub(super) client: Option<Arc<dyn ClientAuth>>,
    /// For who is dialled; `None` believes everybody.
    pub(super) server: Option<Arc<dyn ServerAuth>>,
}

impl Far {
    /// In this process, with a key for this run alone if one is needed.
    pub(super) fn local(
        args: &BenchArgs,
        policy: PolicyArg,
        transport: &Arc<dyn Transport>,
    ) -> Result<Self, CliError> {
        let pass = match args.mode {
            ModeArg::Crc => Pass::nobody(),
            ModeArg::Secure => Pass::key(args, auth::throwaway_key()),
        };
        let responder = responder(args, policy, transport, &pass)?;
        Ok(Self { addrs: responder.addrs(), pass, responder: Some(responder), mon: None })
    }

    /// Elsewhere.
    pub(super) fn remote(args: &BenchArgs, policy: PolicyArg, text: &str) -> Result<Self, CliError> {
        let addrs = target::parse(text)?;
        let (pass, mon) = remote_pass(args, policy)?;
        Ok(Self { addrs, pass, responder: None, mon })
    }
}

impl Pass {
    fn nobody() -> Self {
        Self { client: None, server: None }
    }

    /// A messenger that shows it where it dials.
    pub(super) fn show(&self, builder: Builder) -> Builder {
        match &self.client {
            Some(auth) => builder.client_auth(auth.clone()),
            None => builder,
        }
    }

    /// Both hold the service's own key.
    fn key(args: &BenchArgs, key: CryptoKey) -> Self {
        let server = auth::service_key_server(key.clone());
        let name = args.cluster.name_or(EntityType::Osd, "0");
        Self { client: Some(auth::service_key_client(name, key)), server: Some(server) }
    }
}

/// With a ticket from the monitors, or with the service's own key from the keyring on the command line.
fn remote_pass(args: &BenchArgs, policy: PolicyArg) -> Result<(Pass, Option<MonClient>), CliError> {
    if args.cluster.names_cluster() {
        if policy == PolicyArg::Peer {
            return Err(CliError::PEER_WITH_CLUSTER);
        }
        let mut config = args.cluster.mon_config(&args.cluster.name()?)?;
        config.connect_within = args.timeout;
        let pass = Pass { client: Some(Arc::new(config.principal())), server: None };
        return Ok((pass, Some(MonClient::connect(config)?)));
    }
    match (args.cluster.keyring(), args.mode) {
        (Some(path), _) => {
            let key = auth::key_in(path, &args.cluster.name_or(EntityType::Osd, "0"))?;
            Ok((Pass::key(args, key), None))
        }
        (None, ModeArg::Crc) => Ok((Pass::nobody(), None)),
        (None, ModeArg::Secure) => Err(CliError::Usage {
            what: "--mode secure against another process needs a key",
            help: "give the key that `axon serve --auth cephx` was given, --keyring FILE, or a cluster, --mon-host ADDRS",
        }),
    }
}

fn responder(
    args: &BenchArgs,
    policy: PolicyArg,
    transport: &Arc<dyn Transport>,
    pass: &Pass,
) -> Result<Messenger, CliError> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut builder = Messenger::builder(EntityName::new(EntityType::Osd, 0))
        .default_policy(policy.server())
        .bind(BindSpec::from(anywhere))
        .nonce(Nonce::fixed(0))
        .modes(args.mode.modes())
        .transport(transport.clone())
        .workers(args.workers as usize);
    builder = pass.show(builder);
    if let Some(auth) = &pass.server {
        builder = builder.server_auth(auth.clone());
    }
    let builder = args.spin.configure(builder);
    Ok(args.redial.configure(builder).start(Responder::default())?)
}
