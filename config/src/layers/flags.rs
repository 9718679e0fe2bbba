//! The command line: clap's arguments out of the table, and what was given through them.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use super::environment::CONFIG_VARIABLE;
use super::given::{Given, Layer, Words};
use crate::keys::{Key, Kind, OnReload, keys};
use crate::problem::{Place, Problem};

/// The argument that names the configuration file.
pub(crate) const CONFIG: &str = "config";

/// The arguments of every command that reads a configuration: `--config` and one flag per key.
/// Their values are not checked here but in [`load`](crate::load()), with those of the other layers.
pub fn arguments() -> impl Iterator<Item = Arg> {
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .short('c')
        .value_name("PATH")
        .value_parser(value_parser!(OsString))
        .help("Configuration file [default: brigade.toml if there is one]")
        .long_help(format!(
            "Configuration file.\n\nWithout it, brigade.toml of the working directory is read if \
             there is one.\n\nEnvironment: {CONFIG_VARIABLE}"
        ));
    std::iter::once(config).chain(keys().flat_map(of_key))
}

/// What the command line gives. Values that are not text are problems.
pub(crate) fn flags(matches: &ArgMatches, problems: &mut Vec<Problem>) -> Vec<Given> {
    keys()
        .filter_map(|key| from_matches(key, matches, problems))
        .collect()
}

fn of_key(key: &'static Key) -> Vec<Arg> {
    let arg = Arg::new(key.name)
        .long(key.name)
        .help_heading(key.heading.to_string())
        .help(short_help(key))
        .long_help(long_help(key));
    if matches!(key.kind, Kind::Switch | Kind::PathOrSwitch { .. }) {
        let off = negation(key);
        let twin = Arg::new(off.clone())
            .long(off.clone())
            .action(ArgAction::SetTrue)
            .overrides_with(key.name)
            .hide(true)
            .help(format!("Undo --{}", key.name));
        let arg = match key.kind {
            Kind::Switch => arg.action(ArgAction::SetTrue),
            _ => arg
                .action(ArgAction::Set)
                .num_args(0..=1)
                .default_missing_value("true")
                .value_name(key.value_name)
                .value_parser(value_parser!(OsString)),
        };
        return vec![arg.overrides_with(off), twin];
    }
    let action = if key.is_repeatable() {
        ArgAction::Append
    } else {
        ArgAction::Set
    };
    let arg = arg
        .action(action)
        .value_name(key.value_name)
        .value_parser(value_parser!(OsString))
        // So that `--workers -1` is answered by our sentence and not by clap's "unexpected -1".
        .allow_negative_numbers(true);
    vec![arg]
}

fn negation(key: &Key) -> String {
    format!("no-{}", key.name)
}

fn short_help(key: &Key) -> String {
    match key.default {
        Some(default) if !matches!(key.kind, Kind::Switch) => {
            format!("{} [default: {default}]", key.help)
        }
        _ => key.help.to_owned(),
    }
}

fn long_help(key: &Key) -> String {
    let mut text = format!("{}.", key.help);
    if !key.details.is_empty() {
        let _ = write!(text, "\n\n{}", key.details);
    }
    let _ = write!(text, "\n\nDefault: {}", key.default.unwrap_or("unset"));
    let _ = write!(text, "\nEnvironment: {}", key.environment.join(", "));
    if matches!(key.kind, Kind::Switch | Kind::PathOrSwitch { .. }) {
        let _ = write!(text, "\nOpposite: --{}", negation(key));
    }
    if key.on_reload == OnReload::NeedsRestart {
        text.push_str("\nA change needs a restart.");
    }
    text
}

fn from_matches(
    key: &'static Key,
    matches: &ArgMatches,
    problems: &mut Vec<Problem>,
) -> Option<Given> {
    let given = |name: &str| {
        // Asked by value_source alone, clap would panic for an argument that a command lacks.
        matches.try_contains_id(name).is_ok()
            && matches.value_source(name) == Some(ValueSource::CommandLine)
    };
    let mut words = Vec::new();
    let off = negation(key);
    if matches!(key.kind, Kind::PathOrSwitch { .. }) && given(&off) {
        words.push(Words {
            text: "false".to_owned(),
            place: Place::Flag {
                flag: format!("--{off}"),
                value: None,
            },
        });
    } else if matches!(key.kind, Kind::Switch) {
        for (name, text) in [(key.name, "true"), (off.as_str(), "false")] {
            if given(name) {
                let place = Place::Flag {
                    flag: format!("--{name}"),
                    value: None,
                };
                words.push(Words {
                    text: text.to_owned(),
                    place,
                });
            }
        }
    } else if given(key.name) {
        for value in matches.get_many::<OsString>(key.name).into_iter().flatten() {
            let place = Place::Flag {
                flag: key.flag(),
                value: Some(value.to_string_lossy().into_owned()),
            };
            match value.to_str() {
                Some(text) => words.push(Words {
                    text: text.to_owned(),
                    place,
                }),
                None => problems.push(Problem::new(
                    "the value is not text in UTF-8",
                    place,
                    "write it in UTF-8",
                )),
            }
        }
    }
    (!words.is_empty()).then_some(Given {
        key,
        layer: Layer::Flags,
        words,
    })
}
