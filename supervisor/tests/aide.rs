//! Stories of the process behind the admin address.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use brigade_supervisor::plan::{Aide, AideAction, AideChange, AideEvent, AideId};

/// An aide, a clock, and what was ordered.
struct Scene {
    aide: Aide,
    now: Duration,
}

const FIRST: AideId = AideId(1);
const SECOND: AideId = AideId(2);
const THIRD: AideId = AideId(3);

impl Scene {
    /// One that has just been asked to make its first process.
    fn begun() -> Self {
        let mut scene = Self {
            aide: Aide::default(),
            now: Duration::from_secs(5),
        };
        assert_eq!(scene.hear(AideEvent::Tick), [AideAction::Make(FIRST)]);
        scene
    }

    /// One whose first process answers.
    fn answering() -> Self {
        let mut scene = Self::begun();
        assert_eq!(scene.hear(AideEvent::Made(FIRST)), []);
        let ready = AideAction::Announce(AideChange::Ready(FIRST));
        assert_eq!(scene.hear(AideEvent::Ready(FIRST)), [ready]);
        assert_eq!(
            scene.aide.next_deadline(),
            None,
            "an idle one does not wake"
        );
        scene
    }

    fn hear(&mut self, event: AideEvent) -> Vec<AideAction> {
        let mut out = Vec::new();
        self.aide.handle(event, self.now, &mut out);
        out
    }

    /// Time passes until the next deadline; what is due is ordered.
    fn wait(&mut self) -> (Duration, Vec<AideAction>) {
        let at = self.aide.next_deadline().expect("something is due");
        let waited = at.saturating_sub(self.now);
        self.now += waited;
        (waited, self.hear(AideEvent::Tick))
    }
}

fn told(change: AideChange) -> AideAction {
    AideAction::Announce(change)
}

#[test]
fn the_first_death_is_followed_at_once_and_later_ones_after_longer_and_longer_pauses() {
    let mut scene = Scene::answering();
    let mut pauses = Vec::new();
    for number in 1..14 {
        let crashed = scene.hear(AideEvent::Ended(AideId(number)));
        let [
            AideAction::Announce(AideChange::Crashed(_, pause)),
            rest @ ..,
        ] = &crashed[..]
        else {
            panic!("{crashed:?}");
        };
        pauses.push(pause.as_millis());
        let made = AideAction::Make(AideId(number + 1));
        if pause.is_zero() {
            assert_eq!(rest, [made]);
        } else {
            assert_eq!(scene.wait(), (*pause, vec![made]));
        }
        scene.hear(AideEvent::Ready(AideId(number + 1)));
    }
    assert_eq!(pauses[..5], [0, 100, 200, 400, 800]);
    assert_eq!(pauses[12], 30_000, "{pauses:?}");
}

#[test]
fn a_calm_time_of_service_forgets_deaths() {
    let mut scene = Scene::answering();
    scene.hear(AideEvent::Ended(FIRST));
    scene.hear(AideEvent::Ready(SECOND));
    scene.now += Duration::from_secs(10);
    let crashed = told(AideChange::Crashed(SECOND, Duration::ZERO));
    let made = AideAction::Make(THIRD);
    assert_eq!(scene.hear(AideEvent::Ended(SECOND)), [crashed, made]);
}

#[test]
fn one_that_is_not_ready_in_time_is_killed_and_another_comes() {
    let mut scene = Scene::begun();
    scene.hear(AideEvent::Made(FIRST));
    let (waited, orders) = scene.wait();
    assert_eq!(waited, Duration::from_secs(10));
    assert_eq!(
        orders,
        [told(AideChange::Late(FIRST)), AideAction::Kill(FIRST)]
    );
    assert_eq!(
        scene.wait(),
        (Duration::ZERO, vec![AideAction::Make(SECOND)])
    );
    assert_eq!(scene.hear(AideEvent::Ready(FIRST)), [], "too late");
    assert_eq!(scene.hear(AideEvent::Ended(FIRST)), [], "told already");
}

