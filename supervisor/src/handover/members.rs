//! The workers in the document. Their processes notice nothing: they stay children of the same
//! process, and what binds them to it is held open all the time.

use std::io::PipeReader;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use brigade_shared::board::RowId;
use brigade_shared::channel::Channel;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_shared::sys::clock::{instant_of, ns_of};
use nix::sys::socket::{SockType, getsockopt, sockopt};
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::luggage::{Carried, Packing, Unpacking};
use crate::listen::PlaceId;
use crate::notify::NotifySocket;
use crate::output::Output;
use crate::plan::Deadline;
use crate::roster::{Member, Probe, Proof, Roster, Standing, Tie};

/// One worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MemberState {
    worker: WorkerId,
    pid: i32,
    slot: SlotId,
    generation: Generation,
    /// Older programs did not note it.
    #[serde(default)]
    places: Option<Vec<PlaceId>>,
    born_ns: u64,
    row: u16,
    standing: Standing,
    handed: u64,
    failed: Option<String>,
    #[serde(default)]
    missed: Option<Deadline>,
    out: OutputState,
    err: OutputState,
    tie: TieState,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct OutputState {
    pipe: Carried,
    /// Whether more may come.
    is_open: bool,
    unfinished: Vec<u8>,
    last: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TieState {
    Service {
        link: Option<Carried>,
    },
    Program {
        socket: Carried,
        name: String,
        user: u32,
        watchdogs: u64,
        spoke_ns: u64,
        probe: Option<ProbeState>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ProbeState {
    at_ns: u64,
    pause: Duration,
    waits: bool,
}

/// All of them; those that have ended have been dealt with before.
pub(super) fn pack(roster: &Roster, packing: &mut Packing) -> Vec<MemberState> {
    let living = roster.all().filter(|(_, member)| !member.has_ended);
    living
        .map(|(_, member)| pack_member(member, packing))
        .collect()
}

/// The roster of those who came along.
pub(super) fn unpack(members: Vec<MemberState>, luggage: &mut Unpacking) -> Result<Roster, String> {
    let mut roster = Roster::default();
    for state in members {
        let (worker, pid) = (state.worker, state.pid);
        let member = unpack_member(state, luggage)
            .map_err(|why| format!("worker {worker} (pid {pid}) can't be taken over: {why}"))?;
        roster.enter(worker, member);
    }
    Ok(roster)
}

fn pack_member(member: &Member, packing: &mut Packing) -> MemberState {
    let mut output = |output: &Output| OutputState {
        pipe: packing.pack(output),
        is_open: output.is_open(),
        unfinished: output.unfinished().to_vec(),
        last: output.last_lines(),
    };
    let (out, err) = (output(&member.out), output(&member.err));
    let tie = match &member.tie {
        Tie::Service { link } => TieState::Service {
            link: link.as_ref().map(|link| packing.pack(link)),
        },
        Tie::Program {
            notify,
            watchdogs,
            spoke,
            probe,
        } => TieState::Program {
            watchdogs: *watchdogs,
            spoke_ns: ns_of(*spoke),
            socket: packing.pack(notify),
            name: notify.bare_name().to_owned(),
            user: notify.user(),
            probe: probe.map(|probe| ProbeState {
                at_ns: ns_of(probe.at),
                pause: probe.pause,
                waits: probe.proof == Proof::Waits,
            }),
        },
    };
    MemberState {
        worker: member.worker,
        pid: member.pid.as_raw(),
        slot: member.slot,
        generation: member.generation,
        places: member.places.clone(),
        born_ns: ns_of(member.born),
        row: member.row.0,
        standing: member.standing,
        handed: member.handed,
        failed: member.failed.clone(),
        missed: member.missed,
        out,
        err,
        tie,
    }
}

fn unpack_member(state: MemberState, luggage: &mut Unpacking) -> Result<Member, String> {
    let mut output = |state: OutputState| -> Result<Output, String> {
        let pipe = pipe_reader(luggage.unpack(state.pipe)?)?;
        let OutputState {
            is_open,
            unfinished,
            last,
            ..
        } = state;
        Ok(Output::resume(pipe, is_open, unfinished, last))
    };
    let (out, err) = (output(state.out)?, output(state.err)?);
    let tie = match state.tie {
        TieState::Service { link } => {
            let link = link.map(|link| luggage.unpack(link)).transpose()?;
            let link = link
                .map(|link| socket(link, SockType::SeqPacket))
                .transpose()?;
            Tie::Service {
                link: link.map(Channel::adopt),
            }
        }
        TieState::Program {
            socket: carried,
            name,
            user,
            watchdogs,
            spoke_ns,
            probe,
        } => Tie::Program {
            watchdogs,
            spoke: instant_of(spoke_ns),
            notify: NotifySocket::adopt(
                socket(luggage.unpack(carried)?, SockType::Datagram)?.into(),
                name,
                user,
            ),
            probe: probe.map(|probe| Probe {
                at: instant_of(probe.at_ns),
                pause: probe.pause,
                proof: if probe.waits {
                    Proof::Waits
                } else {
                    Proof::Lives
                },
            }),
        },
    };
    Ok(Member {
        worker: state.worker,
        pid: Pid::from_raw(state.pid),
        slot: state.slot,
        generation: state.generation,
        places: state.places,
        born: instant_of(state.born_ns),
        row: RowId(state.row),
        standing: state.standing,
        handed: state.handed,
        measured: None,
        failed: state.failed,
        missed: state.missed,
        has_ended: false,
        out,
        err,
        tie,
    })
}

/// A descriptor that must be a socket of this kind.
fn socket(fd: OwnedFd, kind: SockType) -> Result<OwnedFd, String> {
    match getsockopt(&fd, sockopt::SockType) {
        Ok(found) if found == kind => Ok(fd),
        Ok(found) => Err(format!("{fd:?} is a {found:?} socket, not a {kind:?} one")),
        Err(error) => Err(format!("{fd:?} is not a socket: {error}")),
    }
}

/// A descriptor that must be a pipe.
fn pipe_reader(fd: OwnedFd) -> Result<PipeReader, String> {
    let found = fstat(fd.as_fd()).map_err(|error| format!("{fd:?}: {error}"))?;
    if SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFIFO {
        Ok(fd.into())
    } else {
        Err(format!("{fd:?} is not a pipe"))
    }
}
