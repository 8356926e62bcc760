//! Tickets that monitors make for each other: no ticket server stands above them, only a key they share.

use super::ticket::TicketBlob;
use super::ticket_info::{AuthTicket, Caps, TicketInfo};
use super::tickets::Ticket;
use crate::cipher::{KeyUsage, seal};
use crate::{AuthError, AuthName, CryptoKey, Surroundings};
use core::time::Duration;

/// As monitors make them (Ceph: `auth_mon_ticket_ttl`).
const VALIDITY: Duration = Duration::from_secs(72 * 3600);

/// A ticket for service MON made with `shared`, good for whoever holds `shared`.
pub(crate) fn self_issued(
    name: AuthName,
    shared: &CryptoKey,
    surroundings: &Surroundings,
) -> Result<Ticket, AuthError> {
    let clock = &*surroundings.clock;
    let mut entropy = surroundings.entropy.entropy();
    let session_key = CryptoKey::generate(shared.kind(), clock, &mut *entropy);
    let now = clock.now();
    let info = TicketInfo {
        ticket: AuthTicket {
            name,
            global_id: 0,
            created: now,
            expires: now.saturating_add(VALIDITY),
            caps: Caps { allow_all: true, ..Caps::default() },
            flags: 0,
        },
        session_key,
    };
    let blob = TicketBlob {
        secret_id: TicketBlob::SHARED_SECRET,
        blob: seal(shared, KeyUsage::TicketInfo, &mut *entropy, &info)?,
    };
    Ok(Ticket::new(info.session_key, blob, VALIDITY, now))
}
