//! Nothing that holds a secret shows it when printed.

use super::{START, admin, talk};
use crate::testing::{TestClock, ToyMonitor};
use crate::{Entropy, KeyType, Keyring, Mode, Principal, RotatingStore, Surroundings, TicketStore, Verifier};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use axon_denc::EntityType;
use core::fmt::Debug;

/// Makes every secret, nonce and challenge of the same byte, 0xa5.
struct Constant;

impl Entropy for Constant {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill(0xa5);
    }
}

/// The byte as it would show: in a list, in hexadecimal, in base64 (three alignments), as a 64-bit number.
const TRACES: [&str; 7] = ["165", "a5a5", "A5A5", "paWlpaWl", "WlpaWlpa", "lpaWlpaW", "11936128518282651045"];

fn hidden(value: &dyn Debug) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        for trace in TRACES {
            assert!(!text.contains(trace), "{trace} in {text}");
        }
    }
}

/// The traces above are what an unguarded secret leaves.
#[test]
fn the_traces_would_be_found() {
    let exposed = format!("{:?}", [0xa5u8; 16]);
    assert!(exposed.contains(TRACES[0]));
    let key = crate::CryptoKey::new(KeyType::Aes, Default::default(), &[0xa5; 16]).unwrap();
    let text: String = key.to_keyring_text().as_str().into();
    assert!(TRACES[3..6].iter().any(|trace| text.contains(trace)));
}

#[test]
fn printing_shows_no_secret() {
    for kind in [KeyType::Aes, KeyType::Aes256k] {
        let clock = TestClock::at(START);
        let shown = clock.clone();
        let entropy = || Box::new(Constant) as Box<dyn Entropy>;
        let surroundings = Surroundings::new(move || shown.now(), entropy);
        let monitor = ToyMonitor::new(kind, surroundings.clone());
        let caps = [(EntityType::Mon, "allow *"), (EntityType::Osd, "allow *")];
        let key = monitor.create(admin(), kind, &caps);
        hidden(&key);

        let text = format!("[client.admin]\nkey = {}\n", *key.to_keyring_text());
        hidden(&text.parse::<Keyring>().unwrap());
        hidden(&text.replace("= ", "= !").parse::<Keyring>().unwrap_err());
        hidden(&text.replace("key =", "key ").parse::<Keyring>());

        let client = Principal::new(admin(), TicketStore::default(), surroundings.clone());
        let client_key = key.clone();
        let client = client.with_key(key);
        hidden(&talk(&client, EntityType::Mon, &monitor, Mode::SECURE).unwrap());
        hidden(&client);
        hidden(client.tickets());
        client.tickets().with(|tickets| {
            hidden(tickets);
            hidden(tickets.get(EntityType::Osd).unwrap());
        });

        let osd = Verifier::new(EntityType::Osd, RotatingStore::default(), surroundings);
        osd.secrets().replace(monitor.secrets(EntityType::Osd));
        hidden(&monitor.secrets(EntityType::Osd));
        hidden(&osd.clone().with_mon_secret(client_key));
        hidden(osd.secrets());
        let outcome = talk(&client, EntityType::Osd, &osd, Mode::SECURE).unwrap();
        hidden(&outcome.client);
        hidden(&outcome);
    }
}
