use super::*;
use axon_denc::AddrVec;
use std::collections::BTreeMap;
use std::net::IpAddr;

fn host() -> Host {
    Host { name: "node1".into(), pid: 42, home: Some("/home/u".into()), ..Host::default() }
}

fn conf(text: &str) -> Conf {
    Conf::parse(text, Path::new("/etc/ceph/ceph.conf"), host()).unwrap()
}

fn name(text: &str) -> AuthName {
    text.parse().unwrap()
}

/// What `option` is for `entity`.
fn get(text: &str, entity: &str, option: &str) -> Option<String> {
    conf(text).of(&name(entity)).get(option)
}

#[test]
fn printing_shows_no_values() {
    let args = Some("--key AQsecret1".to_owned());
    let mut conf =
        Conf::parse("[global]\nkey = AQsecret2", Path::new("f"), Host { ceph_args: args, ..host() }).unwrap();
    conf.set("key", "AQsecret3");
    let name = name("client.a");
    let printed = format!("{conf:?} {:?} {:?}", conf.of(&name), conf.host);
    assert!(printed.contains("key") && !printed.contains("AQsecret"), "{printed}");
}

/// Each line of the table: a line of a file in `[global]`, `=>`, the value of `x`.
#[test]
fn values() {
    let table = r##"
        x = plain                   => plain
        x=tight                     => tight
        x = two  words              => two  words
        x = value # comment         => value
        x = value ; comment         => value
        x = a#b                     => a
        x = a\#b\;c                 => a#b;c
        x = back\\slash             => back\slash
        x = "quoted # ; text"       => quoted # ; text
        x = 'single "quotes"'       => single "quotes"
        x = "escaped \" quote"      => escaped " quote
        x = " blanks "  # kept      =>  blanks
        x = it's                    => it's
        x =                         =>
        x = a = b                   => a = b
        x = [v2:1.2.3.4:3300/0]     => [v2:1.2.3.4:3300/0]
    "##;
    let rows: Vec<_> = table.lines().filter(|line| line.contains("=>")).collect();
    assert_eq!(rows.len(), 16);
    for row in rows {
        let (line, value) = row.rsplit_once("=>").unwrap();
        let found = get(&format!("[global]\n{line}"), "client.admin", "x").unwrap();
        assert_eq!(found.trim(), value.trim(), "{row}");
    }
    assert_eq!(get("[global]\nx = \" blanks \"", "client.admin", "x").unwrap(), " blanks ");
}

#[test]
fn option_names_have_many_spellings() {
    for spelling in ["mon host", "mon_host", "mon-host", "  mon   host  ", "mon\thost"] {
        let text = format!("[global]\n{spelling} = here");
        for asked in ["mon host", "mon_host", "mon-host"] {
            assert_eq!(get(&text, "client.admin", asked).as_deref(), Some("here"), "{spelling}");
        }
    }
}

#[test]
fn the_most_particular_section_counts() {
    let text = "
        [client.admin]
        a = entity
        [global]
        a = global
        b = global
        c = global
        c = global, later
        [client]
        a = type
        b = type
        [osd.admin]
        a = other
        [global]
        d = in a second section
    ";
    let of = |option| get(text, "client.admin", option);
    assert_eq!(of("a").as_deref(), Some("entity"));
    assert_eq!(of("b").as_deref(), Some("type"));
    assert_eq!(of("c").as_deref(), Some("global, later"));
    assert_eq!(of("d").as_deref(), Some("in a second section"));
    assert_eq!(of("e"), None);
    assert_eq!(get(text, "client.other", "a").as_deref(), Some("type"));
    assert_eq!(get(text, "osd.0", "a").as_deref(), Some("global"));
}

#[test]
fn what_is_set_by_hand_comes_first() {
    let mut conf = conf("[client.admin]\nx = file");
    conf.set("X", "other name");
    conf.set("x", "hand");
    let admin = name("client.admin");
    assert_eq!(conf.of(&admin).get("x").as_deref(), Some("hand"));
    assert_eq!(conf.of(&admin).origin("x").unwrap().to_string(), "command line");
}

