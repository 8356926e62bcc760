//! What monitors send.

use super::{Ask, CONFIG, LinkId, Session, hunting};
use crate::mon::renewal::AuthRequest;
use crate::msg::{
    MAuthReply, MConfig, MGetPoolStatsReply, MMonCommandAck, MMonGetVersionReply, MMonMap, MMonSubscribeAck,
    MPoolOpReply, MStatFsReply, MessageError, TypedMessage,
};
use axon_wire::Message;
use std::time::{Duration, Instant};

/// The types of messages that are the session's, none of which is anybody else's business.
const OURS: [u16; 8] = [
    MMonMap::KIND,
    MMonSubscribeAck::KIND,
    MConfig::KIND,
    MAuthReply::KIND,
    MMonGetVersionReply::KIND,
    MMonCommandAck::KIND,
    MPoolOpReply::KIND,
    MStatFsReply::KIND,
];

/// Whether messages of this type are the session's when they come from a monitor.
pub(in crate::mon) fn is_ours(kind: u16) -> bool {
    OURS.contains(&kind) || kind == MGetPoolStatsReply::KIND
}

impl Session {
    /// Takes a message of a monitor; `false` if it is not for the session but for the application.
    pub(in crate::mon) fn message(&mut self, link: LinkId, message: &Message, now: Instant) -> bool {
        if !self.is_open(link) {
            self.message_aside(link, message, now);
            return true;
        }
        let taken = match message.header.kind {
            MMonMap::KIND => self.mon_map(message, now),
            MConfig::KIND => self.config(message),
            MAuthReply::KIND => self.auth_reply(message),
            MMonSubscribeAck::KIND => self.subscribe_ack(message, now),
            kind if is_ours(kind) => self.reply(link, message),
            _ => return false,
        };
        if let Err(error) = taken {
            tracing::warn!(monitor = self.target().map(tracing::field::display), %error, "message of the monitor ignored");
        }
        true
    }

    /// A message on another connection than the open one: a map of a monitor on trial, or an answer on the connection
    /// that was open before.
    fn message_aside(&mut self, link: LinkId, message: &Message, now: Instant) {
        if self.try_message(link, message, now) {
            return;
        }
        let is_retiring = self.retiring.as_ref().is_some_and(|(retiring, _)| *retiring == link);
        if is_retiring && is_ours(message.header.kind) {
            let _ = self.reply(link, message); // says itself what is wrong to whoever waits
        }
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

    /// Answers the questions whose answer has come without a message of its own.
    pub(super) fn answer_known(&mut self) {
        let has_secrets = self.renewal.has_secrets();
        let is_known = |ask: &Ask| match ask {
            Ask::MonMap(_) => true,
            Ask::Secrets(_) => has_secrets,
            Ask::Query(_) => false,
        };
        if self.monmap.is_some() {
            for ask in self.requests.take_where(is_known) {
                self.answer_at_once(ask);
            }
        }
    }

    fn mon_map(&mut self, message: &Message, now: Instant) -> Result<(), MessageError> {
        let map = hunting::read_map(message)?;
        self.take_map(map);
        self.leave_removed(now);
        Ok(())
    }

    fn config(&mut self, message: &Message) -> Result<(), MessageError> {
        self.options = MConfig::decode(message)?.options;
        self.got(CONFIG, 0);
        Ok(())
    }

    fn subscribe_ack(&mut self, message: &Message, now: Instant) -> Result<(), MessageError> {
        let interval = MMonSubscribeAck::decode(message)?.interval;
        if let Some(open) = self.open.as_mut().filter(|_| interval > 0) {
            open.resubscribe_within(Duration::from_secs(interval.into()), now);
        }
        Ok(())
    }

    fn auth_reply(&mut self, message: &Message) -> Result<(), MessageError> {
        let reply = MAuthReply::decode(message)?;
        let Some(request) = self.open.as_mut().and_then(|open| open.take_awaited()) else { return Ok(()) };
        match self.renewal.apply(request, &reply) {
            Ok(()) => tracing::debug!(?request, "renewed"),
            Err(error) => tracing::warn!(
                monitor = self.target().map(tracing::field::display),
                ?request, %error, text = reply.text, "not renewed"
            ),
        }
        if request == AuthRequest::Secrets {
            self.answer_known();
        }
        Ok(())
    }

    /// Takes what answers a question. An answer that nobody waits for any more came too late.
    fn reply(&mut self, link: LinkId, message: &Message) -> Result<(), MessageError> {
        let tid = match message.header.kind {
            MMonGetVersionReply::KIND => MMonGetVersionReply::decode(message)?.handle, // its tid, in its own words
            _ => message.header.tid,
        };
        let open = self.open.as_ref().map(|open| (open.link, &open.target));
        let retiring = self.retiring.as_ref().map(|(link, target)| (*link, target));
        let monitor = [open, retiring].into_iter().flatten().find(|(id, _)| *id == link);
        if let Some((_, monitor)) = monitor
            && let Some(asked) = self.requests.take_answered(tid, link, message.header.kind)
        {
            asked.answer(message, monitor);
            self.open.iter_mut().filter(|open| open.link == link).for_each(|open| open.served = true);
        }
        Ok(())
    }
}
