//! The commented `brigade.toml`: every key with its help and its default.

use std::fmt::Write as _;

use crate::keys::{Key, Kind, OnReload, keys, listed};

const WIDTH: usize = 96;

const HEAD: &str = "\
#:schema ./brigade.schema.json

# Brigade's configuration: every key with its default. To change one, take away the `#` in front
# of its name. `brigade check` prints what holds and who said so.
#
# Stronger than this file are the environment and, above all, flags; see docs/configuration.md.
# Durations are seconds (5, 0.5) or text with units (\"250ms\", \"1m 30s\", \"2h\"), at most 24h.
";

/// The text of `config/brigade.toml`.
#[must_use]
pub fn sample_file() -> String {
    let mut text = HEAD.to_owned();
    let mut heading = None;
    for key in keys() {
        if heading != Some(key.heading) {
            heading = Some(key.heading);
            let title = format!("# ---- {} ", key.heading);
            let _ = write!(text, "\n{title:-<WIDTH$}\n");
        }
        let _ = write!(text, "\n{}{}\n", prose(key), example(key));
    }
    text
}

fn prose(key: &Key) -> String {
    let mut words = format!("{}.", key.help);
    if !key.details.is_empty() {
        let _ = write!(words, " {}", key.details);
    }
    let mut lines = wrapped(&words);
    if key.on_reload == OnReload::NeedsRestart {
        lines.push_str("# A change needs a restart.\n");
    }
    let names = key.environment.join(", ");
    lines + &wrapped(&format!("Flag --{}, environment {names}", key.name))
}

/// The line to uncomment: the default or, where there is none, what one might write.
fn example(key: &Key) -> String {
    match key.default {
        Some(default) => format!("#{} = {}", key.name, value(key.kind, default)),
        None => format!(
            "#{} = {}  # for example; unset by default",
            key.name,
            like(key.kind)
        ),
    }
}

/// The words as TOML.
fn value(kind: Kind, words: &str) -> String {
    match kind {
        Kind::Switch | Kind::Number { .. } => words.to_owned(),
        Kind::NumberOr { .. } if words.parse::<u64>().is_ok() => words.to_owned(),
        Kind::List { .. } => list(&listed(words).collect::<Vec<_>>()),
        _ => format!("\"{words}\""),
    }
}

/// Some value of a kind, as TOML.
fn like(kind: Kind) -> String {
    match kind {
        Kind::Switch => "true".to_owned(),
        Kind::Number { least, .. } => least.to_string(),
        Kind::NumberOr { least, .. } => least.to_string(),
        Kind::Descriptor => "3".to_owned(),
        Kind::Time { .. } => "\"1m 30s\"".to_owned(),
        Kind::Choice(names) => format!("\"{}\"", names().first().unwrap_or(&"")),
        Kind::Octal => "\"027\"".to_owned(),
        Kind::Account => "\"www-data\"".to_owned(),
        Kind::Text { like } | Kind::PathOrSwitch { like } => format!("\"{like}\""),
        Kind::List { like } => list(like),
    }
}

fn list(items: &[&str]) -> String {
    format!("[\"{}\"]", items.join("\", \""))
}

/// Comment lines of at most [`WIDTH`] characters.
fn wrapped(words: &str) -> String {
    let mut text = String::new();
    let mut line = "#".to_owned();
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = "#".to_owned();
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(text, "{line}");
    text
}
