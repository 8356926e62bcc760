//! What monitors send.

use super::{Ask, CONFIG, LinkId, MONMAP, Session};
use crate::MonMap;
use crate::mon::error::MonError;
use crate::mon::renewal::AuthRequest;
use crate::mon::{CommandOutput, MapVersions, Target};
use crate::msg::{
    MAuthReply, MConfig, MMonCommandAck, MMonGetVersionReply, MMonMap, MMonSubscribeAck, MessageError,
    TypedMessage,
};
use axon_denc::Decode;
use axon_wire::Message;

impl Session {
    /// Takes a message of a monitor; `false` if it is not for the session but for the application.
    pub(in crate::mon) fn message(&mut self, link: LinkId, message: &Message) -> bool {
        if self.open.as_ref().is_none_or(|open| open.link != link) {
            return true; // of a connection that no longer counts
        }
        let taken = match message.header.kind {
            MMonMap::KIND => self.mon_map(message),
            MConfig::KIND => self.config(message),
            MAuthReply::KIND => self.auth_reply(message),
            MMonCommandAck::KIND => self.command_ack(message),
            MMonGetVersionReply::KIND => self.version_reply(message),
            MMonSubscribeAck::KIND => Ok(()),
            _ => return false,
        };
        if let Err(error) = taken {
            tracing::warn!(monitor = self.target().map(tracing::field::display), %error, "message of the monitor ignored");
        }
        true
    }

    /// The answer to `ask` if it is known already, else `ask` again.
    pub(super) fn answer_at_once(&mut self, ask: Ask) -> Option<Ask> {
        match (ask, &self.monmap) {
            (Ask::MonMap(answer), Some(map)) => answer.put(Ok(map.clone())),
            (Ask::Secrets(answer), _) if self.renewal.has_secrets() => answer.put(Ok(())),
            (ask, _) => return Some(ask),
        }
        None
    }

    fn mon_map(&mut self, message: &Message) -> Result<(), MessageError> {
        let blob = MMonMap::decode(message)?.map;
        let malformed = |source| MessageError::Malformed { message: MMonMap::NAME, source };
        let map = MonMap::from_bytes(&blob).map_err(malformed)?;
        self.got(MONMAP, map.epoch.into());
        if self.monmap.as_ref().is_none_or(|old| old.epoch <= map.epoch) {
            self.hunt.set_targets(Target::of_map(&map));
            self.name_target(&map);
            self.monmap = Some(map);
        }
        self.monitor_serves();
        self.answer_waiting(|ask| matches!(ask, Ask::MonMap(_)));
        self.send_requests();
        Ok(())
    }

    /// The open connection's monitor by its name in the map.
    fn name_target(&mut self, map: &MonMap) {
        let Some(open) = &mut self.open else { return };
        let name = open.target.addrs.iter().find_map(|addr| map.name_at(addr));
        if let Some(name) = name {
            open.target = Target { name: Some(name.to_owned()), addrs: open.target.addrs.clone() };
        }
    }

    fn config(&mut self, message: &Message) -> Result<(), MessageError> {
        self.options = MConfig::decode(message)?.options;
        self.got(CONFIG, 0);
        Ok(())
    }

    fn auth_reply(&mut self, message: &Message) -> Result<(), MessageError> {
        let reply = MAuthReply::decode(message)?;
        let Some(request) = self.open.as_mut().and_then(|open| open.auth.pop_front()) else { return Ok(()) };
        match self.renewal.apply(request, &reply) {
            Ok(()) => tracing::debug!(?request, "renewed"),
            Err(error) => tracing::warn!(
                monitor = self.target().map(tracing::field::display),
                ?request, %error, text = reply.text, "not renewed"
            ),
        }
        if request == AuthRequest::Secrets && self.renewal.has_secrets() {
            self.answer_waiting(|ask| matches!(ask, Ask::Secrets(_)));
        }
        Ok(())
    }

    /// Answers the chosen questions, whose answer is known now.
    fn answer_waiting(&mut self, chosen: impl Fn(&Ask) -> bool) {
        for ask in self.requests.take_where(chosen) {
            self.answer_at_once(ask);
        }
    }

    fn command_ack(&mut self, message: &Message) -> Result<(), MessageError> {
        let Some(Ask::Command(_, _, answer)) = self.requests.take(message.header.tid) else { return Ok(()) };
        let ack = MMonCommandAck::decode(message).map_err(|source| self.malformed(source));
        answer.put(ack.map(|ack| CommandOutput { code: ack.result, status: ack.status, output: ack.output }));
        Ok(())
    }

    fn malformed(&self, source: MessageError) -> MonError {
        match self.target() {
            Some(asked) => MonError::Malformed { asked: asked.clone(), source },
            None => MonError::Closed,
        }
    }

    fn version_reply(&mut self, message: &Message) -> Result<(), MessageError> {
        let reply = MMonGetVersionReply::decode(message)?;
        let Some(Ask::Versions(_, answer)) = self.requests.take(reply.handle) else { return Ok(()) };
        answer.put(Ok(MapVersions { newest: reply.newest, oldest: reply.oldest }));
        Ok(())
    }
}
