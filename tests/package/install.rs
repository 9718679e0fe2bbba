//! `cargo install --path .`: a program that runs, from sources alone.

use std::path::Path;
use std::process::Command;

#[test]
fn cargo_installs_a_program_that_serves() {
    let dir = tempfile::tempdir().unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut cargo = Command::new("timeout");
    // What is built already is taken: this is about what is installed and not about how it is built.
    cargo
        .args([
            "1800", "cargo", "install", "--locked", "--debug", "--path", ".",
        ])
        .arg("--root")
        .arg(dir.path())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", target);
    let output = cargo.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let names = std::fs::read_dir(dir.path().join("bin")).unwrap();
    let names: Vec<_> = names.map(|name| name.unwrap().file_name()).collect();
    assert_eq!(names, ["brigade"]);
    let check = Command::new(dir.path().join("bin/brigade"))
        .arg("check")
        .env_clear()
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(check.status.success());
    assert!(String::from_utf8_lossy(&check.stdout).contains("workers"));
}
