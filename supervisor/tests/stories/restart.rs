//! Crashes, restarts, giving up.

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_supervisor::plan::{
    Action, Change, Deadline, Despair, Event, Intensity, Next, Request, Settings, SlotState,
    Verdict,
};

use super::story::{Story, cut, drain, kill, millis, secs, settings, spawn, steer};

#[test]
fn at_the_start_every_slot_is_opened_before_its_worker_is_made() {
    let story = Story::begins(settings(2));
    let open = |slot| Action::OpenSlot(SlotId(slot));
    story.does(&[open(0), open(1), spawn(1, 0, 1), spawn(2, 1, 1)]);
}

#[test]
fn the_fleet_is_ready_when_all_of_it_is_and_again_after_a_crash() {
    let mut story = Story::begins(settings(2));
    let ready = Change::FleetReady {
        workers: 2,
        generation: Generation::FIRST,
    };
    assert!(!story.ready(1).said(&ready));
    story.ready(2).says(&ready);
    story.exits(2, 1);
    story.ready(3).says(&ready);
}

#[test]
fn the_first_crash_is_followed_by_a_worker_at_once() {
    let mut story = Story::of_ready(settings(2));
    story.exits(2, 101).does(&[spawn(3, 1, 1), steer(&[0])]);
    story.ready(3).does(&[steer(&[0, 1])]);
}

#[test]
fn the_second_crash_in_a_row_is_followed_by_a_rest() {
    let mut story = Story::of_ready(settings(1));
    story.exits(1, 1).ready(2).exits(2, 1);
    story.after(millis(99)).does(&[]);
    story.after(millis(26)).does(&[spawn(3, 0, 1)]);
}

#[test]
fn a_crash_after_calm_service_is_the_first_again() {
    let mut story = Story::of_ready(settings(1));
    story.exits(1, 1).ready(2).after(secs(10)).exits(2, 1);
    assert_eq!(story.deeds()[0], spawn(3, 0, 1));
}

#[test]
fn a_failed_spawn_is_not_tried_again_at_once() {
    let mut story = Story::of_ready(settings(2));
    story
        .exits(2, 1)
        .hears(Event::SpawnFailed(WorkerId(3)))
        .does(&[]);
    let rests = story.fleet.slots().nth(1).map(|slot| slot.state);
    assert!(matches!(rests, Some(SlotState::Resting(until)) if until >= story.now + millis(100)));
}

#[test]
fn who_is_short_of_resources_is_given_five_seconds() {
    let mut story = Story::of_ready(settings(1));
    story.exits(1, 75).after(millis(4_999)).does(&[]);
    story.after(millis(1_251)).does(&[spawn(2, 0, 1)]);
}

#[test]
fn who_asks_not_to_be_respawned_is_not() {
    let mut story = Story::of_ready(settings(2));
    story.exits(2, 78).says(&Change::SlotParked(SlotId(1)));
    story.after(secs(1_000_000)).does(&[]);
    story
        .asked(Request::ScaleBy(-1))
        .does(&[Action::CloseSlot(SlotId(1))]);
}

#[test]
fn an_order_to_scale_revives_the_parked() {
    let mut story = Story::of_ready(settings(2));
    story.exits(1, 78).asked(Request::ScaleBy(1));
    assert!(
        story.deeds().contains(&spawn(3, 0, 1)),
        "{:?}",
        story.orders
    );
}

#[test]
fn who_is_not_ready_in_time_is_killed_and_has_died_before_ready() {
    let mut story = Story::of_ready(settings(1));
    story.exits(1, 1).after(secs(30)).does(&[kill(2)]);
    story.says(&Change::WorkerOverdue {
        worker: WorkerId(2),
        deadline: Deadline::Start,
    });
    assert!(story.ready(2).orders.is_empty(), "too late");
    story
        .hears(Event::Exited(WorkerId(2), Exit::Signal(9)))
        .does(&[]);
    let slot = story.fleet.slots().next().expect("one");
    assert_eq!((slot.failed_starts, slot.crashes), (1, 1));
}

