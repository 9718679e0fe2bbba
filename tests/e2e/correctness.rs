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
fn every_case_of_http_2_gets_the_answer_that_its_standard_asks_for() {
    if lacks(Need::Python) {
        return;
    }
    let (passed, failed) = hold(HTTP2);
    assert!(failed.is_empty(), "{failed:?}");
    assert!(passed >= 164, "{passed}");
}
