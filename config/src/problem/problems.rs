//! One problem, and all of them.

use std::fmt;

use super::place::{Origin, Place};
use super::render;
use crate::words::Fault;

/// The exit code for wrong usage of the command line.
const USAGE: u8 = 2;
/// The exit code for bad configuration (`EX_CONFIG`, sysexits.h).
const CONFIG: u8 = 78;

/// One thing that is wrong. `Display` is one line: place, what is wrong, the nearest valid word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// What is wrong: a clause without a full stop.
    pub(super) what: String,
    /// Where: the first is at fault, the others say what it stands against. Never empty.
    pub(super) places: Vec<Place>,
    /// The valid word that may have been meant.
    pub(super) nearest: Option<String>,
    /// What to do.
    pub(super) cure: Option<String>,
}

impl Problem {
    /// A problem of one place.
    pub(crate) fn new(what: impl Into<String>, place: Place, cure: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            places: vec![place],
            nearest: None,
            cure: Some(cure.into()),
        }
    }

    /// Words that are no value.
    pub(crate) fn fault(fault: Fault, place: Place) -> Self {
        let Fault {
            what,
            nearest,
            cure,
        } = fault;
        Self {
            what,
            places: vec![place],
            nearest,
            cure: Some(cure),
        }
    }

    /// The same, with another place that it stands against.
    pub(crate) fn against(mut self, place: Place) -> Self {
        self.places.push(place);
        self
    }

    /// The same, with a guess at what was meant.
    pub(crate) fn meaning(mut self, nearest: Option<&str>) -> Self {
        self.nearest = nearest.map(str::to_owned);
        self
    }

    /// The first place, where the words at fault stand.
    pub(crate) fn place(&self) -> &Place {
        &self.places[0]
    }

    /// What is wrong, in words.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Where the words at fault stand.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.place().origin()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), render::printable(&self.what))?;
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean `{}`?", render::printable(nearest))?;
        }
        Ok(())
    }
}

/// Everything that is wrong, from all layers, in the order file, environment, flags. Never empty.
/// `Display` is the whole report without colour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems {
    all: Vec<Problem>,
}

impl Problems {
    /// All of them in order; `None` if there are none.
    pub(crate) fn of(mut all: Vec<Problem>) -> Option<Self> {
        all.sort_by_key(|problem| problem.place().rank());
        (!all.is_empty()).then_some(Self { all })
    }

    /// Each problem.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.all.iter()
    }

    /// 2 (wrong usage) if the command line alone is at fault, otherwise 78 (bad configuration).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let of_flags = |place: &Place| matches!(place, Place::Flag { .. } | Place::Default { .. });
        let all_of_flags = self
            .all
            .iter()
            .flat_map(|problem| &problem.places)
            .all(of_flags);
        if all_of_flags { USAGE } else { CONFIG }
    }

    /// The whole report for a person: each problem with its source line and its cure, and at the
    /// end how many there are.
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        render::report(&self.all, coloured)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}
