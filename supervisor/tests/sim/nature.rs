//! How one seed's world is by nature: how healthy its workers are, what its operators want, how
//! late its supervisor wakes up.

use std::time::Duration;

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId};
use brigade_supervisor::plan::{
    Elastic, Intensity, KeptSlots, Moment, Quorum, Recycle, Request, Settings,
};

use super::dice::Dice;

/// The kinds of worlds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Everybody is healthy and polite: everything that was asked for must come true.
    Quiet,
    /// A crash now and then.
    Ordinary,
    /// Crashes all the time.
    Crashing,
    /// Nothing becomes ready, at least not in the first generation.
    Stillborn,
    /// Orders to leave are ignored, processes outlive SIGKILL.
    Stubborn,
    /// Processes can often not be made.
    Scarce,
    /// Operators ask for everything at once, again and again.
    Hectic,
}

/// What is likely in this world, in percent where nothing else is said.
#[derive(Clone, Debug)]
pub(crate) struct Nature {
    pub(crate) kind: Kind,
    pub(crate) settings: Settings,
    /// No process can be made.
    pub(crate) unmade: u64,
    /// It dies before it is ready.
    pub(crate) dies_early: u64,
    /// It never becomes ready, or only after the deadline.
    pub(crate) late: u64,
    /// It dies while it serves.
    pub(crate) dies_serving: u64,
    /// It ignores an order to leave.
    pub(crate) deaf: u64,
    /// It outlives SIGKILL.
    pub(crate) immortal: u64,
    /// It says things that are not so.
    pub(crate) liar: u64,
    /// A generation never becomes ready anywhere.
    pub(crate) broken_generation: u64,
    /// A configuration is refused.
    pub(crate) refused: u64,
    /// It stands still for a while, or for ever, while it serves.
    pub(crate) stalls: u64,
    /// It works now and then, and connections come.
    pub(crate) lively: bool,
    /// What another fleet has left to this one.
    pub(crate) kept: KeptSlots,
    /// All workers take from one queue.
    pub(crate) is_shared: bool,
    /// The workers are programs.
    pub(crate) programs: bool,
    /// The load comes and goes: the moods follow from it.
    pub(crate) on_demand: bool,
    /// So often everybody is stopped at once, the supervisor too.
    pub(crate) suspends: u64,
    /// The slot in which everything crashes.
    pub(crate) cursed: Option<SlotId>,
    /// How late the supervisor's loop may turn.
    pub(crate) lag: Duration,
    /// When the operators lose interest and stop it.
    pub(crate) horizon: Moment,
    /// How often they ask for something before.
    pub(crate) requests: u64,
}

impl Nature {
    /// The nature of a seed's world. Every eighth is quiet.
    pub(crate) fn of(seed: u64, dice: &mut Dice) -> Self {
        let kind = match seed % 8 {
            0 => Kind::Quiet,
            1 | 2 => Kind::Ordinary,
            3 => Kind::Crashing,
            4 => Kind::Stillborn,
            5 => Kind::Stubborn,
            6 => Kind::Scarce,
            _ => Kind::Hectic,
        };
        let calm = Self::calm(kind, dice);
        if kind == Kind::Quiet {
            return Self {
                horizon: calm.horizon + Duration::from_secs(120),
                ..calm
            };
        }
        let last = u64::from(calm.settings.workers) - 1;
        let rough = Self {
            unmade: 1,
            dies_early: 3,
            late: 2,
            dies_serving: 15,
            deaf: 5,
            immortal: 1,
            stalls: if dice.percent(50) { 40 } else { 5 },
            broken_generation: 15,
            cursed: dice.percent(30).then(|| slot(dice.within(0..=last))),
            ..calm
        };
        match kind {
            Kind::Quiet | Kind::Ordinary => rough,
            Kind::Crashing => Self {
                dies_early: 25,
                dies_serving: 80,
                ..rough
            },
            Kind::Stillborn => Self {
                dies_early: 60,
                late: 20,
                broken_generation: 60,
                ..rough
            },
            Kind::Stubborn => Self {
                deaf: 50,
                immortal: 10,
                late: 10,
                ..rough
            },
            Kind::Scarce => Self {
                unmade: 40,
                ..rough
            },
            Kind::Hectic => Self {
                requests: dice.within(10..=60),
                ..rough
            },
        }
    }

