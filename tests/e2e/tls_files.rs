//! Certificates and keys that can't be used: told in words, all at once, before anything starts.

use rcgen::date_time_ymd;

use crate::support::{Authority, Launch};
use crate::tls::{launch, refusal};

const WRONG: [&str; 12] = [
    "--ssl-certfile",
    "absent.pem",
    "--ssl-keyfile",
    "a.example.key",
    "--ssl-certfile",
    "a.example.pem",
    "--ssl-keyfile",
    "b.example.key",
    "--ssl-certfile",
    "old.example.pem",
    "--ssl-keyfile",
    "old.example.key",
];
const WORDS: [&str; 3] = [
    "absent.pem can't be read: No such file",
    "b.example.key: the private key does not belong to the first certificate in a.example.pem",
    "old.example.pem: the certificate of CN=rcgen self signed cert has expired at 2020-01-01",
];

fn wrong(command: &str) -> Launch {
    let authority = Authority::new();
    let launch = Launch::new(&[command]).arguments(WRONG);
    authority.sign("a.example", launch.dir());
    authority.sign("b.example", launch.dir());
    authority.sign_with("old.example", launch.dir(), |params| {
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    launch
}

#[test]
fn everything_that_is_wrong_with_the_files_is_told_at_the_start_and_by_check() {
    for command in ["serve", "check"] {
        let output = wrong(command).run();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{command}: {told}");
        for words in WORDS {
            assert!(told.contains(words), "{command}: {words:?} in {told}");
        }
    }
}

#[test]
fn a_reload_with_bad_files_changes_nothing_and_says_why() {
    let authority = Authority::new();
    let brigade = launch(&authority, &["--workers", "1"]).ready();
    let (port, client) = (brigade.address().port(), authority.client());
    std::fs::write(brigade.dir().join("a.example.key"), "nothing").unwrap();
    let problems = refusal(&brigade);
    assert!(
        problems.contains("a.example.key: there is no private key in it"),
        "{problems}"
    );
    assert!(client.ask(port, "a.example").0.starts_with("HTTP/1.1 200 "));
    brigade.expect("reload.refused");
    brigade.stop_and_check();
}

#[test]
fn a_program_that_gets_the_sockets_is_not_promised_tls() {
    let authority = Authority::new();
    let arguments = [
        "exec",
        "--ssl-certfile",
        "a.example.pem",
        "--ssl-keyfile",
        "a.example.key",
    ];
    let launch = Launch::new(&arguments).arguments(["--", "true"]);
    authority.sign("a.example", launch.dir());
    let output = launch.run();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(78), "{told}");
    assert!(told.contains("speaks no TLS"), "{told}");
}
