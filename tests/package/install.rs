//! `cargo install --path .`: a program that runs, from sources alone.

use std::path::Path;
use std::process::Command;

#[test]
fn cargo_installs_a_program_that_runs() {
    let dir = tempfile::tempdir().unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut rustc = Command::new("rustc");
    let host = rustc.args(["--print", "host-tuple"]).output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    // As the Containerfile does it: what is built for its image is not built again.
    let words = [
        "--locked",
        "--debug",
        "--path",
        ".",
        "--target",
        host.trim(),
    ];
    let mut cargo = Command::new("timeout");
    cargo
        .args(["1800", "cargo", "install"])
        .args(words)
        .arg("--root")
        .arg(dir.path())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static");
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
