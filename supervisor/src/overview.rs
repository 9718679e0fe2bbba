//! Puts on the scoreboard what outsiders want to know of the whole fleet.

use brigade_shared::board::{Board, Condition, Phase, Station, Tally};

use crate::plan::{Change, Condition as Doing, Deadline, Fleet, Health, Leaving, SlotState, Wear};
use crate::roster::Roster;

/// Shows how the fleet is now.
pub(crate) fn show(fleet: &Fleet, board: &Board) {
    let (health, overview) = (fleet.health(), board.overview());
    let stations = stations(fleet, &health);
    for station in Station::ALL {
        overview.set_at(station, stations[station as usize]);
    }
    overview.set_generation(fleet.generation().0);
    overview.set_condition(Condition {
        phase: match health.phase {
            Doing::Starting => Phase::Starting,
            Doing::Serving => Phase::Serving,
            Doing::Reloading => Phase::Reloading,
            Doing::Upgrading => Phase::Upgrading,
            Doing::Stopping => Phase::Stopping,
        },
        is_started: health.is_started,
        is_ready: health.is_ready,
        is_alive: health.is_alive,
        wanted: health.wanted,
        ready: health.ready,
        blocked: health.blocked,
    });
}

fn stations(fleet: &Fleet, health: &Health) -> [u64; Station::ALL.len()] {
    let mut stations = [0; Station::ALL.len()];
    for slot in fleet.slots() {
        let mut add = |station: Station| stations[station as usize] += 1;
        match slot.state {
            SlotState::Empty => {}
            SlotState::Starting(_) => add(Station::Starting),
            SlotState::Ready(_) => add(Station::Ready),
            SlotState::Dying(_) => add(Station::Draining),
            SlotState::Resting(_) => add(Station::Resting),
            SlotState::Parked => add(Station::Parked),
        }
        match slot.successor {
            Some((_, true)) => add(Station::Ready),
            Some((_, false)) => add(Station::Starting),
            None => {}
        }
        slot.leaving.iter().for_each(|_| add(Station::Draining));
    }
    // The blocked are ready workers that stand still, a slot's only ones.
    let (ready, blocked) = (Station::Ready as usize, Station::Blocked as usize);
    stations[blocked] = u64::from(health.blocked).min(stations[ready]);
    stations[ready] -= stations[blocked];
    stations
}

/// Counts what happened, if it is something that is counted.
pub(crate) fn count(change: &Change, roster: &Roster, board: &Board) {
    if let Some(tally) = tally(change, roster) {
        board.overview().count(tally);
    }
}

fn tally(change: &Change, roster: &Roster) -> Option<Tally> {
    match change {
        Change::WorkerCrashed {
            worker, was_ready, ..
        } => {
            let missed = roster.get(*worker).and_then(|member| member.missed);
            Some(match (missed, was_ready) {
                (Some(Deadline::Stall), _) => Tally::Stall,
                (_, false) => Tally::FailedStart,
                (_, true) => Tally::Crash,
            })
        }
        Change::WorkerRecycling { because, .. } => Some(match because {
            Wear::Requests(_) => Tally::Requests,
            Wear::Age(_) => Tally::Age,
            Wear::Memory(_) => Tally::Memory,
            Wear::Generation => Tally::Reload,
            Wear::Asked => Tally::Asked,
        }),
        Change::WorkerDraining { because, .. } => match because {
            Leaving::Reload => Some(Tally::Reload),
            Leaving::Scale => Some(Tally::Scale),
            // Counted when its replacement started.
            Leaving::Recycle => None,
            Leaving::Stop | Leaving::RollBack => None,
        },
        Change::SpawnFailed { .. } => Some(Tally::SpawnFailed),
        Change::WorkerBlocked { .. } => Some(Tally::Blocked),
        Change::ReloadDone(_) | Change::CertificatesRenewed(_) => Some(Tally::ReloadDone),
        Change::ReloadRefused => Some(Tally::ReloadRefused),
        Change::ReloadRolledBack { .. } => Some(Tally::ReloadRolledBack),
        Change::UpgradeDone(_) => Some(Tally::UpgradeDone),
        Change::UpgradeRefused(_) => Some(Tally::UpgradeRefused),
        Change::UpgradeRolledBack { .. } | Change::UpgradeStranded { .. } => {
            Some(Tally::UpgradeRolledBack)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brigade_shared::board::{Board, Phase, Station};
    use brigade_shared::exit::Exit;
    use brigade_shared::id::WorkerId;

    use super::show;
    use crate::plan::{Event, Fleet, Request};
    use crate::settings;

    fn begun() -> (Fleet, Board) {
        let mut config = brigade_config::Config::default();
        config.supervisor.workers = brigade_config::WorkerCount::Fixed(2);
        let launch = crate::launch::Launch::Service(Box::new(|_, _| 0));
        let mut fleet = Fleet::new(settings::of(&config, &launch), 1);
        fleet.start(Duration::ZERO, &mut Vec::new());
        (fleet, Board::create().unwrap())
    }

    fn hear(fleet: &mut Fleet, events: impl IntoIterator<Item = Event>) {
        for event in events {
            fleet.handle(event, Duration::from_secs(1), &mut Vec::new());
        }
    }

    #[test]
    fn a_fleet_that_starts_serves_and_stops_is_shown_as_such() {
        let (mut fleet, board) = begun();
        let look = |fleet: &Fleet| {
            show(fleet, &board);
            let found = board.overview().condition().unwrap();
            (found.phase, found.ready, found.is_ready, found.is_alive)
        };
        assert_eq!(look(&fleet), (Phase::Starting, 0, false, true));
        assert_eq!(board.overview().at(Station::Starting), 2);
        hear(&mut fleet, [1, 2].map(|id| Event::Spawned(WorkerId(id))));
        hear(&mut fleet, [Event::Ready(WorkerId(1))]);
        assert_eq!(look(&fleet), (Phase::Starting, 1, false, true));
        hear(&mut fleet, [Event::Ready(WorkerId(2))]);
        assert_eq!(look(&fleet), (Phase::Serving, 2, true, true));
        assert_eq!(board.overview().at(Station::Ready), 2);
        hear(&mut fleet, [Event::Asked(Request::Stop)]);
        assert_eq!(look(&fleet), (Phase::Stopping, 0, false, true));
        assert_eq!(board.overview().at(Station::Draining), 2);
    }

    #[test]
    fn a_fleet_whose_replacements_fail_is_not_alive_but_has_started() {
        let (mut fleet, board) = begun();
        let look = |fleet: &Fleet| {
            show(fleet, &board);
            let found = board.overview().condition().unwrap();
            (found.is_started, found.is_ready, found.is_alive)
        };
        let spawned = |id| Event::Spawned(WorkerId(id));
        let crash = |id| Event::Exited(WorkerId(id), Exit::Signal(9));
        hear(&mut fleet, [1, 2].map(spawned));
        hear(&mut fleet, [1, 2].map(|id| Event::Ready(WorkerId(id))));
        assert_eq!(look(&fleet), (true, true, true));
        hear(&mut fleet, [1, 2].map(crash));
        assert_eq!(look(&fleet), (true, false, true), "others are on their way");
        hear(&mut fleet, [3, 4].map(spawned));
        hear(&mut fleet, [3, 4].map(crash));
        assert_eq!(look(&fleet), (true, false, false));
        assert_eq!(board.overview().at(Station::Resting), 2);
    }
}
