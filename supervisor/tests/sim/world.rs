//! The world of one seed: a clock that jumps, a future, processes that do what their nature says.

use std::collections::BTreeMap;
use std::time::Duration;

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_supervisor::plan::{Action, Event, Fleet, Look, Moment, Request};

use super::crowd::{Crowd, Kind as Watchable, REACTION};
use super::dice::Dice;
use super::ledger::{Broken, Ledger, Rule};
use super::moods::{self, Turn};
use super::nature::{Kind, Nature, accident, is_broken};
use super::process::{Happening, Leap, Process};

/// More turns than any seed should need: a fleet that runs in circles is stopped here.
const MOST_TURNS: usize = 60_000;

/// Everything.
pub(crate) struct World {
    seed: u64,
    now: Moment,
    dice: Dice,
    nature: Nature,
    fleet: Fleet,
    ledger: Ledger,
    future: BTreeMap<(Moment, u64), Happening>,
    happenings: u64,
    processes: BTreeMap<WorkerId, Process>,
    crowd: Crowd,
    /// What a look has found that is not answered yet.
    seen: Option<Look>,
    /// The binary that goes on.
    leap: Option<Leap>,
    trace: Trace,
}

/// What was heard and done, in order.
pub(crate) type Trace = Vec<(Moment, Option<Event>, Vec<Action>)>;

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let nature = Nature::of(seed, &mut dice).with_left_slots(seed);
        let fleet = Fleet::new(nature.settings.clone(), seed);
        let ledger = Ledger::new(&nature);
        let mut world = Self {
            seed,
            now: Moment::ZERO,
            dice,
            nature,
            fleet,
            ledger,
            future: BTreeMap::new(),
            happenings: 0,
            processes: BTreeMap::new(),
            crowd: Crowd::default(),
            seen: None,
            leap: None,
            trace: Trace::new(),
        };
        for (at, request) in world.nature.requests(&mut world.dice) {
            world.at(at, Happening::Heard(Event::Asked(request)));
        }
        for (at, turn) in moods::of_world(&world.nature, &mut world.dice) {
            world.at(at, Happening::Turns(turn));
        }
        world.at(world.nature.horizon, Happening::Enough);
        world
    }

    pub(crate) fn nature(&self) -> &Nature {
        &self.nature
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Lives through everything, up to the end of the fleet and a little beyond.
    pub(crate) fn run(&mut self) -> Result<(), Broken> {
        let mut actions = Vec::new();
        let kept = self.nature.kept;
        self.fleet.start_with(kept, self.now, &mut actions);
        self.carry_out(None, actions)?;
        for _ in 0..MOST_TURNS {
            if let Some(leap) = self.leap.take() {
                self.go_on(leap)?;
            }
            let Some(event) = self.next_event()? else {
                return self.ledger.the_end(self.now);
            };
            let mut actions = Vec::new();
            self.ledger.hear(&event, self.now)?;
            self.fleet.handle(event.clone(), self.now, &mut actions);
            self.carry_out(Some(event), actions)?;
        }
        Err(Broken::new(
            Rule::EndlessTurns,
            format!("more than {MOST_TURNS} turns"),
        ))
    }

    /// The fleet travels as text, and another binary goes on. What it was about to hear of a look
    /// may be lost on the way.
    fn go_on(&mut self, leap: Leap) -> Result<(), Broken> {
        let words = serde_json::to_string(&self.fleet).expect("all of it can be written");
        self.fleet = serde_json::from_str(&words).expect("all of it can be read");
        self.now += self.dice.millis(0..=30);
        if self.dice.percent(50) {
            self.seen = None;
        }
        let mut actions = Vec::new();
        match leap {
            Leap::New => {
                let settings = self.nature.next_settings(&mut self.dice);
                let settings = settings.unwrap_or_else(|| self.nature.settings.clone());
                self.ledger.hear_new_binary(&settings);
                self.fleet.go_on(settings, self.now, &mut actions);
            }
            Leap::Old => {
                self.ledger.hear_old_binary();
                self.fleet.come_back(self.now, &mut actions);
            }
        }
        self.carry_out(None, actions)
    }

    fn carry_out(&mut self, event: Option<Event>, actions: Vec<Action>) -> Result<(), Broken> {
        self.trace.push((self.now, event.clone(), actions));
        let actions = self.trace.last().expect("just pushed").2.clone();
        // That the ready of a proven generation hold their slots from now on is no order.
        let proven = self
            .ledger
            .proven_at()
            .is_some_and(|at| at + self.nature.lag >= self.now);
        if event == Some(Event::Tick) && actions.is_empty() && !proven {
            return Err(Broken::new(
                Rule::IdleTick,
                format!("it woke up and did nothing: {:?}", self.fleet),
            ));
        }
        for action in actions {
            self.ledger.see(&action, self.now)?;
            self.obey(action);
        }
        if self.crowd.stirs() {
            self.crowd.doze(false);
            self.after(REACTION, Happening::Heard(Event::Stirred));
        }
        self.ledger
            .after_turn(self.fleet.next_deadline(), self.now)?;
        self.ledger.compare(&self.fleet, self.now)
    }

    /// What the supervisor hears next: the world's next fact, or that its own deadline has come.
    fn next_event(&mut self) -> Result<Option<Event>, Broken> {
        // A look is answered in the same breath, but a breath may be held.
        if let Some(look) = self.seen.take() {
            self.now += Duration::from_micros(self.dice.within(0..=900));
            if self.nature.suspends > 0 && self.dice.percent(1) {
                let lasts = self.dice.millis(1..=5_000);
                self.suspend(lasts);
            }
            return Ok(Some(Event::Looked(look)));
        }
        loop {
            let happens = self.future.first_key_value().map(|(&(at, _), _)| at);
            let deadline = self.fleet.next_deadline();
            let due = match (happens, deadline) {
                (None, None) => return Ok(None),
                (Some(at), None) | (None, Some(at)) => at,
                (Some(at), Some(deadline)) => at.min(deadline),
            };
            // A loop that is late hears facts late, but in their order.
            if due > self.now {
                let lag = u64::try_from(self.nature.lag.as_micros()).expect("short");
                self.now = due + Duration::from_micros(self.dice.within(0..=lag));
            }
            let ticks = deadline.is_some_and(|at| at <= self.now);
            let happened = happens.is_some_and(|at| at <= self.now);
            if ticks && (!happened || self.dice.percent(50)) {
                return Ok(Some(Event::Tick));
            }
            let (_, happening) = self.future.pop_first().expect("something happened");
            if let Some(event) = self.come_true(happening)? {
                return Ok(Some(event));
            }
        }
    }

    fn suspend(&mut self, lasts: Duration) {
        // Who starts or leaves while it is suspended is late; that is no quiet world's business.
        let longest = if self.nature.kind == Kind::Quiet && self.ledger.anybody_hurries() {
            Duration::from_millis(50)
        } else {
            lasts
        };
        let lasts = lasts.min(longest);
        self.now += lasts;
        self.crowd.suspend(lasts);
        self.ledger.suspended = self.now;
        if let Some(stop) = &mut self.ledger.stop {
            stop.finish_by += lasts;
        }
    }

    /// Something goes on; if the supervisor dozes it may wake.
    fn turns(&mut self, turn: Turn) {
        match turn {
            Turn::Mood(id, mood) => self.crowd.change(id, mood, self.now),
            Turn::Word(id) => {
                // One that outlives the fleet has nobody to tell.
                let rhythm = self.crowd.word(id, self.now);
                if let Some(rhythm) = rhythm.filter(|_| !self.fleet.is_over()) {
                    self.after(rhythm, Happening::Turns(Turn::Word(id)));
                }
            }
            Turn::Arrives => {
                let shared = self.nature.is_shared;
                self.crowd.arrive(&mut self.dice, shared, self.now);
            }
            Turn::Demand(demand) => self.crowd.set_demand(demand, self.now),
            Turn::Suspended(lasts) => self.suspend(lasts),
        }
    }

    fn come_true(&mut self, happening: Happening) -> Result<Option<Event>, Broken> {
        Ok(match happening {
            Happening::Heard(event) => Some(event),
            Happening::Ready(id) => self.lives(id).then(|| self.becomes_ready(id)),
            Happening::Ends(id, exit) => self.lives(id).then(|| self.ends(id, exit)),
            Happening::Turns(turn) => {
                self.turns(turn);
                self.crowd.stirs().then(|| {
                    self.crowd.doze(false);
                    Event::Stirred
                })
            }
            Happening::Enough => {
                self.ledger.before_the_last_stop(self.now)?;
                self.schedule_stops();
                None
            }
        })
    }

    fn becomes_ready(&mut self, id: WorkerId) -> Event {
        let process = self.processes[&id].clone();
        if let Some((after, exit)) = process.dies {
            self.after(after, Happening::Ends(id, exit));
        }
        if self.dice.percent(3) {
            let asked = self.dice.millis(0..=5_000);
            self.after(asked, Happening::Heard(Event::Leaving(id)));
        }
        if process.liar {
            let twice = self.dice.millis(0..=2_000);
            self.after(twice, Happening::Heard(Event::Ready(id)));
        }
        let mut settings = self.ledger.settings.clone();
        if let Some(record) = self.ledger.workers.get(&id) {
            (settings.stall_warn, settings.stall_limit) = (record.warn, record.limit);
        }
        let kind = moods::kind(&self.nature, &settings, &mut self.dice);
        let (mood, turns) = moods::of_process(id, &self.nature, &settings, &mut self.dice);
        self.crowd.add(id, process.slot, kind, mood, self.now);
        for (at, turn) in turns {
            self.after(at, Happening::Turns(turn));
        }
        if let Watchable::Program(Some(_)) = kind {
            self.turns(Turn::Word(id));
        }
        Event::Ready(id)
    }

    fn ends(&mut self, id: WorkerId, exit: Exit) -> Event {
        let process = self.processes.get_mut(&id).expect("known");
        process.alive = false;
        self.crowd.remove(id);
        if process.liar {
            let after_death = self.dice.millis(0..=3_000);
            let lie = match self.dice.within(0..=3) {
                0 => Event::Ready(id),
                1 => Event::Exited(id, exit),
                2 => Event::SpawnFailed(id),
                _ => Event::Exited(WorkerId(id.0 + 1_000_000), exit),
            };
            self.after(after_death, Happening::Heard(lie));
        }
        Event::Exited(id, exit)
    }

    fn obey(&mut self, action: Action) {
        match action {
            Action::Spawn {
                worker,
                slot,
                generation,
                holds,
            } => {
                self.crowd.hold(worker, holds);
                self.spawn(worker, slot, generation);
            }
            Action::Drain { worker, within } => self.drain(worker, within),
            // Whoever stands still does not hear.
            Action::Cut(worker) if self.crowd.is_stuck(worker) => {}
            Action::Cut(worker) => {
                if self
                    .processes
                    .get(&worker)
                    .is_some_and(|process| !process.deaf_to_cut)
                {
                    let after = self.dice.millis(0..=900);
                    self.after(after, Happening::Ends(worker, Exit::Code(0)));
                }
            }
            Action::Kill(worker) => {
                if self
                    .processes
                    .get(&worker)
                    .is_some_and(|process| !process.immortal)
                {
                    let after = self.dice.millis(0..=50);
                    self.after(after, Happening::Ends(worker, Exit::Signal(9)));
                }
            }
            Action::LoadConfig => self.load(),
            Action::Abort(worker) => {
                if self
                    .processes
                    .get(&worker)
                    .is_some_and(|process| !process.deaf_to_cut)
                {
                    let after = self.dice.millis(0..=50);
                    self.after(after, Happening::Ends(worker, Exit::Signal(6)));
                }
            }
            Action::OpenSlot(_) => self.crowd.open(),
            Action::CloseSlot(slot) => self.crowd.close(slot),
            Action::Begin(worker) => self.crowd.hold(worker, false),
            Action::Steer(slots) => self.crowd.steer(&slots),
            Action::Relieve(relief) => self.crowd.relieve(&relief, self.now),
            Action::Ask(worker) => self.crowd.ask(worker, self.now),
            Action::Doze => self.crowd.doze(true),
            Action::Look => {
                let memory = self.ledger.settings.recycle.memory;
                let memory = memory.filter(|_| self.dice.percent(20));
                self.seen = Some(self.crowd.look(memory, &mut self.dice, self.now));
                self.ledger.watch.truth = self.crowd.stuck();
            }
            Action::StageConfig(_) | Action::CommitConfig(_) | Action::DropConfig(_) => {}
            Action::CloseListeners | Action::Announce(_) | Action::Finish(_) => {}
            Action::AskSentinel => self.ask_sentinel(),
            Action::ExecNew | Action::ExecOld if self.dice.percent(12) => {
                self.after(Duration::ZERO, Happening::Heard(Event::ExecFailed));
            }
            Action::ExecNew => self.leap = Some(Leap::New),
            Action::ExecOld => self.leap = Some(Leap::Old),
            Action::CloseRetired | Action::ForgetOld => {}
            Action::RenewCertificates(_) | Action::RotateTickets => {}
        }
    }

    /// It may never answer.
    fn ask_sentinel(&mut self) {
        if self.dice.percent(95) {
            let (after, agrees) = (self.dice.millis(0..=900), self.dice.percent(85));
            self.after(after, Happening::Heard(Event::SentinelAnswered(agrees)));
        }
    }

    fn load(&mut self) {
        let answer = match self.nature.next_settings(&mut self.dice) {
            Some(settings) => Event::ConfigLoaded(Box::new(settings)),
            // Without a throw of the dice: what is known of old seeds stays true.
            None if self.now.as_millis().is_multiple_of(3) => Event::CertificatesLoaded,
            None => Event::ConfigRefused,
        };
        let after = self.dice.millis(0..=100);
        self.after(after, Happening::Heard(answer));
    }

    fn spawn(&mut self, id: WorkerId, slot: SlotId, generation: Generation) {
        if self.dice.percent(self.nature.unmade) {
            return self.after(Duration::ZERO, Happening::Heard(Event::SpawnFailed(id)));
        }
        // The news of a birth may come before or after the newborn's first word, or never.
        if self.dice.percent(90) {
            let told = self.dice.millis(0..=20);
            self.after(told, Happening::Heard(Event::Spawned(id)));
        }
        let ill = self.nature.cursed == Some(slot) && self.dice.percent(80);
        let broken = is_broken(&self.nature, self.seed, generation);
        let fate = self.dice.within(0..=99);
        let nature = self.nature.clone();
        if broken || fate < nature.dies_early || (ill && self.dice.percent(50)) {
            let (after, exit) = (self.dice.millis(0..=1_400), accident(&mut self.dice));
            self.after(after, Happening::Ends(id, exit));
        } else if fate < nature.dies_early + nature.late {
            if self.dice.percent(50) {
                let late = nature.settings.start_timeout + self.dice.millis(0..=300);
                self.after(late, Happening::Ready(id));
            }
        } else {
            let after = self.dice.millis(0..=1_400);
            self.after(after, Happening::Ready(id));
        }
        let dies = (ill || self.dice.percent(nature.dies_serving)).then(|| {
            let longest = if self.dice.percent(50) { 1_000 } else { 30_000 };
            (self.dice.millis(0..=longest), accident(&mut self.dice))
        });
        let process = Process {
            slot,
            alive: true,
            deaf_to_drain: self.dice.percent(nature.deaf),
            deaf_to_cut: self.dice.percent(nature.deaf),
            immortal: self.dice.percent(nature.immortal),
            liar: self.dice.percent(nature.liar),
            dies,
        };
        self.processes.insert(id, process);
    }

    fn drain(&mut self, id: WorkerId, within: Duration) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        if process.deaf_to_drain || self.crowd.is_stuck(id) {
            return;
        }
        let longest = u64::try_from(within.as_millis()).expect("short").min(6_000);
        let after = self.dice.millis(0..=longest.saturating_sub(100));
        let polite = self.nature.kind == Kind::Quiet || self.dice.percent(80);
        let exit = if polite {
            Exit::Code(0)
        } else {
            accident(&mut self.dice)
        };
        self.after(after, Happening::Ends(id, exit));
    }

    /// One stop for sure, often in more and more haste, and requests that come too late.
    fn schedule_stops(&mut self) {
        if self.nature.kind == Kind::Quiet {
            return self.after(
                Duration::ZERO,
                Happening::Heard(Event::Asked(Request::Stop)),
            );
        }
        let first = self
            .dice
            .one(&[Request::Stop, Request::Stop, Request::StopNow]);
        self.after(Duration::ZERO, Happening::Heard(Event::Asked(first)));
        for _ in 0..self.dice.within(0..=3) {
            let request = self.dice.one(&[
                Request::Stop,
                Request::Stop,
                Request::StopNow,
                Request::Reload,
                Request::ScaleBy(1),
            ]);
            let after = self.dice.millis(0..=8_000);
            self.after(after, Happening::Heard(Event::Asked(request)));
        }
    }

    fn lives(&self, id: WorkerId) -> bool {
        self.processes.get(&id).is_some_and(|process| process.alive)
    }

    fn after(&mut self, delay: Duration, happening: Happening) {
        self.at(self.now + delay, happening);
    }

    fn at(&mut self, at: Moment, happening: Happening) {
        self.happenings += 1;
        self.future.insert((at, self.happenings), happening);
    }
}
