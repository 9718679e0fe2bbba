//! What the manager is told of a process that ends in failure.

use std::time::Duration;

use brigade_shared::exit::supervisor as code;
use nix::errno::Errno;
use sd_notify::NotifyState;

use super::line::Line;
use super::words;

/// How long a manager that is slow is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// This process could not start, for this reason, and ends with this code.
pub(crate) fn refused(problem: &str, code: u8) {
    let mut line = Line::open();
    let status = words::refused(problem);
    let errno = words::errno(problem).unwrap_or(match code {
        code::CONFIG | code::USAGE => Errno::EINVAL as u32,
        _ => Errno::EIO as u32,
    });
    line.send(&failure(&status, errno, &exit_status(code)));
    line.finish(PATIENCE);
}

/// `EXIT_STATUS=`, which sd-notify has no word for.
pub(super) fn exit_status(code: u8) -> String {
    format!("EXIT_STATUS={code}")
}

/// The words of a failure.
pub(super) fn failure<'a>(
    status: &'a str,
    errno: u32,
    exit_status: &'a str,
) -> [NotifyState<'a>; 3] {
    [
        NotifyState::Status(status),
        NotifyState::Errno(errno),
        NotifyState::Custom(exit_status),
    ]
}
