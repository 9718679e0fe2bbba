//! The books: what the fleet ordered and was told, kept from outside. Nothing here asks the fleet
//! how it is; it only knows what went in and what came out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_supervisor::plan::{
    Action, Change, Haste, KeptSlots, Leaving, Moment, Settings, Verdict,
};

use super::load::LoadBook;
use super::nature::{Kind, Nature};
use super::watch::Watch;

/// How long after SIGKILL a stopping fleet may still wait: docs/lifecycle.md promises it.
pub(crate) const LOST_AFTER: Duration = Duration::from_secs(10);
/// How often SIGKILL is repeated.
pub(crate) const KILL_AGAIN: Duration = Duration::from_secs(2);
/// The first pause after exit code 75.
pub(crate) const SCARCE: Duration = Duration::from_secs(5);

/// What must always hold; docs/testing.md lists them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rule {
    /// The fleet's own checks (a panic).
    OwnInvariants,
    /// No endless turns.
    EndlessTurns,
    /// A tick at the fleet's own deadline does something.
    IdleTick,
    /// The next deadline is neither past, nor missing, nor too late.
    Deadlines,
    /// Nothing that is due is left undone.
    LeftUndone,
    /// Slots open upwards, close downwards, and only when nobody is in them and nothing arrives.
    Slots,
    /// Workers are made in open slots, of a configuration that exists, with a fresh number.
    Spawns,
    /// Never more processes than allowed.
    Crowd,
    /// A restart comes neither sooner nor later than promised, and the promise is the policy's.
    Backoff,
    /// New connections go exactly where they are served.
    Steering,
    /// A worker leaves only for a reason that holds, in the order that loses no connection.
    Leaving,
    /// Drain, cut, kill: each when its time has come.
    Ladder,
    /// One reload at a time, whole new or whole old.
    Reload,
    /// A worn worker is replaced, start before stop, and never more than so many at a time.
    Recycling,
    /// No more older generations linger than may, and the oldest go first.
    Lingering,
    /// One binary at a time, asked before, proven after; only it makes its workers.
    Upgrade,
    /// The wanted number follows the orders.
    Scale,
    /// Every end, readiness and change is told once, as it was.
    Telling,
    /// It gives up exactly when it should.
    Despair,
    /// Stopping ends, in time, with the right verdict, and nothing follows.
    Stopping,
    /// Readiness is told once and in time, and health is what the books say.
    Health,
    /// What the fleet shows is what the books say: everybody is accounted for.
    Views,
    /// Who stands still is left out in time and ended in time, who turns never; who recovers is back.
    Stalls,
    /// Exactly the slots that nobody serves are relieved, by those who are well.
    Relief,
    /// Looks come in their rhythm, and end when nothing goes on.
    Looks,
    /// The number of workers follows the load, within its bounds and with rests between.
    Elastic,
    /// In a quiet world everything comes true.
    Liveness,
}

/// A broken rule.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) rule: Rule,
    words: String,
}

impl Broken {
    pub(crate) fn new(rule: Rule, words: String) -> Self {
        Self { rule, words }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.words)
    }
}

/// `Err` unless it holds.
pub(crate) fn hold(holds: bool, rule: Rule, words: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds {
        Ok(())
    } else {
        Err(Broken::new(rule, words()))
    }
}

/// One worker's record. It stays when the worker is gone.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) slot: SlotId,
    pub(crate) generation: Generation,
    pub(crate) born: Moment,
    /// When it is late if it is not ready.
    pub(crate) start_by: Moment,
    /// How long it may stand still: what the configuration said that it was made with.
    pub(crate) warn: Duration,
    pub(crate) limit: Option<Duration>,
    pub(crate) ready: Option<Moment>,
    pub(crate) told: Told,
    pub(crate) because: Option<Leaving>,
    pub(crate) alive: bool,
    /// It takes no connections yet.
    pub(crate) holds: bool,
    /// It is to take over from a worn one.
    pub(crate) renews: bool,
    /// Since when somebody else has asked it to leave.
    pub(crate) asked: Option<Moment>,
    pub(crate) answered: u64,
    pub(crate) memory: u64,
    /// Measurements in a row that found too much.
    pub(crate) heavy: u32,
}

