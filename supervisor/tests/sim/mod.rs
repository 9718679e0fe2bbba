//! A world without processes: a virtual clock, workers that misbehave in every way a process can,
//! operators who ask for anything at any time, and a ledger that watches the fleet from outside.
//! Everything is drawn from one seed. See docs/testing.md.

pub(crate) mod after;
pub(crate) mod crowd;
pub(crate) mod dice;
pub(crate) mod health;
pub(crate) mod hear;
pub(crate) mod leap;
pub(crate) mod ledger;
pub(crate) mod limits;
pub(crate) mod load;
pub(crate) mod moods;
pub(crate) mod nature;
pub(crate) mod place;
pub(crate) mod process;
pub(crate) mod say;
pub(crate) mod see;
pub(crate) mod sweep;
pub(crate) mod transact;
pub(crate) mod view;
pub(crate) mod watch;
pub(crate) mod world;
