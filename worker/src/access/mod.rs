//! The access log: a line for every request, or for those that are picked.
//!
//! ```text
//! request ends -> batch (the loop's) -> writer (a thread of its own) -> file or standard output
//!                  when it is full, or a tenth of a second old
//! ```
//!
//! A request costs the loop its line and nothing else: no lock, no system call, no timer. What
//! cannot be written is counted and told.

mod address;
#[cfg(test)]
mod cost;
mod escape;
#[cfg(test)]
mod escape_tests;
mod file;
mod found;
mod ink;
mod log;
#[cfg(test)]
mod loss_tests;
mod plan;
mod sheet;
#[cfg(test)]
mod sheet_tests;
mod stamp;
mod tend;
#[cfg(test)]
mod tests;
mod unread;
#[cfg(test)]
mod unread_tests;
mod writer;

pub(crate) use log::Access;
pub(crate) use sheet::Sheet;
#[cfg(feature = "fuzzing")]
pub(crate) use sheet::line_for_fuzzing;
pub(crate) use tend::tend;
pub(crate) use unread::Unread;
