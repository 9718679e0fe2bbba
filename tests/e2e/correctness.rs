//! Brigade held against the letter of the standards: cases as data, each with its section.

use std::process::Command;

use crate::support::{Address, Brigade, Need, lacks, python};

const HTTP1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/http1.py");
const HTTP2: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/http2.py");

/// Holds a worker against the cases. Returns how many passed, and the names of those that did not.
fn hold(cases: &str) -> (usize, Vec<String>) {
    let brigade = Brigade::start(&["serve", "--workers", "1"]);
    let Address::Tcp(address) = brigade.address() else {
        panic!("not a TCP address");
    };
    let mut command = Command::new(python());
    // No compiled files beside the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command
        .args([cases, &address.to_string(), "--exact"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    println!("{told}{errors}");
    let mut lines: Vec<&str> = told.lines().collect();
    let last = lines.pop().expect("the sum");
    let passed = last.split(' ').next().and_then(|count| count.parse().ok());
    let names = lines.iter().filter_map(|line| line.split('\t').nth(1));
    let failed = names.map(str::to_owned).collect();
    brigade.stop_and_check();
    (passed.expect("a number"), failed)
}

#[test]
fn every_case_of_http_1_gets_the_answer_that_its_standard_asks_for() {
    if lacks(Need::Python) {
        return;
    }
    let (passed, failed) = hold(HTTP1);
    assert!(failed.is_empty(), "{failed:?}");
    assert!(passed >= 230, "{passed}");
}

#[test]
fn what_is_refused_as_malformed_is_told_with_its_reason_wherever_it_was_found() {
    let arguments = ["serve", "--workers", "1", "--log-level", "debug"];
    let brigade = Brigade::start(&arguments);
    let host = "host: a\r\n";
    for (request, reason) in [
        (format!("GET / HTTP/1.1\r\n{host}\n"), "LF alone"),
        ("GET / HTTP/1.1\r\nhost : a\r\n\r\n".to_owned(), "header"),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "no host"),
        (
            format!("POST /echo HTTP/1.1\r\n{host}transfer-encoding: chunked\r\n\r\nx\r\n"),
            "malformed body",
        ),
    ] {
        let mark = brigade.mark();
        let mut connection = brigade.connect();
        connection.send(&request).unwrap();
        assert_eq!(connection.receive().unwrap().status, 400, "{reason}");
        // Some are told of when the connection ends, and it lingers for its client.
        drop(connection);
        let told = brigade.wait_after(mark, "request.malformed", |_| true);
        assert!(told.text("reason").contains(reason), "{reason}: {told:?}");
    }
    brigade.stop_and_check();
}

#[test]
fn every_case_of_http_2_gets_the_answer_that_its_standard_asks_for() {
    if lacks(Need::Python) {
        return;
    }
    let (passed, failed) = hold(HTTP2);
    assert!(failed.is_empty(), "{failed:?}");
    assert!(passed >= 164, "{passed}");
}
