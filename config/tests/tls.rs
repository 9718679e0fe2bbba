//! Certificates, keys and clients: what is read, and what does not fit together.

#[path = "common/said.rs"]
mod common;

use std::path::PathBuf;

use brigade_config::{Bind, ClientCertificates, Config};
use common::{Said, effective, read};

fn flags<'a>(flags: &'a [&'a str]) -> Said<'a> {
    Said {
        flags,
        ..Said::default()
    }
}

fn config(words: &[&str]) -> Config {
    let loaded = read(flags(words));
    loaded
        .unwrap_or_else(|problems| panic!("{problems}"))
        .config
}

fn paths<const N: usize>(names: [&str; N]) -> [PathBuf; N] {
    names.map(PathBuf::from)
}

fn problem(words: &[&str]) -> String {
    let problems = read(flags(words)).unwrap_err();
    problems.iter().map(|one| one.what().to_owned()).collect()
}

#[test]
fn certificates_and_keys_pair_up_in_their_order() {
    let words = "--ssl-certfile a.pem --ssl-keyfile a.key --ssl-certfile b.pem --ssl-keyfile b.key";
    let words: Vec<&str> = words.split(' ').collect();
    let tls = config(&words).worker.tls;
    assert!(tls.is_on());
    assert_eq!(tls.certificates, paths(["a.pem", "b.pem"]));
    assert_eq!(tls.keys, paths(["a.key", "b.key"]));
    assert!(!config(&[]).worker.tls.is_on());
}

#[test]
fn a_stronger_layer_replaces_the_whole_list() {
    let said = Said {
        flags: &["--ssl-certfile", "c.pem"],
        environment: &[("UVICORN_SSL_CERTFILE", "b.pem")],
        file: Some("ssl-certfile = ['a.pem', 'b.pem']"),
    };
    let (value, origin) = effective(said, "ssl-certfile");
    assert_eq!(
        (value.as_str(), origin.contains("--ssl-certfile")),
        ("c.pem", true)
    );
}

#[test]
fn an_insecure_address_stands_beside_the_others() {
    let words = [
        "--ssl-certfile",
        "a",
        "--insecure-bind",
        "0.0.0.0:80",
        "--port",
        "443",
    ];
    let supervisor = config(&words).supervisor;
    let all: Vec<String> = supervisor
        .all_binds()
        .map(|bind: &Bind| bind.to_string())
        .collect();
    assert_eq!(all, ["127.0.0.1:443", "0.0.0.0:80"]);
    let twice = ["--ssl-certfile", "a", "--insecure-bind", "127.0.0.1:8000"];
    assert!(problem(&twice).contains("given twice"));
}

#[test]
fn words_of_other_servers_mean_the_same() {
    let words = [
        "--ssl-certfile",
        "a",
        "--ssl-cert-reqs",
        "2",
        "--ssl-ca-certs",
        "b",
    ];
    let tls = config(&words).worker.tls;
    assert_eq!(tls.client_certificates, ClientCertificates::Required);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    for (words, what) in [
        (
            &[
                "--ssl-certfile",
                "a",
                "--ssl-keyfile",
                "b",
                "--ssl-keyfile",
                "c",
            ][..],
            "2 of `ssl-keyfile` and 1 of `ssl-certfile`",
        ),
        (
            &["--ssl-certfile", "a", "--ssl-cert-reqs", "required"],
            "nobody is named",
        ),
        (
            &["--ssl-certfile", "a", "--ssl-ca-certs", "b"],
            "no client is asked",
        ),
        (&["--insecure-bind", "0.0.0.0:80"], "without a certificate"),
        (&["--ssl-ocsp", "a"], "without a certificate"),
        (
            &["--ssl-certfile", "a", "--insecure-bind", "unix:/a"],
            "never speaks TLS",
        ),
    ] {
        let told = problem(words);
        assert!(told.contains(what), "{words:?}: {told}");
    }
}
