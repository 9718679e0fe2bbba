//! config/kubernetes is what Kubernetes takes, and its numbers fit Brigade's. Each check is shown to
//! have teeth: a slip is planted in a copy, and found.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::{Need, lacks, python};

const BASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/kubernetes");
const SLIPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubernetes/slips.txt");
const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubernetes/check.py");

/// A copy of the base with a slip in one of its files.
fn with(file: &str, from: &str, to: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(BASE).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from:?}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
    folder
}

/// What `brigade check` says of the configuration.
fn configuration(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brigade"));
    command
        .args(["check", "--config"])
        .arg(folder.join("brigade.toml"));
    command.env_clear().output().unwrap()
}

/// The breaches that are found in each of these folders, in one run: the schemas are large.
fn breaches(folders: &[&Path]) -> Vec<Vec<String>> {
    let tables = tempfile::tempdir().unwrap();
    let mut command = Command::new(python());
    command.arg(CHECK);
    for (number, folder) in folders.iter().enumerate() {
        let table = configuration(folder);
        assert!(table.status.success(), "{table:?}");
        let path = tables.path().join(number.to_string());
        fs::write(&path, table.stdout).unwrap();
        command.arg(folder).arg(path);
    }
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut found = vec![Vec::new(); folders.len()];
    for line in told.lines() {
        let (number, breach) = line.split_once('\t').unwrap();
        found[number.parse::<usize>().unwrap()].push(breach.to_owned());
    }
    let is_clean = told.is_empty();
    assert_eq!(output.status.code(), Some(i32::from(!is_clean)), "{errors}");
    found
}

#[test]
fn every_file_is_what_kubernetes_takes_and_all_numbers_fit() {
    if lacks(Need::Python) {
        return;
    }
    assert_eq!(breaches(&[Path::new(BASE)]), [Vec::<String>::new()]);
}

#[test]
fn the_configuration_of_the_pod_is_valid_to_the_letter() {
    let found = configuration(Path::new(BASE));
    assert!(
        found.status.success(),
        "{}",
        String::from_utf8_lossy(&found.stderr)
    );
}

#[test]
fn every_slip_is_found() {
    if lacks(Need::Python) {
        return;
    }
    let text = fs::read_to_string(SLIPS).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let slips: Vec<[String; 4]> = lines
        .map(|line| {
            let cells = line.split(" | ").map(|cell| cell.replace("\\n", "\n"));
            cells.collect::<Vec<_>>().try_into().unwrap()
        })
        .collect();
    let copies = slips.iter().map(|[file, from, to, _]| with(file, from, to));
    let folders: Vec<TempDir> = copies.collect();
    let paths: Vec<&Path> = folders.iter().map(TempDir::path).collect();
    let mut missed = Vec::new();
    for ([file, from, to, words], found) in slips.iter().zip(breaches(&paths)) {
        if !found.iter().any(|breach| breach.contains(words.as_str())) {
            missed.push(format!(
                "{file}: {from:?} -> {to:?}: no {words:?} in {found:#?}"
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
