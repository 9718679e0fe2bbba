//! `brigade --version`: the version, the commit, and how it was built.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::run;

const TOP: &str = env!("CARGO_MANIFEST_DIR");

fn text(mut command: Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(arguments);
    let who = ["GIT_AUTHOR", "GIT_COMMITTER"];
    for (part, value) in [("NAME", "a"), ("EMAIL", "a@example.org")] {
        git.envs(who.map(|who| (format!("{who}_{part}"), value)));
    }
    text(git).trim().to_owned()
}

#[test]
fn the_first_line_names_version_and_commit_and_the_second_the_build() {
    let told = String::from_utf8(run(&["--version"]).stdout).unwrap();
    let mut lines = told.lines();
    let first = lines.next().unwrap();
    let begin = format!("brigade {} (", env!("CARGO_PKG_VERSION"));
    assert!(first.starts_with(&begin) && first.ends_with(')'), "{told}");
    if Path::new(TOP).join(".git").exists() {
        let commit = git(Path::new(TOP), &["rev-parse", "--short=12", "HEAD"]);
        assert!(first.contains(&commit), "{told} is not of {commit}");
    }
    let second = lines.next().unwrap();
    assert!(second.contains(" build for ") && second.contains("rustc"));
    let short = String::from_utf8(run(&["-V"]).stdout).unwrap();
    assert_eq!(short.trim_end(), first);
}

/// The build script by itself: what it finds out about sources in this folder.
fn told_of(folder: &Path, commit: Option<&str>) -> String {
    let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build-script");
    if !script.exists() {
        let mut rustc = Command::new("rustc");
        let mine = script.with_extension(std::process::id().to_string());
        rustc.args(["--edition", "2024", "-o"]).arg(&mine);
        rustc.arg(format!("{TOP}/build.rs"));
        text(rustc);
        fs::rename(mine, &script).unwrap();
    }
    let mut run = Command::new(script);
    run.env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("CARGO_MANIFEST_DIR", folder)
        .env("CARGO_PKG_VERSION", "1.2.3")
        .env("RUSTC", "rustc")
        .envs(commit.map(|commit| ("BRIGADE_COMMIT", commit)));
    let told = text(run);
    let line = told
        .lines()
        .find_map(|line| line.strip_prefix("cargo::rustc-env=VERSION_AND_COMMIT="));
    line.unwrap().to_owned()
}

#[test]
fn the_commit_is_that_of_the_sources_and_of_nothing_around_them() {
    let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build-script");
    let _ = fs::remove_file(script);
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path();
    let source = |name: &str| fs::create_dir_all(top.join(name).parent().unwrap()).unwrap();
    source("src/main.rs");
    source("packaging/commit");
    fs::write(top.join("src/main.rs"), "fn main() {}").unwrap();
    fs::write(top.join("packaging/commit"), "$Format:%H$\n").unwrap();
    assert_eq!(told_of(top, None), "1.2.3 (commit unknown)");
    let given = told_of(top, Some("0123456789abcdef0123\n"));
    assert_eq!(given, "1.2.3 (0123456789ab)", "by whoever builds");

    git(top, &["init", "--quiet"]);
    assert_eq!(told_of(top, None), "1.2.3 (commit unknown)");
    git(top, &["add", "."]);
    git(top, &["commit", "--quiet", "--message=first"]);
    let commit = git(top, &["rev-parse", "HEAD"]);
    let first = &commit[..12];
    assert_eq!(told_of(top, None), format!("1.2.3 ({first})"));
    fs::write(top.join("NOTES"), "not part of the binary").unwrap();
    assert_eq!(told_of(top, None), format!("1.2.3 ({first})"));
    fs::write(top.join("src/main.rs"), "fn main() { }").unwrap();
    assert_eq!(told_of(top, None), format!("1.2.3 ({first}, modified)"));

    // A copy within somebody else's repository.
    let copy = top.join("vendor/brigade");
    fs::create_dir_all(copy.join("packaging")).unwrap();
    assert_eq!(told_of(&copy, None), "1.2.3 (commit unknown)");
    // What `git archive` has written.
    fs::write(copy.join("packaging/commit"), format!("{commit}\n")).unwrap();
    assert_eq!(told_of(&copy, None), format!("1.2.3 ({first})"));
}
