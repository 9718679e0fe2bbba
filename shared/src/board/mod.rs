//! The scoreboard: shared memory in which every worker keeps a row about itself, readable by the
//! supervisor and by anyone it hands the memory to, also while the worker hangs.
//!
//! ```text
//! page 0              header: magic, layout version, sizes; how many rows were ever used; stalls;
//!                     what the supervisor tells of the whole fleet
//! page 1 ..= 1024     totals per slot: counters and histograms of workers that have left
//! page 1025 ..= 5120  a row per worker: who it is, what its loop does now, its own counters
//! ```
//!
//! Every word is a 64-bit atomic with a single writer: a row's worker, or the supervisor's
//! [`Ledger`] before the worker's birth and after its end. Reading is total: whatever bytes stand
//! there, they mean something or nothing. Moments are nanoseconds on the monotonic clock, which
//! all processes of a machine share.

mod counters;
mod histogram;
mod ledger;
mod overview;
mod peers;
mod request;
mod row;
mod table;
mod word;

pub use counters::{Counter, Counters, Counts};
pub use histogram::{BUCKETS, Distribution, Histogram};
pub use ledger::Ledger;
pub use overview::{Condition, Overview, Phase, Station, Tally};
pub use peers::{PeerKey, Peers};
pub use request::{CurrentRequest, PATH_BYTES, RequestLine};
pub use row::{Glance, Jobs, LoopState, Pool, Row, RowReading, RowState};
pub use table::{Board, Load, MAX_ROWS, MAX_SLOTS, Part, RowId};
