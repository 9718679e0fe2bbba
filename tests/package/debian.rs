//! The Debian package, of the binary under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes it in a folder. The binary is the one that is there instead of one that is built for
/// release; everything else is as with `cargo deb`.
pub(crate) fn debian_package(folder: &Path) -> PathBuf {
    let target = folder.join("target");
    fs::create_dir_all(target.join("dist")).unwrap();
    let mut strip = Command::new("strip");
    strip
        .args(["--strip-debug", "-o"])
        .arg(target.join("dist/brigade"))
        .arg(env!("CARGO_BIN_EXE_brigade"));
    finish(strip);
    let fixed = concat!(env!("CARGO_MANIFEST_DIR"), "/target/needs");
    let needs = std::env::var_os("BRIGADE_NEEDS_DIR").map_or_else(|| fixed.into(), PathBuf::from);
    let cargo_deb = needs.join("cargo/bin/cargo-deb");
    assert!(cargo_deb.exists(), "no cargo-deb: run `tests/needs.sh`");
    let mut deb = Command::new(cargo_deb);
    deb.args(["deb", "--no-build", "--fast", "--output"])
        .arg(folder)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", target);
    let said = finish(deb);
    said.lines().last().expect("the package").into()
}

fn finish(mut command: Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}
