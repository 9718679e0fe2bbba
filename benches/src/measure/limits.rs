//! Open files: 10,000 connections need as many descriptors at each end.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::outcome::Outcome;

/// Raises the limit of open files of this process, and so of the servers that it starts, to at
/// least `wanted`.
pub(crate) fn raise_open_files(wanted: u64) -> Outcome<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= wanted {
        return Ok(());
    }
    setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted)).map_err(|error| {
        format!("{wanted} open files are needed, {hard} are allowed ({error}); try `ulimit -Hn`")
            .into()
    })
}
