//! Workers that stand still, those who serve for them, and when nobody looks.

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_supervisor::plan::{
    Action, Change, Deadline, Event, Failure, KeptSlots, Next, Relief, Request, Settings, Signs,
};

use super::story::{Story, kill, millis, secs, settings, spawn, steer};

/// Looked at every 100 ms, blocked after 800 ms, ended after 4 s.
fn watched(workers: u16) -> Settings {
    Settings {
        stall_warn: millis(800),
        stall_limit: Some(secs(4)),
        ..settings(workers)
    }
}

fn relief(slots: &[u16], by: &[u64]) -> Relief {
    Relief {
        slots: slots.iter().copied().map(SlotId).collect(),
        shared: false,
        by: by.iter().copied().map(WorkerId).collect(),
    }
}

fn blocked(worker: u64, lasts: u64) -> Change {
    Change::WorkerBlocked {
        worker: WorkerId(worker),
        lasts: millis(lasts),
        waiting: 0,
    }
}

/// Three workers, the second of which stands still at work for a second.
fn one_is_blocked(settings: Settings) -> Story {
    let mut story = Story::of_ready(settings);
    story.works(2, 1).after(secs(1));
    story
}

#[test]
fn one_that_stands_still_is_asked_left_out_relieved_and_told_of_in_this_order() {
    let story = one_is_blocked(watched(3));
    let watch = |action: &&Action| !matches!(action, Action::Look);
    let orders: Vec<_> = story.orders.iter().filter(watch).cloned().collect();
    let told = [
        Action::Ask(WorkerId(2)),
        steer(&[0, 2]),
        Action::Relieve(relief(&[1], &[1, 3])),
        Action::Announce(blocked(2, 800)),
    ];
    assert_eq!(orders, told);
}

#[test]
fn it_is_back_at_the_first_look_after_it_goes_on_and_the_whole_length_is_told() {
    let mut story = one_is_blocked(watched(3));
    story.after(millis(650)).does(&[]);
    story
        .parks(2, 2)
        .after(millis(100))
        .does(&[steer(&[0, 1, 2])]);
    assert_eq!(story.relief(), Some(&relief(&[], &[1, 2, 3])));
    story.says(&Change::WorkerRecovered {
        worker: WorkerId(2),
        lasted: millis(1_600),
    });
}

#[test]
fn it_is_told_of_once_however_often_it_is_looked_at() {
    let mut story = one_is_blocked(watched(3));
    assert!(
        story
            .after(secs(2))
            .orders
            .iter()
            .all(|action| *action == Action::Look)
    );
}

#[test]
fn one_that_stands_still_for_too_long_is_ended_and_replaced() {
    let mut story = one_is_blocked(watched(3));
    story
        .after(millis(3_200))
        .does(&[Action::Abort(WorkerId(2))]);
    story.says(&Change::WorkerOverdue {
        worker: WorkerId(2),
        deadline: Deadline::Stall,
    });
    story.after(secs(5)).does(&[kill(2)]);
    story.hears(Event::Exited(WorkerId(2), Exit::Signal(9)));
    story.does(&[spawn(4, 1, 1)]);
    story.says(&Change::WorkerCrashed {
        worker: WorkerId(2),
        exit: Exit::Signal(9),
        was_ready: true,
        uptime: millis(9_200),
        next: Next::Now,
    });
    assert_eq!(story.relief(), None, "its slot still needs it");
    story.ready(4).does(&[steer(&[0, 1, 2])]);
    assert_eq!(story.relief(), Some(&relief(&[], &[1, 3, 4])));
}

#[test]
fn a_stop_waits_for_the_aborted_as_for_others() {
    let mut story = one_is_blocked(watched(3));
    story.after(millis(3_200)).asked(Request::StopNow);
    story.exits(1, 0).exits(3, 0);
    story.after(secs(5)).does(&[kill(2)]);
    story.hears(Event::Exited(WorkerId(2), Exit::Signal(9)));
    assert!(story.fleet.is_over());
}