#[test]
fn lines_go_on_after_a_backslash() {
    let text = "[global]\nx = one, \\\n  two \\\n  three\n# a comment does not \\\ny = 1\nz = end\\\\\nw = 2";
    assert_eq!(get(text, "client.a", "x").as_deref(), Some("one,   two   three"));
    assert_eq!(get(text, "client.a", "y").as_deref(), Some("1"));
    assert_eq!(get(text, "client.a", "z").as_deref(), Some("end\\"));
    assert_eq!(get(text, "client.a", "w").as_deref(), Some("2"));
    let at = conf(text).of(&name("client.a")).origin("y").unwrap();
    assert_eq!(at.to_string(), "/etc/ceph/ceph.conf:6");
}

#[test]
fn variables() {
    let text = "[global]
        other = O
        circle = x$circle
        path = $data/$cluster.$name.keyring
        data = /var/$type/${id}ing
    ";
    let conf = conf(text);
    let entity = name("osd.3");
    let table = [
        ("$cluster-$type-$id-$name", "ceph-osd-3-osd.3"),
        ("$host:$pid:$home", "node1:42:/home/u"),
        ("${other}wise $other.", "Owise O."),
        ("$path", "/var/osd/3ing/ceph.osd.3.keyring"),
        ("$nothing ${nothing} $ $$ ${open", "$nothing ${nothing} $ $$ ${open"),
        ("100$", "100$"),
        ("$circle", "xxxxxxxx$circle"),
    ];
    for (text, means) in table {
        assert_eq!(conf.of(&entity).expand(text), means, "{text}");
    }
}

#[test]
fn variables_that_multiply_have_a_bound() {
    let many = "$x".repeat(50);
    let expanded = conf(&format!("[global]\nx = {many}")).of(&name("client.a")).expand("$x");
    assert!(expanded.len() < 17_000, "{}", expanded.len());
}

/// Found by fuzzing: the number of variables had a bound, what they came to had none but that times the longest value.
#[test]
fn long_values_that_multiply_have_a_bound() {
    let long = "x".repeat(10_000);
    let expanded = conf(&format!("[global]\nx = {long}$x$x")).of(&name("client.a")).expand("$x");
    assert_eq!(expanded, format!("{long}$x$x"), "the second would be too much");
}

#[test]
fn the_file_names_the_cluster() {
    for (path, cluster) in
        [("/etc/ceph/backup.conf", "backup"), ("x/ceph.conf", "ceph"), ("/tmp/other", "ceph")]
    {
        assert_eq!(Conf::parse("", Path::new(path), host()).unwrap().cluster(), cluster);
    }
}

