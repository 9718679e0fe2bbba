//! Reloads that may not make a whole second generation, and canaries on probation.

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_supervisor::plan::{Action, Change, Event, Failure, Leaving, Request, Settings, Wear};

use super::story::{Story, cut, drain, millis, secs, settings, spawn, steer};

const SECOND: Generation = Generation(2);
const COMMIT: Action = Action::CommitConfig(SECOND);
const DROP: Action = Action::DropConfig(SECOND);
const STAGE: Action = Action::StageConfig(SECOND);

fn proving(workers: u16) -> Settings {
    Settings {
        probation: secs(2),
        ..settings(workers)
    }
}

/// So many processes more, so many slots without a worker.
fn with(surge: u16, unavailable: u16, workers: u16) -> Settings {
    Settings {
        surge,
        unavailable,
        ..proving(workers)
    }
}

#[test]
fn the_canary_has_to_stay_well_while_the_others_start() {
    let mut story = Story::of_ready(proving(3));
    story.reloads(proving(3)).after(secs(1));
    story.ready(4).does(&[spawn(5, 1, 2), spawn(6, 2, 2)]);
    story.says(&Change::ReloadProbation {
        generation: SECOND,
        lasts: secs(2),
    });
    story.ready(5).ready(6).does(&[]);
    story.after(millis(1_999)).does(&[]);
    story
        .after(millis(1))
        .does(&[COMMIT, drain(1), drain(2), drain(3)]);
}

#[test]
fn a_probation_that_is_over_before_the_others_are_ready_holds_up_nothing() {
    let mut story = Story::of_ready(proving(2));
    story.reloads(proving(2)).ready(3).after(secs(9)).does(&[]);
    story.ready(4).does(&[COMMIT, drain(1), drain(2)]);
}

#[test]
fn a_single_worker_is_proved_too() {
    let mut story = Story::of_ready(proving(1));
    story.reloads(proving(1)).ready(2).does(&[]);
    story.after(secs(2)).does(&[COMMIT, drain(1)]);
}

#[test]
fn a_canary_that_dies_on_probation_ends_the_reload() {
    let mut story = Story::of_ready(proving(2));
    story.reloads(proving(2)).ready(3).ready(4).after(secs(1));
    story.exits(3, 1).does(&[DROP, drain(4)]);
    story.says(&Change::ReloadRolledBack {
        generation: SECOND,
        worker: WorkerId(3),
        failure: Failure::Ended(Exit::Code(1)),
    });
    story.after(secs(9)).does(&[]);
}

#[test]
fn with_a_small_surge_the_slots_follow_one_after_the_other() {
    let mut story = Story::of_ready(with(1, 0, 3));
    story.reloads(with(1, 0, 3)).does(&[STAGE, spawn(4, 0, 2)]);
    story.ready(4).does(&[]);
    story.after(secs(2)).does(&[drain(1), spawn(5, 1, 2)]);
    story.ready(5).does(&[drain(2), spawn(6, 2, 2)]);
    story.ready(6).does(&[COMMIT, drain(3)]);
    story.says(&Change::FleetReady {
        workers: 3,
        generation: SECOND,
    });
}

#[test]
fn a_failure_after_the_first_wave_renews_the_slots_that_were_taken_over() {
    let mut story = Story::of_ready(with(1, 0, 3));
    story.reloads(with(1, 0, 3)).ready(4).after(secs(2));
    story.ready(5).exits(6, 1);
    // Slots 0 and 1 are of the failed generation: one at a time, start before stop.
    story.does(&[DROP, spawn(7, 0, 1)]);
    story.says(&Change::WorkerRecycling {
        worker: WorkerId(4),
        because: Wear::Generation,
    });
    story.ready(7).does(&[drain(4), spawn(8, 1, 1)]);
    story.says(&Change::WorkerDraining {
        worker: WorkerId(4),
        because: Leaving::Recycle,
    });
    story.ready(8).does(&[drain(5)]);
    story.says(&Change::FleetReady {
        workers: 3,
        generation: Generation::FIRST,
    });
}

#[test]
fn one_of_the_new_generation_that_dies_after_it_took_over_ends_the_reload_too() {
    let mut story = Story::of_ready(with(1, 0, 2));
    story.reloads(with(1, 0, 2)).ready(3).after(secs(2));
    story.exits(3, 1);
    story.does(&[DROP, steer(&[1]), cut(4), spawn(5, 0, 1)]);
    story.ready(5).does(&[steer(&[0, 1])]);
}

