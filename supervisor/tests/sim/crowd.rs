//! What the processes of a world do, as looks find them: loops that turn, idle, spin, stand still
//! or are frozen; connections that wait; a demand that is met or not. The truth that the books
//! compare the fleet's judgement with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use brigade_shared::id::{SlotId, WorkerId};
use brigade_supervisor::plan::{Look, Moment, Relief, Sight, Signs};

use super::dice::Dice;

/// How long a healthy loop takes to come to what waits for it, at most.
pub(crate) const REACTION: Duration = Duration::from_millis(4);

/// What a process does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    /// Parked; it comes when something waits for it.
    Idle,
    /// It serves: progress all the time.
    Serving,
    /// At work on something that is no request: it turns, but only an answer shows it.
    Spinning,
    /// At work, and does not turn.
    Blocked,
    /// Stopped by force while it was parked.
    Frozen,
}

impl Mood {
    pub(crate) fn is_stuck(self) -> bool {
        matches!(self, Self::Blocked | Self::Frozen)
    }
}

/// How a process can be watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Service,
    /// A program that says in this rhythm that it lives; or never.
    Program(Option<Duration>),
}

/// One process.
#[derive(Clone, Debug)]
struct Body {
    slot: SlotId,
    kind: Kind,
    mood: Mood,
    mark: u64,
    /// Since when it has been stuck, if it is.
    stuck: Option<Moment>,
    /// When it was asked to show that it turns.
    asked: Option<Duration>,
    busy: Duration,
    seen: Duration,
    last_word: Moment,
}

/// All of them, and their queues.
#[derive(Clone, Default, Debug)]
pub(crate) struct Crowd {
    bodies: BTreeMap<WorkerId, Body>,
    queues: BTreeMap<SlotId, (u32, Duration)>,
    shared: Option<(u32, Duration)>,
    suspended: Duration,
    open: u16,
    steer: Vec<SlotId>,
    relief: Relief,
    dozes: bool,
    /// Who takes no connections yet.
    holding: BTreeSet<WorkerId>,
    /// Work that comes, in hundredths of a worker; none: the moods are drawn.
    demand: Option<u32>,
}

impl Crowd {
    fn awake(&self, now: Moment) -> Duration {
        now - self.suspended
    }

    /// Everybody was stopped for so long, the supervisor too.
    pub(crate) fn suspend(&mut self, lasts: Duration) {
        self.suspended += lasts;
    }

    pub(crate) fn open(&mut self) {
        self.open += 1;
    }

    pub(crate) fn close(&mut self, slot: SlotId) {
        self.open -= 1;
        self.queues.remove(&slot);
    }

    pub(crate) fn steer(&mut self, slots: &[SlotId]) {
        self.steer = slots.to_vec();
    }

    pub(crate) fn set_demand(&mut self, demand: u32, now: Moment) {
        self.proceed(now);
        self.demand = Some(demand);
    }

    pub(crate) fn relieve(&mut self, relief: &Relief, now: Moment) {
        self.proceed(now);
        self.relief = relief.clone();
    }

    pub(crate) fn hold(&mut self, id: WorkerId, holds: bool) {
        if holds {
            self.holding.insert(id);
        } else {
            self.holding.remove(&id);
        }
    }

    pub(crate) fn is_stuck(&self, id: WorkerId) -> bool {
        self.bodies
            .get(&id)
            .is_some_and(|body| body.stuck.is_some())
    }

    /// A process is ready.
    pub(crate) fn add(&mut self, id: WorkerId, slot: SlotId, kind: Kind, mood: Mood, now: Moment) {
        let awake = self.awake(now);
        let body = Body {
            slot,
            kind,
            mood: Mood::Idle,
            mark: 1,
            stuck: None,
            asked: None,
            busy: Duration::ZERO,
            seen: awake,
            last_word: now,
        };
        self.bodies.insert(id, body);
        self.change(id, mood, now);
    }

    pub(crate) fn remove(&mut self, id: WorkerId) {
        self.bodies.remove(&id);
    }

