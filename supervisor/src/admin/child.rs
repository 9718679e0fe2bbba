//! Making the process: everything between the decision and its own first instruction.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use brigade_shared::board::Board;
use brigade_shared::channel::Channel;
use brigade_shared::desk::Desk;
use brigade_shared::exit::worker as code;
use brigade_shared::id::{Generation, SlotId};
use brigade_shared::log;
use brigade_shared::message::{AdminFact, AdminOrder};
use brigade_shared::seat::Listener;
use brigade_shared::sys::privileges::Identity;
use brigade_shared::sys::signal::Signals;
use brigade_shared::sys::{exec, fd, fork, process, title};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::launch::AdminService;
use crate::listen::Listeners;
use crate::spawn::MANAGERS;

/// What it needs of the supervisor in the moment of its birth.
pub(crate) struct Around<'a> {
    /// Whom it runs as; none: as the supervisor.
    pub(crate) identity: Option<&'a Identity>,
    /// The null device, for its standard streams.
    pub(crate) null: &'a File,
    /// The supervisor's handlers, for the child to take off.
    pub(crate) signals: &'a Signals,
    /// What it reads.
    pub(crate) board: &'a Arc<Board>,
    /// The version to tell.
    pub(crate) version: &'a str,
}

/// Makes it.
///
/// # Errors
/// The kernel's: out of processes, memory or descriptors. Nothing is left behind then.
pub(super) fn make(
    service: &AdminService,
    door: &Listeners,
    around: &Around<'_>,
) -> io::Result<(Pid, Channel<AdminOrder, AdminFact>)> {
    let (link, child_link) = Channel::pair()?;
    let parent = Pid::this();
    let pid = fork::fork_child(|| match enter(door, around, child_link, parent) {
        Ok(desk) => service(desk),
        Err(error) => {
            let pid = std::process::id();
            tracing::error!(event = "admin.failed", pid, error = %error,
                "nobody answers at the admin address: {error}");
            code::SYSTEM
        }
    })?;
    Ok((pid, link))
}

/// In the child: sheds what is the supervisor's, becomes who it is to be, and keeps nothing open
/// that is not its own. Signals stay blocked: none is meant for it, and it has to answer while the
/// workers leave.
fn enter(
    door: &Listeners,
    around: &Around<'_>,
    link: Channel<AdminFact, AdminOrder>,
    parent: Pid,
) -> io::Result<Desk> {
    around.signals.forget();
    exec::forget_variables(&MANAGERS);
    log::begin_child();
    for stream in 0..3 {
        // What a panic says goes to the log; the log has a descriptor of its own.
        fd::replace(around.null.as_raw_fd(), stream)?;
    }
    title::set("brigade: admin");
    process::set_name("brigade-admin");
    if let Some(identity) = around.identity {
        identity.assume().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot change to the user: {error}"))
        })?;
    }
    // It holds the address: whoever comes after a supervisor that died must find it free.
    process::follow_parent(parent, Signal::SIGKILL)?;
    let mut listeners = Vec::new();
    for offer in door.of_slot(SlotId(0), Generation::FIRST) {
        listeners.push(Listener {
            socket: offer.socket.try_clone_to_owned()?,
            address: offer.address.clone(),
            is_shared: true,
            may_encrypt: false,
        });
    }
    let mut keep: Vec<_> = listeners.iter().map(|one| one.socket.as_raw_fd()).collect();
    keep.push(link.as_raw_fd());
    keep.extend(log::descriptor());
    fd::close_all_but(&mut keep)?;
    Ok(Desk {
        listeners,
        link,
        board: Arc::clone(around.board),
        supervisor: u32::try_from(parent.as_raw()).unwrap_or(0),
        version: around.version.to_owned(),
    })
}