#[test]
fn if_no_process_can_be_had_it_is_tried_again_and_never_at_once() {
    let mut scene = Scene::begun();
    let pause = Duration::from_millis(100);
    let orders = scene.hear(AideEvent::NotMade(FIRST));
    assert_eq!(orders, [told(AideChange::NotMade(pause))]);
    assert_eq!(scene.wait(), (pause, vec![AideAction::Make(SECOND)]));
}

#[test]
fn a_newer_program_takes_over_before_the_old_one_leaves() {
    let mut scene = Scene::answering();
    assert_eq!(scene.hear(AideEvent::Renew), [AideAction::Make(SECOND)]);
    assert_eq!(scene.hear(AideEvent::Made(SECOND)), []);
    let orders = scene.hear(AideEvent::Ready(SECOND));
    let ready = told(AideChange::Ready(SECOND));
    assert_eq!(orders, [ready, AideAction::Leave(FIRST)]);
    let left = told(AideChange::Left(FIRST));
    assert_eq!(scene.hear(AideEvent::Ended(FIRST)), [left]);
    assert_eq!(scene.aide.next_deadline(), None);
}

#[test]
fn a_newer_program_that_fails_leaves_the_old_one_in_place() {
    let mut scene = Scene::answering();
    scene.hear(AideEvent::Renew);
    let crashed = told(AideChange::Crashed(SECOND, Duration::ZERO));
    let again = AideAction::Make(THIRD);
    assert_eq!(scene.hear(AideEvent::Ended(SECOND)), [crashed, again]);
    let orders = scene.hear(AideEvent::Ready(THIRD));
    let ready = told(AideChange::Ready(THIRD));
    assert_eq!(orders, [ready, AideAction::Leave(FIRST)]);
}

#[test]
fn if_the_old_one_dies_while_its_successor_starts_the_successor_is_waited_for() {
    let mut scene = Scene::answering();
    scene.hear(AideEvent::Renew);
    let crashed = told(AideChange::Crashed(FIRST, Duration::ZERO));
    assert_eq!(scene.hear(AideEvent::Ended(FIRST)), [crashed]);
    let ready = told(AideChange::Ready(SECOND));
    assert_eq!(scene.hear(AideEvent::Ready(SECOND)), [ready]);
}

#[test]
fn who_starts_when_a_newer_program_comes_is_of_the_old_one_and_leaves() {
    let mut scene = Scene::begun();
    let orders = scene.hear(AideEvent::Renew);
    assert_eq!(orders, [AideAction::Leave(FIRST), AideAction::Make(SECOND)]);
}

#[test]
fn everybody_leaves_at_the_end_and_who_does_not_is_killed_and_not_waited_for_without_end() {
    let mut scene = Scene::answering();
    scene.hear(AideEvent::Renew);
    let leave = [SECOND, FIRST].map(AideAction::Leave);
    assert_eq!(scene.hear(AideEvent::Dismiss), leave);
    assert!(!scene.aide.is_gone());
    scene.hear(AideEvent::Ended(SECOND));
    let (waited, orders) = scene.wait();
    assert_eq!(waited, Duration::from_secs(1));
    assert_eq!(
        orders,
        [told(AideChange::Overdue(FIRST)), AideAction::Kill(FIRST)]
    );
    let mut rounds = 0;
    while !scene.aide.is_gone() {
        assert_eq!(scene.wait().1, [AideAction::Kill(FIRST)]);
        rounds += 1;
    }
    assert_eq!(rounds, 3);
    assert_eq!(scene.hear(AideEvent::Renew), [], "nobody comes any more");
    assert_eq!(scene.aide.next_deadline(), None);
}

#[test]
fn at_the_end_whoever_leaves_is_gone_at_once() {
    let mut scene = Scene::answering();
    scene.hear(AideEvent::Dismiss);
    scene.hear(AideEvent::Ended(FIRST));
    assert!(scene.aide.is_gone());
}

/// A process of the world in which an aide lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Starting,
    Answering,
    /// It was told to leave, or is being killed.
    Going,
}

/// What the world may do next.
#[derive(Clone, Copy, Debug)]
enum Chance {
    BecomesReady,
    Dies,
    CanNotBeMade,
    Renew,
    Wait(u16),
}