    /// A process does something else from now on.
    pub(crate) fn change(&mut self, id: WorkerId, mood: Mood, now: Moment) {
        let awake = self.awake(now);
        self.proceed(now);
        let Some(body) = self.bodies.get_mut(&id) else {
            return;
        };
        let asked = body.asked.is_some_and(|at| at < awake);
        match (body.mood.is_stuck(), mood.is_stuck()) {
            (false, true) => {
                // A program's silence counts from its last word.
                body.stuck = Some(match body.kind {
                    Kind::Service => now,
                    Kind::Program(_) => body.last_word,
                });
                if mood == Mood::Blocked {
                    body.moves();
                }
            }
            (true, false) => {
                body.stuck = None;
                if body.mood == Mood::Blocked || asked {
                    body.moves();
                    body.asked = None;
                }
                body.speaks(now);
            }
            (true, true) | (false, false) => {
                if !mood.is_stuck() && mood != body.mood {
                    body.moves();
                }
            }
        }
        body.mood = mood;
    }

    pub(crate) fn ask(&mut self, id: WorkerId, now: Moment) {
        let awake = self.awake(now);
        if let Some(body) = self.bodies.get_mut(&id) {
            body.asked.get_or_insert(awake);
        }
    }

    /// A program says that it lives; when it will say so again.
    pub(crate) fn word(&mut self, id: WorkerId, now: Moment) -> Option<Duration> {
        let body = self.bodies.get_mut(&id)?;
        let Kind::Program(rhythm) = body.kind else {
            return None;
        };
        if body.stuck.is_none() {
            body.speaks(now);
        }
        rhythm
    }

    /// A connection comes, where it is steered to or, rarely, where it was before.
    pub(crate) fn arrive(&mut self, dice: &mut Dice, is_shared: bool, now: Moment) {
        let awake = self.awake(now);
        if is_shared {
            let (count, since) = self.shared.unwrap_or((0, awake));
            self.shared = Some((count + 1, since));
            return;
        }
        if self.open == 0 {
            return;
        }
        let anywhere =
            SlotId(u16::try_from(dice.within(0..=u64::from(self.open) - 1)).expect("few"));
        let slot = if self.steer.is_empty() || dice.percent(10) {
            anywhere
        } else {
            dice.one(&self.steer)
        };
        let (count, since) = self.queues.get(&slot).copied().unwrap_or((0, awake));
        self.queues.insert(slot, (count + 1, since));
    }

    /// What happened until now without anybody's doing.
    fn proceed(&mut self, now: Moment) {
        let awake = self.awake(now);
        let serving = self
            .bodies
            .values()
            .filter(|body| body.stuck.is_none())
            .count();
        let share = self.demand.map_or(0, |demand| {
            demand / u32::try_from(serving.max(1)).expect("few")
        });
        for body in self.bodies.values_mut() {
            body.proceed(awake, share.min(100), self.demand.is_some());
        }
        let ripe = |since: Duration| since + REACTION <= awake;
        let (relief, holding) = (&self.relief, &self.holding);
        let bodies = &mut self.bodies;
        self.queues.retain(|slot, (_, since)| {
            let relieved = relief.slots.contains(slot) && !relief.by.is_empty();
            let comes = |(id, body): &(&WorkerId, &mut Body)| {
                body.slot == *slot && body.stuck.is_none() && !holding.contains(id)
            };
            let taker = bodies.iter_mut().find(comes).map(|(_, body)| body);
            let taken = ripe(*since) && (relieved || taker.is_some());
            if let Some(taker) = taker.filter(|_| taken && !relieved) {
                taker.moves();
            }
            !taken
        });
        if let Some((_, since)) = self.shared {
            let comes =
                |(id, body): &(&WorkerId, &mut Body)| body.stuck.is_none() && !holding.contains(id);
            // Whoever is stuck may have been woken for it: then it waits until somebody else is.
            let lost = bodies.values().any(|body| body.mood == Mood::Frozen);
            let taker = bodies.iter_mut().find(comes);
            if ripe(since) && (relief.shared && !relief.by.is_empty() || !lost && taker.is_some()) {
                self.shared = None;
            }
        }
    }

