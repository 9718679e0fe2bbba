//! The process behind the admin address: one answers, another may be on its way to take over, and
//! those that were told to leave are waited for.
//!
//! ```text
//!            due: Make                Ready: it holds, the one before leaves
//!   Due(at) ----------> Starting ---------------------------------------------> nobody comes
//!     ^                    | late: Kill; it ends
//!     +--------------------+
//!     ^  the holder ends unasked, or is to be replaced (Renew)
//! ```
//!
//! The first death is followed at once, later ones after pauses that double; a calm time of service
//! forgets them. What listens is the supervisor's, so whoever comes meanwhile waits in the queue.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::vocabulary::Moment;

/// From its birth to ready, at most.
const START: Duration = Duration::from_secs(10);
/// From the order to leave to SIGKILL, and from one SIGKILL to the next.
const LEAVE: Duration = Duration::from_secs(1);
/// After so many of these nobody waits any more: the kernel holds it.
const KILLS: u8 = 3;
/// The pause after the second death in a row, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// After so long a service a death counts as the first again.
const CALM: Duration = Duration::from_secs(10);

/// The number of such a process, never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct AideId(pub u64);

/// What happens to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AideEvent {
    /// Its process exists.
    Made(AideId),
    /// No process could be had.
    NotMade(AideId),
    /// It answers.
    Ready(AideId),
    /// Its process is no more.
    Ended(AideId),
    /// There is a newer program for it.
    Renew,
    /// The supervisor is done.
    Dismiss,
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AideAction {
    /// Make its process.
    Make(AideId),
    /// Tell it to leave.
    Leave(AideId),
    /// End it by force.
    Kill(AideId),
    /// Tell somebody.
    Announce(AideChange),
}

/// What an operator may want to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AideChange {
    /// It answers.
    Ready(AideId),
    /// It ended unasked; the next comes after this pause.
    Crashed(AideId, Duration),
    /// No process could be had; the next try comes after this pause.
    NotMade(Duration),
    /// It has left as it was told to.
    Left(AideId),
    /// It was not ready in time and is killed.
    Late(AideId),
    /// It did not leave in time and is killed.
    Overdue(AideId),
}

