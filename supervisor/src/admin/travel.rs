//! The admin address on its way into another program: the sockets stay open and the process goes
//! on answering, until one of the new program takes over.

use brigade_shared::channel::Channel;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::post::{Admin, Process};
use crate::handover::{Carried, Packing, Unpacking};
use crate::launch::AdminService;
use crate::listen::{Listeners, ListenersState};
use crate::plan::{Aide, AideId};

/// All of [`Admin`] in words and numbers; the descriptors go beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AdminState {
    door: ListenersState,
    aide: Aide,
    processes: Vec<ProcessState>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct ProcessState {
    id: AideId,
    pid: i32,
    link: Option<Carried>,
}

/// What came along, before it is known what such a process runs.
#[derive(Debug)]
pub(crate) struct AdminLuggage {
    door: Listeners,
    aide: Aide,
    processes: Vec<(AideId, Process)>,
}

impl Admin {
    /// Describes everything; processes that have ended have been dealt with before.
    pub(crate) fn pack(&self, packing: &mut Packing) -> AdminState {
        let living = self.processes.iter().filter(|(_, one)| one.exit.is_none());
        AdminState {
            processes: living
                .map(|(id, process)| ProcessState {
                    id: *id,
                    pid: process.pid.as_raw(),
                    link: process.link.as_ref().map(|link| packing.pack(link)),
                })
                .collect(),
            door: self.door.pack(packing),
            aide: self.aide.clone(),
        }
    }
}

impl AdminLuggage {
    /// Takes what another program described.
    ///
    /// # Errors
    /// If a descriptor is missing.
    pub(crate) fn unpack(state: AdminState, luggage: &mut Unpacking) -> Result<Self, String> {
        let of_admin = |why: String| format!("the admin address: {why}");
        let mut processes = Vec::new();
        for found in state.processes {
            let link = found.link.map(|link| luggage.unpack(link)).transpose();
            let process = Process {
                pid: Pid::from_raw(found.pid),
                link: link.map_err(of_admin)?.map(Channel::adopt),
                exit: None,
            };
            processes.push((found.id, process));
        }
        Ok(Self {
            door: Listeners::unpack(state.door, luggage).map_err(of_admin)?,
            aide: state.aide,
            processes,
        })
    }

    /// Goes on with it.
    pub(crate) fn resume(self, service: AdminService) -> Admin {
        let mut admin = Admin::resume(self.door, self.aide, service);
        admin.processes.extend(self.processes);
        admin
    }
}
