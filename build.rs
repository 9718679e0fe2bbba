//! What `brigade --version` tells beyond the version: the commit, and how it was built. Nothing of
//! it changes with the time or the machine, so that the same sources give the same binary.

#![forbid(unsafe_code)]

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What the binary is made of: whether any of it differs from the commit.
const SOURCES: [&str; 10] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "src",
    "admin",
    "config",
    "files",
    "shared",
    "supervisor",
    "worker",
];

/// Where `git archive` writes the commit (.gitattributes), for sources without a repository.
const ARCHIVED: &str = "packaging/commit";

fn main() {
    let top = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let top = Path::new(&top);
    println!("cargo::rerun-if-env-changed=BRIGADE_COMMIT");
    for file in SOURCES.iter().chain(&[ARCHIVED]) {
        println!("cargo::rerun-if-changed={}", top.join(file).display());
    }
    let commit = given()
        .or_else(|| of_repository(top))
        .or_else(|| archived(top));
    let commit = commit.unwrap_or_else(|| "commit unknown".to_owned());
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo::rustc-env=VERSION_AND_COMMIT={version} ({commit})");
    println!("cargo::rustc-env=HOW_IT_WAS_BUILT={}", build());
}

/// What whoever builds says, where there is no repository: in a container, for instance.
fn given() -> Option<String> {
    let given = env::var("BRIGADE_COMMIT").ok()?;
    let given: String = given.trim().chars().take(12).collect();
    (!given.is_empty()).then_some(given)
}

fn of_repository(top: &Path) -> Option<String> {
    let git = |arguments: &[&str]| -> Option<String> {
        let mut git = Command::new("git");
        let output = git.arg("-C").arg(top).args(arguments).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    };
    // A copy of Brigade within somebody else's repository does not have that one's commits.
    let repository = git(&["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(repository).ok()? != fs::canonicalize(top).ok()? {
        return None;
    }
    // Where a new commit shows.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]).unwrap_or_default();
    for file in ["HEAD", "logs/HEAD", "packed-refs", branch.as_str()] {
        let path = git(&["rev-parse", "--git-path", file]).map(|path| top.join(path));
        if let Some(path) = path.filter(|path| path.is_file()) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let is_same = git(&[&["diff", "--quiet", "HEAD", "--"], &SOURCES[..]].concat()).is_some();
    Some(if is_same {
        commit
    } else {
        format!("{commit}, modified")
    })
}

fn archived(top: &Path) -> Option<String> {
    let text = fs::read_to_string(top.join(ARCHIVED)).ok()?;
    let is_hex = |c: char| c.is_ascii_hexdigit();
    let commit: String = text.trim().chars().take(12).collect();
    (commit.len() == 12 && commit.chars().all(is_hex)).then_some(commit)
}

/// `release build for x86_64-unknown-linux-gnu, static, by rustc 1.95.0`.
fn build() -> String {
    let say = |name| env::var(name).unwrap_or_default();
    let features = say("CARGO_CFG_TARGET_FEATURE");
    let linked = if features.split(',').any(|feature| feature == "crt-static") {
        ", static"
    } else {
        ""
    };
    let compiler = Command::new(say("RUSTC")).arg("--version").output();
    let compiler = compiler.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let compiler = compiler.unwrap_or_default();
    let mut words = compiler.split_ascii_whitespace().take(2);
    let compiler = [words.next(), words.next()].map(Option::unwrap_or_default);
    let (profile, target) = (say("PROFILE"), say("TARGET"));
    format!(
        "{profile} build for {target}{linked}, by {}",
        compiler.join(" ")
    )
}
