//! Manual pages and completions lie in the repository, so that a package can be made of it without
//! running anything first. They are what the binary prints.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::run;

fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every file that belongs into packaging/, by its path there.
fn files() -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let page = printed(&["man"]);
    let commands: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix(r"brigade\-")?.strip_suffix("(1)"))
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.contains(&"serve"), "{commands:?} in {page}");
    for command in &commands {
        let path = format!("man/brigade-{command}.1");
        files.insert(path.into(), printed(&["man", command]));
    }
    files.insert("man/brigade.1".into(), page);
    for (shell, name) in [
        ("bash", "brigade.bash"),
        ("zsh", "_brigade"),
        ("fish", "brigade.fish"),
    ] {
        let path = Path::new("completions").join(name);
        files.insert(path, printed(&["completions", shell]));
    }
    files
}

#[test]
fn pages_and_completions_are_those_that_the_binary_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    let wanted = files();
    let is_update = std::env::var_os("UPDATE").is_some();
    for part in ["man", "completions"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let path = Path::new(part).join(entry.unwrap().file_name());
            if is_update && !wanted.contains_key(&path) {
                fs::remove_file(folder.join(&path)).unwrap();
            } else {
                assert!(wanted.contains_key(&path), "{} is no more", path.display());
            }
        }
    }
    for (path, text) in wanted {
        let file = folder.join(&path);
        if is_update {
            fs::write(&file, &text).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            found == text,
            "packaging/{} is not what the binary prints: run `cargo xtask generated`",
            path.display()
        );
    }
}
