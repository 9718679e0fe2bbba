//! Requests that two programs could understand differently are refused: whoever stands in front
//! of Brigade, and whatever runs behind it, must see the same requests. See docs/correctness.md.
//!
//! Of HTTP/1, a `Guard` reads along with hyper and knows the framing by the letter; `check` looks at
//! the finished head of every request, of HTTP/2 too.

mod check;
mod ended;
mod guard;
mod opening;
mod trailers;

mod scanner;

mod bytes;
mod chunks;
mod host;
mod line_end;
mod lines;

#[cfg(test)]
mod check_tests;
mod fault;
#[cfg(test)]
mod lines_tests;
mod marks;
#[cfg(test)]
mod scanner_tests;
#[cfg(test)]
mod tests;

pub(crate) use check::{check, malformed};
pub(crate) use ended::{ended, tell};
pub(crate) use guard::Guard;
pub(crate) use marks::Marks;
pub(crate) use opening::Opening;
#[cfg(feature = "fuzzing")]
pub(crate) use scanner::scan_for_fuzzing;
pub(crate) use trailers::unmarked;
