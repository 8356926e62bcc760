use super::*;
use alloc::format;
use alloc::string::ToString;
use axon_denc::EntityType;

const KEY: &str = "AQAAXANr5RfEKxAAy+HeCrGX1IqCYIUk3G0gHQ==";

fn name(text: &str) -> AuthName {
    text.parse().unwrap()
}

#[test]
fn reads_what_ceph_writes() {
    let text = format!(
        "# made by hand\n[mon.]\n\tkey = {KEY}\n\tcaps mon = \"allow *\"\n\n[client.admin] ; boss\r\n\tauid = 0\r\n\
         \tcaps mds = \"allow *\"\n\tcaps osd = allow rwx pool=\"a#b\" # all of it\n\tkey=\"{KEY}\"\r\n"
    );
    let keyring: Keyring = text.parse().unwrap();
    assert_eq!(keyring.iter().count(), 2);
    let admin = keyring.get(&name("client.admin")).unwrap();
    assert_eq!(*admin.key.to_keyring_text(), KEY);
    assert_eq!(admin.caps["mds"], "allow *");
    assert_eq!(admin.caps["osd"], "allow rwx pool=\"a#b\"");
    assert!(keyring.key(&name("mon.")).is_ok());
}

#[test]
fn a_missing_name_says_what_to_do() {
    let keyring: Keyring = format!("[mon.]\nkey = {KEY}").parse().unwrap();
    let wanted = AuthName::new(EntityType::Client, "x");
    let error = keyring.key(&wanted).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no key for client.x: name a keyring that holds [client.x], or pass its key"
    );
}

#[test]
fn errors_name_the_line_and_hide_it() {
    let broken = &KEY[..KEY.len() - 5];
    let cases = [
        (format!("[mon.]\nkey = {KEY}\n[client.a\n"), 3, KeyringProblem::OpenSection),
        (format!("key = {KEY}\n"), 1, KeyringProblem::OutsideSection),
        (format!("[admin]\nkey = {KEY}"), 1, KeyringProblem::Name(BadAuthName)),
        (format!("[mon.]\n\n{KEY_BARE}\n"), 3, KeyringProblem::NotAnOption),
        (format!("[mon.]\nkey = {broken}"), 2, KeyringProblem::Key(BadKey::NotBase64)),
        (format!("[mon.]\nkey = {KEY}\n[osd.0]\n"), 3, KeyringProblem::NoKey),
    ];
    for (text, line, problem) in cases {
        let error = text.parse::<Keyring>().unwrap_err();
        assert_eq!(error, BadKeyring { line, problem }, "{text}");
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains("AQAAX"), "{shown}");
        }
        assert!(error.to_string().starts_with(&format!("keyring line {line}: ")));
    }
}

/// A key where an option should be.
const KEY_BARE: &str = "AQAAXANr5RfEKxAAy+HeCrGX1IqCYIUk3G0gHQ";

#[test]
fn an_empty_file_is_an_empty_keyring() {
    assert_eq!("".parse::<Keyring>(), Ok(Keyring::default()));
}
