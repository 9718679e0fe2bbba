//! Problems as a person reads them: what is wrong, the words at fault underlined where they stand,
//! what was perhaps meant, and what to do.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Padding, Renderer, Snippet,
    normalize_untrusted_str,
};

use super::place::{Place, Source};
use super::problems::Problem;

/// More problems than these are counted, not shown.
const SHOWN: usize = 25;

/// All problems, an empty line between two, and their number.
pub(super) fn report(problems: &[Problem], coloured: bool) -> String {
    let renderer = if coloured {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let shown = problems.iter().take(SHOWN);
    let mut parts: Vec<String> = shown
        .map(|problem| renderer.render(&groups(problem)))
        .collect();
    let count = problems.len();
    parts.push(match count {
        1 => "1 problem in the configuration\n".to_owned(),
        ..=SHOWN => format!("{count} problems in the configuration\n"),
        _ => format!("{count} problems in the configuration, the first {SHOWN} are shown\n"),
    });
    parts.join("\n\n")
}

/// Words of others in a line of ours: no line ends, no codes that steer a terminal.
pub(crate) fn printable(words: &str) -> String {
    let escaped = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.into()
        }
    };
    normalize_untrusted_str(&words.chars().map(escaped).collect::<String>())
}

/// The words at fault, what they stand against, and the way out below the last of these.
fn groups(problem: &Problem) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for places in problem.places.chunk_by(is_shown_together) {
        let (title, kind) = match groups.is_empty() {
            true => (
                Level::ERROR.primary_title(printable(&problem.what)),
                AnnotationKind::Primary,
            ),
            false => (
                Level::NOTE.secondary_title("together with"),
                AnnotationKind::Context,
            ),
        };
        groups.push(title.element(excerpt(places, kind)));
    }
    let guess = problem
        .nearest
        .iter()
        .map(|nearest| format!("did you mean `{nearest}`?"));
    let help = guess.chain(problem.cure.clone());
    if let Some(mut last) = groups.pop() {
        // The renderer sets help apart by itself in the first group only.
        if !groups.is_empty() {
            last = last.element(Padding);
        }
        let help = help.map(|text| Level::HELP.message(printable(&text)));
        groups.push(help.fold(last, Group::element));
    }
    groups
}

/// Whether two places fit into one excerpt: of one file, or of none.
fn is_shown_together(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::File { source: a, .. }, Place::File { source: b, .. }) => Arc::ptr_eq(a, b),
        (Place::File { .. } | Place::Path(_), _) | (_, Place::File { .. } | Place::Path(_)) => {
            false
        }
        _ => true,
    }
}

/// Some places that are shown together, the first of them marked as `kind`.
fn excerpt(places: &[Place], kind: AnnotationKind) -> Element<'_> {
    match &places[0] {
        Place::File { source, .. } => lines(source, places, kind).into(),
        Place::Path(path) => Origin::path(path.as_str()).into(),
        _ => said(places, kind).into(),
    }
}

/// Words that stand in no file, a line each.
fn said(places: &[Place], kind: AnnotationKind) -> Snippet<'static, Annotation<'static>> {
    let mut text = String::new();
    let mut annotations = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let (before, words, after) = line(place);
        let start = text.len() + before.len();
        let kind = if index == 0 {
            kind
        } else {
            AnnotationKind::Context
        };
        annotations.push(kind.span(start..start + words.len()));
        text += &format!("{before}{words}{after}\n");
    }
    Snippet::source(text)
        .line_numbering(false)
        .annotations(annotations)
}

/// What stands before the words at fault, these words, and what stands behind them.
fn line(place: &Place) -> (String, String, String) {
    // A line's end would end the excerpt, and nothing can't be underlined.
    let shown = |words: &str| words.replace(['\n', '\r'], " ");
    let marked = |words: &str| {
        if words.is_empty() {
            "''".to_owned()
        } else {
            shown(words)
        }
    };
    let nothing = String::new;
    match place {
        Place::Flag { flag, value: None } => ("flag ".to_owned(), flag.clone(), nothing()),
        Place::Flag {
            flag,
            value: Some(value),
        } => (format!("flag {flag} "), marked(value), nothing()),
        Place::Environment { name, value, at } => {
            let before = format!("environment {name}={}", shown(&value[..at.start]));
            (before, marked(&value[at.clone()]), shown(&value[at.end..]))
        }
        Place::Variable { name, value } => (
            "environment ".to_owned(),
            marked(name),
            format!("={}", shown(value)),
        ),
        Place::Default { key, value } => {
            (format!("{key} = "), marked(value), " (default)".to_owned())
        }
        Place::File { .. } | Place::Path(_) => (nothing(), place.to_string(), nothing()),
    }
}

/// Lines of a file. Only these are handed to the renderer, which would go through all of them.
fn lines<'a>(
    source: &'a Source,
    places: &[Place],
    kind: AnnotationKind,
) -> Snippet<'a, Annotation<'a>> {
    let span = |place: &Place| match place {
        Place::File { span, .. } => Some(span.clone()),
        _ => None,
    };
    let spans: Vec<Range<usize>> = places.iter().filter_map(span).collect();
    let start = spans.iter().map(|span| span.start).min().unwrap_or(0);
    let end = spans.iter().map(|span| span.end).max().unwrap_or(0);
    let shown = source.whole_lines(&(start..end));
    let annotations = spans.iter().enumerate().map(|(index, span)| {
        let kind = if index == 0 {
            kind
        } else {
            AnnotationKind::Context
        };
        kind.span(span.start - shown.start..span.end - shown.start)
    });
    Snippet::source(&source.text[shown.clone()])
        .path(source.path.as_str())
        .line_start(source.line(shown.start))
        .annotations(annotations)
}
