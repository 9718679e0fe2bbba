//! Recycling: a healthy worker that is worn gets a successor before it leaves.

use brigade_shared::exit::Exit;
use brigade_shared::id::WorkerId;
use brigade_supervisor::plan::{
    Action, Change, Event, Leaving, Next, Recycle, Request, Settings, Wear,
};

use super::story::{Story, cut, drain, millis, secs, settings, spawn, steer};

fn worn(workers: u16, recycle: Recycle) -> Settings {
    Settings {
        recycle,
        ..settings(workers)
    }
}

fn never() -> Recycle {
    settings(1).recycle
}

fn after_requests(requests: u64) -> Recycle {
    Recycle {
        requests: Some(requests),
        ..never()
    }
}

#[test]
fn a_worker_that_has_answered_enough_is_replaced_and_leaves_only_then() {
    let mut story = Story::of_ready(worn(2, after_requests(500)));
    story.is_seen(1, 499, 0).does(&[]);
    story.is_seen(1, 500, 0).does(&[spawn(3, 0, 1)]);
    story.says(&Change::WorkerRecycling {
        worker: WorkerId(1),
        because: Wear::Requests(500),
    });
    story.ready(3).does(&[drain(1)]);
    story.says(&Change::WorkerDraining {
        worker: WorkerId(1),
        because: Leaving::Recycle,
    });
}

#[test]
fn one_slot_at_a_time_from_the_start_to_the_last_goodbye() {
    let mut story = Story::of_ready(worn(3, after_requests(500)));
    story.is_seen(1, 500, 0).is_seen(2, 500, 0).does(&[]);
    story.ready(4).does(&[drain(1)]);
    story.exits(1, 0).does(&[spawn(5, 1, 1)]);
}

#[test]
fn two_at_a_time_if_the_operator_says_so() {
    let two = Recycle {
        at_most: 2,
        ..after_requests(500)
    };
    let mut story = Story::of_ready(worn(3, two));
    story.is_seen(1, 500, 0);
    story.is_seen(2, 500, 0).does(&[spawn(5, 1, 1)]);
    story.is_seen(3, 500, 0).does(&[]);
}

#[test]
fn an_old_worker_is_replaced_at_its_age() {
    let mut story = Story::of_ready(worn(
        1,
        Recycle {
            lifetime: Some(secs(60)),
            ..never()
        },
    ));
    story.after(millis(59_999)).does(&[]);
    story.after(millis(1)).does(&[spawn(2, 0, 1)]);
    story.says(&Change::WorkerRecycling {
        worker: WorkerId(1),
        because: Wear::Age(secs(60)),
    });
}

#[test]
fn much_memory_counts_when_it_was_found_three_times_in_a_row() {
    let mut story = Story::of_ready(worn(
        1,
        Recycle {
            memory: Some(1_000),
            ..never()
        },
    ));
    story.is_seen(1, 0, 1_000).is_seen(1, 0, 2_000);
    story.is_seen(1, 0, 10).is_seen(1, 0, 2_000);
    story.is_seen(1, 0, 2_000).does(&[]);
    story.is_seen(1, 0, 2_000).does(&[spawn(2, 0, 1)]);
}

#[test]
fn a_replacement_that_fails_rests_and_the_old_one_serves_on() {
    let mut story = Story::of_ready(worn(1, after_requests(500)));
    story.is_seen(1, 500, 0);
    story.exits(2, 1).does(&[spawn(3, 0, 1)]);
    story.hears(Event::SpawnFailed(WorkerId(3))).does(&[]);
    let resting = |action: &Action| {
        let Action::Announce(Change::SpawnFailed { next, .. }) = action else {
            return false;
        };
        matches!(next, Next::After(pause) if *pause >= millis(100))
    };
    assert!(story.orders.iter().any(resting), "{:?}", story.orders);
    story.after(millis(125)).does(&[spawn(4, 0, 1)]);
    // Not even 78 parks a slot in which somebody serves.
    story.exits(4, 78).after(secs(29)).does(&[]);
    story.after(secs(1)).does(&[spawn(5, 0, 1)]);
    story.ready(5).does(&[drain(1)]);
}

#[test]
fn a_late_replacement_is_killed_and_tried_again_later() {
    let mut story = Story::of_ready(worn(1, after_requests(500)));
    story.is_seen(1, 500, 0).after(secs(30));
    story.does(&[Action::Kill(WorkerId(2))]);
    story.exits(2, 0).after(millis(125));
    story.does(&[spawn(3, 0, 1)]);
}

#[test]
fn a_worn_worker_that_dies_is_followed_by_the_one_that_starts_already() {
    let mut story = Story::of_ready(worn(2, after_requests(500)));
    story.is_seen(1, 500, 0).exits(1, 1).does(&[steer(&[1])]);
    story.says(&Change::WorkerCrashed {
        worker: WorkerId(1),
        exit: Exit::Code(1),
        was_ready: true,
        uptime: secs(0),
        next: Next::Nothing,
    });
    story.ready(3).says(&Change::FleetReady {
        workers: 2,
        generation: brigade_shared::id::Generation::FIRST,
    });
}

#[test]
fn a_reload_renews_everybody_and_nobody_is_recycled_meanwhile() {
    let mut story = Story::of_ready(worn(2, after_requests(500)));
    story.is_seen(1, 500, 0);
    let stage = Action::StageConfig(brigade_shared::id::Generation(2));
    story
        .reloads(worn(2, after_requests(500)))
        .does(&[stage, cut(3), spawn(4, 0, 2)]);
    story.exits(3, 0).is_seen(2, 500, 0).does(&[]);
    story.exits(4, 1);
    assert!(story.deeds().contains(&spawn(5, 0, 1)), "rolled back");
}

#[test]
fn a_slot_that_is_scaled_away_is_not_recycled() {
    let mut story = Story::of_ready(worn(2, after_requests(500)));
    story.is_seen(2, 500, 0).does(&[spawn(3, 1, 1)]);
    story
        .asked(Request::ScaleBy(-1))
        .does(&[steer(&[0]), cut(3)]);
}

#[test]
fn a_worker_that_somebody_else_asks_to_leave_is_replaced_before_it_does() {
    let mut story = Story::of_ready(settings(2));
    let asked = |worker| Event::Leaving(WorkerId(worker));
    story.hears(asked(2)).does(&[]);
    story.after(millis(99)).does(&[]);
    story.after(millis(1)).does(&[spawn(3, 1, 1)]);
    story.says(&Change::WorkerRecycling {
        worker: WorkerId(2),
        because: Wear::Asked,
    });
    story.hears(asked(2)).hears(asked(3)).does(&[]);
    story.ready(3).does(&[drain(2)]);
}

#[test]
fn whoever_is_asked_to_leave_together_with_the_supervisor_is_not_replaced() {
    let mut story = Story::of_ready(settings(2));
    let asked = |worker| Event::Leaving(WorkerId(worker));
    story.hears(asked(1)).does(&[]);
    story.hears(asked(2)).does(&[]);
    story.after(millis(50)).does(&[]);
    story
        .asked(Request::Stop)
        .does(&[Action::CloseListeners, drain(1), drain(2)]);
    story.after(millis(200)).does(&[]);
}
