//! The sections by name.

use std::fmt;
use std::str::FromStr;

use super::compare::{self, Pattern};
use super::{
    access_log, crowd, growth, idle, instructions, renew, replace, scaling, spread, stall, start,
    works,
};
use crate::bench::Bench;
use crate::outcome::Outcome;
use crate::report::Report;

/// A question that the benchmarks answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Section {
    /// Hello on 64 connections.
    KeepAlive,
    /// Hello on one connection.
    OneConnection,
    /// Hello with a connection for each.
    NewConnection,
    /// From the death of a worker to its replacement.
    Replace,
    /// From the start of the program to the first answer.
    Start,
    /// Wake-ups and memory of an idle instance.
    Idle,
    /// Memory of idle connections.
    Crowd,
    /// What more workers cost.
    Growth,
    /// New connections while a worker is blocked.
    Stall,
    /// How new connections spread over workers.
    Spread,
    /// Reload and upgrade in place.
    Renew,
    /// One supervisor with many workers, or many with one.
    Scaling,
    /// What an access log costs.
    AccessLog,
    /// JSON, TLS, HTTP/2, WebSockets, files.
    Works,
    /// Where the user-space cost is; not among the usual ones.
    Instructions,
}

impl Section {
    /// All of them, in the order of the report.
    pub(crate) const ALL: [Self; 15] = [
        Self::KeepAlive,
        Self::OneConnection,
        Self::NewConnection,
        Self::Replace,
        Self::Start,
        Self::Idle,
        Self::Crowd,
        Self::Growth,
        Self::Stall,
        Self::Spread,
        Self::Renew,
        Self::Scaling,
        Self::AccessLog,
        Self::Works,
        Self::Instructions,
    ];

    /// Those that are run if none is named: they need no other tools than nginx.
    pub(crate) fn usual() -> Vec<Self> {
        let mut sections = Self::ALL.to_vec();
        sections.retain(|section| *section != Self::Instructions);
        sections
    }

    pub(crate) fn run(self, bench: &Bench) -> Outcome<Report> {
        match self {
            Self::KeepAlive => compare::run(bench, Pattern::KeepAlive { connections: 64 }),
            Self::OneConnection => compare::run(bench, Pattern::KeepAlive { connections: 1 }),
            Self::NewConnection => compare::run(bench, Pattern::PerRequest { at_once: 64 }),
            Self::Replace => replace::run(bench),
            Self::Start => start::run(bench),
            Self::Idle => idle::run(bench),
            Self::Crowd => crowd::run(bench),
            Self::Growth => growth::run(bench),
            Self::Stall => stall::run(bench),
            Self::Spread => spread::run(bench),
            Self::Renew => renew::run(bench),
            Self::Scaling => scaling::run(bench),
            Self::AccessLog => access_log::run(bench),
            Self::Works => works::run(bench),
            Self::Instructions => instructions::run(bench),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::KeepAlive => "keep-alive",
            Self::OneConnection => "one-connection",
            Self::NewConnection => "new-connection",
            Self::Replace => "replace",
            Self::Start => "start",
            Self::Idle => "idle",
            Self::Crowd => "crowd",
            Self::Growth => "growth",
            Self::Stall => "stall",
            Self::Spread => "spread",
            Self::Renew => "renew",
            Self::Scaling => "scaling",
            Self::AccessLog => "access-log",
            Self::Works => "works",
            Self::Instructions => "instructions",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Section {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|section| section.name() == word);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no section `{word}`; there are {names}")
        })
    }
}
