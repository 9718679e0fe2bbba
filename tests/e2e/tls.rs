//! TLS as clients see it: certificates, sessions, and what a reload, a crash or an upgrade changes.

use std::collections::BTreeSet;
use std::fs;

use nix::sys::signal::Signal;
use rcgen::SanType;

use crate::support::{Authority, Brigade, Launch, Need, TlsClient, certificate, lacks};
use crate::upgrade::{replace, upgraded};

const NAME: &str = "a.example";
const FILES: [&str; 4] = [
    "--ssl-certfile",
    "a.example.pem",
    "--ssl-keyfile",
    "a.example.key",
];

/// With a certificate in its directory.
pub(crate) fn launch(authority: &Authority, options: &[&str]) -> Launch {
    let arguments = [&["serve"], &FILES[..], options].concat();
    let launch = Launch::new(&arguments);
    authority.sign(NAME, launch.dir());
    launch
}

/// A reload that is refused: why.
pub(crate) fn refusal(brigade: &Brigade) -> String {
    let mark = brigade.signal_heard(Signal::SIGHUP);
    let refused = brigade.wait_after(mark, "reload.refused", |_| true);
    refused.text("problems").to_owned()
}

fn processes(brigade: &Brigade) -> BTreeSet<i32> {
    brigade
        .workers()
        .iter()
        .map(|worker| worker.process.0)
        .collect()
}

/// So many of a hundred connections resume a session, and all are answered.
fn resumed(client: &TlsClient, port: u16) -> usize {
    let come_back = || {
        let (answer, is_resumed) = client.ask(port, NAME);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        is_resumed
    };
    (0..100).filter(|_| come_back()).count()
}

