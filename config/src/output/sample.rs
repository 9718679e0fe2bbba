//! The commented `brigade.toml`: every key with its help and its default.

use std::fmt::Write as _;

use crate::keys::{Key, Kind, OnReload, keys};

const WIDTH: usize = 96;

const HEAD: &str = "\
#:schema ./brigade.schema.json

# Brigade's configuration: every key with its default. A line `#key = value` shows a default; to
# change it, take the `#` away. `brigade check` prints what holds and who said so.
#
# Stronger than this file are the environment and, above all, flags; see docs/configuration.md.
# TIME is a number of seconds (5, 0.5) or text with units (\"250ms\", \"1m 30s\", \"2h\"), at most 24h.
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
    let _ = writeln!(
        lines,
        "# Flag --{}, environment {}",
        key.name,
        key.environment.join(", ")
    );
    lines
}

/// The line to uncomment. A key without a default shows what one would write.
fn example(key: &Key) -> String {
    let value = match key.default {
        Some(default) => value(key.kind, default),
        None => format!("  # {}; unset by default", key.kind.wants()),
    };
    format!("#{} = {value}", key.name)
}

/// The words as TOML.
fn value(kind: Kind, words: &str) -> String {
    let bare = match kind {
        Kind::Switch | Kind::Number { .. } => true,
        Kind::NumberOr { .. } => words.parse::<u32>().is_ok(),
        _ => false,
    };
    if bare {
        words.to_owned()
    } else {
        format!("\"{words}\"")
    }
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
