//! Carries out what the plan decided: one match, one call per arm, no decision of its own. What
//! comes of an action returns to the plan as an event of the next turn.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use brigade_config::Config;
use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_shared::log;
use brigade_shared::message::Order;
use brigade_shared::sys::signal::Signals;
use tracing::{debug, error, info};

use crate::boot::LoadConfig;
use crate::listen::Listeners;
use crate::orders;
use crate::passing::Passing;
use crate::plan::{Action, Change, Event, Look, Verdict};
use crate::roster::{Member, Roster, Tie};
use crate::settings;
use crate::spawn::{Birth, Nursery, Surroundings};
use crate::tell::{Telling, last_words, tell};

/// Everything that actions work on.
pub(crate) struct Hands {
    pub(crate) listeners: Listeners,
    pub(crate) nursery: Nursery,
    pub(crate) roster: Roster,
    pub(crate) signals: Signals,
    pub(crate) configs: Configs,
    pub(crate) load_config: LoadConfig,
    /// Where the workers' output goes.
    pub(crate) passing: Passing,
    /// For the plan's next turn.
    pub(crate) events: VecDeque<Event>,
    /// Set in the end.
    pub(crate) verdict: Option<Verdict>,
    /// The last lines of the worker that failed last.
    pub(crate) last_words: Vec<String>,
    /// Why something could not be had last.
    pub(crate) reason: String,
}

/// The configurations of the generations that live, and the one read but not yet staged.
#[derive(Debug)]
pub(crate) struct Configs {
    of: BTreeMap<Generation, Config>,
    loaded: Option<Config>,
}

impl Configs {
    /// With the configuration of the first generation.
    pub(crate) fn new(first: Config) -> Self {
        Self {
            of: BTreeMap::from([(Generation::FIRST, first)]),
            loaded: None,
        }
    }

    /// Why the first generation has as many workers as it has.
    pub(crate) fn first_workers_reason(&self) -> String {
        let first = self.of.values().next();
        first
            .map(|config| settings::workers(&config.supervisor).1)
            .unwrap_or_default()
    }

    /// The configuration of a generation, or else the oldest that is kept.
    fn get(&self, generation: Generation) -> Option<&Config> {
        self.of.get(&generation).or_else(|| self.of.values().next())
    }
}

impl Hands {
    /// Carries out one action.
    pub(crate) fn act(&mut self, action: Action) {
        match action {
            // A failure is told, and tried again, by the spawn that follows.
            Action::OpenSlot(slot) => drop(self.listeners.open_slot(slot)),
            Action::CloseSlot(slot) => {
                let (listeners, roster) = (&mut self.listeners, &self.roster);
                listeners.close_slot(slot, |connection| hand_over(roster, &connection));
            }
            Action::Steer(slots) => self.steer(&slots),
            Action::Spawn {
                worker,
                slot,
                generation,
            } => {
                self.spawn(Birth {
                    worker,
                    slot,
                    generation,
                });
            }
            Action::Drain { worker, within } => {
                self.with(worker, |member| orders::drain(member, within));
            }
            Action::Cut(worker) => self.with(worker, orders::cut),
            Action::Kill(worker) => self.with(worker, orders::kill_now),
            Action::LoadConfig => self.load(),
            Action::StageConfig(generation) => {
                self.listeners.assign(generation);
                if let Some(config) = self.configs.loaded.take() {
                    self.configs.of.insert(generation, config);
                }
            }
            Action::CommitConfig(generation) => self.commit(generation),
            Action::DropConfig(generation) => {
                self.listeners.drop_staged(generation);
                self.configs.of.remove(&generation);
            }
            Action::CloseListeners => self.listeners.close(),
            Action::Abort(_) | Action::Ask(_) | Action::Doze => {}
            // Nothing is looked at yet: nobody is seen, nothing waits.
            Action::Look => self.events.push_back(Event::Looked(Look::default())),
            Action::Relieve(_) => {}
            Action::CloseRetired => {
                let (listeners, roster) = (&mut self.listeners, &self.roster);
                listeners.close_retired(|connection| hand_over(roster, &connection));
            }
            Action::AskSentinel | Action::ExecNew | Action::ExecOld | Action::ForgetOld => {}
            Action::Announce(change) => self.announce(&change),
            Action::Finish(verdict) => self.verdict = Some(verdict),
        }
    }

