//! The command line of the driver.

use clap::{Arg, ArgAction, Command, value_parser};

use crate::section::Section;

/// What was asked for.
pub(crate) struct Arguments {
    /// Little of everything.
    pub(crate) smoke: bool,
    /// Build before.
    pub(crate) build: bool,
    /// Another number of rounds than usual.
    pub(crate) rounds: Option<usize>,
    /// Of `works` only those whose names have one of these in them; empty: all.
    pub(crate) works: Vec<String>,
    /// Which sections, in this order.
    pub(crate) sections: Vec<Section>,
}

impl Arguments {
    /// Of this process; ends it if it asks for help or makes no sense.
    pub(crate) fn parse() -> Self {
        let matches = command().get_matches();
        let sections = matches
            .get_many("section")
            .map(|named| named.copied().collect());
        Self {
            smoke: matches.get_flag("smoke"),
            build: !matches.get_flag("no-build"),
            rounds: matches
                .get_one::<u16>("rounds")
                .map(|&rounds| usize::from(rounds)),
            works: matches
                .get_many("work")
                .map_or_else(Vec::new, |words| words.cloned().collect()),
            sections: sections.unwrap_or_else(Section::usual),
        }
    }
}

fn command() -> Command {
    let sections = Section::ALL.map(|section| section.to_string()).join(", ");
    Command::new("brigade-bench")
        .about("Measures Brigade side by side with its peers and prints a table per section")
        .arg(
            Arg::new("smoke")
                .long("smoke")
                .action(ArgAction::SetTrue)
                .help("A little of everything, to see that it works"),
        )
        .arg(
            Arg::new("no-build")
                .long("no-build")
                .action(ArgAction::SetTrue)
                .help("Take the binaries as they are beside this one"),
        )
        .arg(
            Arg::new("rounds")
                .long("rounds")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..=1000))
                .help("Rounds of each comparison"),
        )
        .arg(
            Arg::new("work")
                .long("work")
                .value_name("WORDS")
                .action(ArgAction::Append)
                .help("Of `works` only what has these words in its name"),
        )
        .arg(
            Arg::new("section")
                .value_name("SECTION")
                .num_args(0..)
                .value_parser(|word: &str| word.parse::<Section>())
                .help(format!(
                    "Which sections, of {sections}; all but the last if none is named"
                )),
        )
}