    /// In every fourth world another fleet has been before, and its sockets are left.
    pub(crate) fn with_left_slots(mut self, seed: u64) -> Self {
        let mut dice = Dice::new(!seed);
        let most = 2 * u64::from(self.settings.workers) + 2;
        if dice.percent(25) {
            self.kept = KeptSlots {
                open: slot(dice.within(1..=most)).0,
                need_workers: self.programs,
            };
        }
        self
    }

    /// Nobody crashes, nobody is deaf.
    fn calm(kind: Kind, dice: &mut Dice) -> Self {
        let settings = settings(kind, dice);
        let on_demand = settings.elastic.is_some();
        let is_watched = !settings.stall_warn.is_zero();
        Self {
            kind,
            settings,
            kept: KeptSlots::default(),
            stalls: 0,
            lively: is_watched && dice.percent(80),
            is_shared: dice.percent(25),
            programs: !on_demand && dice.percent(12),
            on_demand,
            suspends: if dice.percent(30) {
                dice.within(1..=3)
            } else {
                0
            },
            unmade: 0,
            dies_early: 0,
            late: 0,
            dies_serving: 0,
            deaf: 0,
            immortal: 0,
            liar: 20,
            broken_generation: 0,
            refused: 10,
            cursed: None,
            lag: if dice.percent(50) {
                Duration::ZERO
            } else {
                dice.millis(1..=40)
            },
            horizon: dice.millis(10_000..=90_000),
            requests: dice.within(0..=6),
        }
    }

    /// What reading the configuration yields this time; `None`: it is refused.
    pub(crate) fn next_settings(&self, dice: &mut Dice) -> Option<Settings> {
        if dice.percent(self.refused) {
            return None;
        }
        let mut next = settings(self.kind, dice);
        if dice.percent(50) {
            next.workers = self.settings.workers;
        }
        if dice.percent(50) {
            next.stall_warn = self.settings.stall_warn;
        }
        if !self.on_demand {
            next.elastic = None;
        }
        Some(next)
    }

    /// What the operators ask for until the horizon, and when.
    pub(crate) fn requests(&self, dice: &mut Dice) -> Vec<(Moment, Request)> {
        let span = u64::try_from(self.horizon.as_millis()).expect("a short life");
        // A quiet world is left alone long enough to end what it was asked for.
        let span = if self.kind == Kind::Quiet {
            span - 115_000
        } else {
            span
        };
        let mut all = Vec::new();
        let mut at = Moment::ZERO;
        for _ in 0..self.requests {
            // Bursts are as usual as second thoughts.
            at = if dice.percent(40) {
                at + dice.millis(0..=300)
            } else {
                dice.millis(0..=span)
            };
            all.push((at.min(Duration::from_millis(span)), request(dice)));
        }
        all
    }
}

/// Whether a generation is broken: every world answers for itself, the same each time.
pub(crate) fn is_broken(nature: &Nature, seed: u64, generation: Generation) -> bool {
    Dice::new(seed ^ (u64::from(generation.0) << 40)).percent(nature.broken_generation)
}

/// How a process may end that was not asked to: every documented code, and the usual accidents.
pub(crate) fn accident(dice: &mut Dice) -> Exit {
    dice.one(&[
        Exit::Code(0),
        Exit::Code(1),
        Exit::Code(71),
        Exit::Code(75),
        Exit::Code(78),
        Exit::Code(101),
        Exit::Signal(6),
        Exit::Signal(9),
        Exit::Signal(11),
        Exit::Signal(15),
    ])
}

