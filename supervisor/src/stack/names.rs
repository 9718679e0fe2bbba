//! Functions in words, and those that a reader need not see left out.

use super::library::Place;

/// The most lines of a report.
const MOST: usize = 20;
/// The longest line.
const LONGEST: usize = 160;
/// What runs around a service: from the first of these on, everything is the server's own.
const SERVER: [&str; 1] = ["brigade_worker::"];
/// What drives a service's tasks and calls a program's `main`. It is left out at the outer end.
const PLUMBING: [&str; 17] = [
    "tokio::",
    "hyper::",
    "hyper_util::",
    "tower::",
    "core::",
    "alloc::",
    "std::",
    "scoped_tls::",
    "__rust",
    "__libc_start",
    "_start",
    "main",
    "clone",
    "start_thread",
    "0x",
    "libc.so.6+",
    "tracing::",
];

/// The lines of a report.
pub(super) fn lines(places: &[Option<Place>], names: &[Option<String>]) -> Vec<String> {
    let mut lines: Vec<String> = places.iter().zip(names).map(|(p, n)| line(p, n)).collect();
    without_server(&mut lines);
    if lines.len() > MOST {
        let left_out = lines.len() - (MOST - 1);
        lines.truncate(MOST - 1);
        lines.push(format!("... and {left_out} more"));
    }
    for line in &mut lines {
        *line = shortened(line);
    }
    lines
}

fn line(place: &Option<Place>, name: &Option<String>) -> String {
    match (place, name) {
        (_, Some(name)) => format!("{:#}", rustc_demangle::demangle(name)),
        (Some(place), None) => format!("{}+{:#x}", place.file, place.offset),
        (None, None) => "0x?".to_owned(),
    }
}

/// Cuts what the server does around the service. If it is the server itself that is blocked, all of
/// it is news.
fn without_server(lines: &mut Vec<String>) {
    let whose = |line: &str, crates: &[&str]| {
        let bare = line.trim_start_matches(['<', '&', '(']);
        crates.iter().any(|name| bare.starts_with(name))
    };
    let mut end = lines
        .iter()
        .position(|line| whose(line, &SERVER))
        .unwrap_or(lines.len());
    while end > 0 && whose(&lines[end - 1], &PLUMBING) {
        end -= 1;
    }
    if end > 0 {
        lines.truncate(end);
    }
}

/// A line whose middle is left out if it is long: generic names are, and their ends tell most.
fn shortened(line: &str) -> String {
    let count = line.chars().count();
    if count <= LONGEST {
        return line.to_owned();
    }
    let head: String = line.chars().take(LONGEST / 2).collect();
    let tail: String = line.chars().skip(count - LONGEST / 2 + 1).collect();
    format!("{head}…{tail}")
}
