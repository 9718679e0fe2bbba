//! One file per question, and each answers with one table.

mod access_log;
mod compare;
mod crowd;
mod growth;
mod idle;
mod instructions;
mod list;
mod renew;
mod replace;
mod scaling;
mod spread;
mod stall;
mod start;
mod window;
mod works;

pub(crate) use list::Section;