fn request(dice: &mut Dice) -> Request {
    match dice.within(0..=23) {
        21..=23 => Request::Upgrade,
        0..=6 => Request::Reload,
        7..=11 => Request::ScaleBy(1),
        12..=16 => Request::ScaleBy(-1),
        17 => Request::ScaleBy(dice.one(&[0, 3, -3, 7])),
        18 => Request::ScaleBy(dice.one(&[-1_000, 2_000, i32::MIN, i32::MAX])),
        19 => Request::ScaleTo(dice.one(&[0, 1, 2, 3, 5, 8])),
        _ => Request::ScaleBy(2),
    }
}

fn settings(kind: Kind, dice: &mut Dice) -> Settings {
    let zero = kind != Kind::Quiet && dice.percent(10);
    let first = dice.millis(50..=500);
    let intensity = (kind != Kind::Quiet && dice.percent(15)).then(|| Intensity {
        crashes: u32::try_from(dice.within(0..=12)).expect("small"),
        period: dice.millis(1_000..=60_000),
    });
    let workers = if dice.percent(3) {
        dice.within(20..=40)
    } else {
        dice.within(1..=6)
    };
    let on_demand = matches!(kind, Kind::Quiet | Kind::Ordinary | Kind::Hectic);
    let elastic = (on_demand && dice.percent(8)).then(|| Elastic {
        least: u16::try_from(workers).expect("small"),
        most: u16::try_from(workers + dice.within(0..=4)).expect("small"),
    });
    // Often nobody is watched: a life is longer without looks.
    let stall_warn = match dice.within(0..=9) {
        0..=6 => Duration::ZERO,
        7 if dice.percent(20) => dice.millis(20..=200),
        7..=8 => dice.millis(800..=1_600),
        _ => dice.millis(200..=1_600),
    };
    let surge = match dice.within(0..=9) {
        0..=4 => 1_024,
        5..=8 => u16::try_from(dice.within(1..=3)).expect("small"),
        _ => 0,
    };
    let stall_limit = dice.percent(70).then(|| dice.millis(1_500..=8_000));
    Settings {
        workers: u16::try_from(workers).expect("small"),
        start_timeout: dice.millis(1_500..=10_000),
        drain_timeout: if zero {
            Duration::ZERO
        } else {
            dice.millis(1_200..=15_000)
        },
        kill_timeout: if zero {
            Duration::ZERO
        } else {
            dice.millis(1_000..=5_000)
        },
        settle: if dice.percent(20) {
            Duration::ZERO
        } else {
            dice.millis(1..=200)
        },
        close_after: dice.millis(0..=4_000),
        start_attempts: u32::try_from(dice.within(1..=5)).expect("small"),
        backoff_first: first,
        backoff_most: first * u32::try_from(dice.within(1..=60)).expect("small"),
        calm_after: dice.millis(500..=10_000),
        intensity,
        elastic,
        stall_warn,
        stall_limit,
        surge,
        unavailable: u16::try_from(dice.within(0..=2))
            .expect("small")
            .max(u16::from(surge == 0)),
        can_hold: dice.percent(80),
        probation: if dice.percent(50) {
            Duration::ZERO
        } else {
            dice.millis(50..=2_500)
        },
        lingering: dice.one(&[0, 1, 2, 3, 3, 3]),
        recycle: recycle(dice),
        ready_when: quorum(first),
        ticket_rotation: None,
    }
}

/// Without a throw of the dice: what is known of old seeds stays true.
fn quorum(spread: Duration) -> Quorum {
    match spread.as_millis() % 6 {
        0 => Quorum::Count(1),
        1 => Quorum::Percent(50),
        2 => Quorum::Count(3),
        _ => Quorum::Percent(100),
    }
}

fn recycle(dice: &mut Dice) -> Recycle {
    let at_most = u16::try_from(dice.within(1..=2)).expect("small");
    Recycle {
        requests: dice.percent(5).then(|| dice.within(2..=20)),
        requests_jitter: dice.within(0..=4),
        lifetime: dice.percent(15).then(|| dice.millis(2_000..=20_000)),
        memory: dice.percent(2).then_some(1_000),
        at_most,
    }
}

fn slot(index: u64) -> SlotId {
    SlotId(u16::try_from(index).expect("few slots"))
}
