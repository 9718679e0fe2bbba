//! More and fewer workers, and where new connections go.

use brigade_shared::id::{SlotId, WorkerId};
use brigade_supervisor::plan::{
    Action, Change, Event, KeptSlots, Leaving, Request, Scaling, Settings,
};

use super::story::{Story, drain, millis, secs, settings, spawn, steer};

const TWO: SlotId = SlotId(2);

#[test]
fn one_more_is_opened_made_and_steered_to_when_it_is_ready() {
    let mut story = Story::of_ready(settings(2));
    story
        .asked(Request::ScaleBy(1))
        .does(&[Action::OpenSlot(TWO), spawn(3, 2, 1)]);
    story.says(&Change::Scaled {
        from: 2,
        to: 3,
        because: Scaling::Asked,
    });
    story.ready(3).does(&[steer(&[0, 1, 2])]);
}

#[test]
fn one_fewer_is_left_out_then_drained_then_closed() {
    let mut story = Story::of_ready(settings(3));
    story.asked(Request::ScaleBy(-1)).does(&[steer(&[0, 1])]);
    story.after(millis(49)).does(&[]);
    story.after(millis(1)).does(&[drain(3)]);
    story.says(&Change::WorkerDraining {
        worker: WorkerId(3),
        because: Leaving::Scale,
    });
    story.exits(3, 0).does(&[Action::CloseSlot(TWO)]);
}

#[test]
fn slots_are_closed_from_the_highest_down() {
    let mut story = Story::of_ready(settings(4));
    story
        .asked(Request::ScaleBy(-2))
        .after(secs(1))
        .does(&[drain(3), drain(4)]);
    story.exits(3, 0).does(&[]);
    story
        .exits(4, 0)
        .does(&[Action::CloseSlot(SlotId(3)), Action::CloseSlot(TWO)]);
}

#[test]
fn a_worker_that_was_not_yet_told_to_leave_is_simply_kept() {
    let mut story = Story::of_ready(settings(3));
    story.asked(Request::ScaleBy(-1)).after(millis(10));
    story.asked(Request::ScaleBy(1)).does(&[steer(&[0, 1, 2])]);
    story.after(secs(1)).does(&[]);
}

#[test]
fn a_slot_whose_worker_still_drains_gets_another() {
    let mut story = Story::of_ready(settings(3));
    story.asked(Request::ScaleBy(-1)).after(secs(1));
    story.asked(Request::ScaleBy(1)).does(&[spawn(4, 2, 1)]);
    story.ready(4).exits(3, 0).does(&[]);
}

#[test]
fn a_surplus_worker_that_is_about_to_serve_is_awaited() {
    let mut story = Story::of_ready(settings(1));
    story.asked(Request::ScaleBy(1)).asked(Request::ScaleBy(-1));
    story.after(secs(1)).does(&[]);
    // Connections may wait in its queue: it serves them before it leaves.
    story.ready(2).does(&[drain(2)]);
}

#[test]
fn the_last_that_serves_is_not_scaled_away() {
    let mut story = Story::of_ready(settings(2));
    story.exits(1, 1).asked(Request::ScaleBy(-1));
    story.after(secs(10)).does(&[]);
    story.ready(3).does(&[steer(&[0])]);
    story.after(secs(1)).does(&[drain(2)]);
}

#[test]
fn fewer_than_one_and_more_than_the_limit_are_refused() {
    let mut story = Story::of_ready(settings(1));
    for asked in [-1, i32::MIN, 1_024, i32::MAX] {
        story
            .asked(Request::ScaleBy(asked))
            .says(&Change::ScaleRefused { asked });
        story.does(&[]);
    }
}

#[test]
fn an_order_during_a_reload_is_followed_when_it_is_over() {
    let mut story = Story::of_ready(settings(1));
    story.reloads(settings(1));
    assert!(story.asked(Request::ScaleBy(1)).orders.is_empty());
    story.ready(2).says(&Change::Scaled {
        from: 1,
        to: 2,
        because: Scaling::Asked,
    });
    assert!(
        story.deeds().contains(&spawn(3, 1, 2)),
        "{:?}",
        story.orders
    );
}