#[test]
fn whoever_shows_that_it_turns_is_not_blocked() {
    let mut story = Story::of_ready(watched(2));
    story.works(1, 0);
    let mut asked = 0;
    for progress in 1..50 {
        while !story
            .after(millis(50))
            .orders
            .contains(&Action::Ask(WorkerId(1)))
        {}
        story.works(1, progress).does(&[Action::Ask(WorkerId(1))]);
        asked += 1;
    }
    assert_eq!(asked, 49);
}

#[test]
fn one_that_sleeps_on_while_connections_wait_for_it_is_blocked() {
    let mut story = Story::of_ready(watched(2));
    story.after(secs(10)).hears(Event::Stirred);
    story.waiting.insert(SlotId(0), 3);
    story.after(millis(1_000));
    story.says(&Change::WorkerBlocked {
        worker: WorkerId(1),
        lasts: millis(800),
        waiting: 3,
    });
    assert_eq!(story.relief(), Some(&relief(&[0], &[2])));
    // Others have emptied its queue: that is no sign of life.
    story.waiting.clear();
    story.after(secs(2)).does(&[]);
    story.parks(1, 1).after(millis(100)).does(&[steer(&[0, 1])]);
}

#[test]
fn what_waits_for_all_is_taken_from_there_while_somebody_is_blocked() {
    let mut story = one_is_blocked(watched(2));
    story.waiting_shared = 1;
    story.parks(1, 1).after(millis(100));
    let mut shared = relief(&[1], &[1]);
    shared.shared = true;
    assert_eq!(story.relief(), Some(&shared));
    story.waiting_shared = 0;
    story.after(millis(100));
    assert_eq!(story.relief(), Some(&relief(&[1], &[1])));
}

#[test]
fn if_all_are_blocked_all_get_connections() {
    let mut story = Story::of_ready(watched(2));
    story.works(1, 1).after(millis(500));
    story
        .works(2, 1)
        .after(millis(500))
        .does(&[steer(&[1]), Action::Ask(WorkerId(2))]);
    story.after(millis(400)).does(&[steer(&[0, 1])]);
    assert_eq!(story.relief(), Some(&relief(&[0, 1], &[])));
}

#[test]
fn a_supervisor_that_slept_blames_nobody() {
    let mut story = Story::of_ready(watched(2));
    story.works(1, 1).works(2, 1).after(millis(150));
    for _ in 0..20 {
        story.now += secs(60);
        story.hears(Event::Tick);
        assert!(story.orders.contains(&Action::Look) && story.deeds().is_empty());
    }
    story.after(millis(700));
    assert!(!story.said(&blocked(1, 800)), "it is watched anew");
    story.after(millis(100)).says(&blocked(1, 800));
}

#[test]
fn where_nobody_comes_siblings_serve_what_waits_until_somebody_does() {
    let mut story = Story::of_ready(settings(3));
    story.exits(2, 1);
    assert_eq!(story.relief(), Some(&relief(&[], &[1, 3])));
    story.after(secs(1));
    assert_eq!(story.relief(), None, "nothing waits there");
    story.waiting.insert(SlotId(1), 1);
    story.hears(Event::Stirred);
    assert_eq!(story.relief(), Some(&relief(&[1], &[1, 3])));
    story.waiting.clear();
    story.after(secs(1));
    assert_eq!(
        story.relief(),
        None,
        "what comes a moment later does not wait"
    );
    story.ready(4);
    assert_eq!(story.relief(), Some(&relief(&[], &[1, 3, 4])));
}

#[test]
fn a_successor_that_is_blocked_ends_the_reload() {
    let mut story = Story::of_ready(watched(2));
    story.reloads(watched(2)).ready(3);
    story.works(3, 1).after(secs(1));
    story.says(&Change::ReloadRolledBack {
        generation: Generation(2),
        worker: WorkerId(3),
        failure: Failure::Blocked,
    });
}

#[test]
fn an_idle_fleet_sleeps_until_something_stirs() {
    let mut story = Story::of_ready(watched(4));
    story.after(secs(2));
    assert_eq!(story.count(&Action::Doze), 1);
    assert_eq!(story.fleet.next_deadline(), None);
    story.hears(Event::Stirred);
    assert_eq!(story.orders, [Action::Look]);
    story.after(millis(850));
    assert_eq!(
        (story.count(&Action::Look), story.count(&Action::Doze)),
        (7, 1)
    );
}

