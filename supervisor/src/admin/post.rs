//! Who answers at the admin address now: the acting half.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsFd, BorrowedFd};

use brigade_config::{Balance, SupervisorConfig};
use brigade_shared::channel::{Channel, Received};
use brigade_shared::exit::Exit;
use brigade_shared::message::{AdminFact, AdminOrder};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::child::{Around, make};
use super::tell::tell;
use crate::launch::AdminService;
use crate::listen::Listeners;
use crate::plan::{Aide, AideAction, AideEvent, AideId, Moment};

/// So much of what it says is heard in one turn: it must not keep the supervisor.
const MOST_FACTS: usize = 64;

/// How long whoever leaves waits for requests on connections that it has: for what is on its way
/// when another takes over, and at the end, when nobody can ask any more.
const IDLE_MS: u64 = 500;
const LAST_IDLE_MS: u64 = 50;

/// The address and whoever answers there.
pub(crate) struct Admin {
    pub(super) door: Listeners,
    pub(super) aide: Aide,
    pub(super) processes: BTreeMap<AideId, Process>,
    pub(super) service: AdminService,
    /// For the next turn.
    events: VecDeque<AideEvent>,
}

/// One process, until its end has been dealt with.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: Pid,
    /// Closed by it on its way out.
    pub(super) link: Option<Channel<AdminOrder, AdminFact>>,
    /// Set when it has been reaped: its pid may be anybody's then.
    pub(super) exit: Option<Exit>,
}

impl Admin {
    /// Binds the address, if there is one.
    ///
    /// # Errors
    /// Every problem, in sentences; nothing is bound then.
    pub(crate) fn open(
        config: &SupervisorConfig,
        service: AdminService,
    ) -> Result<Option<Self>, Vec<String>> {
        let Some(address) = config.admin.clone() else {
            return Ok(None);
        };
        let place = SupervisorConfig {
            binds: vec![address],
            insecure_binds: Vec::new(),
            balance: Balance::Shared,
            ..config.clone()
        };
        let door = Listeners::open_own(&place).map_err(|problems| {
            let of_admin = |problem: String| format!("the admin address: {problem}");
            problems.into_iter().map(of_admin).collect::<Vec<_>>()
        })?;
        Ok(Some(Self::resume(door, Aide::default(), service)))
    }

    /// Goes on with what there is.
    pub(super) fn resume(door: Listeners, aide: Aide, service: AdminService) -> Self {
        Self {
            door,
            aide,
            processes: BTreeMap::new(),
            service,
            events: VecDeque::new(),
        }
    }

    /// Where it is.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = String> {
        self.door.shown().map(|place| place.address)
    }

    /// What the processes speak through.
    pub(crate) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let links = self.processes.values().filter_map(|one| one.link.as_ref());
        links.map(AsFd::as_fd)
    }

    /// When it wants to be called again, at the latest.
    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        self.aide.next_deadline()
    }

    /// Hears what the processes say, and answers that this one turns.
    pub(crate) fn hear(&mut self) {
        for (id, process) in &mut self.processes {
            for _ in 0..MOST_FACTS {
                let Some(link) = &process.link else { break };
                match link.receive() {
                    Received::Message(AdminFact::Ready) => {
                        self.events.push_back(AideEvent::Ready(*id));
                    }
                    Received::Message(AdminFact::Asks { question }) => {
                        // It has no room for answers only if it does not listen.
                        let _ = link.send(&AdminOrder::Answer { question });
                    }
                    Received::Message(_) | Received::Nonsense(_) => {}
                    Received::Nothing => break,
                    Received::Closed => process.link = None,
                }
            }
        }
    }

    /// A child has been reaped: whether it was one of these.
    pub(crate) fn ended(&mut self, pid: Pid, exit: Exit) -> bool {
        let living = |process: &Process| process.exit.is_none() && process.pid == pid;
        let found = self.processes.iter_mut().find(|(_, one)| living(one));
        let Some((id, process)) = found else {
            return false;
        };
        process.exit = Some(exit);
        self.events.push_back(AideEvent::Ended(*id));
        true
    }

    /// There is a newer program for it.
    pub(crate) fn renew(&mut self) {
        self.events.push_back(AideEvent::Renew);
    }

    /// It is not needed any more.
    pub(crate) fn dismiss(&mut self) {
        self.events.push_back(AideEvent::Dismiss);
    }

    /// Whether it was dismissed and nobody is left.
    pub(crate) fn is_gone(&self) -> bool {
        self.aide.is_gone()
    }

    /// Does what is due.
    pub(crate) fn turn(&mut self, now: Moment, around: &Around<'_>) {
        self.events.push_back(AideEvent::Tick);
        while let Some(event) = self.events.pop_front() {
            let mut actions = Vec::new();
            self.aide.handle(event, now, &mut actions);
            for action in actions {
                self.act(action, around);
            }
            if let AideEvent::Ended(id) = event {
                self.processes.remove(&id);
            }
        }
    }

    fn act(&mut self, action: AideAction, around: &Around<'_>) {
        match action {
            AideAction::Make(id) => {
                let made = make(&self.service, &self.door, around);
                self.events.push_back(match made {
                    Ok((pid, link)) => {
                        let (link, exit) = (Some(link), None);
                        self.processes.insert(id, Process { pid, link, exit });
                        AideEvent::Made(id)
                    }
                    Err(error) => {
                        tracing::debug!(event = "admin.no_process", error = %error,
                            "no process for the admin address: {error}");
                        AideEvent::NotMade(id)
                    }
                });
            }
            AideAction::Leave(id) => {
                let idle_ms = match self.aide.is_dismissed() {
                    true => LAST_IDLE_MS,
                    false => IDLE_MS,
                };
                if let Some(process) = self.living(id) {
                    let is_told = match &process.link {
                        Some(link) => link.send(&AdminOrder::Leave { idle_ms }).is_ok(),
                        None => false,
                    };
                    if !is_told {
                        // It hears no other signal.
                        let _ = kill(process.pid, Signal::SIGKILL);
                    }
                }
            }
            AideAction::Kill(id) => {
                if let Some(process) = self.living(id) {
                    let _ = kill(process.pid, Signal::SIGKILL);
                }
            }
            AideAction::Announce(change) => {
                let process = |id: AideId| {
                    let process = self.processes.get(&id)?;
                    Some((process.pid, process.exit))
                };
                tell(change, &process, around.board);
            }
        }
    }

    fn living(&self, id: AideId) -> Option<&Process> {
        self.processes.get(&id).filter(|one| one.exit.is_none())
    }

    /// Lets go of the address.
    pub(crate) fn close(&mut self) {
        self.door.close();
    }
}
