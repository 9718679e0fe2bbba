//! The JSON Schema of `brigade.toml`: completion, help and first checks in an editor.

use serde_json::{Map, Value, json};

use crate::keys::{Key, Kind, OnReload, keys, listed};

/// The text of `config/brigade.schema.json` (JSON Schema, draft 7, which TOML editors know).
#[must_use]
pub fn schema() -> String {
    let properties: Map<String, Value> = keys()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Brigade's configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    format!("{schema:#}\n")
}

fn property(key: &Key) -> Value {
    let mut property = words(key.kind);
    property["description"] = Value::String(description(key));
    if let Some(default) = key.default {
        property["default"] = value(key.kind, default);
    }
    property
}

fn description(key: &Key) -> String {
    let mut text = format!("{}.", key.help);
    if !key.details.is_empty() {
        text = format!("{text} {}", key.details);
    }
    if key.on_reload == OnReload::NeedsRestart {
        text.push_str(" A change needs a restart.");
    }
    text
}

/// The types and bounds of a kind. Words are checked fully by Brigade alone.
fn words(kind: Kind) -> Value {
    match kind {
        Kind::Switch => json!({"type": "boolean"}),
        Kind::Number { least, most } => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Kind::NumberOr {
            words,
            form,
            least,
            most,
        } => {
            let mut ways = vec![json!({"type": "integer", "minimum": least, "maximum": most})];
            if !words.is_empty() {
                ways.push(json!({"enum": words}));
            }
            ways.extend(form.map(|form| json!({"type": "string", "pattern": form.pattern})));
            json!({"anyOf": ways})
        }
        Kind::Time { words } => {
            let mut ways = vec![
                json!({"type": "number", "minimum": 0, "maximum": 86400}),
                json!({"type": "string", "pattern": DURATION}),
            ];
            if !words.is_empty() {
                ways.insert(0, json!({"enum": words}));
            }
            json!({"anyOf": ways})
        }
        Kind::PathOrSwitch { .. } => json!({"type": ["string", "boolean"]}),
        Kind::Choice(names) => json!({"enum": names()}),
        Kind::Descriptor => json!({"type": "integer", "minimum": 0, "not": {"enum": [1, 2]}}),
        // TOML's `0o27` is a number to an editor, which cannot tell it from 23.
        Kind::Octal => json!({"anyOf": [
            {"type": "string", "pattern": "^(0o)?[0-7]{1,4}$"},
            {"type": "integer", "minimum": 0, "maximum": 0o777},
        ]}),
        Kind::Account => json!({"type": ["string", "integer"]}),
        Kind::Text { .. } => json!({"type": "string"}),
        Kind::List { .. } => json!({"anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
        ]}),
    }
}

/// `30`, `0.5`, `250ms`, `1m 30s`.
const DURATION: &str = r"^\d+(\.\d+)?$|^(\d+(\.\d+)? ?(h|m|s|ms) ?)+$";

fn value(kind: Kind, words: &str) -> Value {
    let number = || words.parse::<u32>().ok().map(Value::from);
    let bare = match kind {
        Kind::Switch => words.parse::<bool>().ok().map(Value::from),
        Kind::Number { .. } | Kind::NumberOr { .. } => number(),
        Kind::List { .. } => Some(listed(words).collect()),
        _ => None,
    };
    bare.unwrap_or_else(|| Value::String(words.to_owned()))
}
