//! Checks that run nothing of Brigade.

use std::process::Command;

use crate::run::{cargo, output, run, top};
use crate::tests::{needs, needs_folder};

/// Crates that may not be under the supervisor: a runtime or a thread pool in a process that
/// forks. docs/decisions/0001 says why.
const NOT_UNDER_SUPERVISOR: [&str; 9] = [
    "tokio",
    "hyper",
    "mio",
    "rayon",
    "async-std",
    "smol",
    "axum",
    "brigade-worker",
    "brigade-admin",
];

/// The worker with the other library for TLS, and without the usual one.
pub(crate) const OTHER_CRYPTOGRAPHY: [&str; 5] = [
    "--package",
    "brigade-worker",
    "--no-default-features",
    "--features",
    "aws-lc-rs",
];

/// Format, lints, dependency tree, documentation.
pub(crate) fn all() -> Result<(), String> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    let lint = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ];
    run(&mut cargo(&lint))?;
    let other = [&["clippy"], &OTHER_CRYPTOGRAPHY[..], &lint[2..]].concat();
    run(&mut cargo(&other))?;
    tree()?;
    deny()?;
    let mut doc = cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    run(doc.env(
        "RUSTDOCFLAGS",
        "--deny warnings --allow rustdoc::private_intra_doc_links",
    ))
}

/// Licenses, sources and duplicates of what is shipped, as deny.toml allows them.
fn deny() -> Result<(), String> {
    let program = needs_folder().join("cargo/bin/cargo-deny");
    if std::env::var_os("BRIGADE_TESTS_WITHOUT").is_none() {
        needs()?;
    } else if !program.exists() {
        eprintln!("\nSKIPPED: there is no {}", program.display());
        return Ok(());
    }
    let mut command = Command::new(program);
    command.args(["check", "bans", "licenses", "sources"]);
    run(command.current_dir(top()))
}

/// No async runtime under the supervisor, and none of the two halves under the other.
fn tree() -> Result<(), String> {
    absent("brigade-supervisor", &NOT_UNDER_SUPERVISOR)?;
    absent("brigade-worker", &["brigade-supervisor", "brigade-admin"])?;
    absent(
        "brigade-admin",
        &["brigade-supervisor", "brigade-worker", "brigade-config"],
    )?;
    absent(
        "brigade-files",
        &[
            "brigade-supervisor",
            "brigade-worker",
            "brigade-admin",
            "brigade-config",
            "hyper",
        ],
    )?;
    absent(
        "brigade-shared",
        &["tokio", "hyper", "brigade-config", "clap"],
    )?;
    absent(
        "brigade-config",
        &["tokio", "hyper", "brigade-shared", "nix", "libc"],
    )
}

fn absent(package: &str, unwanted: &[&str]) -> Result<(), String> {
    eprintln!("\n== {package} stands on none of: {}", unwanted.join(", "));
    let edges = [
        "tree",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ];
    let tree = output(cargo(&edges).args(["--package", package]))?;
    let names = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let found: Vec<&str> = names.filter(|name| unwanted.contains(name)).collect();
    match found.as_slice() {
        [] => Ok(()),
        found => Err(format!("{package} has in its tree: {}", found.join(", "))),
    }
}
