//! What runs Brigade: tests and benches, and what they need.

use std::path::PathBuf;
use std::process::Command;

use crate::checks::OTHER_CRYPTOGRAPHY;
use crate::run::{cargo, run, top};

/// Everything, with what it needs installed first. Tests whose need is missing fail; only needs
/// that `BRIGADE_TESTS_WITHOUT` names are skipped, and what was skipped is told at the end.
pub(crate) fn test(arguments: &[String]) -> Result<(), String> {
    if std::env::var_os("BRIGADE_TESTS_WITHOUT").is_none() {
        needs()?;
        images()?;
    }
    let skipped = target().join("skipped-tests");
    let _ = std::fs::remove_file(&skipped);
    let mut command = cargo(&["test", "--workspace"]);
    let result = run(command.args(arguments).env("BRIGADE_SKIPPED", &skipped));
    let result = result.and_then(|()| match arguments {
        [] => other_cryptography(),
        _ => Ok(()),
    });
    let list = std::fs::read_to_string(&skipped).unwrap_or_default();
    if !list.is_empty() {
        eprintln!("\nSKIPPED, as BRIGADE_TESTS_WITHOUT says:\n{list}");
        if std::env::var_os("CI").is_some() {
            return Err("nothing may be skipped in CI".to_owned());
        }
    }
    result
}

/// TLS once more, by the library that is chosen by a feature.
fn other_cryptography() -> Result<(), String> {
    let mut command = cargo(&["test", "--lib"]);
    run(command.args(OTHER_CRYPTOGRAPHY).args(["--", "tls::"]))
}

/// Python packages and programs that some tests drive.
pub(crate) fn needs() -> Result<(), String> {
    run(Command::new("bash")
        .arg(top().join("tests/needs.sh"))
        .current_dir(top()))
}

/// Carries out the Containerfiles. The tests do it again, from what is built by then: nothing is
/// compiled beside tests that look at the clock.
fn images() -> Result<(), String> {
    for (file, name) in [
        ("Containerfile", "image"),
        ("examples/container/Containerfile", "shop"),
    ] {
        let out = target().join("tmp").join(name);
        let mut image = Command::new(top().join("tests/container/image"));
        image.arg(top().join(file)).arg(top()).arg(out);
        run(image.arg("PROFILE=dev").env("CARGO_TARGET_DIR", target()))?;
    }
    Ok(())
}

/// The benchmarks.
pub(crate) fn bench(arguments: &[String]) -> Result<(), String> {
    run(Command::new("bash")
        .arg(top().join("benches/install"))
        .current_dir(top()))?;
    let mut command = cargo(&[
        "run",
        "--release",
        "--package",
        "brigade-benches",
        "--bin",
        "brigade-bench",
        "--",
    ]);
    run(command.args(arguments))
}

/// Writes the files that are made from the code.
pub(crate) fn write_generated() -> Result<(), String> {
    for what in [
        &["--package", "brigade-config"][..],
        &["--package", "brigade", "--test", "package", "generated"],
    ] {
        let mut command = cargo(&["test", "--quiet"]);
        run(command.args(what).env("UPDATE", "1"))?;
    }
    Ok(())
}

/// Where `needs` installs what is not a package of the system.
pub(crate) fn needs_folder() -> PathBuf {
    let folder = std::env::var_os("BRIGADE_NEEDS_DIR");
    folder.map_or_else(|| top().join("target/needs"), PathBuf::from)
}

fn target() -> PathBuf {
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), PathBuf::from);
    let _ = std::fs::create_dir_all(&folder);
    folder
}
