//! What is made from the table is what lies beside it; `UPDATE=1` rewrites it.

#[path = "common/said.rs"]
mod common;

use std::path::PathBuf;

use brigade_config::{Config, arguments, keys, sample_file, schema};
use clap::Command;
use common::{Said, expect, read, with};

fn beside(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_commented_file_is_the_one_of_the_table() {
    expect(&beside("brigade.toml"), &sample_file());
}

#[test]
fn the_schema_is_the_one_of_the_table() {
    expect(&beside("brigade.schema.json"), &schema());
}

#[test]
fn the_help_is_reviewed_like_code() {
    let mut command = Command::new("brigade").args(arguments()).term_width(100);
    expect(
        &beside("tests/snapshots/help-short.txt"),
        &command.render_help().to_string(),
    );
    expect(
        &beside("tests/snapshots/help-long.txt"),
        &command.render_long_help().to_string(),
    );
}

#[test]
fn the_commented_file_says_nothing() {
    let file = sample_file();
    let loaded = read(Said {
        file: Some(&file),
        ..Said::default()
    })
    .unwrap();
    assert_eq!(loaded.config, Config::default());
    assert!(
        loaded
            .effective
            .iter()
            .all(|row| row.origin.to_string() == "default")
    );
}

#[test]
fn every_line_of_the_commented_file_can_be_uncommented() {
    let lines = sample_file();
    let examples = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
    let named: Vec<&str> = lines
        .lines()
        .filter(examples)
        .filter(|line| line.contains(" = "))
        .map(|line| line.trim_start_matches('#'))
        .collect();
    assert_eq!(named.len(), keys().count());
    for (line, key) in named.into_iter().zip(keys()) {
        assert!(line.starts_with(&format!("{} = ", key.name)), "{line}");
        let text = format!("{}{line}", with(key.name));
        let loaded = read(Said {
            file: Some(&text),
            ..Said::default()
        });
        let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(
            loaded.config == Config::default(),
            key.default.is_some(),
            "{line}"
        );
    }
}

#[test]
fn every_variable_belongs_to_one_key_and_names_it() {
    let mut all: Vec<&str> = keys().flat_map(|key| key.environment).copied().collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
    for key in keys() {
        let own = format!("BRIGADE_{}", key.name.to_uppercase().replace('-', "_"));
        assert_eq!(key.environment[0], own);
        assert!(
            key.help.len() <= 72 && !key.help.ends_with('.'),
            "{}",
            key.help
        );
    }
}

#[test]
fn every_bound_of_the_schema_is_the_one_of_the_parser() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let mut bounded = 0;
    for key in keys() {
        let property = &schema["properties"][key.name];
        let property = if property["anyOf"].is_array() {
            &property["anyOf"][0]
        } else {
            property
        };
        let (Some(least), Some(most)) =
            (property["minimum"].as_i64(), property["maximum"].as_i64())
        else {
            continue;
        };
        if property["type"] != "integer" {
            continue;
        }
        bounded += 1;
        // No surge makes sense only if workers may be missing.
        let beside = match key.name {
            "reload-surge" => "reload-max-unavailable = 1\n",
            _ => "",
        };
        let accepts = |number: i64| {
            let file = format!("{beside}{} = {number}", key.name);
            read(Said {
                file: Some(&file),
                ..Said::default()
            })
            .is_ok()
        };
        assert!(accepts(least) && accepts(most), "{}", key.name);
        assert!(!accepts(least - 1) && !accepts(most + 1), "{}", key.name);
    }
    assert!(bounded >= 10);
}