#[test]
fn an_order_during_a_reload_that_fails_is_followed_too() {
    let mut story = Story::of_ready(settings(1));
    story
        .reloads(settings(1))
        .asked(Request::ScaleBy(1))
        .exits(2, 1);
    assert!(
        story.deeds().contains(&spawn(3, 1, 1)),
        "{:?}",
        story.orders
    );
}

#[test]
fn a_worker_that_a_reload_passed_by_does_not_come_back() {
    let mut story = Story::of_ready(settings(2));
    story.reloads(settings(1)).ready(3);
    // Slot 1 is surplus and its old worker serves a moment longer.
    story
        .asked(Request::ScaleBy(1))
        .does(&[drain(2), spawn(4, 1, 2)]);
}

#[test]
fn new_connections_go_where_they_are_served() {
    let mut story = Story::begins(settings(3));
    story.ready(2).does(&[steer(&[1])]);
    story.ready(1).does(&[steer(&[0, 1])]);
    story.exits(2, 1);
    assert!(story.deeds().contains(&steer(&[0])));
}

#[test]
fn when_nobody_serves_connections_wait_everywhere() {
    let mut story = Story::of_ready(settings(2));
    story.exits(1, 1).exits(2, 1);
    assert!(story.deeds().contains(&steer(&[])), "{:?}", story.orders);
}

#[test]
fn when_nobody_serves_connections_do_not_wait_where_it_will_be_closed() {
    let mut story = Story::of_ready(settings(2));
    story.exits(1, 1).exits(2, 1).asked(Request::ScaleBy(-1));
    story.does(&[steer(&[0])]);
}

#[test]
fn a_fleet_of_a_thousand_starts_and_stops() {
    let mut story = Story::of_ready(Settings {
        settle: millis(0),
        ..settings(1_024)
    });
    story.says(&Change::FleetReady {
        workers: 1_024,
        generation: brigade_shared::id::Generation::FIRST,
    });
    story.asked(Request::ScaleBy(-1_023));
    assert_eq!(story.deeds().len(), 1 + 1_023);
    story.hears(Event::Asked(Request::Stop));
    for worker in 1..=1_024 {
        story.exits(worker, 0);
    }
    assert!(story.fleet.is_over());
}

/// Four slots are open already.
const FOUR: KeptSlots = KeptSlots {
    open: 4,
    need_workers: false,
};

#[test]
fn surplus_slots_of_another_fleet_are_closed_when_somebody_can_serve_what_waits_there() {
    let mut story = Story::begins_after(FOUR, settings(2));
    let opened = [0, 1, 2, 3].map(|slot| Action::OpenSlot(SlotId(slot)));
    let orders = [
        &opened[..],
        &[spawn(1, 0, 1), spawn(2, 1, 1), steer(&[0, 1])],
    ];
    story.does(&orders.concat());
    story.after(secs(10)).does(&[]);
    let three = SlotId(3);
    story.ready(2).does(&[
        steer(&[1]),
        Action::CloseSlot(three),
        Action::CloseSlot(TWO),
    ]);
}

#[test]
fn slots_that_only_a_worker_of_their_own_can_empty_get_one_for_a_while() {
    let need_workers = true;
    let kept = KeptSlots {
        need_workers,
        ..FOUR
    };
    let mut story = Story::begins_after(kept, settings(2));
    assert!(story.orders.ends_with(&[spawn(3, 2, 1), spawn(4, 3, 1)]));
    story.ready(1).ready(2).after(secs(1)).does(&[]);
    story.ready(3).does(&[drain(3)]);
    story.ready(4).does(&[drain(4)]);
    let three = SlotId(3);
    story.exits(4, 0).does(&[Action::CloseSlot(three)]);
    story.exits(3, 0).does(&[Action::CloseSlot(TWO)]);
}

#[test]
fn fewer_slots_than_are_wanted_are_no_matter() {
    let kept = KeptSlots { open: 1, ..FOUR };
    let story = Story::begins_after(kept, settings(3));
    assert_eq!(story.fleet.slots().count(), 3);
}
