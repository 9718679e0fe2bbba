//! A client and the acceptor, over a pair of pipes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brigade_config::{ClientCertificates, Tls as Config};
use brigade_shared::board::Counter;
use brigade_shared::tickets::TicketKeys;
use rcgen::date_time_ymd;
use rustls::NamedGroup;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::client::TlsStream as ClientStream;

use super::check::{check_at, check_tls};
use super::testing::{Authority, Client, judging, with};
use super::{Addresses, Tls, TlsFacts};
use crate::rig::Rig;

const NOBODY: &str = "10.0.0.1:443";

fn tls(rig: &Rig, config: &Config, keys: &TicketKeys) -> Tls {
    let meter = (rig.station.meter, 0);
    Tls::new(
        config,
        Some(keys.clone()),
        &["http/1.1"],
        Addresses::default(),
        meter,
    )
    .unwrap()
}

type Met = (ClientStream<tokio::io::DuplexStream>, TlsFacts);

/// A handshake, and a byte each way, with which tickets arrive.
async fn meet(tls: &Tls, client: &Client, name: &str) -> Result<Met, String> {
    let (near, far) = duplex(64 << 10);
    let acceptor = tls.acceptor_at(NOBODY.parse().unwrap()).unwrap();
    let (client, server) = tokio::join!(client.connect(name, near), acceptor.accept(far));
    let (mut client, mut server) = match (client, server) {
        (Ok(client), Ok(server)) => (client, server),
        (Err(error), _) | (_, Err(error)) => return Err(error.to_string()),
    };
    server.write_all(b"!").await.unwrap();
    server.flush().await.unwrap();
    let mut byte = [0];
    let got = client.read_exact(&mut byte).await;
    got.map_err(|error| error.to_string())?;
    client.write_all(b"?").await.unwrap();
    client.flush().await.unwrap();
    server.read_exact(&mut byte).await.unwrap();
    let facts = server.facts();
    assert_eq!(server.alpn(), facts.alpn().map(str::as_bytes));
    Ok((client, facts))
}