/// What a worker was last told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    Nothing,
    Drain {
        until: Moment,
    },
    Cut {
        until: Moment,
    },
    /// SIGABRT, because it was blocked for too long.
    Abort {
        until: Moment,
    },
    Kill {
        first: Moment,
        last: Moment,
    },
}

impl Record {
    /// Ready and not told to leave.
    pub(crate) fn is_up(&self) -> bool {
        self.alive && self.ready.is_some() && self.told == Told::Nothing
    }

    /// The same, and it takes connections.
    pub(crate) fn serves(&self) -> bool {
        self.is_up() && !self.holds
    }

    /// Starting or serving, or killed for being late: it holds its slot.
    pub(crate) fn stays(&self) -> bool {
        self.alive && self.because.is_none()
    }
}

/// One open slot.
#[derive(Clone, Debug)]
pub(crate) struct SlotBook {
    /// Since when it gets no new connections.
    pub(crate) out_since: Option<Moment>,
    pub(crate) before_ready: u32,
    pub(crate) deaths: u32,
    pub(crate) promise: Promise,
    /// Its worker leaves before the next one may start.
    pub(crate) yielded: bool,
    /// Its deaths before this turn's order to scale forgot them.
    pub(crate) revived: Option<(u32, u32)>,
    /// An attempt to renew it has failed, and the next one rests.
    pub(crate) renewal_failed: bool,
}

/// When a slot's next worker may start, and when it must have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Promise {
    Within { from: Moment, by: Moment },
    Never,
}

impl Promise {
    pub(crate) fn at(moment: Moment) -> Self {
        Self::Within {
            from: moment,
            by: moment,
        }
    }
}

/// A reload in the books.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Course {
    Idle,
    Loading,
    Loaded(Settings),
    Staged {
        generation: Generation,
        settings: Settings,
    },
    /// The sentinel has to answer until then.
    Asking {
        until: Moment,
    },
    /// The order to become the new binary must come.
    Departing,
    /// It came: the new binary is to go on, or the order has failed, until then.
    Departed {
        until: Moment,
    },
    /// The new binary has staged nothing yet.
    Arrived(Settings),
    /// This generation of the new binary has failed: the order to go back must come.
    Returning(Generation),
    /// It came.
    Returned {
        failed: Generation,
        until: Moment,
    },
}

/// The course of a stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stop {
    pub(crate) how: Haste,
    pub(crate) verdict: Verdict,
    pub(crate) finish_by: Moment,
}

/// What must be said or ordered before the turn is over.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Due {
    /// Exactly this.
    Say(Change),
    /// That this worker, which nobody had told to leave, ended so.
    Crashed(WorkerId, Exit),
    /// That this worker of this slot was never made.
    NotMade(SlotId, WorkerId),
    /// That this worker ended the running reload.
    RolledBack(WorkerId),
    /// That the configuration is to be read.
    Load,
    /// That this worker is taken for blocked.
    Blocked(WorkerId),
    /// That this worker goes on.
    Recovered(WorkerId),
    /// That this worker is ended because it was blocked for too long.
    Stalled(WorkerId),
}