#[test]
fn what_the_failed_generation_left_behind_is_replaced_at_once_when_it_dies() {
    let mut story = Story::of_ready(with(1, 0, 3));
    story.reloads(with(1, 0, 3)).ready(4).after(secs(2));
    story.ready(5).exits(6, 1);
    // Worker 7 starts in slot 0 already; slot 1 still waits for its turn.
    story.exits(4, 1).does(&[spawn(8, 1, 1), steer(&[1, 2])]);
    story.exits(5, 1).does(&[steer(&[2])]);
    story.ready(7).ready(8).does(&[steer(&[0, 1, 2])]);
}

#[test]
fn without_surge_the_old_one_leaves_first_the_canary_too() {
    let mut story = Story::of_ready(with(0, 2, 4));
    story.reloads(with(0, 2, 4));
    story.does(&[STAGE, steer(&[1, 2, 3]), drain(1)]);
    // A service that can't run twice starts when the one before has left.
    story.exits(1, 0).does(&[spawn(5, 0, 2)]);
    story.ready(5).does(&[steer(&[0, 1, 2, 3])]);
    story.after(secs(2));
    story.does(&[steer(&[0, 3]), drain(2), drain(3)]);
    story.exits(2, 0).does(&[spawn(6, 1, 2)]);
    story.ready(6);
    story.does(&[steer(&[0, 1, 3]), steer(&[0, 1]), drain(4)]);
    story.exits(4, 0).does(&[spawn(7, 3, 2)]);
    story.exits(3, 0).does(&[spawn(8, 2, 2)]);
    story.ready(7).ready(8);
    assert!(story.deeds().contains(&COMMIT), "{:?}", story.orders);
}

#[test]
fn a_slot_that_was_given_up_for_nothing_is_filled_again() {
    let mut story = Story::of_ready(with(0, 1, 2));
    story.reloads(with(0, 1, 2)).exits(1, 0).exits(3, 1);
    story.does(&[DROP, spawn(4, 0, 1)]);
}

#[test]
fn neither_surge_nor_unavailable_slots_still_is_one_at_a_time() {
    let mut story = Story::of_ready(with(0, 0, 2));
    story.reloads(with(0, 0, 2));
    story.does(&[STAGE, steer(&[1]), drain(1)]);
    story.exits(1, 0).does(&[spawn(3, 0, 2)]);
}

#[test]
fn nobody_is_started_beside_one_that_drains_if_there_may_be_no_two() {
    let mut story = Story::of_ready(with(0, 1, 1));
    story
        .reloads(with(0, 1, 1))
        .does(&[STAGE, steer(&[]), drain(1)]);
    story.exits(1, 0).does(&[spawn(2, 0, 2)]);
    let mut story = Story::of_ready(with(0, 1, 2));
    story.reloads(with(0, 1, 2)).exits(1, 0).ready(3);
    story.after(secs(2)).does(&[steer(&[0]), drain(2)]);
    story.exits(3, 1);
    story.does(&[DROP, steer(&[]), spawn(4, 0, 1)]);
    story.exits(2, 0).does(&[spawn(5, 1, 1)]);
}

#[test]
fn the_generation_that_was_just_replaced_drains_even_if_none_may_linger() {
    let none = || {
        let mut settings = settings(1);
        settings.lingering = 0;
        settings
    };
    let mut story = Story::of_ready(none());
    story.reloads(none()).ready(2);
    assert!(!story.deeds().contains(&cut(1)), "{:?}", story.orders);
    story.reloads(none()).ready(3);
    assert!(story.deeds().contains(&cut(1)), "{:?}", story.orders);
    assert!(!story.deeds().contains(&cut(2)), "{:?}", story.orders);
}

#[test]
fn the_addresses_that_a_commit_retires_are_closed_when_nothing_can_arrive() {
    let mut story = Story::of_ready(settings(1));
    story.reloads(settings(1)).ready(2);
    assert!(!story.orders.contains(&Action::CloseRetired));
    story.after(millis(49));
    assert!(story.orders.is_empty());
    story.after(millis(1));
    assert_eq!(story.orders, [Action::CloseRetired]);
    story
        .reloads(settings(1))
        .hears(Event::SpawnFailed(WorkerId(3)));
    story.after(millis(50));
    assert_eq!(story.orders, [Action::CloseRetired], "the added ones");
}

const fn holding(worker: u64, slot: u16) -> Action {
    Action::Spawn {
        worker: WorkerId(worker),
        slot: SlotId(slot),
        generation: SECOND,
        holds: true,
    }
}