#[test]
fn syntax_errors_say_where_and_what() {
    let table = [
        ("x = 1", 1, SyntaxProblem::OutsideSection),
        ("[global]\n\nnot an option", 3, SyntaxProblem::NotAnOption),
        ("[global]\n# x = 1\ny # x = 1", 3, SyntaxProblem::NotAnOption),
        ("[global\nx = 1", 1, SyntaxProblem::OpenSection),
        ("[ ]", 1, SyntaxProblem::NamelessSection),
        ("[global] x = 1", 1, SyntaxProblem::AfterSection),
        ("[global]\n = 1", 2, SyntaxProblem::NamelessOption),
        ("[global]\nx = \"open", 2, SyntaxProblem::OpenQuote),
        ("[global]\nx = \"a\" b", 2, SyntaxProblem::AfterQuote),
        ("[global]\na = b \\\nc\nx = 'open", 4, SyntaxProblem::OpenQuote),
    ];
    for (text, expected_line, expected) in table {
        match Conf::parse(text, Path::new("f.conf"), host()) {
            Err(ConfError::Syntax { at, problem }) => {
                assert_eq!((at.line, problem), (expected_line, expected), "{text}");
                assert_eq!(at.path, Path::new("f.conf"));
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    let error = Conf::parse("x = 1", Path::new("f.conf"), host()).unwrap_err();
    let text = "f.conf:1: an option stands before the first section; put [global] above it";
    assert_eq!(error.to_string(), text);
}

struct Names(BTreeMap<&'static str, Vec<&'static str>>);

impl Resolve for Names {
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let ips = self.0.get(host).ok_or(io::ErrorKind::NotFound)?;
        Ok(ips.iter().map(|ip| ip.parse().unwrap()).collect())
    }
}

fn names() -> Names {
    Names(BTreeMap::from([
        ("mon1", vec!["10.0.0.1"]),
        ("mon2.example.com", vec!["10.0.0.2", "fd00::2"]),
        ("v2x", vec!["10.0.0.3"]),
    ]))
}

/// Each line: `mon host`, `=>`, the monitors' addresses.
#[test]
fn mon_host_forms() {
    let table = "
        1.2.3.4                        => [v2:1.2.3.4:3300/0,v1:1.2.3.4:6789/0]
        1.2.3.4:3300                   => v2:1.2.3.4:3300/0
        1.2.3.4:6789                   => v1:1.2.3.4:6789/0
        1.2.3.4:4000                   => [v2:1.2.3.4:4000/0,v1:1.2.3.4:4000/0]
        v2:1.2.3.4                     => v2:1.2.3.4:3300/0
        v1:1.2.3.4                     => v1:1.2.3.4:6789/0
        v1:1.2.3.4:3300                => v1:1.2.3.4:3300/0
        v2:1.2.3.4:4000/7              => v2:1.2.3.4:4000/7
        [v2:1.2.3.4:3300/0,v1:1.2.3.4:6789/0]  => [v2:1.2.3.4:3300/0,v1:1.2.3.4:6789/0]
        [v2:1.2.3.4, v1:1.2.3.4]       => [v2:1.2.3.4:3300/0,v1:1.2.3.4:6789/0]
        [v2:1.2.3.4:5]                 => v2:1.2.3.4:5/0
        [1.2.3.4]                      => [v2:1.2.3.4:3300/0,v1:1.2.3.4:6789/0]
        [::1]                          => [v2:[::1]:3300/0,v1:[::1]:6789/0]
        [::1]:3300                     => v2:[::1]:3300/0
        ::1                            => [v2:[::1]:3300/0,v1:[::1]:6789/0]
        v2:[::1]:4000                  => v2:[::1]:4000/0
        [v2:[::1]:3300/0,v1:[::1]:6789/0]      => [v2:[::1]:3300/0,v1:[::1]:6789/0]
        1.2.3.4,1.2.3.5:3300           => [v2:1.2.3.4:3300/0,v1:1.2.3.4:6789/0] v2:1.2.3.5:3300/0
        1.2.3.4:3300  1.2.3.5:3300     => v2:1.2.3.4:3300/0 v2:1.2.3.5:3300/0
        1.2.3.4:3300; 1.2.3.5:3300     => v2:1.2.3.4:3300/0 v2:1.2.3.5:3300/0
        1.2.3.4:3300, ,1.2.3.4:3300,   => v2:1.2.3.4:3300/0
        [v2:1.2.3.4:1,v1:1.2.3.4:2],[v2:1.2.3.5:1,v1:1.2.3.5:2] => [v2:1.2.3.4:1/0,v1:1.2.3.4:2/0] [v2:1.2.3.5:1/0,v1:1.2.3.5:2/0]
        mon1                           => [v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]
        mon1:3300                      => v2:10.0.0.1:3300/0
        v2:mon1                        => v2:10.0.0.1:3300/0
        v2x:3300                       => v2:10.0.0.3:3300/0
        mon2.example.com:3300          => v2:10.0.0.2:3300/0 v2:[fd00::2]:3300/0
        unknown,mon1:3300              => v2:10.0.0.1:3300/0
    ";
    let rows: Vec<_> = table.lines().filter_map(|row| row.split_once("=>")).collect();
    assert_eq!(rows.len(), 28);
    for (text, means) in rows {
        let found = parse_mon_host(text.trim(), &names()).unwrap_or_else(|e| panic!("{text}: {e}"));
        let expected: Vec<AddrVec> = means.split_whitespace().map(|addrs| addrs.parse().unwrap()).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn mon_host_errors() {
    let table = [
        ("", "no address; write the monitors' addresses, such as 10.0.0.1,10.0.0.2"),
        (" , ", "no address; write the monitors' addresses, such as 10.0.0.1,10.0.0.2"),
        ("[v2:1.2.3.4", "the brackets of '[v2:1.2.3.4' do not match"),
        ("1.2.3.4]", "the brackets of '1.2.3.4]' do not match"),
        ("][", "the brackets of '][' do not match"),
        ("1.2.3.4.5", "'1.2.3.4.5' is neither an address nor a host name"),
        ("1.2.3.4:70000", "'1.2.3.4:70000' is neither an address nor a host name"),
        ("v3:1.2.3.4:1", "'v3:1.2.3.4:1' is neither an address nor a host name"),
        ("mon/1", "'mon/1' is neither an address nor a host name"),
        ("[mon1]", "'[mon1]' is neither an address nor a host name"),
        ("[v2:-,v1:1.2.3.4]", "'[v2:-,v1:1.2.3.4]' is neither an address nor a host name"),
        ("-", "cannot resolve the host name '-'"),
        ("unknown", "cannot resolve the host name 'unknown': entity not found"),
    ];
    for (text, expected) in table {
        let error = parse_mon_host(text, &names()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn mon_host_of_a_file() {
    let admin = name("client.admin");
    let with = conf("[global]\n\nmon host = $host:3300");
    let nodes = Names(BTreeMap::from([("node1", vec!["10.0.0.9"])]));
    let found = with.of(&admin).mon_host_with(&nodes).unwrap();
    assert_eq!(found, ["v2:10.0.0.9:3300/0".parse().unwrap()]);
    let error = with.of(&admin).mon_host_with(&names()).unwrap_err().to_string();
    assert!(
        error.starts_with("/etc/ceph/ceph.conf:3: mon host: cannot resolve the host name 'node1'"),
        "{error}"
    );
    let error = conf("[global]").of(&admin).mon_host().unwrap_err().to_string();
    assert!(error.starts_with("/etc/ceph/ceph.conf does not say where the monitors are"), "{error}");
}

#[test]
fn keyrings_have_usual_places() {
    let paths = |text: &str, entity: &str| {
        let found = conf(text).of(&name(entity)).keyring_paths();
        found.iter().map(|path| path.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        paths("", "client.admin"),
        [
            "/etc/ceph/ceph.client.admin.keyring",
            "/etc/ceph/ceph.keyring",
            "/etc/ceph/keyring",
            "/etc/ceph/keyring.bin"
        ]
    );
    assert_eq!(paths("", "osd.3"), ["/var/lib/ceph/osd/ceph-3/keyring"]);
    assert_eq!(paths("[client]\nkeyring = $home/a, /b/$name", "client.x"), ["/home/u/a", "/b/client.x"]);
    let mut with_env = conf("[global]\nkeyring = /a");
    with_env.host.ceph_keyring = Some("/from/env".into());
    assert_eq!(with_env.of(&name("client.x")).keyring_paths(), [PathBuf::from("/from/env")]);
}

const KEY: &str = "AQD2Vr1mAAAAABAAEjRWeJq83vASNFZ4mrze8A==";

#[test]
fn keys_are_found_where_they_are() {
    let dir = Scratch::new("keys");
    let missing = dir.path("missing");
    let other = dir.write("other", &format!("[client.other]\nkey = {KEY}\n"));
    let broken = dir.write("broken", "[client.a]\nkey = nonsense\n");
    let good = dir.write("good", &format!("[client.a]\n\tkey = {KEY}\n\tcaps mon = \"allow *\"\n"));
    let keyfile = dir.write("keyfile", &format!("{KEY}\n"));
    let key_of = |text: String| conf(&text).of(&name("client.a")).key();
    let expected = KEY.parse::<axon_auth::CryptoKey>().unwrap();

    assert_eq!(key_of(format!("[client]\nkey = {KEY}")).unwrap(), expected);
    assert_eq!(key_of(format!("[client]\nkeyfile = {keyfile}")).unwrap(), expected);
    assert_eq!(key_of(format!("[client]\nkeyring = {missing},{other},{good}")).unwrap(), expected);

    let error = key_of(format!("[client]\nkeyring = {missing},{other},{broken}")).unwrap_err();
    let ConfError::NoKey(no_key) = &error else { panic!("{error:?}") };
    let reasons: Vec<&KeySource> = no_key.tried.iter().map(|(_, reason)| reason).collect();
    assert!(
        matches!(reasons[..], [KeySource::Unreadable(_), KeySource::OtherNames, KeySource::BadKeyring(_)]),
        "{reasons:?}"
    );
    let text = error.to_string();
    assert!(text.starts_with(&format!("no key for client.a: {missing}: ")), "{text}");
    assert!(text.contains("ceph auth get-or-create client.a"), "{text}");
    assert!(!key_of("[client]\nkey = AQ".into()).unwrap_err().to_string().contains("AQ"), "prints no keys");
}

#[test]
fn the_first_file_there_is_counts() {
    let dir = Scratch::new("find");
    let conf = dir.write("some.conf", "[global]\nx = 1");
    let mut host = host();
    host.ceph_conf = Some(conf.clone().into());
    assert_eq!(Conf::find(host.clone()).unwrap().path(), Path::new(&conf));
    host.ceph_conf = Some(dir.path("none.conf").into());
    let error = Conf::find(host.clone()).unwrap_err();
    assert!(error.to_string().contains("none.conf; set CEPH_CONF"), "{error}");
    host.ceph_conf = Some(dir.path("").into());
    assert!(matches!(Conf::find(host.clone()), Err(ConfError::Unreadable { .. })), "a folder is no file");
    host.ceph_conf = None;
    let places = host.conf_places("backup");
    let expected = ["/etc/ceph/backup.conf", "/home/u/.ceph/backup.conf", "backup.conf"];
    assert_eq!(places, expected.map(PathBuf::from));
}

#[test]
fn the_environment_has_arguments() {
    let dir = Scratch::new("args");
    let conf = dir.write("some.conf", "[global]\nx = file\ny = file");
    let mut host = host();
    host.ceph_args = Some(format!("-c {conf} --x args --id reader --cluster blue"));
    host.ceph_conf = Some("/nowhere".into());
    let found = Conf::find(host.clone()).unwrap();
    assert_eq!(found.name(), name("client.reader"));
    assert_eq!(found.cluster(), "blue");
    let reader = found.name();
    let of = |option| found.of(&reader).get(option);
    assert_eq!((of("x").as_deref(), of("y").as_deref()), (Some("args"), Some("file")));
    host.ceph_args = Some("nonsense".into());
    let error = Conf::find(host.clone()).unwrap_err().to_string();
    assert_eq!(error, "CEPH_ARGS: 'nonsense' is no option; write --OPTION VALUE");
    host.ceph_args = None;
    host.ceph_conf = Some(conf.into());
    assert_eq!(Conf::find(host).unwrap().name(), name("client.admin"));
}

#[test]
fn a_command_line_comes_before_the_environment() {
    let dir = Scratch::new("line");
    let named = dir.write("named.conf", "[global]\nx = file\nkeyring = /file");
    let other = dir.write("other.conf", "[global]\nx = other");
    let mut host = host();
    host.ceph_args = Some(format!("-c {other} --x args --id reader --cluster blue -k /args"));
    host.ceph_keyring = Some("/env".into());
    let line = CommandLine { conf: Some(named.into()), cluster: None, name: Some(name("client.me")) };
    let found = Conf::find_with(host.clone(), &line).unwrap();
    assert_eq!((found.name(), found.cluster()), (name("client.me"), "blue"));
    assert_eq!(line.name(&host).unwrap(), Some(name("client.me")));
    assert_eq!(CommandLine::default().name(&host).unwrap(), Some(name("client.reader")));
    let me = found.name();
    assert_eq!(
        found.of(&me).get("x").as_deref(),
        Some("args"),
        "options of the variable count with any file"
    );
    assert_eq!(found.of(&me).keyring_paths(), [PathBuf::from("/args")]);
    host.ceph_args = None;
    let found = Conf::find_with(host.clone(), &line).unwrap();
    assert_eq!(found.of(&me).keyring_paths(), [PathBuf::from("/env")]);

    let line = CommandLine { cluster: Some("no such cluster".into()), ..CommandLine::default() };
    host.home = None;
    host.ceph_args = Some("--x args".into());
    assert!(matches!(Conf::find_with(host.clone(), &line), Err(ConfError::NotFound { .. })));
    let empty = Conf::find_or_empty(host.clone(), &line).unwrap();
    assert_eq!((empty.of(&me).get("x").as_deref(), empty.cluster()), (Some("args"), "no such cluster"));
    host.ceph_args = Some(format!("--conf {}", dir.path("none.conf")));
    let named = Conf::find_or_empty(host, &CommandLine::default());
    assert!(matches!(named, Err(ConfError::NotFound { .. })), "a file that is named must be there");
}

#[test]
fn monitors_may_have_sections_of_their_own() {
    let old = "[mon.b]\nmon addr = 10.0.0.2:3300\n[mon.a]\nmon_addr = 10.0.0.1\n[mon]\nmon addr = 9.9.9.9\n[osd.1]\nmon addr = 9.9.9.9";
    let found = conf(old).of(&name("client.admin")).mon_host().unwrap();
    let expected = ["[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]", "v2:10.0.0.2:3300/0"];
    assert_eq!(found, expected.map(|addrs| addrs.parse::<AddrVec>().unwrap()));
    let both = format!("[global]\nmon host = 10.0.0.3:3300\n{old}");
    let found = conf(&both).of(&name("client.admin")).mon_host().unwrap();
    assert_eq!(found, ["v2:10.0.0.3:3300/0".parse().unwrap()], "mon host comes first");
    let error =
        conf("[mon.a]\nmon addr = 1.2.3").of(&name("client.admin")).mon_host().unwrap_err().to_string();
    assert!(error.starts_with("/etc/ceph/ceph.conf:2: mon addr: '1.2.3' is neither"), "{error}");
}

#[test]
fn this_process_has_a_host() {
    let host = Host::current();
    assert_eq!(host.pid, std::process::id());
    assert!(!host.name.contains(['.', '\n']), "{}", host.name);
}

/// A folder of one test, gone at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("axon-conf-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, file: &str) -> String {
        self.0.join(file).to_str().unwrap().to_owned()
    }

    fn write(&self, file: &str, text: &str) -> String {
        fs::write(self.0.join(file), text).unwrap();
        self.path(file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

mod random {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_never_panic(text in "[\\[\\]a-z=\"'#;\\\\$ {}\n.:0-9,é]{0,200}") {
            if let Ok(conf) = Conf::parse(&text, Path::new("f"), host()) {
                let entity = name("client.a");
                let _ = conf.of(&entity).get("a");
            }
            let _ = conf("").of(&name("client.a")).expand(&text);
            let _ = parse_mon_host(&text, &names());
        }

        #[test]
        fn quoted_values_read_back(value in "[^\r\n]{0,40}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let text = format!("[global]\nx = \"{quoted}\"");
            let conf = conf(&text);
            let entity = name("client.a");
            let unexpanded = !value.contains('$');
            if unexpanded {
                prop_assert_eq!(conf.of(&entity).get("x"), Some(value));
            }
        }
    }
}

#[test]
fn a_monitor_map_comes_before_everything() {
    let found = |text: &str| conf(text).of(&name("client.admin")).monitors_with(&names());
    let nowhere = "[global]\nmonmap = /nowhere/monmap\nmon host = 10.0.0.1";
    let error = found(nowhere).unwrap_err().to_string();
    assert!(error.starts_with("cannot read /nowhere/monmap: "), "{error}");
    let file = std::env::temp_dir().join(format!("axon-monmap-{}", std::process::id()));
    std::fs::write(&file, b"nonsense").unwrap();
    let error = found(&format!("[global]\nmonmap = {}", file.display())).unwrap_err().to_string();
    std::fs::remove_file(&file).unwrap();
    assert!(error.contains("is no monitor map: ") && error.contains("ceph mon getmap"), "{error}");
    let host = found("[global]\nmon host = 10.0.0.1:3300").unwrap();
    assert_eq!((host.mons.len(), host.fsid), (1, None));
    let error = found("[global]\nfsid = x").unwrap_err().to_string();
    assert!(error.contains("does not say where the monitors are") && !error.contains("DNS"), "{error}");
}
