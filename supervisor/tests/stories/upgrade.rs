//! The upgrade in place: another binary, the same workers.

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, WorkerId};
use brigade_supervisor::plan::{Action, Change, Event, Failure, Refusal, Request, Settings};

use super::story::{Story, cut, drain, secs, settings, spawn, steer};

const SECOND: Generation = Generation(2);
const STAGE: Action = Action::StageConfig(SECOND);

/// Two workers, and the new binary runs.
fn upgraded() -> Story {
    let mut story = Story::of_ready(settings(2));
    story
        .asked(Request::Upgrade)
        .hears(Event::SentinelAnswered(true))
        .goes_on(settings(2));
    story
}

/// The same, and its canary has died.
fn failed() -> Story {
    let mut story = upgraded();
    story.exits(3, 1);
    story
}

#[test]
fn the_sentinel_is_asked_first_and_then_the_binary_is_another() {
    let mut story = Story::of_ready(settings(2));
    story.asked(Request::Upgrade).does(&[Action::AskSentinel]);
    story.says(&Change::UpgradeStarted);
    story
        .hears(Event::SentinelAnswered(true))
        .does(&[Action::ExecNew]);
    story.goes_on(settings(2)).does(&[STAGE, spawn(3, 0, 2)]);
}

#[test]
fn a_new_binary_that_proves_itself_stays() {
    let mut story = upgraded();
    story.ready(3).does(&[spawn(4, 1, 2)]);
    let commit = Action::CommitConfig(SECOND);
    story
        .ready(4)
        .does(&[commit, Action::ForgetOld, drain(1), drain(2)]);
    story.says(&Change::UpgradeDone(SECOND));
}

#[test]
fn a_new_binary_that_fails_gives_way_to_the_old_one() {
    let mut story = upgraded();
    story.ready(3).exits(4, 9);
    story.does(&[Action::DropConfig(SECOND), drain(3), Action::ExecOld]);
    story.says(&Change::ReloadRolledBack {
        generation: SECOND,
        worker: WorkerId(4),
        failure: Failure::Ended(Exit::Code(9)),
    });
    assert_eq!(story.orders.last(), Some(&Action::ExecOld));
    story.comes_back().does(&[]);
    story.says(&Change::UpgradeRolledBack { generation: SECOND });
    assert_eq!(story.fleet.generation(), Generation::FIRST);
    story.exits(3, 0).asked(Request::Upgrade);
    story.does(&[Action::AskSentinel]);
}

#[test]
fn what_the_new_binary_has_taken_over_the_old_one_renews() {
    let mut story = Story::of_ready(settings(2));
    story
        .asked(Request::Upgrade)
        .hears(Event::SentinelAnswered(true))
        .goes_on(Settings {
            surge: 1,
            ..settings(2)
        });
    story.ready(3).does(&[drain(1), spawn(4, 1, 2)]);
    story.exits(4, 1);
    story.does(&[Action::DropConfig(SECOND), Action::ExecOld]);
    story.comes_back().does(&[spawn(5, 0, 1)]);
    story.ready(5).does(&[drain(3)]);
}

#[test]
fn a_sentinel_that_refuses_or_never_answers_changes_nothing() {
    let mut story = Story::of_ready(settings(1));
    story
        .asked(Request::Upgrade)
        .hears(Event::SentinelAnswered(false))
        .does(&[]);
    story.says(&Change::UpgradeRefused(Refusal::Sentinel));
    story.asked(Request::Upgrade).after(secs(30)).does(&[]);
    story.says(&Change::UpgradeRefused(Refusal::Sentinel));
    story.hears(Event::SentinelAnswered(true)).does(&[]);
    assert_eq!(story.fleet.next_deadline(), None);
}

#[test]
fn a_binary_that_can_not_be_executed_changes_nothing() {
    let mut story = Story::of_ready(settings(1));
    story
        .asked(Request::Upgrade)
        .hears(Event::SentinelAnswered(true));
    story.hears(Event::ExecFailed).does(&[]);
    story.says(&Change::UpgradeRefused(Refusal::Exec));
}

#[test]
fn an_old_binary_that_can_not_be_executed_leaves_the_new_one_with_the_old_workers() {
    let mut story = failed();
    story.hears(Event::ExecFailed).does(&[Action::ForgetOld]);
    story.says(&Change::UpgradeStranded { generation: SECOND });
    story.exits(2, 1);
    assert!(story.deeds().contains(&spawn(4, 1, 1)), "its best");
    story.reloads(settings(2)).ready(5).ready(6);
    assert_eq!(story.fleet.generation(), Generation(3));
}

#[test]
fn one_upgrade_at_a_time_and_none_during_a_reload() {
    let busy = Change::UpgradeRefused(Refusal::Busy);
    let mut story = Story::of_ready(settings(1));
    story.asked(Request::Upgrade);
    story.asked(Request::Upgrade).says(&busy);
    story.hears(Event::SentinelAnswered(false));
    story.asked(Request::Reload);
    story.asked(Request::Upgrade).says(&busy);
    story.hears(Event::ConfigLoaded(Box::new(settings(1))));
    story.asked(Request::Upgrade).says(&busy);
}

#[test]
fn a_reload_that_is_asked_for_meanwhile_travels_along() {
    let mut story = Story::of_ready(settings(1));
    story.asked(Request::Upgrade);
    story.asked(Request::Reload).says(&Change::ReloadQueued);
    story
        .hears(Event::SentinelAnswered(true))
        .goes_on(settings(1));
    story.ready(2);
    assert_eq!(story.deeds().last(), Some(&Action::LoadConfig));
    story = failed();
    story.asked(Request::Reload).says(&Change::ReloadQueued);
    story.comes_back().does(&[Action::LoadConfig]);
}

#[test]
fn the_new_binary_does_not_make_workers_of_the_old_one() {
    let mut story = upgraded();
    story.exits(1, 1).does(&[steer(&[1])]);
    story.after(secs(20)).does(&[]);
    story.ready(3).does(&[spawn(4, 1, 2), steer(&[0, 1])]);
    story.exits(4, 1).comes_back();
    story.does(&[spawn(5, 0, 1)]);
}

#[test]
fn unless_nobody_at_all_serves() {
    let mut story = upgraded();
    story.exits(1, 1).exits(2, 1);
    story.does(&[spawn(4, 0, 1), spawn(5, 1, 1), steer(&[])]);
}

#[test]
fn an_upgrade_in_the_middle_of_anything_can_be_stopped() {
    let mut story = Story::of_ready(settings(1));
    story.asked(Request::Upgrade);
    story
        .asked(Request::Stop)
        .does(&[Action::CloseListeners, drain(1)]);
    story.hears(Event::SentinelAnswered(true)).does(&[]);
    let mut story = upgraded();
    story.asked(Request::Stop);
    let dropped = Action::DropConfig(SECOND);
    story.does(&[dropped, Action::CloseListeners, drain(1), cut(3), drain(2)]);
    let mut story = failed();
    story.asked(Request::Stop);
    story.hears(Event::ExecFailed).does(&[]);
}
