//! Carries out what the plan decided: one match, one call per arm, no decision of its own. What
//! comes of an action returns to the plan as an event of the next turn.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::AsFd;

use brigade_config::{AccessLog, Config, Record, SupervisorConfig};
use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_shared::log;
use brigade_shared::sys::signal::Signals;
use tracing::{debug, error, info};

use crate::access;
use crate::admin::{Admin, Around};
use crate::attend::Attention;
use crate::boot::LoadConfig;
use crate::handover::{self, Leap, Upgrade, Words};
use crate::listen::{KeptName, Listeners};
use crate::manager::{Line, Voice};
use crate::memory;
use crate::orders;
use crate::overview;
use crate::passing::Passing;
use crate::pid_file::PidFile;
use crate::plan::{Action, Change, Event, Moment, Verdict};
use crate::roster::{Member, Roster, Standing};
use crate::secrets::{Secrets, only_files_changed};
use crate::settings;
use crate::spawn::{Birth, Nursery, Surroundings};
use crate::store::Store;
use crate::tell::{Telling, last_words, tell};

/// Everything that actions work on.
pub(crate) struct Hands {
    pub(crate) listeners: Listeners,
    pub(crate) nursery: Nursery,
    pub(crate) roster: Roster,
    pub(crate) signals: Signals,
    pub(crate) configs: Configs,
    pub(crate) secrets: Secrets,
    pub(crate) load_config: LoadConfig,
    /// Where the workers' output goes.
    pub(crate) passing: Passing,
    /// What is remembered of workers and queues between two turns.
    pub(crate) attention: Attention,
    /// For the plan's next turn.
    pub(crate) events: VecDeque<Event>,
    /// Set in the end.
    pub(crate) verdict: Option<Verdict>,
    /// The last lines of the worker that failed last.
    pub(crate) last_words: Vec<String>,
    /// Why something could not be had last.
    pub(crate) reason: String,
    /// To be removed in the end.
    pub(crate) pid_file: Option<PidFile>,
    pub(crate) upgrade: Upgrade,
    /// The admin address, if there is one.
    pub(crate) admin: Option<Admin>,
    /// To the service manager.
    pub(crate) line: Line,
    /// What it keeps for the next supervisor.
    pub(crate) store: Store,
    /// What it was told, and is to be told.
    pub(crate) voice: Voice,
}

/// The configurations of the generations that live, and the one read but not yet staged.
#[derive(Debug)]
pub(crate) struct Configs {
    pub(crate) of: BTreeMap<Generation, Config>,
    pub(crate) loaded: Option<Config>,
    /// In the words of the program that this one has gone on from.
    pub(crate) words: BTreeMap<Generation, Record>,
    /// Where those write who are of a generation that another has replaced, and have not left.
    pub(crate) parting_logs: BTreeMap<Generation, AccessLog>,
}

impl Configs {
    /// With the configuration of the first generation.
    pub(crate) fn new(first: Config) -> Self {
        Self {
            of: BTreeMap::from([(Generation::FIRST, first)]),
            loaded: None,
            words: BTreeMap::new(),
            parting_logs: BTreeMap::new(),
        }
    }

    /// This generation serves from now on; of those before it something is kept as long as one of
    /// its workers `lives`.
    fn commit(&mut self, generation: Generation, lives: impl Fn(Generation) -> bool) {
        let kept = self.of.split_off(&generation);
        let replaced = std::mem::replace(&mut self.of, kept);
        let logs = replaced
            .into_iter()
            .map(|(of, config)| (of, config.worker.access_log));
        self.parting_logs.extend(logs);
        self.parting_logs.retain(|of, _| lives(*of));
    }

    /// Where the workers of a generation write their access log; none: nobody knows any more.
    fn access_log(&self, generation: Generation) -> Option<&AccessLog> {
        let config = self.of.get(&generation);
        let log = config.map(|config| &config.worker.access_log);
        log.or_else(|| self.parting_logs.get(&generation))
    }

    /// Why the first generation has as many workers as it has.
    pub(crate) fn first_workers_reason(&self) -> String {
        let first = self.of.values().next();
        first
            .map(|config| settings::workers(&config.supervisor).1)
            .unwrap_or_default()
    }

    /// The configuration of those that serve.
    pub(crate) fn committed(&self) -> Option<&SupervisorConfig> {
        let first = self.of.values().next();
        first.map(|config| &config.supervisor)
    }

    /// How much memory a worker of the generation may use.
    pub(crate) fn memory_limit(&self, generation: Generation) -> Option<u64> {
        let recycle = self.get(generation)?.supervisor.recycle;
        recycle.memory.and_then(memory::bytes)
    }

