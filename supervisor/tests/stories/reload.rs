//! Reloads: whole new or whole old.

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_supervisor::plan::{
    Action, Change, Event, Failure, Leaving, Next, Request, Settings, SlotState,
};

use super::story::{Story, cut, drain, secs, settings, spawn, steer};

const SECOND: Generation = Generation(2);

#[test]
fn a_reload_reads_the_configuration_first() {
    let mut story = Story::of_ready(settings(2));
    story.asked(Request::Reload).does(&[Action::LoadConfig]);
    story
        .hears(Event::ConfigRefused)
        .says(&Change::ReloadRefused);
    story.does(&[]);
}

#[test]
fn certificates_are_renewed_where_they_are_used_and_nobody_is_replaced() {
    let mut story = Story::of_ready(settings(2));
    story.asked(Request::Reload).asked(Request::Reload);
    let renewed = Action::RenewCertificates(Generation::FIRST);
    story
        .hears(Event::CertificatesLoaded)
        .does(&[renewed, Action::LoadConfig]);
    story.says(&Change::CertificatesRenewed(Generation::FIRST));
    story.hears(Event::ConfigRefused).does(&[]);
    story.hears(Event::CertificatesLoaded).does(&[]);
}

#[test]
fn one_worker_is_tried_before_the_others() {
    let mut story = Story::of_ready(settings(3));
    story
        .reloads(settings(3))
        .does(&[Action::StageConfig(SECOND), spawn(4, 0, 2)]);
    story.ready(4).does(&[spawn(5, 1, 2), spawn(6, 2, 2)]);
}

#[test]
fn nobody_leaves_before_the_whole_new_generation_is_ready() {
    let mut story = Story::of_ready(settings(2));
    story.reloads(settings(2)).ready(3);
    story.after(secs(20)).does(&[]);
    story
        .ready(4)
        .does(&[Action::CommitConfig(SECOND), drain(1), drain(2)]);
    story.says(&Change::ReloadDone(SECOND));
    story.says(&Change::WorkerDraining {
        worker: WorkerId(1),
        because: Leaving::Reload,
    });
    story.says(&Change::FleetReady {
        workers: 2,
        generation: SECOND,
    });
}

#[test]
fn a_canary_that_dies_ends_the_reload_and_nothing_else() {
    let mut story = Story::of_ready(settings(2));
    story
        .reloads(settings(2))
        .exits(3, 1)
        .does(&[Action::DropConfig(SECOND)]);
    story.says(&Change::ReloadRolledBack {
        generation: SECOND,
        worker: WorkerId(3),
        failure: Failure::Ended(Exit::Code(1)),
    });
    story.after(secs(1_000)).does(&[]);
    assert_eq!(story.fleet.generation(), Generation::FIRST);
}

#[test]
fn a_failure_after_the_canary_dismisses_the_ready_and_the_starting() {
    let mut story = Story::of_ready(settings(3));
    story.reloads(settings(3)).ready(4).exits(5, 1);
    story.does(&[Action::DropConfig(SECOND), drain(4), cut(6)]);
    story.says(&Change::WorkerDraining {
        worker: WorkerId(4),
        because: Leaving::RollBack,
    });
}

#[test]
fn a_successor_that_was_ready_and_dies_before_the_commit_ends_the_reload_too() {
    let mut story = Story::of_ready(settings(2));
    story.reloads(settings(2)).ready(3).exits(3, 0);
    story.does(&[Action::DropConfig(SECOND), cut(4)]);
}

#[test]
fn a_successor_that_is_late_or_cannot_be_made_ends_the_reload() {
    let mut story = Story::of_ready(settings(1));
    story.reloads(settings(1)).after(secs(30));
    story.says(&Change::ReloadRolledBack {
        generation: SECOND,
        worker: WorkerId(2),
        failure: Failure::Late,
    });
    story
        .reloads(settings(1))
        .hears(Event::SpawnFailed(WorkerId(3)));
    let third = Generation(3);
    story.says(&Change::ReloadRolledBack {
        generation: third,
        worker: WorkerId(3),
        failure: Failure::NotMade,
    });
}

#[test]
fn a_failed_generation_does_not_count_as_a_crash_of_the_fleet() {
    let mut story = Story::of_ready(settings(1));
    story.reloads(settings(1)).exits(2, 1).exits(1, 1);
    assert_eq!(story.deeds()[0], spawn(3, 0, 1), "its first crash");
}

#[test]
fn a_fleet_that_is_down_is_repaired_by_a_reload() {
    let mut story = Story::of_ready(settings(2));
    story.exits(1, 78).exits(2, 78);
    story
        .reloads(settings(2))
        .does(&[Action::StageConfig(SECOND), spawn(3, 0, 2)]);
    story.ready(3).does(&[spawn(4, 1, 2), steer(&[0])]);
    story
        .ready(4)
        .does(&[Action::CommitConfig(SECOND), steer(&[0, 1])]);
}