/// The books.
pub(crate) struct Ledger {
    pub(crate) kind: Kind,
    pub(crate) lag: Duration,
    pub(crate) settings: Settings,
    pub(crate) kept: KeptSlots,
    pub(crate) committed: Generation,
    pub(crate) newest: Generation,
    pub(crate) course: Course,
    pub(crate) queued: bool,
    pub(crate) wanted: u16,
    pub(crate) postponed: i64,
    pub(crate) slots: Vec<SlotBook>,
    pub(crate) workers: BTreeMap<WorkerId, Record>,
    /// The living of each slot that was ever open.
    pub(crate) by_slot: Vec<Vec<WorkerId>>,
    pub(crate) steer: Vec<SlotId>,
    pub(crate) ever_ready: bool,
    pub(crate) told_ready: Option<(u16, Generation)>,
    /// Enough have served at a time, and that was said.
    pub(crate) started: bool,
    pub(crate) crashes: Vec<Moment>,
    /// When what the last commit or roll-back has retired may be closed.
    pub(crate) retired: Option<Moment>,
    /// The most processes that a slot was ever allowed.
    pub(crate) most: usize,
    pub(crate) listening: bool,
    pub(crate) stop: Option<Stop>,
    pub(crate) finished: Option<Verdict>,
    /// What this turn still owes.
    pub(crate) due: Vec<Due>,
    /// Who was told to leave in words but not yet by an order.
    pub(crate) dismissed: Option<(WorkerId, Leaving)>,
    /// Who was told to drain although new connections still come to its slot: right only if, when
    /// the turn is over, nobody at all serves.
    pub(crate) exposed: Option<(WorkerId, SlotId)>,
    /// The running transaction is that of a new binary.
    pub(crate) is_upgrade: bool,
    /// This has to be ordered before the turn is over, and nothing after it.
    pub(crate) leap: Option<Action>,
    /// That order came: nothing may follow in this turn.
    pub(crate) gone: bool,
    /// The old binary must be forgotten before the turn is over.
    pub(crate) forgets: bool,
    /// The generation that this turn gave up.
    pub(crate) dropped: Option<Generation>,
    /// Whether it could take over slot by slot.
    pub(crate) partial: bool,
    /// Generations that have failed, and may still hold slots.
    pub(crate) failed: BTreeSet<Generation>,
    /// The slot whose worn worker was just said to be replaced.
    pub(crate) renewed: Option<SlotId>,
    /// The slot whose holder ended while its replacement had started.
    pub(crate) promoted: Option<SlotId>,
    /// The generations that this turn cuts, since too many linger.
    pub(crate) overstayed: BTreeSet<Generation>,
    /// Whether a worker was made in this turn.
    pub(crate) spawned: bool,
    /// Everything that was said in this turn.
    pub(crate) said: Vec<Change>,
    pub(crate) last_worker: WorkerId,
    pub(crate) watch: Watch,
    pub(crate) load: LoadBook,
    /// When everybody was last suspended, until then.
    pub(crate) suspended: Moment,
    /// When somebody last began or ceased to serve.
    pub(crate) unsteady: Moment,
    /// A number of processors that is followed when the reload is over.
    pub(crate) processors: Option<u16>,
}

impl Ledger {
    pub(crate) fn new(nature: &Nature) -> Self {
        Self {
            kind: nature.kind,
            lag: nature.lag,
            wanted: nature.settings.workers,
            settings: nature.settings.clone(),
            kept: nature.kept,
            committed: Generation::FIRST,
            newest: Generation::FIRST,
            course: Course::Idle,
            queued: false,
            postponed: 0,
            slots: Vec::new(),
            workers: BTreeMap::new(),
            by_slot: Vec::new(),
            steer: Vec::new(),
            ever_ready: false,
            told_ready: None,
            started: false,
            crashes: Vec::new(),
            retired: None,
            most: usize::from(nature.settings.lingering) + 3,
            listening: true,
            stop: None,
            finished: None,
            due: Vec::new(),
            dismissed: None,
            exposed: None,
            is_upgrade: false,
            leap: None,
            gone: false,
            forgets: false,
            dropped: None,
            partial: false,
            failed: BTreeSet::new(),
            renewed: None,
            promoted: None,
            overstayed: BTreeSet::new(),
            spawned: false,
            said: Vec::new(),
            last_worker: WorkerId(0),
            watch: Watch::default(),
            load: LoadBook::default(),
            suspended: Moment::ZERO,
            unsteady: Moment::ZERO,
            processors: None,
        }
    }