/// Who is there, and who comes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Aide {
    holder: Option<Holder>,
    coming: Coming,
    leaving: Vec<Leaver>,
    /// In a row.
    deaths: u32,
    is_dismissed: bool,
    next: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Holder {
    id: AideId,
    since: Moment,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Coming {
    Nobody,
    Due(Moment),
    Starting { id: AideId, until: Moment },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Leaver {
    id: AideId,
    until: Moment,
    kills: u8,
    /// Whether it was told to leave; otherwise it was late, and its end counts as a death.
    was_asked: bool,
}

impl Default for Aide {
    fn default() -> Self {
        Self {
            holder: None,
            coming: Coming::Due(Duration::ZERO),
            leaving: Vec::new(),
            deaths: 0,
            is_dismissed: false,
            next: 1,
        }
    }
}

impl Aide {
    /// Takes note of an event and adds what is to be done. `now` never goes back.
    pub fn handle(&mut self, event: AideEvent, now: Moment, out: &mut Vec<AideAction>) {
        match event {
            // What happens to it next is told by others.
            AideEvent::Made(_) | AideEvent::Tick => {}
            AideEvent::NotMade(id) => self.not_made(id, now, out),
            AideEvent::Ready(id) => self.ready(id, now, out),
            AideEvent::Ended(id) => self.ended(id, now, out),
            AideEvent::Renew => {
                // Whoever comes anyway is of the newer program, unless it has started before.
                if let Coming::Starting { id, .. } = self.coming {
                    self.dismiss(id, now, out);
                }
                if !self.is_dismissed {
                    self.coming = Coming::Due(now);
                }
            }
            AideEvent::Dismiss => {
                self.is_dismissed = true;
                if let Coming::Starting { id, .. } = self.coming {
                    self.dismiss(id, now, out);
                }
                self.coming = Coming::Nobody;
                if let Some(holder) = self.holder.take() {
                    self.dismiss(holder.id, now, out);
                }
            }
        }
        self.turn(now, out);
    }

    /// When it wants to be called again, at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let coming = match self.coming {
            Coming::Nobody => None,
            Coming::Due(at) | Coming::Starting { until: at, .. } => Some(at),
        };
        let leaving = self.leaving.iter().map(|leaver| leaver.until);
        leaving.chain(coming).min()
    }

    /// Whether it was dismissed: nobody comes any more.
    #[must_use]
    pub fn is_dismissed(&self) -> bool {
        self.is_dismissed
    }

    /// Whether it was dismissed and nobody is left.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.is_dismissed && self.leaving.is_empty()
    }

    fn turn(&mut self, now: Moment, out: &mut Vec<AideAction>) {
        match self.coming {
            Coming::Due(at) if at <= now => {
                let id = AideId(self.next);
                self.next += 1;
                let until = now + START;
                self.coming = Coming::Starting { id, until };
                out.push(AideAction::Make(id));
            }
            Coming::Starting { id, until } if until <= now => {
                out.push(AideAction::Announce(AideChange::Late(id)));
                out.push(AideAction::Kill(id));
                let (until, kills) = (now + LEAVE, 1);
                self.leaving.push(Leaver {
                    id,
                    until,
                    kills,
                    was_asked: false,
                });
                self.coming = Coming::Due(now + self.next_pause());
            }
            Coming::Nobody | Coming::Due(_) | Coming::Starting { .. } => {}
        }
        for leaver in self.leaving.iter_mut().filter(|leaver| leaver.until <= now) {
            if leaver.kills == 0 {
                out.push(AideAction::Announce(AideChange::Overdue(leaver.id)));
            }
            out.push(AideAction::Kill(leaver.id));
            leaver.kills += 1;
            leaver.until = now + LEAVE;
        }
        self.leaving.retain(|leaver| leaver.kills <= KILLS);
    }

    fn dismiss(&mut self, id: AideId, now: Moment, out: &mut Vec<AideAction>) {
        out.push(AideAction::Leave(id));
        self.leaving.push(Leaver {
            id,
            until: now + LEAVE,
            kills: 0,
            was_asked: true,
        });
    }

    fn ready(&mut self, id: AideId, now: Moment, out: &mut Vec<AideAction>) {
        match self.coming {
            Coming::Starting { id: comes, .. } if comes == id => {}
            Coming::Nobody | Coming::Due(_) | Coming::Starting { .. } => return,
        }
        self.coming = Coming::Nobody;
        let before = self.holder.replace(Holder { id, since: now });
        out.push(AideAction::Announce(AideChange::Ready(id)));
        if let Some(before) = before {
            self.dismiss(before.id, now, out);
        }
    }

    fn not_made(&mut self, id: AideId, now: Moment, out: &mut Vec<AideAction>) {
        match self.coming {
            Coming::Starting { id: comes, .. } if comes == id => {}
            Coming::Nobody | Coming::Due(_) | Coming::Starting { .. } => return,
        }
        let pause = self.next_pause().max(FIRST_PAUSE);
        self.coming = Coming::Due(now + pause);
        out.push(AideAction::Announce(AideChange::NotMade(pause)));
    }

    fn ended(&mut self, id: AideId, now: Moment, out: &mut Vec<AideAction>) {
        if let Some(at) = self.leaving.iter().position(|leaver| leaver.id == id) {
            if self.leaving.remove(at).was_asked {
                out.push(AideAction::Announce(AideChange::Left(id)));
            }
            return;
        }
        let held = self.holder.take_if(|holder| holder.id == id);
        let came = match self.coming {
            Coming::Starting { id: comes, .. } => comes == id,
            Coming::Nobody | Coming::Due(_) => false,
        };
        if held.is_none() && !came {
            return;
        }
        if held.is_some_and(|held| now.saturating_sub(held.since) >= CALM) {
            self.deaths = 0;
        }
        let pause = self.next_pause();
        // A successor that is on its way comes sooner than another would.
        if came || self.coming == Coming::Nobody {
            self.coming = Coming::Due(now + pause);
        }
        out.push(AideAction::Announce(AideChange::Crashed(id, pause)));
    }

    /// Counts a death: none after the first, then longer and longer.
    fn next_pause(&mut self) -> Duration {
        self.deaths = self.deaths.saturating_add(1);
        match self.deaths {
            1 => Duration::ZERO,
            more => FIRST_PAUSE
                .saturating_mul(1 << (more - 2).min(20))
                .min(LONGEST_PAUSE),
        }
    }
}
