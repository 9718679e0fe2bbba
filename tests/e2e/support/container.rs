//! The image of the Containerfile, made and run without a builder, in a container of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::brigade::Brigade;
use super::launch::Launch;
use super::process::Process;

/// What `--version` tells there.
pub(crate) const COMMIT: &str = "0123456789ab";

/// A file of tests/container or another place of the house.
fn ours(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Brigade's own image, made once for all tests. The build is not the one that is released, but one
/// that takes less time, and as static.
pub(crate) fn image() -> &'static Path {
    static IMAGE: OnceLock<PathBuf> = OnceLock::new();
    IMAGE.get_or_init(|| make("Containerfile", "image"))
}

/// The image of the example, an app of one's own.
pub(crate) fn shop() -> &'static Path {
    static SHOP: OnceLock<PathBuf> = OnceLock::new();
    SHOP.get_or_init(|| make("examples/container/Containerfile", "shop"))
}

/// Carries out a Containerfile, with a copy of the house as its context.
fn make(containerfile: &str, name: &str) -> PathBuf {
    let image = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut command = Command::new("timeout");
    command
        .args(["1800", "python3"])
        .arg(ours("tests/container/image"))
        .args([ours(containerfile), ours(".")])
        .arg(&image)
        .args(["PROFILE=dev", &format!("BRIGADE_COMMIT={COMMIT}")])
        .env("CARGO_TARGET_DIR", target);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{containerfile}: {said}");
    image
}

/// What a real builder makes of a Containerfile, given the program of our image: the files of its
/// image, and how that is to be run.
pub(crate) fn built(containerfile: &str, image: &Path) -> (BTreeSet<PathBuf>, Value) {
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new("timeout");
    command.arg("300").arg(ours("tests/container/builder"));
    command.args([ours(containerfile), ours(".")]);
    let output = command.arg(image).arg(out.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{containerfile}: {said}");
    let read = |name| fs::read_to_string(out.path().join(name)).unwrap();
    let files = read("files").lines().map(PathBuf::from).collect();
    (files, serde_json::from_str(&read("config.json")).unwrap())
}

/// A Brigade about to start as process 1 of a container of Brigade's image, with more words for
/// tests/container/run (`--volume`, `--network`).
pub(crate) fn contained(launch: Launch, options: &[&str]) -> Launch {
    contained_in(image(), launch, options)
}

/// The same in a container of another image.
pub(crate) fn contained_in(image: &Path, launch: Launch, options: &[&str]) -> Launch {
    let (run, image) = (ours("tests/container/run"), image.display().to_string());
    let words = ["python3", run.as_str(), image.as_str()];
    launch.under(&[&words, options, &["--"]].concat())
}

/// Process 1 of a container as seen from outside.
pub(crate) fn outside(brigade: &Brigade) -> Process {
    brigade.supervisor().children()[0]
}
