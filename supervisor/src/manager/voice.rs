//! Tells the manager what there is to tell, after every turn of the loop.

use std::time::{Duration, SystemTime};

use brigade_shared::exit::supervisor as code;
use brigade_shared::sys::clock::monotonic_ns;
use brigade_shared::sys::signal;
use nix::errno::Errno;
use sd_notify::NotifyState;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::line::Line;
use super::pulse::{Beat, Pulse};
use super::rate::Rate;
use super::refusal::{exit_status, failure};
use super::speech::{Belief, Speech, Word};
use super::words::{Around, Besides, ailment, despair, outcome, status, trouble};
use crate::plan::{Change, Fleet, Health, Moment, Verdict};
use crate::roster::Roster;

/// What is remembered of what was said.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    speech: Speech,
    pulse: Option<Pulse>,
    rate: Rate,
    /// How the last reload or upgrade ended.
    last: Option<String>,
    /// What went wrong last.
    trouble: Option<String>,
    /// Why the fleet is given up.
    despair: Option<String>,
    /// So many slots were ever open.
    slots: u16,
}

/// The same, for another program.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct VoiceState {
    belief: Belief,
    status: String,
    last: Option<String>,
}

/// What there is to tell of.
pub(crate) struct Scene<'a> {
    pub(crate) fleet: &'a Fleet,
    /// How many requests were answered in so many slots, from the lowest; none if nobody counts.
    pub(crate) answered: Option<&'a dyn Fn(u16) -> u64>,
    pub(crate) now: Moment,
}

impl Voice {
    /// At a start.
    pub(crate) fn begin() -> Self {
        Self {
            // systemd means WATCHDOG_PID, if it is there.
            pulse: sd_notify::watchdog_enabled()
                .filter(|time| !time.is_zero())
                .map(Pulse::new),
            ..Self::default()
        }
    }

    /// Goes on where another program was.
    pub(crate) fn resume(state: VoiceState) -> Self {
        let VoiceState {
            belief,
            status,
            last,
        } = state;
        Self {
            speech: Speech::resume(belief, status),
            last,
            ..Self::begin()
        }
    }

    /// For another program.
    pub(crate) fn pack(&self) -> VoiceState {
        VoiceState {
            belief: self.speech.belief,
            status: self.speech.status.clone(),
            last: self.last.clone(),
        }
    }

    /// Somebody orders a reload.
    pub(crate) fn reload_asked(&mut self) {
        self.speech.reload_asked();
    }

    /// Remembers what the status will tell of.
    pub(crate) fn note(&mut self, change: &Change, reason: &str, roster: &Roster) {
        let around = Around {
            at: SystemTime::now(),
            reason,
            slot: &|worker| roster.get(worker).map(|member| member.slot),
        };
        match change {
            Change::FleetReady { .. } => self.trouble = None,
            Change::GivingUp(why) => self.despair = Some(despair(*why, self.trouble.as_deref())),
            _ => {}
        }
        if let Some(words) = outcome(change, &around) {
            self.last = Some(words);
        }
        if let Some(words) = trouble(change, &around) {
            self.trouble = Some(words);
        }
    }

    /// When to come back although nothing has happened.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        let pulse = self.pulse.and_then(|pulse| pulse.deadline());
        pulse.into_iter().chain(self.speech.deadline()).min()
    }

    /// Says what there is to say. Once a turn.
    pub(crate) fn speak(&mut self, scene: &Scene<'_>, line: &mut Line) {
        if !line.is_open() {
            // Nobody is there who could wait for anything.
            *self = Self::default();
            return;
        }
        let (fleet, now) = (scene.fleet, scene.now);
        let health = fleet.health();
        self.beat(&health, now, line);
        if let Some(answered) = scene.answered {
            let open = u16::try_from(fleet.slots().count()).unwrap_or(u16::MAX);
            self.slots = self.slots.max(open);
            let slots = self.slots;
            self.rate.tick(fleet.attention(), now, || answered(slots));
        }
        let status = status(
            &health,
            Besides {
                rate: self.rate.per_second(),
                last: self.last.as_deref(),
                trouble: self.trouble.as_deref(),
                despair: self.despair.as_deref(),
                is_withheld: self.pulse.is_some_and(|pulse| pulse.is_withheld()),
            },
        );
        for words in self
            .speech
            .tick(&health, fleet.busy_until(now), status, now)
        {
            send(&words, line);
        }
    }

    /// The last words of a supervisor.
    pub(crate) fn end(&self, verdict: Verdict, line: &mut Line) {
        match verdict {
            Verdict::Stopped => {}
            Verdict::GaveUp(_) => {
                // systemd answers the last of these words with SIGABRT. Whoever is about to leave
                // with a code of its own has its files to remove, and leaves no core.
                let _ = signal::block_all();
                let status = self.despair.as_deref().unwrap_or("giving up");
                let exit_status = exit_status(code::GAVE_UP);
                let [status, errno, exit] = failure(status, Errno::ECHILD as u32, &exit_status);
                line.send(&[status, errno, exit, NotifyState::WatchdogTrigger]);
            }
        }
    }

    fn beat(&mut self, health: &Health, now: Moment, line: &mut Line) {
        let Some(pulse) = &mut self.pulse else { return };
        match pulse.tick(health.is_alive, now) {
            Beat::None => {}
            Beat::Give => line.send(&[NotifyState::Watchdog]),
            Beat::GiveAgain => {
                line.send(&[NotifyState::Watchdog]);
                info!(
                    event = "manager.watchdog_resumed",
                    "the watchdog gets its sign of life again"
                );
            }
            Beat::Withhold => {
                let (reason, ready, blocked) = (ailment(health), health.ready, health.blocked);
                warn!(
                    event = "manager.watchdog_withheld",
                    reason,
                    ready,
                    blocked,
                    "the watchdog gets no sign of life: {reason}; systemd restarts the service after WatchdogSec unless that changes"
                );
            }
        }
    }
}

fn send(words: &[Word], line: &mut Line) {
    let mut states = Vec::new();
    for word in words {
        match word {
            Word::Ready => states.push(NotifyState::Ready),
            Word::Reloading => {
                states.push(NotifyState::Reloading);
                // Not before the order, or systemd takes it for the answer to another.
                states.push(NotifyState::MonotonicUsec((monotonic_ns() / 1_000).into()));
            }
            Word::Stopping => states.push(NotifyState::Stopping),
            Word::MoreTime(time) => states.push(NotifyState::ExtendTimeoutUsec(micros(*time))),
            Word::Status(status) => states.push(NotifyState::Status(status)),
        }
    }
    line.send(&states);
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
