//! What is not TOML. The parser goes on after an error, so that all are told; what people run into
//! most (text without quotes, a list without an end) is told in words of its own.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue, Error};

use crate::keys::{Key, Kind, key};
use crate::problem::{Place, Problem, Source};
use crate::words::quoted;

/// Adds the first error of each broken line. Returns these lines: what the parser made of them is
/// a guess.
pub(super) fn syntax(
    source: &Arc<Source>,
    table: &DeTable<'_>,
    errors: &[Error],
    problems: &mut Vec<Problem>,
) -> BTreeSet<usize> {
    let mut broken = BTreeSet::new();
    let mut ordered: Vec<(Range<usize>, &str)> = errors
        .iter()
        .map(|error| (source.clamp(error.span().unwrap_or(0..0)), error.message()))
        .collect();
    for (span, message) in &ordered {
        if message.starts_with("unclosed array")
            && let Some(list) = list_that_ends_at(table, span.end)
        {
            let bracket = Place::within(source, list.start..list.start + 1);
            problems.push(Problem::new(
                "this list has no end",
                bracket,
                "close it with `]`",
            ));
            broken.extend(source.line(list.start)..=source.line(list.end));
        }
    }
    // Of two errors at one line the longer is the one that covers the words at fault.
    ordered.sort_by_key(|(span, _)| (source.line(span.start), usize::MAX - span.len()));
    for (span, message) in ordered {
        if broken.insert(source.line(span.start)) {
            problems.push(match twice(source, table, &span, message) {
                Some(problem) => problem,
                None => explained(source, span, message),
            });
        }
    }
    broken
}

fn list_that_ends_at(table: &DeTable<'_>, end: usize) -> Option<Range<usize>> {
    let lists = table
        .values()
        .filter(|value| matches!(value.get_ref(), DeValue::Array(_)));
    lists
        .map(|value| value.span())
        .find(|span| span.start < end && end <= span.end)
}

/// A key that is given a second time, shown with the first.
fn twice(
    source: &Arc<Source>,
    table: &DeTable<'_>,
    span: &Range<usize>,
    message: &str,
) -> Option<Problem> {
    let words = &source.text[span.clone()];
    let problem = (message == "duplicate key").then(|| {
        let what = format!("{} is given twice", quoted(words.trim()));
        Problem::new(
            what,
            Place::within(source, span.clone()),
            "keep one of the two",
        )
    })?;
    Some(match table.get_key_value(words) {
        Some((first, _)) if first.span() != *span => {
            problem.against(Place::within(source, first.span()))
        }
        _ => problem,
    })
}

/// One error, with a cure.
fn explained(source: &Arc<Source>, span: Range<usize>, message: &str) -> Problem {
    if let Some((key, value)) = naked_value(source, &span) {
        let words = &source.text[value.clone()];
        let (what, cure) = naked(key, words, message);
        return Problem::new(what, Place::within(source, value), cure);
    }
    let words = source.text[span.clone()].trim();
    let (what, cure) = if message.starts_with("string values must be quoted") && words.is_empty() {
        (
            "a value is missing".to_owned(),
            "write a value behind the `=`".to_owned(),
        )
    } else {
        let what = format!("this is not TOML: {message}");
        (
            what,
            "write `key = value`, with text in quotes; see https://toml.io".to_owned(),
        )
    };
    Problem::new(what, Place::within(source, span), cure)
}

/// The key and the value of a broken line, if the value has neither quotes nor brackets.
fn naked_value(source: &Source, span: &Range<usize>) -> Option<(&'static Key, Range<usize>)> {
    let line = source.whole_lines(&(span.start..span.start));
    let (name, rest) = source.text[line.clone()].split_once('=')?;
    let key = key(name.trim())?;
    let value = rest.split('#').next()?;
    let words = value.trim();
    let start = line.start + name.len() + 1 + value.len() - value.trim_start().len();
    let is_naked = !words.is_empty() && !words.contains(['"', '\'', '[', ']', '{', '}']);
    is_naked.then(|| (key, start..start + words.len()))
}

/// What is wrong with a value without quotes, and what to write.
fn naked(key: &Key, words: &str, message: &str) -> (String, String) {
    let wants_text = match key.kind {
        Kind::Switch | Kind::Number { .. } | Kind::Descriptor => false,
        Kind::NumberOr {
            words: names, form, ..
        } => {
            let starts_with_a_digit = words.starts_with(|c: char| c.is_ascii_digit());
            let is_of_a_form = form.is_some() && words.parse::<f64>().is_err();
            names.contains(&words) || (starts_with_a_digit && is_of_a_form)
        }
        _ => true,
    };
    let shown = quoted(words);
    if words.contains('=') {
        (
            "two keys stand in one line".to_owned(),
            "write each in a line of its own".to_owned(),
        )
    } else if wants_text {
        (
            format!("{shown} is text without quotes"),
            format!("write {}", quoted(&format!("\"{words}\""))),
        )
    } else if message.starts_with("unexpected leading zero") {
        let number = words.trim_start_matches('0');
        (
            "a number has no zeros in front".to_owned(),
            format!("write {}", quoted(number)),
        )
    } else {
        (
            format!("{shown} is no value for `{}`", key.name),
            format!("write {}", key.kind.wants()),
        )
    }
}
