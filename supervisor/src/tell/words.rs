//! The words that several lines share.

use std::time::Duration;

use brigade_shared::exit::Exit;

use crate::plan::Next;
use crate::roster::Member;

/// Why the worker failed, in its own words, and the last lines of its standard error, as one text.
pub(crate) fn last_words(who: &Member) -> String {
    let mut lines = who.err.last_lines();
    // A service that says why often says so on both ways.
    if let Some(reason) = &who.failed
        && !lines.iter().any(|line| line.contains(reason.as_str()))
    {
        lines.push(reason.clone());
    }
    lines.join("\n")
}

pub(super) fn indented(output: &str) -> String {
    if output.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = output
        .lines()
        .map(|line| format!("\n    | {line}"))
        .collect();
    format!("; its last words:{}", lines.concat())
}

pub(super) fn numbers(exit: Exit) -> (Option<i32>, Option<i32>) {
    match exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
    }
}

pub(super) fn restart_in(next: Next) -> Option<u64> {
    match next {
        Next::Now => Some(0),
        Next::After(pause) => Some(milliseconds(pause)),
        Next::Parked | Next::Nothing => None,
    }
}

pub(super) fn next_word(next: Next) -> &'static str {
    match next {
        Next::Now => "now",
        Next::After(_) => "after",
        Next::Parked => "parked",
        Next::Nothing => "nothing",
    }
}

pub(super) fn and_then(next: Next) -> String {
    match next {
        Next::Now => "a replacement starts now".to_owned(),
        Next::After(pause) => format!("a replacement starts in {}", shown(pause)),
        Next::Parked => "it asked not to be replaced (exit code 78)".to_owned(),
        Next::Nothing => "no replacement is needed".to_owned(),
    }
}

/// `1 worker`, `2 workers`.
pub(super) fn counted(workers: u16) -> String {
    format!("{workers} worker{}", if workers == 1 { "" } else { "s" })
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `3 ms`, `1.5 s`, `12 s`, `3 h 25 min`.
pub(super) fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 if time.as_millis() < 10 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        0 => format!("{} ms", time.as_millis()),
        1..10 => format!("{:.1} s", time.as_secs_f64()),
        10..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
