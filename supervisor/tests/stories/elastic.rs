//! A number of workers that follows the load, or the processors.

use std::time::Duration;

use brigade_shared::id::WorkerId;
use brigade_supervisor::plan::{Action, Change, Elastic, Request, Scaling, Settings, Signs};

use super::story::{Story, millis, secs, settings};

fn elastic(least: u16, most: u16) -> Settings {
    Settings {
        elastic: Some(Elastic { least, most }),
        ..settings(least)
    }
}

impl Story {
    /// For so long every worker is at work for so many hundredths of the time; who is started is
    /// ready soon, and who is asked to leave leaves.
    fn under(&mut self, percent: u32, lasts: Duration) -> &mut Self {
        let until = self.now + lasts;
        let mut said = Vec::new();
        while self.now < until {
            let busy = self.now * percent / 100;
            for worker in 1..100 {
                let progress = u64::try_from(self.now.as_millis()).unwrap();
                let signs = Signs::Row {
                    progress,
                    is_running: false,
                    busy,
                    answered: 0,
                    starved: Duration::ZERO,
                };
                self.signs.insert(WorkerId(worker), signs);
            }
            self.after(millis(100));
            for order in std::mem::take(&mut self.orders) {
                match &order {
                    Action::Spawn { worker, .. } => {
                        self.ready(worker.0);
                    }
                    Action::Drain { worker, .. } => {
                        self.exits(worker.0, 0);
                    }
                    _ => {}
                }
                said.push(order);
            }
        }
        self.orders = said;
        self
    }

    fn scaled(&self) -> Vec<(u16, Scaling)> {
        let scaled = |action: &Action| match action {
            Action::Announce(Change::Scaled { to, because, .. }) => Some((*to, *because)),
            _ => None,
        };
        self.orders.iter().filter_map(scaled).collect()
    }
}

#[test]
fn under_load_there_are_more_and_when_it_is_gone_fewer_again() {
    let mut story = Story::of_ready(elastic(2, 4));
    story.under(90, secs(10));
    let because = Scaling::Load {
        busy: 90,
        waiting: 0,
    };
    assert_eq!(story.scaled(), [(3, because), (4, because)]);
    story.under(5, secs(29));
    assert_eq!(story.scaled(), []);
    story.under(5, secs(40));
    let because = Scaling::Load {
        busy: 5,
        waiting: 0,
    };
    assert_eq!(story.scaled(), [(3, because), (2, because)]);
}

#[test]
fn what_waits_all_the_time_asks_for_more() {
    let mut story = Story::of_ready(elastic(1, 2));
    story.waiting_shared = 2;
    story.under(10, secs(5));
    let because = Scaling::Load {
        busy: 10,
        waiting: 2,
    };
    assert_eq!(story.scaled(), [(2, because)]);
}

#[test]
fn a_moderate_load_changes_nothing() {
    let mut story = Story::of_ready(elastic(2, 8));
    story.under(60, secs(300));
    assert_eq!(story.scaled(), []);
}

#[test]
fn an_operator_chooses_within_the_bounds() {
    let mut story = Story::of_ready(elastic(2, 4));
    story.asked(Request::ScaleBy(-1));
    story.says(&Change::ScaleRefused { asked: -1 });
    story.asked(Request::ScaleBy(2));
    assert_eq!(story.scaled(), [(4, Scaling::Asked)]);
    story.asked(Request::ScaleBy(1));
    story.says(&Change::ScaleRefused { asked: 1 });
}

#[test]
fn a_reload_keeps_the_number_if_the_new_bounds_let_it() {
    let mut story = Story::of_ready(elastic(1, 4));
    story.asked(Request::ScaleBy(2)).ready(2).ready(3);
    story.reloads(elastic(2, 8)).ready(4).ready(5).ready(6);
    assert_eq!(story.scaled(), []);
    assert_eq!(story.fleet.wanted(), 3);
    story.reloads(elastic(1, 2)).ready(7).ready(8);
    assert_eq!(story.scaled(), [(2, Scaling::Reload)]);
}

#[test]
fn other_processors_are_followed_after_a_reload_that_fails_and_forgotten_by_one_that_does_not() {
    let mut story = Story::of_ready(settings(2));
    story.asked(Request::ScaleTo(3));
    assert_eq!(story.scaled(), [(3, Scaling::Processors)]);
    story.ready(3).reloads(settings(3));
    assert_eq!(story.asked(Request::ScaleTo(1)).scaled(), []);
    story.exits(4, 1);
    assert_eq!(story.scaled(), [(1, Scaling::Processors)]);
    story.reloads(settings(1)).asked(Request::ScaleTo(5));
    story.ready(5);
    assert_eq!(story.fleet.wanted(), 1, "it has counted for itself");
}

#[test]
fn an_idle_fleet_at_its_least_sleeps() {
    let mut story = Story::of_ready(elastic(2, 4));
    story.after(secs(2));
    assert_eq!(story.fleet.next_deadline(), None);
    story.asked(Request::ScaleBy(1)).ready(3).after(secs(2));
    assert!(story.fleet.next_deadline().is_some(), "it may shrink");
    story.under(0, secs(40)).after(secs(2));
    assert_eq!(story.fleet.next_deadline(), None);
}

#[test]
fn the_load_is_followed_while_a_new_binary_is_asked() {
    let mut story = Story::of_ready(elastic(2, 4));
    story.asked(Request::Upgrade).under(90, secs(10));
    assert_eq!(story.scaled().len(), 2, "{:?}", story.orders);
}
