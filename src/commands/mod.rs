//! The commands, one file each.

mod certificates;
mod check;
mod configuration;
mod exec;
mod files;
mod print;
mod serve;
mod unit;

pub(crate) use check::check;
pub(crate) use exec::exec;
pub(crate) use files::{cache_control, index, serve_files};
pub(crate) use print::{completions, man, schema};
pub(crate) use serve::{serve, serve_service};
pub(crate) use unit::unit;
