//! Watching objects, and notifying those who do.

use super::{Options, text};
use crate::error::CliError;
use crate::output;
use axon_rados::Name;
use axon_rados::client::WatchEvent;
use serde_json::json;
use std::time::Duration;

/// `rados watch`: every notification is printed and answered.
pub(super) fn watch(options: &Options, object: &Name, count: Option<u64>) -> Result<(), CliError> {
    let io = options.open()?;
    let watch = io.watch_blocking(object)?;
    output::note(format_args!("watching {}/{object}", io.pool_name()));
    let mut seen = 0;
    while count.is_none_or(|count| seen < count) {
        match watch.next_timeout(Duration::from_secs(3600))? {
            None => {}
            Some(WatchEvent::Notify { id, notifier, payload }) => {
                seen += 1;
                let report = json!({ "notify_id": id, "notifier": notifier });
                match options.json {
                    true => options.tell(&text::with(report, "payload", &payload))?,
                    false => {
                        let said = Name::from(payload);
                        output::print(format_args!("NOTIFY notify_id {id} notifier {notifier}: {said}"))?;
                    }
                }
                watch.ack(id, "").wait()?;
            }
            Some(_) => return Err(CliError::WatchLost { object: object.clone() }),
        }
    }
    Ok(())
}

/// `rados listwatchers`.
pub(super) fn list(options: &Options, object: &Name) -> Result<(), CliError> {
    for watcher in options.open()?.watchers(object).wait()? {
        let (client, cookie) = (watcher.name, watcher.cookie);
        let addr = watcher.addr.map_or_else(|| "-".to_owned(), |addr| addr.to_string());
        match options.json {
            true => options.tell(&json!({
                "watcher": addr, "client": client.to_string(), "cookie": cookie,
            }))?,
            false => output::print(format_args!("watcher={addr} client={client} cookie={cookie}"))?,
        }
    }
    Ok(())
}

/// `rados notify`: prints who answered, and who did not, which is an error as with `rados(8)`.
pub(super) fn notify(options: &Options, object: &Name, message: Name) -> Result<(), CliError> {
    let io = options.open()?;
    let told = io.notify(object, message, options.timeout).wait()?;
    if told.answers.is_empty() && told.missed.is_empty() {
        output::note(format_args!("nobody watches {}/{object}", io.pool_name()));
    }
    for (client, cookie, answer) in &told.answers {
        let report = json!({ "client": client, "cookie": cookie });
        match options.json {
            true => options.tell(&text::with(report, "answer", answer))?,
            false => {
                let said = Name::from(answer.clone());
                output::print(format_args!("reply client.{client} cookie {cookie}: {said}"))?;
            }
        }
    }
    for (client, cookie) in &told.missed {
        match options.json {
            true => options.tell(&json!({ "client": client, "cookie": cookie, "timed_out": true }))?,
            false => output::print(format_args!("timeout client.{client} cookie {cookie}"))?,
        }
    }
    match told.missed.len() {
        0 => Ok(()),
        missed => Err(CliError::Unanswered { object: object.clone(), missed }),
    }
}
