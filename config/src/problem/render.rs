//! Problems as a person reads them: what is wrong, the words at fault underlined where they stand,
//! what was perhaps meant, and what to do.

use std::ops::Range;

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet,
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
    let mut parts: Vec<String> = problems
        .iter()
        .take(SHOWN)
        .map(|problem| renderer.render(&[group(problem)]))
        .collect();
    let count = problems.len();
    parts.push(match count.checked_sub(SHOWN) {
        None | Some(0) if count == 1 => "1 problem in the configuration".to_owned(),
        None | Some(0) => format!("{count} problems in the configuration"),
        Some(more) => format!("{count} problems in the configuration, {more} of them not shown"),
    });
    parts.join("\n\n") + "\n"
}

fn group(problem: &Problem) -> Group<'_> {
    let mut group = Group::with_title(Level::ERROR.primary_title(problem.what.as_str()));
    let mut rest = problem.places.as_slice();
    let mut kind = AnnotationKind::Primary;
    while let Some(first) = rest.first() {
        let together = rest
            .iter()
            .take_while(|place| same_source(first, place))
            .count()
            .max(1);
        group = group.element(excerpt(&rest[..together], kind));
        kind = AnnotationKind::Context;
        rest = &rest[together..];
    }
    if let Some(nearest) = &problem.nearest {
        let nearest = normalize_untrusted_str(nearest);
        group = group.element(Level::HELP.message(format!("did you mean `{nearest}`?")));
    }
    if let Some(cure) = &problem.cure {
        group = group.element(Level::HELP.message(normalize_untrusted_str(cure)));
    }
    group
}

fn same_source(one: &Place, other: &Place) -> bool {
    matches!((one, other), (Place::File { source: a, .. }, Place::File { source: b, .. }) if a == b)
}

/// The words of some places of one source, the first of them marked as `kind`.
fn excerpt(places: &[Place], kind: AnnotationKind) -> Element<'_> {
    match &places[0] {
        Place::File { source, .. } => lines(source, places, kind).into(),
        Place::Path(path) => Origin::path(path.as_str()).into(),
        Place::Flag { flag, value: None } => single("flag ", flag, "", kind),
        Place::Flag {
            flag,
            value: Some(value),
        } => single(&format!("flag {flag} "), value, "", kind),
        Place::Environment { name, value } => {
            single(&format!("environment {name}="), value, "", kind)
        }
        Place::Default { key, value } => single(&format!("{key} = "), value, " (default)", kind),
    }
}

/// One line that stands in no file.
fn single(before: &str, words: &str, after: &str, kind: AnnotationKind) -> Element<'static> {
    let span = before.len()..before.len() + words.len();
    let text = format!("{before}{words}{after}");
    Snippet::source(text)
        .line_numbering(false)
        .annotation(kind.span(span))
        .into()
}

/// Lines of a file. Only these are handed to the renderer, which would go through all of them.
fn lines<'a>(
    source: &'a Source,
    places: &[Place],
    kind: AnnotationKind,
) -> Snippet<'a, Annotation<'a>> {
    let spans: Vec<&Range<usize>> = places
        .iter()
        .filter_map(|place| match place {
            Place::File { span, .. } => Some(span),
            _ => None,
        })
        .collect();
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