#[test]
fn an_address_speaks_tls_and_an_insecure_one_beside_it_does_not() {
    let authority = Authority::new();
    let options = [
        "--workers",
        "2",
        "--bind",
        "127.0.0.1:0",
        "--bind",
        "unix:a.sock",
    ];
    let options = [&options[..], &["--insecure-bind", "127.0.0.1:0"]].concat();
    let brigade = launch(&authority, &options).ready();
    let told = brigade.events("supervisor.listening");
    let told: Vec<&str> = told.iter().map(|event| event.text("address")).collect();
    assert!(told[0].starts_with("https://127.0.0.1:"), "{told:?}");
    assert_eq!(told[1], "unix:a.sock");
    assert!(told[2].starts_with("http://127.0.0.1:"), "{told:?}");
    let addresses = brigade.addresses();
    let client = authority.client();
    for _ in 0..8 {
        let mut connection = client.connect(addresses[0].port(), NAME);
        for _ in 0..3 {
            let answer = connection.ask("");
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
        assert_eq!(connection.certificate(), certificate(brigade.dir(), NAME));
        connection.ask("connection: close\r\n");
        assert!(connection.ends_well());
    }
    for plain in &addresses[1..] {
        let mut connection = crate::support::Connection::open(plain).unwrap();
        assert_eq!(connection.get("/").unwrap().status, 200);
    }
    let mut mistaken = crate::support::Connection::open(&addresses[0]).unwrap();
    assert_eq!(
        mistaken.get("/").unwrap().status,
        400,
        "http:// at an address of https://"
    );
    brigade.expect("tls.handshake_failed");
    brigade.stop_and_check();
}

#[test]
fn the_admin_address_is_one_and_an_insecure_one_is_not_another() {
    let authority = Authority::new();
    let options = ["--admin", "127.0.0.1:0", "--insecure-bind", "127.0.0.1:0"];
    let brigade = launch(
        &authority,
        &[&["--bind", "127.0.0.1:0"], &options[..]].concat(),
    )
    .ready();
    let admin = brigade.events("admin.listening");
    assert_eq!(admin.len(), 1, "{admin:?}");
    let insecure = &brigade.addresses()[1];
    let mut connection = crate::support::Connection::open(insecure).unwrap();
    assert_eq!(connection.get("/metrics").unwrap().status, 404, "the app's");
    brigade.stop_and_check();
}

#[test]
fn every_name_gets_its_own_certificate_and_an_unknown_one_the_first() {
    let authority = Authority::new();
    let more = ["b.example", "wild"].map(|name| {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        [
            "--ssl-certfile".to_owned(),
            certificate,
            "--ssl-keyfile".to_owned(),
            key,
        ]
    });
    let launch = launch(&authority, &["--workers", "1"]).arguments(more.concat());
    let dir = launch.dir().to_owned();
    authority.sign("b.example", &dir);
    authority.sign_with("wild", &dir, |params| {
        params.subject_alt_names = vec![SanType::DnsName("*.shop.example".try_into().unwrap())];
    });
    let brigade = launch.ready();
    let port = brigade.address().port();
    for (name, shown) in [
        (NAME, NAME),
        ("b.example", "b.example"),
        ("soup.shop.example", "wild"),
    ] {
        let mut connection = authority.client().connect(port, name);
        let answer = connection.ask("connection: close\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(connection.certificate(), certificate(&dir, shown), "{name}");
    }
    // The client sees by it that it has come to the wrong house.
    let mut lost = authority.client().connect(port, "c.example");
    let error = lost.get("/", "").unwrap_err().to_string();
    assert!(
        error.contains("only valid for DnsName(\"a.example\")"),
        "{error}"
    );
    brigade.expect("tls.handshake_failed");
    brigade.stop_and_check();
}

#[test]
fn sessions_resume_on_any_worker_and_across_crashes_and_reloads() {
    let authority = Authority::new();
    let brigade = launch(&authority, &["--workers", "8"]).ready();
    let (port, client) = (brigade.address().port(), authority.client());
    let first = client.ask(port, NAME);
    assert!(!first.1);
    let mut all = resumed(&client, port);
    let mark = brigade.signal_heard(Signal::SIGHUP);
    brigade.wait_after(mark, "reload.done", |event| event.is("generation", 2));
    brigade.only(2);
    all += resumed(&client, port);
    brigade.kill(brigade.worker(3), Signal::SIGKILL);
    brigade.wait_after(mark, "worker.ready", |event| {
        event.is("slot", 3) && event.is("generation", 2) && event.pid() != 0
    });
    all += resumed(&client, port);
    assert!(all >= 285, "{all} of 300 came back to their session");
    let served = brigade.workers().len();
    assert_eq!(served, 8);
    brigade.stop_and_check();
}

#[test]
fn sessions_outlive_an_upgrade_in_place() {
    let authority = Authority::new();
    let brigade = launch(&authority, &["--workers", "2"])
        .copied_as("DIR/brigade")
        .ready();
    let (port, client) = (brigade.address().port(), authority.client());
    client.ask(port, NAME);
    replace(&brigade);
    let generation = upgraded(&brigade);
    brigade.only(generation);
    assert!(resumed(&client, port) >= 95);
    brigade.stop_and_check();
}

#[test]
fn keys_of_sessions_change_and_the_last_ones_still_open() {
    let authority = Authority::new();
    let options = ["--workers", "2", "--ssl-ticket-rotation", "1s"];
    let brigade = launch(&authority, &options).ready();
    let (port, client) = (brigade.address().port(), authority.client());
    client.ask(port, NAME);
    brigade.wait_for("tls.tickets_rotated", |event| event.is("workers", 2));
    let (_, is_resumed) = client.ask(port, NAME);
    assert!(is_resumed, "one rotation later");
    let stale = authority.client();
    stale.ask(port, NAME);
    for _ in 0..2 {
        let mark = brigade.mark();
        brigade.wait_after(mark, "tls.tickets_rotated", |_| true);
    }
    let (answer, is_resumed) = stale.ask(port, NAME);
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && !is_resumed,
        "its key is forgotten"
    );
    brigade.stop_and_check();
}

#[test]
fn a_reload_of_certificates_alone_replaces_no_worker() {
    let authority = Authority::new();
    let brigade = launch(&authority, &["--workers", "2"]).ready();
    let (port, client) = (brigade.address().port(), authority.client());
    let old = certificate(brigade.dir(), NAME);
    let mut open = client.connect(port, NAME);
    open.ask("");
    let before = processes(&brigade);
    authority.sign(NAME, brigade.dir());
    let mark = brigade.signal_heard(Signal::SIGHUP);
    let done = brigade.wait_after(mark, "reload.done", |_| true);
    assert_eq!(done.text("only"), "certificates");
    assert!(done.is("generation", 1));
    let new = certificate(brigade.dir(), NAME);
    assert_ne!(old, new);
    brigade.until("every worker shows the new one", || {
        (0..8).all(|_| {
            let mut connection = authority.client().connect(port, NAME);
            connection.ask("connection: close\r\n");
            connection.certificate() == new
        })
    });
    assert_eq!(processes(&brigade), before);
    assert!(
        open.ask("").starts_with("HTTP/1.1 200 "),
        "what is open stays"
    );
    assert_eq!(open.certificate(), old);
    assert!(!brigade.has_after(mark, "reload.started"));
    // Whoever is born later has the new one, too.
    brigade.kill(brigade.worker(0), Signal::SIGKILL);
    brigade.wait_after(mark, "worker.ready", |event| event.is("slot", 0));
    for _ in 0..8 {
        let mut connection = authority.client().connect(port, NAME);
        connection.ask("connection: close\r\n");
        assert_eq!(connection.certificate(), new);
    }
    // With nothing changed it is a reload like any other.
    let mark = brigade.signal_heard(Signal::SIGHUP);
    brigade.wait_after(mark, "reload.done", |event| event.is("generation", 2));
    drop(open);
    brigade.only(2);
    brigade.stop_and_check();
}

#[test]
fn workers_need_not_be_able_to_read_the_key() {
    if lacks(Need::Root) {
        return;
    }
    let authority = Authority::new();
    let options = ["--workers", "2", "--user", "nobody"];
    let launch = launch(&authority, &options);
    let key = launch.dir().join("a.example.key");
    let only_root = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(key, only_root).unwrap();
    let brigade = launch.ready();
    let (port, client) = (brigade.address().port(), authority.client());
    assert_eq!(
        brigade
            .worker(0)
            .process
            .status("Uid")
            .split_whitespace()
            .next(),
        Some("65534")
    );
    assert!(client.ask(port, NAME).0.starts_with("HTTP/1.1 200 "));
    authority.sign(NAME, brigade.dir());
    let mark = brigade.signal_heard(Signal::SIGHUP);
    let done = brigade.wait_after(mark, "reload.done", |_| true);
    assert_eq!(done.text("only"), "certificates");
    assert!(client.ask(port, NAME).0.starts_with("HTTP/1.1 200 "));
    brigade.stop_and_check();
}

#[test]
fn whoever_has_connected_before_a_stop_still_shakes_hands_and_is_answered() {
    let authority = Authority::new();
    let options = ["--workers", "1", "--timeout-lame-duck", "20s"];
    let brigade = launch(&authority, &options).ready();
    let client = authority.client();
    let mut late = client.connect(brigade.address().port(), NAME);
    // Accepted before that one.
    client.ask(brigade.address().port(), NAME);
    brigade.signal_heard(Signal::SIGTERM);
    brigade.refuses();
    let answer = late.ask("");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(late.ends_well());
    brigade.ended(0);
}
