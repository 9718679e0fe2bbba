//! Requests that two programs could understand differently are refused.

mod check;

pub(crate) use check::check;