#[test]
fn a_fleet_that_is_not_watched_is_not_looked_at() {
    let mut story = Story::of_ready(settings(2));
    story.works(1, 1).after(secs(100));
    assert!(story.orders.is_empty());
    assert_eq!(story.fleet.next_deadline(), None);
}

#[test]
fn a_program_is_looked_at_when_its_silence_is_due() {
    let mut story = Story::of_ready(watched(1));
    let says = |silent| Signs::Words {
        watchdogs: 7,
        silent: millis(silent),
    };
    story.signs.insert(WorkerId(1), says(0));
    for _ in 0..8 {
        story.after(millis(100));
    }
    // The last quarter of its time is watched.
    assert_eq!(story.fleet.next_deadline(), Some(millis(2_350)));
    story.after(millis(1_549));
    assert!(story.orders.is_empty(), "{:?}", story.orders);
    story.signs.insert(WorkerId(1), says(3_000));
    story.after(millis(750)).does(&[]);
    story.after(millis(51)).says(&blocked(1, 3_050));
    story.after(secs(1));
    story.does(&[Action::Abort(WorkerId(1)), steer(&[])]);
}

#[test]
fn a_silence_that_nobody_watched_may_have_been_the_machines() {
    let mut story = Story::of_ready(watched(1));
    let says = |watchdogs, silent| Signs::Words {
        watchdogs,
        silent: millis(silent),
    };
    story.signs.insert(WorkerId(1), says(7, 0));
    for word in 8..18 {
        story.signs.insert(WorkerId(1), says(word, 0));
        story.after(secs(1)).does(&[]);
    }
    // It spoke once more; then all were suspended, for longer than it may be silent.
    story.signs.insert(WorkerId(1), says(18, 3_500));
    let looks = story.fleet.next_deadline().expect("it is watched") - story.now;
    story.after(looks + millis(300));
    story.signs.insert(WorkerId(1), says(19, 0));
    let before = std::mem::take(&mut story.orders);
    story.after(millis(900));
    let blamed = |action: &Action| matches!(action, Action::Announce(Change::WorkerBlocked { .. }));
    assert!(!before.iter().chain(&story.orders).any(blamed));
}

#[test]
fn those_of_a_reload_are_judged_by_their_own_limits() {
    let patient = |warn| Settings {
        stall_warn: warn,
        probation: secs(2),
        ..watched(1)
    };
    let mut story = Story::of_ready(watched(1));
    story.reloads(patient(secs(3))).ready(2);
    story.works(2, 1).after(millis(1_900));
    story.does(&[Action::Ask(WorkerId(2))]);
    let mut story = Story::of_ready(settings(1));
    story.reloads(patient(millis(400))).ready(2);
    story.works(2, 1).after(secs(1));
    story.says(&Change::ReloadRolledBack {
        generation: Generation(2),
        worker: WorkerId(2),
        failure: Failure::Blocked,
    });
}

#[test]
fn a_program_that_never_said_that_it_lives_is_left_alone() {
    let mut story = Story::of_ready(watched(1));
    let silent = secs(1_000);
    let signs = Signs::Words {
        watchdogs: 0,
        silent,
    };
    story.signs.insert(WorkerId(1), signs);
    story.after(secs(1_000)).does(&[]);
}

#[test]
fn what_waits_in_surplus_slots_of_another_fleet_is_served_by_others_before_they_are_closed() {
    let settings = Settings {
        close_after: secs(3),
        ..watched(2)
    };
    let kept = KeptSlots {
        open: 4,
        need_workers: false,
    };
    let mut story = Story::begins_after(kept, settings);
    story.waiting.insert(SlotId(2), 3);
    story.ready(1).ready(2).after(millis(100));
    assert_eq!(story.relief(), Some(&relief(&[2], &[1, 2])));
    story.waiting.clear();
    let close = |slot| Action::CloseSlot(SlotId(slot));
    story.after(secs(3)).does(&[close(3), close(2)]);
}
