//! Checks that run nothing of Brigade.

use crate::run::{cargo, output, run};

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
    tree()?;
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