    /// After the plan has dealt with a worker's end: forgets it.
    pub(crate) fn bury(&mut self, worker: WorkerId) {
        if let Some(member) = self.roster.strike(worker) {
            self.nursery.ledger.release(member.row);
        }
    }

    /// A worker has ended: its last words are read before its end is told.
    pub(crate) fn ended(&mut self, worker: WorkerId, exit: Exit) {
        if let Some(member) = self.roster.mark_ended(worker) {
            self.passing.finish(member);
            self.last_words = member.err.last_lines();
        }
        self.events.push_back(Event::Exited(worker, exit));
    }

    fn with(&self, worker: WorkerId, order: impl FnOnce(&Member)) {
        // Once it is reaped, its pid may be anybody's.
        if let Some(member) = self.roster.get(worker).filter(|member| !member.has_ended) {
            order(member);
        }
    }

    fn steer(&mut self, slots: &[SlotId]) {
        if let Err(error) = self.listeners.steer(slots) {
            error!(event = "listen.steering_failed", error = %error,
                "new connections can't be kept from slots that don't serve: {error}");
        }
    }

    fn spawn(&mut self, birth: Birth) {
        match self.make(birth) {
            Ok(member) => {
                let (slot, pid) = (birth.slot.0, member.pid.as_raw());
                let (generation, worker) = (birth.generation.0, birth.worker.0);
                debug!(
                    event = "worker.spawned",
                    slot,
                    pid,
                    generation,
                    worker,
                    "worker {slot} starts (pid {pid}, generation {generation})"
                );
                self.roster.enter(birth.worker, member);
                self.events.push_back(Event::Spawned(birth.worker));
            }
            Err(error) => {
                self.reason = error.to_string();
                self.events.push_back(Event::SpawnFailed(birth.worker));
            }
        }
    }

    fn make(&mut self, birth: Birth) -> io::Result<Member> {
        self.listeners.open_slot(birth.slot)?;
        let config = self.configs.get(birth.generation);
        let around = Surroundings {
            sockets: self.listeners.of_slot(birth.slot, birth.generation),
            config: config.ok_or_else(|| io::Error::other("its configuration is gone"))?,
            signals: &self.signals,
        };
        self.nursery.spawn(birth, &around)
    }

    fn load(&mut self) {
        let loaded = (self.load_config)().and_then(|config| {
            // All new addresses are had before anything else changes.
            let staged = self.listeners.stage(&config.supervisor);
            staged.map(|()| config).map_err(|found| found.join("\n"))
        });
        match loaded {
            Ok(config) => {
                let settings = settings::of(&config.supervisor);
                self.configs.loaded = Some(config);
                self.events
                    .push_back(Event::ConfigLoaded(Box::new(settings)));
            }
            Err(problems) => {
                self.reason = problems;
                self.events.push_back(Event::ConfigRefused);
            }
        }
    }

    fn commit(&mut self, generation: Generation) {
        self.listeners.commit(generation);
        self.configs.of.retain(|kept, _| *kept >= generation);
        if let Some(config) = self.configs.of.get(&generation) {
            log::set_level(settings::level(config.log.level));
        }
    }

    fn announce(&mut self, change: &Change) {
        if let Change::WorkerCrashed { worker, .. } = change
            && let Some(member) = self.roster.get(*worker)
        {
            self.last_words = last_words(member).lines().map(str::to_owned).collect();
        }
        let with = Telling {
            roster: &self.roster,
            last_words: &self.last_words,
            reason: &self.reason,
        };
        tell(change, &with);
    }

    /// Tells every worker to open its logs again.
    pub(crate) fn reopen_logs(&self) {
        self.roster
            .all()
            .for_each(|(_, member)| orders::reopen_logs(member));
        info!(
            event = "logs.reopened",
            "the workers are told to open their logs again"
        );
    }
}

/// Gives a connection that waited where nobody comes any more to a worker, the youngest first: it
/// is the least likely to be leaving.
fn hand_over(roster: &Roster, connection: &OwnedFd) {
    let mut workers: Vec<&Member> = roster.all().map(|(_, member)| member).collect();
    workers.reverse();
    let took = workers.iter().any(|member| match &member.tie {
        Tie::Service { link: Some(link) } => {
            link.send_with(&Order::Serve, connection.as_fd()).is_ok()
        }
        Tie::Service { link: None } | Tie::Program { .. } => false,
    });
    if !took {
        debug!(
            event = "listen.lost",
            "a connection waited at a closed address and no worker could take it"
        );
    }
}
