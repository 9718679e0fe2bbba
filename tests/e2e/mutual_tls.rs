//! Clients who show certificates: who is let in, and what the app is told of them.

use rcgen::{CertificateParams, DnType, date_time_ymd};

use crate::admin::{answers, metric};
use crate::support::{Authority, Brigade, TlsClient};
use crate::tls::launch;

const NAME: &str = "a.example";

/// What the app sees of a client: the subject of its certificate; none if it is not let in.
fn seen(brigade: &Brigade, client: &TlsClient) -> Option<String> {
    let mut connection = client.connect(brigade.address().port(), NAME);
    let text = connection.get("/peer", "connection: close\r\n").ok()?;
    if text.is_empty() {
        return None;
    }
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    assert!(text.contains("\ntls TLSv1.3\n"), "{text}");
    let subject = text.lines().find_map(|line| line.strip_prefix("subject "));
    subject.map(str::to_owned)
}

fn called(name: &'static str) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.distinguished_name.push(DnType::CommonName, name)
}

#[test]
fn only_who_shows_a_good_certificate_is_let_in_and_the_app_is_told_who_it_is() {
    let (authority, people, strangers) = (Authority::new(), Authority::new(), Authority::new());
    // By what is asked for: what the app sees of somebody without, with a good, a foreign and an
    // expired certificate.
    let nobody = || Some("none".to_owned());
    let alice = || Some("CN=alice".to_owned());
    let cases = [
        ("none", [nobody(), nobody(), nobody(), nobody()]),
        ("optional", [nobody(), alice(), None, None]),
        ("required", [None, alice(), None, None]),
    ];
    for (wanted, expected) in cases {
        let options = ["--workers", "1", "--admin", "127.0.0.1:0"];
        let asks = ["--ssl-cert-reqs", wanted, "--ssl-ca-certs", "people.pem"];
        // Who asks for none has nobody to trust.
        let asks = &asks[..if wanted == "none" { 2 } else { 4 }];
        let launch = launch(&authority, &[&options[..], asks].concat());
        let dir = launch.dir().to_owned();
        people.write("people", &dir);
        people.sign_with("good", &dir, called("alice"));
        strangers.sign_with("foreign", &dir, called("alice"));
        people.sign_with("expired", &dir, |params| {
            called("alice")(params);
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        });
        let brigade = launch.ready();
        answers(&brigade);
        let clients = [
            authority.client(),
            authority.client_with("good", &dir),
            authority.client_with("foreign", &dir),
            authority.client_with("expired", &dir),
        ];
        let seen = clients.each_ref().map(|client| seen(&brigade, client));
        assert_eq!(seen, expected, "{wanted}");
        let refused = expected.iter().filter(|seen| seen.is_none()).count();
        let series = "brigade_tls_handshakes_total{slot=\"0\",outcome=\"failed\"}";
        brigade.until("each is counted", || {
            metric(&brigade, series) == refused as f64
        });
        let told = brigade.events("tls.handshake_failed").len();
        assert_eq!(told, refused.min(1), "{wanted}: told once, not for each");
        brigade.stop_and_check();
    }
}

#[test]
fn a_session_of_a_client_with_a_certificate_resumes_with_it() {
    let (authority, people) = (Authority::new(), Authority::new());
    let asks = [
        "--ssl-ca-certs",
        "people.pem",
        "--ssl-cert-reqs",
        "required",
    ];
    let launch = launch(&authority, &[&["--workers", "2"], &asks[..]].concat());
    let dir = launch.dir().to_owned();
    people.write("people", &dir);
    people.sign_with("good", &dir, called("alice"));
    let brigade = launch.ready();
    let client = authority.client_with("good", &dir);
    for is_resumed in [false, true, true, true] {
        let mut connection = client.connect(brigade.address().port(), NAME);
        let text = connection.get("/peer", "connection: close\r\n").unwrap();
        assert!(text.contains("subject CN=alice\n"), "{text}");
        assert_eq!(connection.is_resumed(), is_resumed);
    }
    brigade.stop_and_check();
}
