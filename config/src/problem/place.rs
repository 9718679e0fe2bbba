//! Where words stood.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Where an effective value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A flag of the command line: `--workers`.
    Flag(String),
    /// A variable of the environment: `WEB_CONCURRENCY`.
    Environment(String),
    /// A line of the configuration file.
    File {
        /// The file as it was named.
        path: String,
        /// Counted from 1.
        line: usize,
    },
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    /// `flag --workers`, `environment WEB_CONCURRENCY`, `brigade.toml:12`, `default`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The text of a configuration file.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Source {
    /// The path as the user knows it.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Where each line starts.
    lines: Vec<usize>,
}

impl Source {
    pub(crate) fn new(path: String, text: String) -> Self {
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self { path, text, lines }
    }

    /// The line of this byte, counted from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    /// The character of this byte within its line, counted from 1.
    fn column(&self, at: usize) -> usize {
        let start = self.lines[self.line(at) - 1];
        self.text[start..at].chars().count() + 1
    }

    /// The bytes of the lines that a span touches, without the last line's end.
    pub(crate) fn whole_lines(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.lines[self.line(span.start) - 1];
        let rest = &self.text[span.end..];
        let end = span.end + rest.find('\n').unwrap_or(rest.len());
        let text = &self.text[start..end];
        start
            ..start
                + text
                    .strip_suffix('\r')
                    .unwrap_or(text)
                    .len()
                    .max(span.end - start)
    }

    /// The span moved to borders of characters: no later slicing can panic.
    pub(crate) fn clamp(&self, span: Range<usize>) -> Range<usize> {
        let border = |mut at: usize| {
            at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = border(span.start);
        start..border(span.end).max(start)
    }
}

/// Where some words stood, with what is needed to show them there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// `--workers 0`; no value for switches.
    Flag { flag: String, value: Option<String> },
    /// `WEB_CONCURRENCY=0`, and which bytes of the value are meant.
    Environment {
        name: String,
        value: String,
        at: Range<usize>,
    },
    /// `BRIGADE_WORKERZ=4`, where the name itself is at fault.
    Variable { name: String, value: String },
    /// Words in the configuration file.
    File {
        source: Arc<Source>,
        span: Range<usize>,
    },
    /// The configuration file as a whole, by name.
    Path(String),
    /// A key's default.
    Default {
        key: &'static str,
        value: &'static str,
    },
}

impl Place {
    /// Words of a file, whatever the span.
    pub(crate) fn within(source: &Arc<Source>, span: Range<usize>) -> Self {
        Self::File {
            source: Arc::clone(source),
            span: source.clamp(span),
        }
    }

    /// The same without the words themselves.
    pub(crate) fn origin(&self) -> Origin {
        match self {
            Self::Flag { flag, .. } => Origin::Flag(flag.clone()),
            Self::Environment { name, .. } | Self::Variable { name, .. } => {
                Origin::Environment(name.clone())
            }
            Self::File { source, span } => Origin::File {
                path: source.path.clone(),
                line: source.line(span.start),
            },
            Self::Path(path) => Origin::File {
                path: path.clone(),
                line: 1,
            },
            Self::Default { .. } => Origin::Default,
        }
    }

    /// The order of a report: the file from top to bottom, the environment, the flags.
    pub(crate) fn rank(&self) -> (u8, usize) {
        match self {
            Self::Path(_) => (0, 0),
            Self::File { span, .. } => (1, span.start),
            Self::Environment { .. } | Self::Variable { .. } => (2, 0),
            Self::Flag { .. } => (3, 0),
            Self::Default { .. } => (4, 0),
        }
    }
}

impl fmt::Display for Place {
    /// For one-line messages: an [`Origin`], with the column where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { source, span } => {
                write!(f, "{}:{}", self.origin(), source.column(span.start))
            }
            Self::Path(path) => f.write_str(path),
            _ => self.origin().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let source = Source::new("f".into(), "a\nä = 1\n".into());
        assert_eq!((source.line(0), source.column(0)), (1, 1));
        let equals = source.text.find('=').unwrap();
        assert_eq!((source.line(equals), source.column(equals)), (2, 3));
        assert_eq!(
            &source.text[source.whole_lines(&(equals..equals + 1))],
            "ä = 1"
        );
        assert_eq!(source.line(source.text.len()), 3);
        assert_eq!(source.clamp(3..99), 2..source.text.len());
    }
}