#[test]
fn a_fleet_of_which_nothing_ever_became_ready_is_given_up() {
    let mut story = Story::begins(settings(2));
    for _ in 0..3 {
        let starting: Vec<_> = story
            .fleet
            .slots()
            .filter_map(|slot| starting(&slot.state))
            .collect();
        for worker in starting {
            story.exits(worker, 1);
        }
        if !story.fleet.is_over() {
            story.after(secs(1));
        }
    }
    let why = Despair::NeverReady { attempts: 3 };
    story.says(&Change::GivingUp(why));
    story.does(&[Action::CloseListeners, Action::Finish(Verdict::GaveUp(why))]);
}

#[test]
fn who_still_starts_when_the_fleet_is_given_up_is_cut() {
    let mut story = Story::begins(Settings {
        start_attempts: 1,
        ..settings(2)
    });
    story.exits(1, 1).exits(2, 1);
    story.does(&[Action::CloseListeners, cut(3)]);
    story.exits(3, 0);
    let why = Despair::NeverReady { attempts: 1 };
    story.does(&[Action::Finish(Verdict::GaveUp(why))]);
}

#[test]
fn a_fleet_that_is_parked_altogether_before_it_ever_served_is_given_up() {
    let mut story = Story::begins(settings(2));
    story.exits(1, 78).exits(2, 78);
    story.says(&Change::GivingUp(Despair::NeverReady { attempts: 3 }));
}

#[test]
fn a_fleet_that_has_served_is_not_given_up() {
    let mut story = Story::of_ready(settings(1));
    for worker in 1..100 {
        let wait = story
            .exits(worker, 1)
            .fleet
            .next_deadline()
            .map(|at| at - story.now);
        if story.deeds().is_empty() || !story.deeds().contains(&spawn(worker + 1, 0, 1)) {
            story.after(wait.expect("a restart"));
        }
        assert!(
            story.deeds().contains(&spawn(worker + 1, 0, 1)),
            "{:?}",
            story.orders
        );
    }
}

#[test]
fn more_crashes_than_allowed_in_the_period_end_the_fleet() {
    let limit = Intensity {
        crashes: 2,
        period: secs(10),
    };
    let mut story = Story::of_ready(Settings {
        intensity: Some(limit),
        ..settings(3)
    });
    story
        .exits(1, 1)
        .exits(2, 1)
        .after(secs(11))
        .exits(4, 1)
        .after(secs(1))
        .exits(5, 1);
    assert_eq!(story.fleet.stopping(), None, "only two in ten seconds");
    story.after(secs(1)).exits(3, 1);
    let why = Despair::TooManyCrashes(limit);
    story.says(&Change::GivingUp(why));
    assert!(
        !story.deeds().contains(&drain(3)),
        "the crashed one is gone"
    );
}

#[test]
fn an_exit_unasked_is_a_crash_whatever_its_code() {
    let mut story = Story::of_ready(settings(1));
    story
        .after(secs(3))
        .exits(1, 0)
        .says(&Change::WorkerCrashed {
            worker: WorkerId(1),
            exit: Exit::Code(0),
            was_ready: true,
            uptime: secs(3),
            next: Next::Now,
        });
}

#[test]
fn facts_about_the_unknown_and_the_dead_are_ignored() {
    let mut story = Story::of_ready(settings(1));
    story.exits(1, 1);
    for id in [WorkerId(1), WorkerId(99)] {
        assert!(story.hears(Event::Ready(id)).orders.is_empty());
        assert!(story.hears(Event::Spawned(id)).orders.is_empty());
        assert!(story.hears(Event::SpawnFailed(id)).orders.is_empty());
        assert!(
            story
                .hears(Event::Exited(id, Exit::Code(0)))
                .orders
                .is_empty()
        );
    }
    assert!(!story.ready(2).orders.is_empty());
    assert!(story.ready(2).orders.is_empty(), "said twice");
}

fn starting(state: &SlotState) -> Option<u64> {
    match state {
        SlotState::Starting(worker) => Some(worker.0),
        SlotState::Empty | SlotState::Ready(_) | SlotState::Dying(_) => None,
        SlotState::Resting(_) | SlotState::Parked => None,
    }
}

#[test]
fn workers_that_crash_together_do_not_come_back_together() {
    let mut story = Story::of_ready(settings(4));
    for worker in 1..=4 {
        story.exits(worker, 75);
    }
    let mut moments: Vec<_> = story
        .fleet
        .slots()
        .map(|slot| format!("{:?}", slot.state))
        .collect();
    moments.dedup();
    assert_eq!(moments.len(), 4, "{moments:?}");
}
