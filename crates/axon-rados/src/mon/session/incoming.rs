//! What monitors send.

use super::{Ask, CONFIG, LinkId, MONMAP, Session};
use crate::MonMap;
use crate::mon::Target;
use crate::mon::renewal::AuthRequest;
use crate::msg::{
    MAuthReply, MConfig, MGetPoolStatsReply, MMonCommandAck, MMonGetVersionReply, MMonMap, MMonSubscribeAck,
    MPoolOpReply, MStatFsReply, MessageError, TypedMessage,
};
use axon_denc::Decode;
use axon_wire::Message;

impl Session {
    /// Takes a message of a monitor; `false` if it is not for the session but for the application.
    pub(in crate::mon) fn message(&mut self, link: LinkId, message: &Message) -> bool {
        if !self.is_open(link) {
            return true; // of a connection that no longer counts
        }
        let taken = match message.header.kind {
            MMonMap::KIND => self.mon_map(message),
            MConfig::KIND => self.config(message),
            MAuthReply::KIND => self.auth_reply(message),
            MMonSubscribeAck::KIND => Ok(()),
            MMonGetVersionReply::KIND => self.version_reply(message),
            MMonCommandAck::KIND | MPoolOpReply::KIND | MStatFsReply::KIND | MGetPoolStatsReply::KIND => {
                self.reply(message.header.tid, message);
                Ok(())
            }
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

    /// Its question is named by a handle of its own.
    fn version_reply(&mut self, message: &Message) -> Result<(), MessageError> {
        let handle = MMonGetVersionReply::decode(message)?.handle;
        self.reply(handle, message);
        Ok(())
    }

    /// Takes what answers a question. An answer nobody waits for any more came too late.
    fn reply(&mut self, tid: u64, message: &Message) {
        let Some(open) = &self.open else { return };
        if let Some(asked) = self.requests.take_answered(tid, message.header.kind) {
            asked.answer(message, &open.target);
        }
    }
}
