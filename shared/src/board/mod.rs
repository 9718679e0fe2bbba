//! The scoreboard: shared memory in which every worker keeps a row about itself, readable by the
//! supervisor and by anyone it hands the memory to, also while the worker hangs.

mod board;

pub use board::{Board, RowId};