    pub(crate) fn staged(&self) -> Option<(Generation, &Settings)> {
        match &self.course {
            Course::Staged {
                generation,
                settings,
            } => Some((*generation, settings)),
            Course::Idle | Course::Loading | Course::Loaded(_) | Course::Arrived(_) => None,
            Course::Asking { .. } | Course::Departing | Course::Departed { .. } => None,
            Course::Returning(_) | Course::Returned { .. } => None,
        }
    }

    pub(crate) fn alive(&self) -> impl Iterator<Item = (&WorkerId, &Record)> {
        self.workers.iter().filter(|(_, record)| record.alive)
    }

    pub(crate) fn in_slot(&self, slot: SlotId) -> impl Iterator<Item = (&WorkerId, &Record)> {
        let ids = self.by_slot.get(usize::from(slot.0)).into_iter().flatten();
        ids.filter_map(|id| self.workers.get_key_value(id))
            .filter(|(_, record)| record.alive)
    }

    /// Whether somebody in the slot serves and stays.
    pub(crate) fn slot_serves(&self, slot: SlotId) -> bool {
        self.in_slot(slot).any(|(_, record)| record.serves())
    }

    /// Whether somebody is not ready yet, or has been told to leave at once.
    pub(crate) fn anybody_hurries(&self) -> bool {
        let serves = |record: &Record| record.ready.is_some() && record.told == Told::Nothing;
        self.alive().any(|(_, record)| !serves(record))
    }

    /// Whether the slot's worker of this generation is ready and stays.
    pub(crate) fn serves_generation(&self, slot: SlotId, generation: Generation) -> bool {
        self.in_slot(slot)
            .any(|(_, record)| record.is_up() && record.generation == generation)
    }

    /// The older generations of which somebody still drains, without those that this turn cuts.
    pub(crate) fn lingering(&self) -> BTreeSet<Generation> {
        let draining = self.alive().filter(|(_, record)| {
            let older = record.generation < self.committed;
            older && matches!(record.told, Told::Drain { .. })
        });
        let generations = draining.map(|(_, record)| record.generation);
        generations
            .filter(|g| !self.overstayed.contains(g))
            .collect()
    }

    /// So many older generations may drain; the one that was just replaced always.
    pub(crate) fn may_linger(&self) -> usize {
        usize::from(self.settings.lingering).max(1)
    }

    /// The worker that holds or will hold the slot for this generation.
    pub(crate) fn holder(&self, slot: SlotId, generation: Generation) -> Option<&Record> {
        let mut all = self.in_slot(slot);
        all.find(|(_, record)| record.stays() && record.generation == generation)
            .map(|(_, record)| record)
    }

    pub(crate) fn has_room(&self, slot: SlotId) -> bool {
        self.in_slot(slot).count() < self.most_processes()
    }

    /// So many processes may a slot have: the lingering, the holder, its successor, and one that
    /// is being cut.
    pub(crate) fn most_processes(&self) -> usize {
        usize::from(self.settings.lingering) + 3
    }

    pub(crate) fn wanted_slots(&self) -> impl Iterator<Item = SlotId> + use<> {
        (0..self.wanted).map(SlotId)
    }

    pub(crate) fn is_wanted(&self, slot: SlotId) -> bool {
        slot.0 < self.wanted
    }

    pub(crate) fn book(&mut self, slot: SlotId) -> Option<&mut SlotBook> {
        self.slots.get_mut(usize::from(slot.0))
    }

    /// Notes what has to be said before the turn is over.
    pub(crate) fn owe(&mut self, due: Due) {
        self.due.push(due);
    }

    /// Takes it off the list; an error if it was not owed.
    pub(crate) fn pay(&mut self, due: &Due, rule: Rule) -> Result<(), Broken> {
        let place = self.due.iter().position(|owed| owed == due);
        let place = place.ok_or_else(|| Broken::new(rule, format!("{due:?} out of nowhere")))?;
        self.due.remove(place);
        Ok(())
    }
}
