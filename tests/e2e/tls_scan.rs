//! TLS as those see it who look for weaknesses (sslscan), and a stapled OCSP response.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use rcgen::SerialNumber;

use crate::support::{Authority, Brigade, Need, lacks};
use crate::tls::{launch, refusal};

/// What sslscan says of the address.
fn scan(brigade: &Brigade, options: &[&str]) -> String {
    let port = brigade.address().port();
    let output = Command::new("sslscan")
        .args(["--no-colour", "--sni-name=a.example"])
        .args(options)
        .arg(format!("127.0.0.1:{port}"))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn has(report: &str, line: &str) -> bool {
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    report
        .lines()
        .any(|found| words(found).starts_with(&words(line)))
}

fn ciphers(report: &str) -> Vec<&str> {
    let of_cipher = |line: &&str| line.starts_with("Preferred") || line.starts_with("Accepted");
    report
        .lines()
        .filter(of_cipher)
        .filter_map(|line| line.split_whitespace().nth(4))
        .collect()
}

#[test]
fn a_scanner_finds_nothing_old_and_nothing_weak() {
    if lacks(Need::SslScan) {
        return;
    }
    let authority = Authority::new();
    let brigade = launch(&authority, &["--workers", "1"]).ready();
    let report = scan(&brigade, &[]);
    for line in [
        "SSLv2 disabled",
        "SSLv3 disabled",
        "TLSv1.0 disabled",
        "TLSv1.1 disabled",
        "TLSv1.2 enabled",
        "TLSv1.3 enabled",
        "Session renegotiation not supported",
        "TLSv1.3 not vulnerable to heartbleed",
        "TLSv1.2 not vulnerable to heartbleed",
    ] {
        assert!(has(&report, line), "{line:?} in {report}");
    }
    let found = ciphers(&report);
    let authenticated = |name: &&str| name.contains("GCM") || name.contains("CHACHA20");
    let secret_for_ever = |name: &&str| name.starts_with("TLS_") || name.starts_with("ECDHE-");
    assert_eq!(found.len(), 6, "{report}");
    assert!(found.iter().all(authenticated), "{report}");
    assert!(found.iter().all(secret_for_ever), "{report}");
    brigade.expect("tls.handshake_failed");
    brigade.stop_and_check();
}

#[test]
fn nothing_but_the_newest_version_is_spoken_if_nothing_else_shall_be() {
    if lacks(Need::SslScan) {
        return;
    }
    let authority = Authority::new();
    let options = ["--workers", "1", "--ssl-min-version", "1.3"];
    let brigade = launch(&authority, &options).ready();
    let report = scan(&brigade, &[]);
    assert!(has(&report, "TLSv1.2 disabled"), "{report}");
    assert!(has(&report, "TLSv1.3 enabled"), "{report}");
    assert_eq!(ciphers(&report).len(), 3, "{report}");
    brigade.expect("tls.handshake_failed");
    brigade.stop_and_check();
}

/// Has OpenSSL answer for the authority that the certificate is good.
fn respond(dir: &Path) {
    let openssl = |words: &str| {
        let mut command = Command::new("openssl");
        let output = command
            .args(words.split(' '))
            .current_dir(dir)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let mut index = String::new();
    writeln!(index, "V\t391231235959Z\t\t1234\tunknown\t/CN=a.example").unwrap();
    std::fs::write(dir.join("index.txt"), index).unwrap();
    openssl("ocsp -issuer root.pem -cert a.example.pem -reqout question.der -no_nonce");
    openssl(
        "ocsp -index index.txt -rsigner root.pem -rkey root.key -CA root.pem -reqin question.der -respout answer.der -ndays 3",
    );
}

#[test]
fn an_ocsp_response_is_stapled_to_its_certificate() {
    if lacks(Need::SslScan) {
        return;
    }
    let authority = Authority::new();
    let launch = launch(&authority, &["--workers", "1", "--ssl-ocsp", "answer.der"]);
    let dir = launch.dir().to_owned();
    authority.write("root", &dir);
    authority.sign_with("a.example", &dir, |params| {
        params.serial_number = Some(SerialNumber::from(0x1234_u64));
    });
    respond(&dir);
    let brigade = launch.ready();
    let report = scan(&brigade, &["--ocsp"]);
    assert!(
        report.contains("OCSP Response Status: successful"),
        "{report}"
    );
    assert!(report.contains("Cert Status: good"), "{report}");
    // Another certificate, and the response is not for it: a reload says so, and changes nothing.
    authority.sign("a.example", &dir);
    let refused = refusal(&brigade);
    assert!(
        refused.contains("is for none of the certificates"),
        "{refused}"
    );
    brigade.expect("tls.handshake_failed");
    brigade.expect("reload.refused");
    brigade.stop_and_check();
}
