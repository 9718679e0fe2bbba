//! From an event to the bytes of its line.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

use super::fields::Fields;

/// In which form lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// For people, in colour or not.
    Human {
        /// Levels in colour.
        colour: bool,
    },
    /// One JSON object a line: docs/events.md.
    Json,
    /// For people, behind the priority that systemd's journal reads (sd-daemon(3)).
    Journal,
}

impl Form {
    /// One event as a line, without its line feed (a journal message may have several lines).
    pub(super) fn line(self, metadata: &Metadata<'_>, fields: Fields) -> String {
        match self {
            Self::Human { colour } => human(metadata, fields, colour),
            Self::Json => json(metadata, fields),
            Self::Journal => journal(metadata, fields),
        }
    }
}

fn json(metadata: &Metadata<'_>, fields: Fields) -> String {
    let mut object = Map::new();
    object.insert("timestamp".into(), Value::from(timestamp()));
    object.insert("level".into(), Value::from(metadata.level().as_str()));
    object.insert(
        "event".into(),
        Value::from(fields.event.as_deref().unwrap_or("log")),
    );
    if fields.event.is_none() {
        object.insert("target".into(), Value::from(metadata.target()));
    }
    object.insert("message".into(), Value::from(fields.message));
    for (name, value) in fields.others {
        object.entry(name).or_insert(value);
    }
    Value::Object(object).to_string()
}

fn human(metadata: &Metadata<'_>, fields: Fields, colour: bool) -> String {
    let level = metadata.level();
    let mut line = timestamp();
    // Milliseconds are enough to read.
    if line.len() > 24 {
        line.replace_range(23..line.len() - 1, "");
    }
    let paint = match *level {
        _ if !colour => "",
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        _ => "\x1b[2m",
    };
    let end = if paint.is_empty() { "" } else { "\x1b[0m" };
    let _ = write!(line, " {paint}{:>5}{end} ", level.as_str());
    line.push_str(&words(metadata, fields));
    line
}

fn journal(metadata: &Metadata<'_>, fields: Fields) -> String {
    let priority = match *metadata.level() {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        _ => "<7>",
    };
    let words = words(metadata, fields);
    // The journal takes each line for a message; the priority has to stand before each.
    let lines: Vec<String> = words
        .lines()
        .map(|line| format!("{priority}{line}"))
        .collect();
    lines.join("\n")
}

/// Our own messages say everything in words; those of other libraries get their fields behind.
/// Control characters, which may be a client's, can't reach a terminal.
fn words(metadata: &Metadata<'_>, fields: Fields) -> String {
    let mut text = String::with_capacity(fields.message.len());
    for character in fields.message.chars() {
        match character {
            '\n' | '\t' => text.push(character),
            _ if character.is_control() => text.extend(character.escape_default()),
            _ => text.push(character),
        }
    }
    if fields.event.is_none() {
        text.insert_str(0, &format!("{}: ", metadata.target()));
        for (name, value) in fields.others {
            let _ = write!(text, " {name}={value}");
        }
    }
    text
}

fn timestamp() -> String {
    let mut text = String::new();
    match SystemTime.format_time(&mut Writer::new(&mut text)) {
        Ok(()) => text,
        Err(_) => "-".to_owned(),
    }
}
