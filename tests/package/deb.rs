//! What is in the Debian package.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::debian::debian_package;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn text(program: &str, arguments: &[&str], package: &Path) -> String {
    let mut command = Command::new(program);
    let output = command.args(arguments).arg(package).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_package_has_everything_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let package = debian_package(dir.path());
    let field = |name| text("dpkg-deb", &["--show", "--showformat", name], &package);
    assert_eq!(field("${Version}"), format!("{VERSION}-1"));
    assert!(field("${Depends}").contains("libc6"));

    // -rwxr-xr-x 0/0    10256136 2026-11-21 00:00 ./usr/bin/brigade
    let listed = text("dpkg-deb", &["--contents"], &package);
    let files: BTreeMap<&str, &str> = listed
        .lines()
        .filter(|line| line.starts_with('-'))
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words[1], "0/0", "{line}");
            (words[5].trim_start_matches('.'), words[0])
        })
        .collect();
    for (file, mode) in [
        ("/usr/bin/brigade", "-rwxr-xr-x"),
        ("/usr/lib/systemd/system/brigade@.service", "-rw-r--r--"),
        ("/usr/lib/systemd/system/brigade@.socket", "-rw-r--r--"),
        ("/etc/brigade/brigade.toml", "-rw-r--r--"),
        ("/usr/share/man/man1/brigade.1.gz", "-rw-r--r--"),
        ("/usr/share/man/man1/brigade-serve.1.gz", "-rw-r--r--"),
        (
            "/usr/share/bash-completion/completions/brigade",
            "-rw-r--r--",
        ),
        ("/usr/share/zsh/vendor-completions/_brigade", "-rw-r--r--"),
        (
            "/usr/share/fish/vendor_completions.d/brigade.fish",
            "-rw-r--r--",
        ),
        ("/usr/share/doc/brigade/copyright", "-rw-r--r--"),
    ] {
        assert_eq!(files.get(file), Some(&mode), "{file} in {listed}");
    }
    let conffiles = text("dpkg-deb", &["--info"], &package);
    assert!(conffiles.contains("conffiles"), "{conffiles}");

    // By the names in this table the stack of a stuck worker is told.
    let mut extract = Command::new("dpkg-deb");
    extract.arg("--extract").arg(&package).arg(dir.path());
    assert!(extract.status().unwrap().success());
    let sections = text(
        "readelf",
        &["--section-headers", "--wide"],
        &dir.path().join("usr/bin/brigade"),
    );
    assert!(sections.contains(".symtab"), "{sections}");
}

#[test]
fn the_packages_changelog_begins_with_this_version() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/debian/changelog");
    let changelog = std::fs::read_to_string(file).unwrap();
    let begin = format!("brigade ({VERSION}-1) ");
    assert!(changelog.starts_with(&begin), "{changelog}");
}
