//! Stopping, and the ladder of orders to leave.

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, WorkerId};
use brigade_supervisor::plan::{
    Action, Change, Deadline, Event, Haste, Request, Settings, Verdict,
};

use super::story::{Story, cut, drain, kill, millis, secs, settings};

const FINISH: Action = Action::Finish(Verdict::Stopped);

#[test]
fn a_stop_drains_everybody_and_ends_when_all_have_left() {
    let mut story = Story::of_ready(settings(2));
    story
        .asked(Request::Stop)
        .does(&[Action::CloseListeners, drain(1), drain(2)]);
    story.says(&Change::Stopping { how: Haste::Drain });
    story.exits(2, 0).does(&[]);
    story.exits(1, 3).says(&Change::WorkerLeft {
        worker: WorkerId(1),
        exit: Exit::Code(3),
    });
    story.does(&[FINISH]);
    assert_eq!(story.fleet.next_deadline(), None);
}

#[test]
fn who_still_starts_has_nothing_to_drain_and_is_cut() {
    let mut story = Story::begins(settings(2));
    story.ready(1).asked(Request::Stop);
    story.does(&[Action::CloseListeners, drain(1), cut(2)]);
}

#[test]
fn who_does_not_drain_is_cut_and_then_killed() {
    let mut story = Story::of_ready(settings(1));
    story.asked(Request::Stop).after(millis(19_999)).does(&[]);
    story.after(millis(1)).does(&[cut(1)]);
    story.after(millis(4_999)).does(&[]);
    story.after(millis(1)).does(&[kill(1)]);
    story.says(&Change::WorkerOverdue {
        worker: WorkerId(1),
        deadline: Deadline::Drain,
    });
}

#[test]
fn a_second_stop_cuts_and_a_third_kills() {
    let mut story = Story::of_ready(settings(1));
    story.asked(Request::Stop).after(secs(1));
    story.asked(Request::Stop).does(&[cut(1)]);
    story.says(&Change::Stopping { how: Haste::Cut });
    story.asked(Request::Stop).does(&[kill(1)]);
    story.says(&Change::Stopping { how: Haste::Kill });
    assert!(story.asked(Request::Stop).orders.is_empty());
}

#[test]
fn who_does_not_leave_when_cut_is_killed() {
    let mut story = Story::of_ready(settings(1));
    story
        .asked(Request::StopNow)
        .does(&[Action::CloseListeners, cut(1)]);
    story.after(secs(5)).does(&[kill(1)]);
    story.says(&Change::WorkerOverdue {
        worker: WorkerId(1),
        deadline: Deadline::Cut,
    });
}

#[test]
fn a_stop_ends_even_if_the_kernel_keeps_a_process() {
    let mut story = Story::of_ready(settings(1));
    story.asked(Request::Stop).after(secs(25 + 9));
    assert_eq!(
        story
            .deeds()
            .iter()
            .filter(|deed| **deed == kill(1))
            .count(),
        5
    );
    story.after(secs(1)).does(&[kill(1), FINISH]);
    story.says(&Change::WorkerOverdue {
        worker: WorkerId(1),
        deadline: Deadline::Kill,
    });
}

#[test]
fn a_fleet_that_rests_stops_at_once() {
    let mut story = Story::of_ready(settings(1));
    story
        .exits(1, 75)
        .asked(Request::Stop)
        .does(&[Action::CloseListeners, FINISH]);
}

#[test]
fn a_stop_ends_a_reload() {
    let mut story = Story::of_ready(settings(1));
    story
        .reloads(settings(1))
        .asked(Request::Reload)
        .asked(Request::Stop);
    let dropped = Action::DropConfig(Generation(2));
    story.does(&[dropped, Action::CloseListeners, drain(1), cut(2)]);
    story.exits(2, 0).exits(1, 0).does(&[FINISH]);
}

#[test]
fn requests_after_a_stop_are_ignored() {
    let mut story = Story::of_ready(settings(1));
    story.asked(Request::Reload).asked(Request::Stop);
    assert!(story.asked(Request::Reload).orders.is_empty());
    assert!(story.asked(Request::ScaleBy(1)).orders.is_empty());
    assert!(
        story
            .hears(Event::ConfigLoaded(Box::new(settings(3))))
            .orders
            .is_empty()
    );
}

#[test]
fn after_the_end_nothing_is_heard() {
    let mut story = Story::of_ready(settings(1));
    story.asked(Request::Stop).exits(1, 0).does(&[FINISH]);
    for event in [
        Event::Tick,
        Event::Asked(Request::Stop),
        Event::Ready(WorkerId(1)),
    ] {
        assert!(story.hears(event).orders.is_empty());
    }
}

#[test]
fn a_worker_that_drains_since_a_reload_is_not_given_more_time_by_a_stop() {
    let mut story = Story::of_ready(settings(1));
    let hasty = Settings {
        drain_timeout: secs(2),
        ..settings(1)
    };
    story.reloads(settings(1)).ready(2).reloads(hasty).ready(3);
    // Worker 1 was given 20 s, worker 2 is given 2 s; a stop now gives 2 s to all.
    story.asked(Request::Stop).after(secs(2));
    assert_eq!(story.deeds(), [cut(1), cut(2), cut(3)]);
}

#[test]
fn a_worker_on_its_way_out_is_killed_if_it_stays_though_nothing_stops() {
    let mut story = Story::of_ready(settings(1));
    story
        .reloads(settings(1))
        .ready(2)
        .after(secs(20))
        .does(&[cut(1)]);
    story.after(secs(5)).does(&[kill(1)]);
    story.after(secs(4)).does(&[kill(1), kill(1)]);
    story.hears(Event::Exited(WorkerId(1), Exit::Signal(9)));
    assert_eq!(story.fleet.next_deadline(), None);
}