/// The subject of what the client was shown.
fn shown(client: &ClientStream<tokio::io::DuplexStream>) -> Vec<u8> {
    client.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

fn der(pair: &brigade_config::TlsPair) -> Vec<u8> {
    CertificateDer::from_pem_slice(pair.chain.as_bytes())
        .unwrap()
        .to_vec()
}

#[test]
fn each_name_is_shown_its_certificate_and_strangers_the_first() {
    Rig::paused(async |rig| {
        let authority = Authority::new("root");
        let first = authority.sign(&["a.example", "stranger.example"]);
        let wild = authority.sign(&["*.b.example", "x.b.example"]);
        let exact = authority.sign(&["y.b.example"]);
        let pairs = vec![first.clone(), wild.clone(), exact.clone()];
        let tls = tls(&rig, &with(pairs), &TicketKeys::fresh().unwrap());
        let client = Client::trusting(&authority, None);
        for (name, expected) in [
            ("a.example", &first),
            ("x.b.example", &wild),
            ("z.b.example", &wild),
            ("Y.B.example", &exact),
            ("stranger.example", &first),
        ] {
            let (stream, facts) = meet(&tls, &client, name).await.unwrap();
            assert_eq!(shown(&stream), der(expected), "{name}");
            assert_eq!(facts.server_name(), Some(&*name.to_lowercase()));
            assert_eq!(
                (facts.version(), facts.alpn()),
                ("TLSv1.3", Some("http/1.1"))
            );
        }
        let counts = rig.row().counts;
        assert_eq!(
            counts.get(Counter::TlsFull) + counts.get(Counter::TlsResumed),
            5
        );
        assert_eq!(counts.get(Counter::TlsFailures), 0);
    });
}

#[test]
fn a_session_resumes_in_every_worker_and_across_a_rotation() {
    Rig::paused(async |rig| {
        let authority = Authority::new("root");
        let config = with(vec![authority.sign(&["a.example"])]);
        let keys = TicketKeys::fresh().unwrap();
        let workers = [tls(&rig, &config, &keys), tls(&rig, &config, &keys)];
        let client = Client::trusting(&authority, None);
        let mut resumed = Vec::new();
        for turn in 0..6 {
            let (_, facts) = meet(&workers[turn % 2], &client, "a.example")
                .await
                .unwrap();
            resumed.push(facts.is_resumed());
            if turn == 3 {
                let rotated = keys.rotated().unwrap();
                workers
                    .iter()
                    .for_each(|worker| worker.use_tickets(rotated.clone()));
            }
        }
        assert_eq!(resumed, [false, true, true, true, true, true]);
        assert_eq!(rig.row().counts.get(Counter::TlsResumed), 5);
        let other = tls(&rig, &config, &TicketKeys::fresh().unwrap());
        let (_, facts) = meet(&other, &client, "a.example").await.unwrap();
        assert!(!facts.is_resumed(), "keys of another supervisor");
    });
}

#[test]
fn certificates_change_for_new_connections_only() {
    Rig::paused(async |rig| {
        let authority = Authority::new("root");
        let (old, new) = (
            authority.sign(&["a.example"]),
            authority.sign(&["a.example"]),
        );
        let tls = tls(
            &rig,
            &with(vec![old.clone()]),
            &TicketKeys::fresh().unwrap(),
        );
        let acceptor = tls.acceptor_at(NOBODY.parse().unwrap()).unwrap();
        tls.use_files((*with(vec![new.clone()]).files).clone());
        let client = Client::trusting(&authority, None);
        let (stream, _) = meet(&tls, &client, "a.example").await.unwrap();
        assert_eq!(shown(&stream), der(&new));
        let (near, far) = duplex(64 << 10);
        let client = Client::trusting(&authority, None);
        let (stream, _server) =
            tokio::join!(client.connect("a.example", near), acceptor.accept(far));
        assert_eq!(shown(&stream.unwrap()), der(&old), "it came before");
        let mut broken = old.clone();
        broken.chain.clear();
        tls.use_files((*with(vec![broken]).files).clone());
        let client = Client::trusting(&authority, None);
        let (stream, _) = meet(&tls, &client, "a.example").await.unwrap();
        assert_eq!(
            shown(&stream),
            der(&new),
            "what can't be used changes nothing"
        );
    });
}

#[test]
fn clients_say_who_they_are_if_they_have_to() {
    Rig::paused(async |rig| {
        let (authority, of_clients) = (Authority::new("root"), Authority::new("clients"));
        let pair = authority.sign(&["a.example"]);
        let alice = of_clients.sign(&["alice"]);
        let eve = Authority::new("eve's").sign(&["eve"]);
        let keys = TicketKeys::fresh().unwrap();
        let config = |how| judging(with(vec![pair.clone()]), how, &of_clients);
        let required = tls(&rig, &config(ClientCertificates::Required), &keys);
        let optional = tls(&rig, &config(ClientCertificates::Optional), &keys);
        let client = |own| Client::trusting(&authority, own);
        for worker in [&required, &optional] {
            let (_, facts) = meet(worker, &client(Some(&alice)), "a.example")
                .await
                .unwrap();
            assert_eq!(facts.client_chain().collect::<Vec<_>>(), [&der(&alice)[..]]);
            assert_eq!(facts.client_subject().as_deref(), Some("CN=alice"));
            assert!(
                meet(worker, &client(Some(&eve)), "a.example")
                    .await
                    .is_err()
            );
        }
        assert!(meet(&required, &client(None), "a.example").await.is_err());
        let nobody = client(None);
        let (_, facts) = meet(&optional, &nobody, "a.example").await.unwrap();
        assert_eq!(
            (facts.client_chain().len(), facts.client_subject()),
            (0, None)
        );
        let refused = meet(&required, &nobody, "a.example").await;
        assert!(
            refused.is_err(),
            "a ticket from under other rules opens no door"
        );
        assert_eq!(rig.row().counts.get(Counter::TlsFailures), 4);
    });
}

#[test]
fn who_speaks_plain_http_is_told_so_and_who_says_nothing_is_no_failure() {
    Rig::paused(async |rig| {
        let authority = Authority::new("root");
        let config = with(vec![authority.sign(&["a.example"])]);
        let tls = tls(&rig, &config, &TicketKeys::fresh().unwrap());
        let acceptor = tls.acceptor_at(NOBODY.parse().unwrap()).unwrap();
        let (mut client, far) = duplex(4096);
        client
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        assert!(acceptor.accept(far).await.is_err());
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
        assert!(
            head.ends_with(&format!("content-length: {}", body.len())),
            "{head}"
        );
        assert_eq!(rig.row().counts.get(Counter::TlsFailures), 1);
        let (client, far) = duplex(64);
        drop(client);
        assert!(acceptor.accept(far).await.is_err());
        assert_eq!(rig.row().counts.get(Counter::TlsFailures), 1);
    });
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_in_words() {
    let authority = Authority::new("root");
    let good = authority.sign(&["good"]);
    let (mut swapped, mut empty, mut locked) = (good.clone(), good.clone(), good.clone());
    swapped.key = authority.sign(&["other"]).key;
    empty.chain = "nothing".into();
    locked.key = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n".into();
    let mut no_key = good.clone();
    no_key.key = good.chain.clone();
    let expired = authority.sign_with(&["old"], |params| {
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let mut config = with(vec![swapped, empty, locked, no_key, expired, good.clone()]);
    Arc::make_mut(&mut config.files).client_ca = None;
    config.client_certificates = ClientCertificates::Required;
    let told = check_tls(&config).problems;
    for (told, part) in told.iter().zip([
        "does not belong to",
        "there is no certificate in it",
        "is encrypted",
        "there is no private key in it",
        "no ssl-ca-certs",
        "has expired at 2020-01-01",
    ]) {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(told.len(), 6, "{told:#?}");
    assert_eq!(check_tls(&with(vec![good])), Default::default());
}

/// As `openssl x509 -req` makes it without extensions.
const VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----
MIIBHDCBwwIUCJGv/phWOA8j47XVJQGMfdafEsowCgYIKoZIzj0EAwIwEjEQMA4G
A1UEAwwHVGVzdCBDQTAeFw0yNjExMjIwNTM5MjlaFw0yNjExMjEwNTM5MjlaMBAx
DjAMBgNVBAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELdINM+lg
pzkIVlrdlFuJoLUjvOdZ3OyFa1TFcPuYxCDkBTilSdDo9n4jsc70GUiF4XiyVcJu
MMuw4BeZUj2GijAKBggqhkjOPQQDAgNIADBFAiEA6tqaAsFzHHjIZRtxbb+t7Eek
mGC7VAPCQ1rVJbHSV/QCIEBrkm18Oa90XSKaf76bjb5BRc2AgDVe7gfIsy2Pvt4T
-----END CERTIFICATE-----
";

#[test]
fn a_certificate_without_extensions_is_refused_with_what_to_do() {
    let mut pair = Authority::new("root").sign(&["a"]);
    pair.chain = VERSION_1.into();
    let told = check_tls(&with(vec![pair])).problems;
    assert!(told[0].contains("an old version of X.509"), "{told:?}");
    assert!(told[0].contains("-extfile"), "{told:?}");
}

#[test]
fn what_ends_soon_is_told_in_time() {
    let authority = Authority::new("root");
    let pair = authority.sign_with(&["a"], |params| {
        params.not_before = date_time_ymd(2030, 1, 1);
        params.not_after = date_time_ymd(2030, 3, 1);
    });
    let day = |day: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * day);
    let config = with(vec![pair]);
    // 2030-01-01 is day 21,915.
    let at = |number| check_at(&config, day(number));
    assert!(at(21_914).warnings[0].contains("is not valid before"));
    assert_eq!(at(21_920), Default::default());
    assert!(at(21_965).warnings[0].contains("expires at 2030-03-01"));
    assert!(at(21_974).problems[0].contains("has expired"));
}

#[test]
fn keys_are_exchanged_as_the_library_can_that_was_chosen() {
    Rig::paused(async |rig| {
        let authority = Authority::new("root");
        let config = with(vec![authority.sign(&["a.example"])]);
        let tls = tls(&rig, &config, &TicketKeys::fresh().unwrap());
        let client = Client::trusting(&authority, None);
        let (client, _) = meet(&tls, &client, "a.example").await.unwrap();
        let group = client.get_ref().1.negotiated_key_exchange_group().unwrap();
        let expected = match cfg!(feature = "aws-lc-rs") {
            true => NamedGroup::X25519MLKEM768,
            false => NamedGroup::X25519,
        };
        assert_eq!(group.name(), expected);
    });
}
