//! How the fleet is, as those see it who decide from outside.

use brigade_shared::id::WorkerId;
use brigade_supervisor::plan::{Change, Condition, Event, Health, Quorum, Request, Settings};

use super::story::{Story, millis, secs, settings};

fn enough(workers: u16, ready_when: Quorum) -> Settings {
    Settings {
        ready_when,
        ..settings(workers)
    }
}

fn watched(workers: u16) -> Settings {
    Settings {
        stall_warn: millis(200),
        ..settings(workers)
    }
}

impl Story {
    fn health(&self) -> Health {
        self.fleet.health()
    }
}

#[test]
fn a_service_is_ready_once_its_share_of_workers_serves_and_says_so_once() {
    let said = |ready| Change::ServiceReady { ready, wanted: 4 };
    let mut story = Story::begins(enough(4, Quorum::Percent(50)));
    assert_eq!(story.health().phase, Condition::Starting);
    assert_eq!(story.health().needed, 2);
    assert!(!story.ready(1).health().is_ready);
    story.ready(2).says(&said(2));
    let health = story.health();
    assert!(health.is_ready && health.is_started);
    assert_eq!((health.phase, health.ready), (Condition::Serving, 2));
    story.exits(1, 1);
    let health = story.health();
    assert!(health.is_started && !health.is_ready && health.is_alive);
    story.ready(5);
    assert!(!story.said(&said(2)), "once");
    assert!(story.health().is_ready);
}

#[test]
fn a_service_with_enough_workers_is_ready_though_a_slot_crashes_again_and_again() {
    let mut story = Story::begins(enough(2, Quorum::Count(1)));
    story.exits(2, 1);
    story.ready(1);
    let (ready, wanted) = (1, 2);
    story.says(&Change::ServiceReady { ready, wanted });
}

#[test]
fn a_service_that_wants_all_waits_for_the_last() {
    let mut story = Story::begins(settings(2));
    story.ready(2).exits(1, 1);
    assert_eq!(story.health().phase, Condition::Starting);
    let (ready, wanted) = (2, 2);
    story.ready(3).says(&Change::ServiceReady { ready, wanted });
}

#[test]
fn from_the_first_moment_of_a_stop_it_is_not_ready_and_still_alive() {
    let mut story = Story::of_ready(settings(2));
    story.asked(Request::Stop);
    let health = story.health();
    assert_eq!(health.phase, Condition::Stopping);
    assert!(!health.is_ready && health.is_started && health.is_alive);
    assert_eq!((health.ready, health.leaving), (0, 2));
}

#[test]
fn with_every_worker_blocked_a_restart_would_help_and_with_one_that_turns_it_would_not() {
    let mut story = Story::of_ready(watched(2));
    story.works(1, 1).after(secs(1));
    let health = story.health();
    assert_eq!((health.ready, health.blocked), (2, 1));
    assert!(health.is_alive && !health.is_ready);
    story.works(2, 1).after(secs(1));
    assert!(!story.health().is_alive);
    story.parks(1, 2).after(secs(1));
    assert!(story.health().is_alive);
}

#[test]
fn the_first_replacement_of_the_last_worker_is_waited_for_and_a_second_try_is_not() {
    let mut story = Story::of_ready(settings(1));
    story.exits(1, 1);
    assert!(story.health().is_alive, "its replacement starts");
    story.exits(2, 1);
    assert!(!story.health().is_alive, "the replacement failed");
    story.after(secs(1));
    assert!(!story.health().is_alive, "another starts");
    story.ready(3);
    assert!(story.health().is_alive);
}

#[test]
fn a_fleet_whose_workers_give_way_before_their_successors_start_is_alive() {
    let mut story = Story::of_ready(Settings {
        surge: 0,
        unavailable: 1,
        ..settings(1)
    });
    story.reloads(Settings {
        surge: 0,
        unavailable: 1,
        ..settings(1)
    });
    let health = story.health();
    assert_eq!((health.phase, health.ready), (Condition::Reloading, 0));
    assert!(health.is_alive, "it is on its way");
    story.exits(1, 0);
    assert!(story.health().is_alive);
}

#[test]
fn whoever_waits_is_told_until_when_a_start_a_reload_and_a_stop_may_last() {
    let mut story = Story::begins(settings(2));
    assert_eq!(story.fleet.busy_until(story.now), Some(secs(30)));
    story.ready(1);
    assert_eq!(story.fleet.busy_until(story.now), Some(secs(30)));
    story.ready(2);
    assert_eq!(story.fleet.busy_until(story.now), None, "it serves");
    story.after(secs(100)).reloads(settings(2));
    assert_eq!(story.fleet.busy_until(story.now), Some(secs(130)));
    story.ready(3).ready(4);
    assert_eq!(story.fleet.busy_until(story.now), None, "it is committed");
    story.asked(Request::Stop);
    // The drain, the cut, and what is waited for after SIGKILL.
    assert_eq!(
        story.fleet.busy_until(story.now),
        Some(secs(100 + 20 + 5 + 10))
    );
}

#[test]
fn a_start_that_fails_again_and_again_is_not_waited_for_without_end() {
    let mut story = Story::begins(settings(2));
    story.ready(1);
    for _ in 0..3 {
        let starting = story.fleet.slots().nth(1).expect("it is open");
        let brigade_supervisor::plan::SlotState::Starting(WorkerId(worker)) = starting.state else {
            panic!("{starting:?}");
        };
        assert!(story.fleet.busy_until(story.now).is_some());
        story.exits(worker, 1).after(secs(1));
    }
    assert_eq!(story.health().phase, Condition::Starting);
    assert_eq!(story.fleet.busy_until(story.now), None);
}

#[test]
fn an_upgrade_is_told_from_a_reload_and_readiness_travels() {
    let mut story = Story::of_ready(settings(1));
    story.asked(Request::Upgrade);
    assert_eq!(story.health().phase, Condition::Upgrading);
    story.hears(Event::SentinelAnswered(true));
    story.goes_on(settings(1));
    let health = story.health();
    assert_eq!(health.phase, Condition::Upgrading);
    assert!(health.is_started && health.is_ready);
    story.ready(2);
    assert_eq!(story.health().phase, Condition::Serving);
}

#[test]
fn a_fleet_of_a_version_that_knew_no_readiness_is_read() {
    let mut story = Story::of_ready(settings(1));
    let mut words = serde_json::to_value(&story.fleet).expect("it can be written");
    words.as_object_mut().expect("a map").remove("started");
    let settings = words["settings"].as_object_mut().expect("a map");
    settings.remove("ready_when");
    story.fleet = serde_json::from_value(words).expect("it can be read");
    let (ready, wanted) = (1, 1);
    story.hears(Event::Tick);
    story.says(&Change::ServiceReady { ready, wanted });
}