fn chance() -> impl Strategy<Value = Chance> {
    prop_oneof![
        3 => Just(Chance::BecomesReady),
        3 => Just(Chance::Dies),
        1 => Just(Chance::CanNotBeMade),
        1 => Just(Chance::Renew),
        4 => (0..12_000_u16).prop_map(Chance::Wait),
    ]
}

/// The processes, as the world knows them.
#[derive(Default)]
struct World {
    lives: BTreeMap<AideId, Life>,
    fails_next: bool,
}

impl World {
    /// Carries out what was ordered; what comes of it is the next event.
    fn obey(&mut self, scene: &mut Scene, orders: Vec<AideAction>) {
        let mut orders = VecDeque::from(orders);
        while let Some(order) = orders.pop_front() {
            match order {
                AideAction::Make(id) => {
                    let starting = self.lives.values().filter(|life| **life == Life::Starting);
                    assert_eq!(starting.count(), 0, "one at a time");
                    let event = match std::mem::take(&mut self.fails_next) {
                        true => AideEvent::NotMade(id),
                        false => {
                            assert_eq!(self.lives.insert(id, Life::Starting), None, "a new number");
                            AideEvent::Made(id)
                        }
                    };
                    orders.extend(scene.hear(event));
                }
                AideAction::Leave(id) | AideAction::Kill(id) => {
                    let life = self
                        .lives
                        .get_mut(&id)
                        .expect("only the living are ordered");
                    *life = Life::Going;
                }
                AideAction::Announce(_) => {}
            }
        }
        let answering = self.lives.values().filter(|life| **life == Life::Answering);
        assert!(answering.count() <= 1, "one answers: {:?}", self.lives);
    }

    fn any(&self, wanted: Life) -> Option<AideId> {
        let mut found = self.lives.iter().filter(|(_, life)| **life == wanted);
        found.next().map(|(id, _)| *id)
    }

    fn step(&mut self, scene: &mut Scene, chance: Chance) {
        let event = match chance {
            Chance::BecomesReady => match self.any(Life::Starting) {
                Some(id) => {
                    self.lives.insert(id, Life::Answering);
                    // Whoever answered before is told to leave in the same breath.
                    AideEvent::Ready(id)
                }
                None => return,
            },
            Chance::Dies => match self.lives.pop_last() {
                Some((id, _)) => AideEvent::Ended(id),
                None => return,
            },
            Chance::CanNotBeMade => {
                self.fails_next = true;
                return;
            }
            Chance::Renew => AideEvent::Renew,
            Chance::Wait(ms) => {
                scene.now += Duration::from_millis(ms.into());
                AideEvent::Tick
            }
        };
        let orders = scene.hear(event);
        self.obey(scene, orders);
    }
}

proptest! {
    #[test]
    fn whatever_happens_somebody_answers_in_the_end_and_everybody_leaves(
        chances in vec(chance(), 0..60)
    ) {
        let mut scene = Scene { aide: Aide::default(), now: Duration::ZERO };
        let mut world = World::default();
        world.step(&mut scene, Chance::Wait(0));
        for chance in chances {
            world.step(&mut scene, chance);
        }
        // From now on all goes well, and who was told to leave does.
        world.fails_next = false;
        for _ in 0..20 {
            while let Some(id) = world.any(Life::Going) {
                world.lives.remove(&id);
                let orders = scene.hear(AideEvent::Ended(id));
                world.obey(&mut scene, orders);
            }
            world.step(&mut scene, Chance::BecomesReady);
            if let Some(at) = scene.aide.next_deadline() {
                scene.now = scene.now.max(at);
                world.step(&mut scene, Chance::Wait(0));
            }
        }
        prop_assert!(world.any(Life::Answering).is_some(), "{:?}", world.lives);
        prop_assert_eq!(scene.aide.next_deadline(), None);
        let orders = scene.hear(AideEvent::Dismiss);
        world.obey(&mut scene, orders);
        for _ in 0..5 {
            if let Some(at) = scene.aide.next_deadline() {
                scene.now = scene.now.max(at);
                world.step(&mut scene, Chance::Wait(0));
            }
        }
        prop_assert!(scene.aide.is_gone(), "also those that nothing can end");
    }
}
