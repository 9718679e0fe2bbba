//! Through the file, key by key: every key and value has its span, and nothing stops at the first
//! fault.

use std::borrow::Cow;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::File;
use super::given::{Given, Layer, Words};
use super::syntax::syntax;
use crate::keys::{Key, Kind, key, keys};
use crate::problem::{Place, Problem, Source};
use crate::words::{nearest, quoted};

impl File {
    /// What the file gives. Broken syntax, unknown keys and values of a wrong type are problems.
    pub(crate) fn givens(&self, problems: &mut Vec<Problem>) -> Vec<Given> {
        let source = &self.source;
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        let broken = syntax(source, table.get_ref(), &errors, problems);
        let mut found = Vec::new();
        let mut givens = Vec::new();
        for (name, value) in table.get_ref() {
            match key(name.get_ref()) {
                Some(key) => givens.extend(given(source, key, value, &mut found)),
                None => found.push(unknown(source, name, value)),
            }
        }
        // What the parser made of a broken line is a guess, and so is what we would say of it.
        let sound = |place: &Place| match place {
            Place::File { span, .. } => !broken.contains(&source.line(span.start)),
            _ => true,
        };
        problems.extend(found.into_iter().filter(|problem| sound(problem.place())));
        givens.retain(|given| given.words.iter().all(|words| sound(&words.place)));
        givens
    }
}

fn unknown(
    source: &Arc<Source>,
    name: &Spanned<Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
) -> Problem {
    let word: &str = name.get_ref();
    let place = Place::within(source, name.span());
    if matches!(value.get_ref(), DeValue::Table(_)) {
        let what = format!("there is no section {}", quoted(word));
        return Problem::new(
            what,
            place,
            "the file has no sections: write each key by itself",
        );
    }
    let cure = "`brigade help serve` lists every key, and so does the commented brigade.toml";
    Problem::new(format!("there is no key {}", quoted(word)), place, cure)
        .meaning(nearest(word, keys().map(|key| key.name)))
}

fn given(
    source: &Arc<Source>,
    key: &'static Key,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Vec<Problem>,
) -> Option<Given> {
    let items = match (key.kind, value.get_ref()) {
        (Kind::List { .. }, DeValue::Array(items)) => {
            if items.is_empty() {
                let what = format!("`{}` is an empty list", key.name);
                let cure = "put something into it, or take the line out";
                problems.push(Problem::new(
                    what,
                    Place::within(source, value.span()),
                    cure,
                ));
            }
            items.iter().collect()
        }
        _ => vec![value],
    };
    let mut words = Vec::new();
    for item in items {
        let place = Place::within(source, item.span());
        match text(key.kind, item.get_ref()) {
            Some(text) => words.push(Words { text, place }),
            None => problems.push(wrong_type(key, item.get_ref(), place)),
        }
    }
    (!words.is_empty()).then_some(Given {
        key,
        layer: Layer::File,
        words,
    })
}

/// The words of a value, if its type is one that the key takes.
fn text(kind: Kind, value: &DeValue<'_>) -> Option<String> {
    match (kind, value) {
        (Kind::Switch | Kind::PathOrSwitch { .. }, DeValue::Boolean(on)) => Some(on.to_string()),
        (Kind::Octal, DeValue::Integer(number)) => {
            (number.radix() == 8).then(|| number.as_str().to_owned())
        }
        (
            Kind::Number { .. }
            | Kind::NumberOr { .. }
            | Kind::Descriptor
            | Kind::Time { .. }
            | Kind::Account,
            DeValue::Integer(number),
        ) => Some(
            i128::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| number.as_str().to_owned(), |number| number.to_string()),
        ),
        (Kind::Time { .. }, DeValue::Float(number)) => Some(number.as_str().to_owned()),
        // A number in quotes is not a word: the editor's schema says so, and so do we.
        (Kind::NumberOr { .. }, DeValue::String(words)) if words.trim().parse::<i128>().is_ok() => {
            None
        }
        (
            Kind::NumberOr { .. }
            | Kind::Time { .. }
            | Kind::Choice(_)
            | Kind::Octal
            | Kind::Account
            | Kind::Text { .. }
            | Kind::PathOrSwitch { .. }
            | Kind::List { .. },
            DeValue::String(words),
        ) => Some(words.to_string()),
        _ => None,
    }
}

fn wrong_type(key: &Key, value: &DeValue<'_>, place: Place) -> Problem {
    let found = match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    };
    let what = format!("`{}` is given {found}", key.name);
    let bare = value
        .as_str()
        .map(str::trim)
        .filter(|words| is_bare(key.kind, words));
    let cure = match bare {
        Some(words) => format!("take the quotes away: `{} = {words}`", key.name),
        None => format!("write {}", key.kind.wants()),
    };
    Problem::new(what, place, cure)
}

/// Whether these words would be right without quotes.
fn is_bare(kind: Kind, words: &str) -> bool {
    match kind {
        Kind::Switch => ["true", "false"].contains(&words),
        Kind::Number { .. } | Kind::NumberOr { .. } | Kind::Descriptor => {
            words.parse::<u32>().is_ok()
        }
        _ => false,
    }
}
