//! Everything that came with this process by `LISTEN_FDS`: sockets that a service manager has made
//! for it, and what a supervisor before this one gave the manager to keep.

use std::os::fd::{AsFd, OwnedFd};

use super::announced::{self, Came};
use super::inherit::Passed;
use super::kept::KeptSocket;
use super::kept_name::{self, KeptName};
use crate::store::{Stored, inode};

/// What came along.
#[derive(Default, Debug)]
pub(crate) struct Inherited {
    /// Sockets that a service manager has made.
    pub(super) passed: Passed,
    /// Sockets that a supervisor before this one has made.
    pub(super) sockets: Vec<KeptSocket>,
    /// Its scoreboard, perhaps.
    board: Option<OwnedFd>,
    /// Everything in the manager's store that is ours.
    stored: Vec<Stored>,
}

impl Inherited {
    /// Takes ownership of all of it. To be called once, after the log has begun.
    pub(crate) fn take() -> Self {
        let mut inherited = Self::default();
        for came in announced::take() {
            inherited.add(came);
        }
        inherited
    }

    pub(super) fn add(&mut self, came: Came) {
        if !kept_name::is_ours(&came.name) {
            self.passed.add(came);
            return;
        }
        let Came {
            name: label,
            descriptor,
            ..
        } = came;
        self.stored.push((label.clone(), inode(descriptor.as_fd())));
        let name = match KeptName::read(&label) {
            Some(KeptName::Board) => {
                self.board = Some(descriptor);
                return;
            }
            Some(KeptName::Socket(name)) => Some(name),
            None => None,
        };
        let socket = descriptor;
        self.sockets.push(KeptSocket {
            name,
            label,
            socket,
        });
    }

    /// The scoreboard's memory, if there is one.
    pub(crate) fn take_board(&mut self) -> Option<OwnedFd> {
        self.board.take()
    }

    /// What is in the manager's store by now.
    pub(crate) fn stored(&self) -> &[Stored] {
        &self.stored
    }
}