#[test]
fn only_the_canary_gets_connections_before_it_has_proved_itself() {
    let mut story = Story::of_ready(proving(3));
    story.reloads(proving(3));
    assert_eq!(story.count(&spawn(4, 0, 2)), 1, "the canary");
    story.ready(4);
    let (second, third) = (holding(5, 1), holding(6, 2));
    assert_eq!((story.count(&second), story.count(&third)), (1, 1));
    story.ready(5).ready(6);
    assert_eq!(story.relief(), None, "nor are they handed any");
    story.after(millis(1_999));
    let begin = |worker| Action::Begin(WorkerId(worker));
    assert_eq!(story.count(&begin(5)) + story.count(&begin(6)), 0);
    story
        .after(millis(1))
        .does(&[COMMIT, drain(1), drain(2), drain(3)]);
    assert_eq!((story.count(&begin(5)), story.count(&begin(6))), (1, 1));
}

#[test]
fn who_holds_still_begins_when_the_slot_has_nobody_else() {
    let mut story = Story::of_ready(proving(2));
    story.reloads(proving(2)).ready(3);
    let begin = Action::Begin(WorkerId(4));
    story.exits(2, 1);
    assert_eq!(story.count(&begin), 1, "it need not wait to be ready");
}

#[test]
fn who_cannot_hold_still_starts_when_the_canary_has_proved_itself() {
    let programs = |workers| Settings {
        can_hold: false,
        ..proving(workers)
    };
    let mut story = Story::of_ready(programs(2));
    story.reloads(programs(2)).ready(3).does(&[]);
    story.after(secs(2)).does(&[spawn(4, 1, 2)]);
    story.ready(4).does(&[COMMIT, drain(1), drain(2)]);
}

#[test]
fn a_crashed_worker_is_not_replaced_beside_its_successor_beyond_the_surge() {
    let mut story = Story::of_ready(with(1, 0, 3));
    story.reloads(with(1, 0, 3)).ready(4);
    // Slot 0 has a worker and its successor: that is the one that may be.
    story.exits(3, 1).does(&[spawn(5, 2, 2), steer(&[0, 1])]);
    story.after(secs(1)).does(&[]);
    story.exits(5, 1);
    assert!(
        story.deeds().contains(&spawn(6, 2, 1)),
        "{:?}",
        story.orders
    );
}

#[test]
fn a_reload_goes_on_where_a_surplus_worker_has_just_begun_to_leave() {
    let mut story = Story::of_ready(with(1, 0, 3));
    story.asked(Request::ScaleBy(-1)).reloads(with(1, 0, 3));
    // The settling time of slot 2 is over in the very turn in which the canary is ready.
    story.now += millis(50);
    story.ready(4);
    story.does(&[drain(3), spawn(5, 2, 2)]);
}

#[test]
fn who_holds_still_in_a_slot_that_is_new_does_not_keep_the_others_waiting() {
    let few = |workers| Settings {
        probation: secs(2),
        ..with(0, 1, workers)
    };
    let mut story = Story::of_ready(few(2));
    story.reloads(few(3)).exits(1, 0).ready(3).ready(4);
    story.after(secs(2));
    assert!(story.deeds().contains(&drain(2)), "{:?}", story.orders);
}

#[test]
fn a_slot_that_yielded_and_is_not_wanted_any_more_keeps_no_reload_waiting() {
    let mut story = Story::of_ready(with(0, 1, 2));
    story.reloads(with(0, 1, 2)).exits(1, 0).ready(3);
    story.after(secs(2)).does(&[steer(&[0]), drain(2)]);
    story.asked(Request::ScaleBy(-1)).exits(3, 1);
    story.does(&[DROP, steer(&[]), steer(&[0]), spawn(4, 0, 1)]);
    story.ready(4).reloads(with(0, 1, 2));
    assert!(story.deeds().contains(&drain(4)), "{:?}", story.orders);
}

#[test]
fn a_slot_that_yielded_to_a_failed_reload_keeps_no_upgrade_waiting() {
    let mut story = Story::of_ready(with(0, 1, 2));
    story.reloads(with(0, 1, 2)).exits(1, 0).ready(3);
    story.after(secs(2)).does(&[steer(&[0]), drain(2)]);
    story.exits(3, 1).ready(4).asked(Request::Upgrade);
    story.hears(Event::SentinelAnswered(true));
    story.goes_on(with(0, 1, 2));
    // The new binary does not fill slot 1 for the old generation.
    story.exits(2, 0);
    assert!(story.deeds().contains(&drain(4)), "{:?}", story.orders);
}
