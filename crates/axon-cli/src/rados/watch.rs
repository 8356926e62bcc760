//! Watching objects, and notifying those who do.

use super::Options;
use crate::error::CliError;
use crate::output;
use axon_rados::client::WatchEvent;
use serde_json::json;
use std::time::Duration;

/// `rados watch`: every notification is printed and answered.
pub(super) fn watch(options: &Options, object: &str, count: Option<u64>) -> Result<(), CliError> {
    let io = options.open()?;
    let watch = io.watch_blocking(object)?;
    output::note(format_args!("watching {}/{object}", options.pool));
    let mut seen = 0;
    while count.is_none_or(|count| seen < count) {
        match watch.next_timeout(Duration::from_secs(3600))? {
            None => {}
            Some(WatchEvent::Notify { id, notifier, payload }) => {
                seen += 1;
                let text = String::from_utf8_lossy(&payload).into_owned();
                match options.json {
                    true => output::print_json(
                        &json!({ "notify_id": id, "notifier": notifier, "payload": text }),
                    )?,
                    false => {
                        output::print(format_args!("NOTIFY notify_id {id} notifier {notifier}: {text}"))?
                    }
                }
                watch.ack(id, "").wait()?;
            }
            Some(_) => return Err(CliError::WatchLost { object: object.to_owned() }),
        }
    }
    Ok(())
}

/// `rados listwatchers`.
pub(super) fn list(options: &Options, object: &str) -> Result<(), CliError> {
    for watcher in options.open()?.watchers(object).wait()? {
        let (client, cookie) = (watcher.name, watcher.cookie);
        let addr = watcher.addr.map_or_else(|| "-".to_owned(), |addr| addr.to_string());
        match options.json {
            true => output::print_json(&json!({
                "watcher": addr, "client": client.to_string(), "cookie": cookie,
            }))?,
            false => output::print(format_args!("watcher={addr} client={client} cookie={cookie}"))?,
        }
    }
    Ok(())
}

/// `rados notify`: prints who answered, and who did not.
pub(super) fn notify(options: &Options, object: &str, message: String) -> Result<(), CliError> {
    let io = options.open()?;
    let told = io.notify(object, message, options.timeout).wait()?;
    if told.answers.is_empty() && told.missed.is_empty() {
        output::note(format_args!("nobody watches {}/{object}", options.pool));
    }
    for (client, cookie, answer) in &told.answers {
        let text = String::from_utf8_lossy(answer);
        match options.json {
            true => output::print_json(&json!({ "client": client, "cookie": cookie, "answer": text }))?,
            false => output::print(format_args!("reply client.{client} cookie {cookie}: {text}"))?,
        }
    }
    for (client, cookie) in &told.missed {
        match options.json {
            true => output::print_json(&json!({ "client": client, "cookie": cookie, "timed_out": true }))?,
            false => output::print(format_args!("timeout client.{client} cookie {cookie}"))?,
        }
    }
    Ok(())
}