    /// The configuration of a generation, or else the oldest that is kept.
    fn get(&self, generation: Generation) -> Option<&Config> {
        self.of.get(&generation).or_else(|| self.of.values().next())
    }
}

impl Hands {
    /// Carries out one action.
    pub(crate) fn act(&mut self, action: Action) {
        // Of a turn's steerings the last is enough (a fleet of hundreds that starts has one for
        // each), but whoever is made or told to leave finds it in force.
        if !matches!(action, Action::Steer(_) | Action::Announce(_)) {
            self.steer_now();
        }
        // Before anybody is made who could accept from a socket: from then on it must not be lost.
        if !matches!(
            action,
            Action::OpenSlot(_) | Action::Steer(_) | Action::Announce(_)
        ) {
            self.keep();
        }
        match action {
            // A failure is told, and tried again, by the spawn that follows.
            Action::OpenSlot(slot) => drop(self.listeners.open_slot(slot)),
            Action::CloseSlot(slot) => self.close_slot(slot),
            Action::Steer(slots) => self.attention.steering = Some(slots),
            Action::Spawn {
                worker,
                slot,
                generation,
                holds,
            } => {
                self.spawn(Birth {
                    worker,
                    slot,
                    generation,
                    holds,
                });
            }
            Action::Begin(worker) => self.with(worker, orders::begin),
            Action::Drain { worker, within } => {
                self.dismiss(worker, Standing::Draining, |member| {
                    orders::drain(member, within);
                });
            }
            Action::Cut(worker) => self.dismiss(worker, Standing::Ending, orders::cut),
            Action::Kill(worker) => self.dismiss(worker, Standing::Ending, orders::kill_now),
            Action::Abort(worker) => self.dismiss(worker, Standing::Ending, orders::abort),
            Action::Ask(worker) => self.with(worker, orders::ask),
            Action::Look => self.look(),
            Action::Doze => self.doze(),
            Action::Relieve(relief) => self.relieve(relief),
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
            Action::RenewCertificates(generation) => self.renew_certificates(generation),
            Action::RotateTickets => self.rotate_tickets(),
            Action::CloseListeners => {
                // A sentinel has copies of them, and would keep them open.
                self.upgrade.abandon();
                self.close_listeners();
            }
            Action::CloseRetired => self.close_retired(),
            Action::AskSentinel => self.upgrade.order(Leap::Ask),
            Action::ExecNew => self.upgrade.order(Leap::New),
            Action::ExecOld => self.upgrade.order(Leap::Old),
            Action::ForgetOld => {
                self.upgrade.forget_old();
                self.admin.iter_mut().for_each(Admin::renew);
            }
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

    /// A worker says, or is seen, to be ready.
    pub(crate) fn became_ready(&mut self, worker: WorkerId) {
        if let Some(member) = self.roster.get_mut(worker) {
            member.reach(Standing::Ready);
        }
        self.steer_again();
        self.events.push_back(Event::Ready(worker));
    }

    /// A worker has ended: its last words are read before its end is told.
    pub(crate) fn ended(&mut self, worker: WorkerId, exit: Exit) {
        if let Some(member) = self.roster.mark_ended(worker) {
            self.passing.finish(member);
        }
        self.steer_again();
        self.events.push_back(Event::Exited(worker, exit));
    }

    /// From now on it gets no connections any more.
    fn dismiss(&mut self, worker: WorkerId, how: Standing, order: impl FnOnce(&Member)) {
        if let Some(member) = self.roster.get_mut(worker) {
            member.reach(how);
        }
        // It must not be sent what nobody else in its slot listens for.
        self.steer_again();
        self.steer_now();
        self.with(worker, order);
    }

    fn with(&self, worker: WorkerId, order: impl FnOnce(&Member)) {
        // Once it is reaped, its pid may be anybody's.
        if let Some(member) = self.roster.get(worker).filter(|member| !member.has_ended) {
            order(member);
        }
    }

    /// Lets the service manager keep what is open now, if that has changed.
    pub(crate) fn keep(&mut self) {
        if !self.listeners.take_change() {
            return;
        }
        let mut wanted = self.listeners.to_be_kept();
        let board = self.nursery.ledger.board();
        wanted.push((KeptName::Board.to_string(), board.as_fd()));
        self.store.keep(&wanted, &mut self.line);
        let store = &self.store;
        self.listeners.note_kept(|name| store.surely_has(name));
    }

    pub(crate) fn steer(&mut self, slots: &[SlotId]) {
        let takers = self.roster.takers();
        if let Err(error) = self.listeners.steer(slots, &takers) {
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
        config
            .iter()
            .for_each(|config| self.secrets.prepare(config));
        let around = Surroundings {
            tickets: self.secrets.tickets(),
            sockets: self.listeners.of_slot(birth.slot, birth.generation),
            config: config.ok_or_else(|| io::Error::other("its configuration is gone"))?,
            signals: &self.signals,
        };
        self.nursery.spawn(birth, &around)
    }

    fn load(&mut self) {
        let loaded = (self.load_config)().and_then(|config| {
            if let Some(running) = self.configs.running()
                && only_files_changed(running, &config)
            {
                return Ok((config, true));
            }
            access::check(&self.nursery.launch, &config.worker.access_log)?;
            // All new addresses are had before anything else changes.
            let staged = self.listeners.stage(&config.supervisor);
            let staged = staged.map(|()| (config, false));
            staged.map_err(|found| found.join("\n"))
        });
        match loaded {
            Ok((config, true)) => {
                self.secrets.keep(config.worker.tls.files);
                self.events.push_back(Event::CertificatesLoaded);
            }
            Ok((config, false)) => {
                let settings = settings::of(&config, &self.nursery.launch);
                let processors = &mut self.attention.processors;
                processors.stage(&config.supervisor, settings.workers);
                memory::warn_of_too_much(&config.supervisor);
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
        // The added places from now on like the others.
        let steered = || self.listeners.steered().to_vec();
        self.attention.steering.get_or_insert_with(steered);
        let members = || self.roster.all().map(|(_, member)| member);
        let lives = |of| members().any(|member| member.generation == of && !member.has_ended);
        self.configs.commit(generation, lives);
        if let Some(config) = self.configs.of.get(&generation) {
            log::set_level(settings::level(config.log.level));
        }
        self.attention.processors.commit();
        // A quota may have changed since the configuration was read.
        self.recount();
    }

    fn announce(&mut self, change: &Change) {
        if let Change::WorkerOverdue { worker, deadline } = change
            && let Some(member) = self.roster.get_mut(*worker)
        {
            member.missed = Some(*deadline);
        }
        overview::count(change, &self.roster, self.nursery.ledger.board());
        match change {
            Change::WorkerCrashed { worker, .. } | Change::ReloadRolledBack { worker, .. } => {
                let words = self.roster.get(*worker).map(last_words).unwrap_or_default();
                self.last_words = words.lines().map(str::to_owned).collect();
            }
            // To read a stack takes its time.
            Change::WorkerBlocked { .. } | Change::WorkerOverdue { .. } => self.steer_now(),
            _ => {}
        }
        self.note(change);
        let with = Telling {
            roster: &self.roster,
            board: self.nursery.ledger.board(),
            stacks: &self.attention.stacks,
            last_words: &self.last_words,
            reason: &self.reason,
        };
        tell(change, &with);
        let words = Words {
            reason: &self.reason,
            last_words: &self.last_words,
        };
        handover::tell(change, &self.upgrade, &words);
    }

    /// The sentinel has answered: yes, or no and why.
    pub(crate) fn answered(&mut self, answer: Result<(), String>) {
        let agrees = answer.is_ok();
        self.reason = answer.err().unwrap_or_default();
        self.events.push_back(Event::SentinelAnswered(agrees));
    }

    /// Does what is due at the admin address.
    pub(crate) fn tend_admin(&mut self, now: Moment) {
        let Some(admin) = &mut self.admin else { return };
        admin.turn(
            now,
            &Around {
                identity: self.nursery.identity.as_ref(),
                null: &self.nursery.null,
                signals: &self.signals,
                board: self.nursery.ledger.board(),
                version: self.upgrade.version(),
            },
        );
    }

    /// Whether nobody is left who answers at the admin address, which nobody has to any more.
    pub(crate) fn has_left_admin(&mut self, now: Moment) -> bool {
        self.admin.iter_mut().for_each(Admin::dismiss);
        self.tend_admin(now);
        self.admin.as_ref().is_none_or(Admin::is_gone)
    }

    /// Tells every worker to open its logs again.
    pub(crate) fn reopen_logs(&self) {
        let mut files = access::Reopened::default();
        for (_, member) in self.roster.all().filter(|(_, member)| !member.has_ended) {
            let generation = member.generation;
            // A program writes its own.
            let log = member
                .link()
                .and_then(|_| self.configs.access_log(generation));
            orders::reopen_logs(member, log.and_then(|log| files.of(generation, log)));
        }
        info!(
            event = "logs.reopened",
            "the workers are told to open their logs again"
        );
    }
}