    /// Whether somebody would wake a supervisor that dozes.
    pub(crate) fn stirs(&self) -> bool {
        let has_work = self.demand != Some(0);
        let turns = |body: &Body| match body.mood {
            Mood::Serving => has_work,
            Mood::Spinning | Mood::Blocked => true,
            Mood::Idle | Mood::Frozen => false,
        };
        let turns = |body: &Body| body.kind == Kind::Service && turns(body);
        let waits = !self.queues.is_empty() || self.shared.is_some();
        self.dozes && (waits || self.bodies.values().any(turns))
    }

    pub(crate) fn doze(&mut self, dozes: bool) {
        self.dozes = dozes;
    }

    /// A look at everybody.
    pub(crate) fn look(&mut self, memory: Option<u64>, dice: &mut Dice, now: Moment) -> Look {
        self.dozes = false;
        self.proceed(now);
        let (overload, has_work) = (self.overload(), self.demand != Some(0));
        let mut workers: Vec<_> = self
            .bodies
            .iter()
            .map(|(id, body)| Sight {
                worker: *id,
                signs: body.signs(has_work, dice, now),
                memory: memory.map(|limit| limit + id.0 % 3 - 1),
            })
            .collect();
        if dice.percent(50) {
            workers.reverse();
        }
        let waiting = self.queues.iter().map(|(slot, (count, _))| (*slot, *count));
        Look {
            workers,
            waiting: waiting.collect(),
            waiting_shared: self.shared.map_or(0, |(count, _)| count) + overload,
        }
    }

    /// What waits because there is more to do than all together can.
    fn overload(&self) -> u32 {
        let serving = self
            .bodies
            .values()
            .filter(|body| body.stuck.is_none())
            .count();
        let able = 100 * u32::try_from(serving).expect("few");
        self.demand
            .map_or(0, |demand| demand.saturating_sub(able).div_ceil(50))
    }

    /// The stuck, and since when they truly are.
    pub(crate) fn stuck(&self) -> BTreeMap<WorkerId, Moment> {
        let all = self.bodies.iter();
        all.filter_map(|(id, body)| Some((*id, body.stuck?)))
            .collect()
    }
}

impl Body {
    /// Progress, where it shows by itself.
    fn moves(&mut self) {
        if self.kind == Kind::Service {
            self.mark += 1;
        }
    }

    /// A program that takes part says that it lives.
    fn speaks(&mut self, now: Moment) {
        if let Kind::Program(Some(_)) = self.kind {
            self.mark += 1;
            self.last_word = now;
        }
    }

    fn proceed(&mut self, awake: Duration, share: u32, on_demand: bool) {
        let lasted = awake.saturating_sub(self.seen);
        self.seen = awake;
        match self.mood {
            Mood::Blocked | Mood::Frozen => return,
            Mood::Idle => {}
            Mood::Serving if on_demand => {
                self.busy += lasted * share / 100;
                if lasted > Duration::ZERO && share > 0 {
                    self.moves();
                }
            }
            Mood::Serving => {
                self.busy += lasted / 2;
                if lasted > Duration::ZERO {
                    self.moves();
                }
            }
            Mood::Spinning => self.busy += lasted,
        }
        if self.asked.is_some_and(|at| at + REACTION <= awake) {
            self.asked = None;
            self.moves();
        }
    }

    fn signs(&self, has_work: bool, dice: &mut Dice, now: Moment) -> Signs {
        let is_running = match self.mood {
            Mood::Idle | Mood::Frozen => false,
            Mood::Serving => has_work && dice.percent(50),
            Mood::Spinning | Mood::Blocked => true,
        };
        match self.kind {
            Kind::Service => Signs::Row {
                progress: self.mark,
                is_running,
                busy: self.busy,
                answered: self.mark,
                starved: Duration::ZERO,
            },
            Kind::Program(None) => Signs::Words {
                watchdogs: 0,
                silent: now,
            },
            Kind::Program(Some(_)) => Signs::Words {
                watchdogs: self.mark,
                silent: now - self.last_word,
            },
        }
    }
}
