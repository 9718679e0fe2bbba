//! Through the file, key by key: every key and value has its span, and nothing stops at the first
//! fault.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::file::File;
use super::given::{Given, Layer, Words};
use crate::keys::{Key, Kind, key, keys};
use crate::problem::{Place, Problem, Source};
use crate::words::{nearest, quoted};

impl File {
    /// What the file gives. Broken syntax, unknown keys and values of a wrong type are problems.
    pub(crate) fn givens(&self, problems: &mut Vec<Problem>) -> Vec<Given> {
        let source = &self.source;
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        let broken = syntax(source, &errors, problems);
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

/// Adds the first error of each broken line, and returns these lines.
fn syntax(source: &Arc<Source>, errors: &[Error], problems: &mut Vec<Problem>) -> BTreeSet<usize> {
    let mut ordered: Vec<(Range<usize>, &str)> = errors
        .iter()
        .map(|error| (source.clamp(error.span().unwrap_or(0..0)), error.message()))
        .collect();
    // Of two errors at one line the longer is the one that covers the words at fault.
    ordered.sort_by_key(|(span, _)| (source.line(span.start), usize::MAX - span.len()));
    let mut lines = BTreeSet::new();
    for (span, message) in ordered {
        if lines.insert(source.line(span.start)) {
            problems.push(explained(source, span, message));
        }
    }
    lines
}

/// A syntax error, with a cure for those that people run into.
fn explained(source: &Arc<Source>, span: Range<usize>, message: &str) -> Problem {
    let words = source.text[span.clone()].trim();
    let (what, cure) = if message.starts_with("string values must be quoted") {
        if words.is_empty() {
            (
                "a value is missing".to_owned(),
                "write a value behind the `=`".to_owned(),
            )
        } else {
            let what = format!("{} is text without quotes", quoted(words));
            (what, format!("write {}", quoted(&format!("\"{words}\""))))
        }
    } else if message == "duplicate key" {
        let what = format!("{} is given twice", quoted(words));
        (what, "keep one of the two lines".to_owned())
    } else {
        let what = format!("this is not TOML: {message}");
        (
            what,
            "write `key = value`, with text in quotes; see https://toml.io".to_owned(),
        )
    };
    Problem::new(what, file_place(source, span), cure)
}

fn unknown(source: &Arc<Source>, name: &Spanned<Cow<'_>>, value: &Spanned<DeValue<'_>>) -> Problem {
    let word: &str = name.get_ref();
    let place = file_place(source, name.span());
    if matches!(value.get_ref(), DeValue::Table(_)) {
        let what = format!("there is no section {}", quoted(word));
        return Problem::new(
            what,
            place,
            "the file has no sections: write each key by itself",
        );
    }
    let cure = "`brigade check` lists every key, and so does the commented brigade.toml";
    Problem::new(format!("there is no key {}", quoted(word)), place, cure)
        .meaning(nearest(word, keys().map(|key| key.name)))
}

type Cow<'a> = std::borrow::Cow<'a, str>;

fn given(
    source: &Arc<Source>,
    key: &'static Key,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Vec<Problem>,
) -> Option<Given> {
    let items = match (key.kind, value.get_ref()) {
        (Kind::List, DeValue::Array(items)) => {
            if items.is_empty() {
                let what = format!("`{}` is an empty list", key.name);
                let cure = "name a place to listen, or take the line out";
                problems.push(Problem::new(what, file_place(source, value.span()), cure));
            }
            items.iter().collect()
        }
        _ => vec![value],
    };
    let mut words = Vec::new();
    for item in items {
        let place = file_place(source, item.span());
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
        (Kind::Switch, DeValue::Boolean(on)) => Some(on.to_string()),
        (Kind::Octal, DeValue::Integer(number)) => {
            (number.radix() == 8).then(|| number.as_str().to_owned())
        }
        (
            Kind::Number { .. } | Kind::NumberOr { .. } | Kind::Time { .. } | Kind::Account,
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
            | Kind::Text
            | Kind::List,
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
        Kind::Number { .. } | Kind::NumberOr { .. } => words.parse::<u32>().is_ok(),
        _ => false,
    }
}

fn file_place(source: &Arc<Source>, span: Range<usize>) -> Place {
    Place::File {
        source: Arc::clone(source),
        span: source.clamp(span),
    }
}
