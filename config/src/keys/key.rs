//! The shape of a row of the table: all that is known of one key.

use std::fmt;

use crate::types::Config;
use crate::words::{Fault, OFF_WORDS};

/// One key: a value that can be given by a flag, by the environment, or in the file.
#[derive(Debug)]
pub struct Key {
    /// Its name in the file; the flag is the same behind `--`.
    pub name: &'static str,
    /// The variables of the environment that give it, the strongest first.
    pub environment: &'static [&'static str],
    /// What holds if nobody says anything, in the words that one would write; `None`: unset.
    pub default: Option<&'static str>,
    /// What to call the value in help.
    pub value_name: &'static str,
    /// One line of help, without a full stop.
    pub help: &'static str,
    /// More of it, in whole sentences; may be empty.
    pub details: &'static str,
    /// Under which heading it stands.
    pub heading: Heading,
    /// Whether a reload can change it.
    pub on_reload: OnReload,
    /// Which words it takes.
    pub(crate) kind: Kind,
    /// What they mean.
    pub(crate) meaning: Meaning,
}

/// The headings of help, file and table, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heading {
    /// Where to listen.
    Listening,
    /// How many workers, and who they are.
    Workers,
    /// How long anything may take.
    Deadlines,
    /// How workers are replaced that are well.
    Replacing,
    /// What follows a crash.
    Restarts,
    /// TLS.
    Tls,
    /// What clients are allowed.
    Limits,
    /// Which protocols are spoken.
    Http,
    /// Proxies in front.
    Proxy,
    /// The access log.
    AccessLog,
    /// Work off the event loop.
    Offload,
    /// The log.
    Log,
}

impl fmt::Display for Heading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Listening => "Listening",
            Self::Workers => "Workers",
            Self::Deadlines => "Deadlines",
            Self::Replacing => "Replacing workers",
            Self::Restarts => "Restarts",
            Self::Tls => "TLS",
            Self::Limits => "Limits",
            Self::Http => "HTTP",
            Self::Proxy => "Behind a proxy",
            Self::AccessLog => "Access log",
            Self::Offload => "Off the loop",
            Self::Log => "Log",
        })
    }
}

/// Whether a reload (HUP) can change a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnReload {
    /// The new value holds from the reload on.
    Applied,
    /// The old value holds until the supervisor is started again.
    NeedsRestart,
}

/// Which words a key takes, for the file's types, the schema and the shape of the flag.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// `true` or `false`; a switch with a `--no-` twin on the command line.
    Switch,
    /// A whole number.
    Number { least: u32, most: u32 },
    /// A whole number, or one of some words, or text of a form.
    NumberOr {
        words: &'static [&'static str],
        form: Option<Form>,
        least: u64,
        most: u64,
    },
    /// Seconds, or text with units, or one of some words.
    Time { words: &'static [&'static str] },
    /// One of some words.
    Choice(fn() -> Vec<&'static str>),
    /// The number of an open file, but not those of the standard streams for output.
    Descriptor,
    /// The path of a file, or `true` or `false`; on the command line the flag may stand alone, and
    /// has a `--no-` twin.
    PathOrSwitch { like: &'static str },
    /// Octal digits as text, or as TOML's octal number.
    Octal,
    /// A name, or its number.
    Account,
    /// Text, such as this.
    Text { like: &'static str },
    /// Several texts, such as these.
    List { like: &'static [&'static str] },
}

/// What text looks like that begins with a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// An example.
    pub(crate) like: &'static str,
    /// A regular expression for editors; Brigade's own parser decides.
    pub(crate) pattern: &'static str,
}

/// What a key's words mean.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meaning {
    /// One value of the configuration.
    Value {
        /// Reads the words into it.
        set: fn(&mut Config, &str) -> Result<(), Fault>,
        /// The words that read back as it; `None`: unset.
        show: fn(&Config) -> Option<String>,
    },
    /// Several values, in the order given; the strongest layer's replace all weaker ones.
    Values {
        /// Forgets those that it has.
        clear: fn(&mut Config),
        /// Reads the words of one more.
        add: fn(&mut Config, &str) -> Result<(), Fault>,
        /// The words that read back as them; none: unset.
        all: fn(&Config) -> Vec<String>,
    },
    /// A part of the choice where to listen; see `address.rs`.
    Place(Spelling),
}

/// The ways to say where to listen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spelling {
    Host,
    Port,
    Uds,
    Fd,
    Bind,
}

/// A duration and nothing else.
pub(super) const TIME: Kind = Kind::Time { words: &[] };
/// A duration, or `off`.
pub(super) const TIME_OR_OFF: Kind = Kind::Time { words: OFF_WORDS };

/// Fills in a field, unless its words are wrong.
pub(super) fn put<T>(field: &mut T, value: Result<T, Fault>) -> Result<(), Fault> {
    *field = value?;
    Ok(())
}

/// The words of a list as one; none if there are none.
pub(crate) fn joined(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(", "))
}

/// The values that a default lists.
pub(crate) fn listed(default: &str) -> impl Iterator<Item = &str> {
    default.split(',').map(str::trim)
}

impl Key {
    /// The flag: `--workers`.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.name)
    }

    /// The words for the value that a configuration holds, if this key has a value of its own
    /// there (the spellings of addresses share one).
    pub(crate) fn shown(&self, config: &Config) -> Option<String> {
        match self.meaning {
            Meaning::Value { show, .. } => show(config),
            Meaning::Values { all, .. } => joined(&all(config)),
            Meaning::Place(Spelling::Bind) => {
                let binds = config.supervisor.binds.iter().map(ToString::to_string);
                Some(binds.collect::<Vec<_>>().join(", "))
            }
            Meaning::Place(_) => None,
        }
    }

    /// Whether it is on or off: its flag takes no value, and has a twin that begins with `--no-`.
    #[must_use]
    pub fn is_switch(&self) -> bool {
        matches!(self.kind, Kind::Switch)
    }

    /// Whether it may be given more than once.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        matches!(self.kind, Kind::List { .. })
    }
}

impl Kind {
    /// The words it takes, for people.
    pub(crate) fn wants(self) -> String {
        match self {
            Self::Switch => "`true` or `false`".to_owned(),
            Self::Number { least, most } => format!("a whole number from {least} to {most}"),
            Self::NumberOr { words, form, .. } => {
                let mut ways = vec!["a whole number".to_owned()];
                ways.extend(words.iter().map(|word| format!("\"{word}\"")));
                ways.extend(form.map(|form| format!("text like \"{}\"", form.like)));
                let last = ways.pop().unwrap_or_default();
                format!("{} or {last}", ways.join(", "))
            }
            Self::Time { words: [] } => "a number of seconds or text like \"1m 30s\"".to_owned(),
            Self::Time { words } => {
                format!(
                    "\"{}\", or a duration like \"1m 30s\"",
                    words.join("\", \"")
                )
            }
            Self::Choice(names) => format!("one of \"{}\"", names().join("\", \"")),
            Self::Descriptor => "the number of an inherited socket, like 3".to_owned(),
            Self::PathOrSwitch { like } => {
                format!("`true`, `false`, or a path in quotes, like \"{like}\"")
            }
            Self::Octal => "octal digits as text, like \"027\"".to_owned(),
            Self::Account => "a name as text, like \"www-data\", or a number".to_owned(),
            Self::Text { like } => format!("text in quotes, like \"{like}\""),
            Self::List { .. } => "text in quotes, or a list of them".to_owned(),
        }
    }
}
