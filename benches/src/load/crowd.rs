//! A crowd of connections that were served once and now wait.

use std::net::TcpStream;

use super::target::Target;
use crate::outcome::Outcome;

/// Connections that were served once and are idle.
pub(crate) struct Crowd {
    members: Vec<TcpStream>,
}

impl Crowd {
    /// Opens the connections, one after the other, and waits for an answer on each.
    pub(crate) fn gather(target: Target, size: usize) -> Outcome<Self> {
        let members = (0..size)
            .map(|_| target.ask_once())
            .collect::<Outcome<Vec<_>>>()?;
        Ok(Self { members })
    }

    /// How many are still open: a server that had closed some would look cheaper than it is.
    pub(crate) fn still_open(&self) -> Outcome<usize> {
        let mut open = 0;
        for member in &self.members {
            member.set_nonblocking(true)?;
            let silent = member.peek(&mut [0]);
            if silent.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {
                open += 1;
            }
        }
        Ok(open)
    }
}