#[test]
fn a_fleet_that_never_worked_is_not_given_up_while_a_reload_may_repair_it() {
    let mut story = Story::begins(settings(1));
    story.asked(Request::Reload).exits(1, 78);
    assert_eq!(story.fleet.stopping(), None);
    story
        .hears(Event::ConfigLoaded(Box::new(settings(1))))
        .ready(2);
    assert_eq!(story.fleet.generation(), SECOND);
}

#[test]
fn an_old_worker_that_crashes_meanwhile_is_replaced_by_its_own_kind() {
    let mut story = Story::of_ready(settings(2));
    story.reloads(settings(2)).exits(2, 1);
    assert!(
        story.deeds().contains(&spawn(4, 1, 1)),
        "{:?}",
        story.orders
    );
}

#[test]
fn an_old_worker_whose_successor_serves_is_not_replaced() {
    let mut story = Story::of_ready(settings(2));
    story.reloads(settings(2)).ready(3).exits(1, 1).does(&[]);
    let crashed = |action: &Action| {
        matches!(
            action,
            Action::Announce(Change::WorkerCrashed {
                next: Next::Nothing,
                ..
            })
        )
    };
    assert!(story.orders.iter().any(crashed), "{:?}", story.orders);
    story.exits(4, 1);
    assert!(
        story.deeds().contains(&spawn(5, 0, 1)),
        "rolled back: {:?}",
        story.orders
    );
}

#[test]
fn a_second_reload_waits_and_a_third_is_the_same() {
    let mut story = Story::of_ready(settings(1));
    story.reloads(settings(1));
    story.asked(Request::Reload).says(&Change::ReloadQueued);
    assert!(story.asked(Request::Reload).orders.is_empty());
    story.ready(2);
    assert_eq!(story.deeds().last(), Some(&Action::LoadConfig));
    story.hears(Event::ConfigRefused).does(&[]);
}

#[test]
fn more_workers_come_with_the_commit_and_are_tried_before() {
    let mut story = Story::of_ready(settings(1));
    let open = Action::OpenSlot(SlotId(1));
    story
        .reloads(settings(2))
        .does(&[Action::StageConfig(SECOND), open, spawn(2, 0, 2)]);
    story.ready(2).ready(3);
    let commit = Action::CommitConfig(SECOND);
    story.does(&[commit, steer(&[0, 1]), drain(1)]);
    assert_eq!(story.fleet.wanted(), 2);
}

#[test]
fn more_workers_that_do_not_come_leave_no_slot_behind() {
    let mut story = Story::of_ready(settings(1));
    story.reloads(settings(2)).ready(2).exits(3, 1);
    story.after(secs(1)).does(&[Action::CloseSlot(SlotId(1))]);
    assert_eq!(story.fleet.wanted(), 1);
}

#[test]
fn fewer_workers_leave_only_after_the_commit() {
    let mut story = Story::of_ready(settings(2));
    story.reloads(settings(1)).ready(3);
    story.does(&[Action::CommitConfig(SECOND), steer(&[0]), drain(1)]);
    story.after(secs(1)).does(&[drain(2)]);
    story.exits(2, 0).does(&[Action::CloseSlot(SlotId(1))]);
}

#[test]
fn new_deadlines_hold_from_the_commit_on() {
    let mut story = Story::of_ready(settings(1));
    story.reloads(Settings {
        drain_timeout: secs(1),
        ..settings(1)
    });
    assert_eq!(story.fleet.settings().drain_timeout, secs(20));
    story.ready(2);
    assert_eq!(story.fleet.settings().drain_timeout, secs(1));
}

#[test]
fn older_generations_linger_as_far_as_the_cap_lets_them_and_the_oldest_is_cut() {
    let mut story = Story::of_ready(settings(1));
    for generation in 2..=4 {
        story.reloads(settings(1)).ready(generation);
    }
    story.reloads(settings(1)).ready(5);
    story.says(&Change::LingeringCut(Generation::FIRST));
    let commit = Action::CommitConfig(Generation(5));
    story.does(&[commit, drain(4), cut(1)]);
}

#[test]
fn who_can_not_be_cut_keeps_its_place_among_those_of_its_slot() {
    let few = || Settings {
        lingering: 1,
        ..settings(1)
    };
    let mut story = Story::of_ready(few());
    story.reloads(few()).ready(2).reloads(few()).ready(3);
    // One serves, one drains, one is cut and does not leave: a successor is the fourth process.
    story.reloads(few()).ready(4);
    story
        .reloads(few())
        .does(&[Action::StageConfig(Generation(5))]);
    story.exits(1, 0).does(&[spawn(5, 0, 5)]);
    let state = story.fleet.slots().next().map(|slot| slot.state);
    assert_eq!(state, Some(SlotState::Ready(WorkerId(4))));
}
