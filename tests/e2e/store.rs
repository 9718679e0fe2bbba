//! The service manager's store: what a supervisor has opened outlives it, and the next one goes on
//! with it, so that nobody is refused.

use std::time::Instant;

use brigade_shared::board::Board;
use brigade_shared::id::SlotId;
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;

use crate::support::{
    Address, Brigade, Connection, Crowd, Keeper, Kill, Load, Need, PATIENCE, Process, Trouble, app,
    lacks, python, reap,
};
use crate::upgrade::upgraded;

const BOTH: [&str; 5] = ["serve", "--bind", "127.0.0.1:0", "--bind", "unix:a.sock"];

/// Asks a supervisor to stop and lets it end; what the manager keeps stays.
pub(crate) fn stop(brigade: Brigade) {
    brigade.signal(Signal::SIGTERM);
    let brigade = brigade.expects("other listeners").expects("socket files");
    brigade.ended(0);
}

/// Kills a supervisor. Its workers finish what they have and leave. Lost is at most what one worker
/// was just passing on to another through the supervisor's hands.
pub(crate) fn kill(brigade: Brigade) -> Kill {
    let workers = brigade.workers();
    let killed = bereave(&brigade);
    workers.iter().for_each(|worker| gone(worker.process));
    brigade.check_nothing_stays();
    killed
}

pub(crate) fn bereave(brigade: &Brigade) -> Kill {
    let begin = Instant::now();
    brigade.bereave();
    Kill {
        process: brigade.supervisor(),
        begin,
        end: Instant::now(),
    }
}

fn gone(worker: Process) {
    match reap(worker, PATIENCE) {
        Some(WaitStatus::Exited(_, 0)) => {}
        other => panic!("{worker:?} does not leave as it should: {other:?}"),
    }
}

/// The last one of a test ends, and then the manager closes what it has.
pub(crate) fn the_end(brigade: Brigade, keeper: &Keeper) {
    brigade.signal(Signal::SIGTERM);
    brigade.wait_for("supervisor.stopped", |_| true);
    keeper.close_store();
    brigade.expects("socket files").ended(0);
}

/// So many workers, at both addresses.
pub(crate) fn both(keeper: &Keeper, workers: &str) -> Brigade {
    let arguments = [&BOTH[..], &["--workers", workers]].concat();
    keeper.launch(&arguments).ready()
}

/// Clients that have asked where nobody is there to answer.
pub(crate) struct Waiting(Vec<Connection>);

impl Waiting {
    pub(crate) fn at(addresses: &[Address], count: usize) -> Self {
        let ask = |turn: usize| {
            let mut connection = Connection::open(&addresses[turn % addresses.len()]).unwrap();
            connection
                .send("GET / HTTP/1.1\r\nhost: test\r\n\r\n")
                .unwrap();
            connection
        };
        Self((0..count).map(ask).collect())
    }

    pub(crate) fn are_answered(self) {
        for mut connection in self.0 {
            assert_eq!(connection.receive().unwrap().status, 200);
        }
    }
}

#[test]
fn who_connects_while_no_supervisor_is_there_is_answered_by_the_next() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let first = both(&keeper, "4");
    let addresses = first.addresses();
    let names = keeper.names();
    assert_eq!(
        names.len(),
        6,
        "four slots, a path, a scoreboard: {names:?}"
    );
    stop(first);
    let waiting = Waiting::at(&addresses, 40);
    let second = both(&keeper, "4");
    assert_eq!(second.addresses(), addresses, "port 0 is the same port");
    waiting.are_answered();
    assert_eq!(keeper.names(), names, "as it was");
    the_end(second, &keeper);
}

#[test]
fn restarts_and_killed_supervisors_under_load_refuse_nobody() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let mut brigade = both(&keeper, "4");
    let crowd = Crowd::gather("restarts", &brigade);
    let mut kills = Vec::new();
    for turn in 0..4 {
        match turn % 2 {
            0 => kills.push(kill(brigade)),
            _ => stop(brigade),
        }
        brigade = both(&keeper, "4");
        crowd.flow();
    }
    crowd.go_home(&kills);
    the_end(brigade, &keeper);
}

#[test]
fn the_next_supervisor_need_not_wait_until_the_orphans_of_the_last_have_left() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let mut brigade = both(&keeper, "3");
    let loads = [
        Load::connections(&brigade, 4).start(),
        Load::uploads(&brigade, 4).start(),
    ];
    // At its end each kills whatever works in its directory: not before the last has ended.
    let mut ancestors = Vec::new();
    let mut kills = Vec::new();
    for _ in 0..4 {
        let orphans = brigade.workers();
        kills.push(bereave(&brigade));
        ancestors.push(std::mem::replace(&mut brigade, both(&keeper, "3")));
        loads.iter().for_each(|load| load.flow(4));
        orphans.iter().for_each(|orphan| gone(orphan.process));
    }
    for load in loads {
        load.stop().assert_lost_only(&kills);
    }
    the_end(brigade, &keeper);
}

#[test]
fn with_fewer_workers_those_who_wait_in_the_surplus_are_served_and_with_more_all_get_some() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let mut brigade = both(&keeper, "5");
    let addresses = brigade.addresses();
    let load = Load::connections(&brigade, 4).start();
    let mut kills = Vec::new();
    for (turn, workers) in ["2", "4", "1", "3"].into_iter().enumerate() {
        match turn % 2 {
            0 => kills.push(kill(brigade)),
            _ => stop(brigade),
        }
        let waiting = Waiting::at(&addresses, 40);
        brigade = both(&keeper, workers);
        waiting.are_answered();
        let wanted = workers.parse::<usize>().unwrap() + 2;
        brigade.until("the surplus is closed", || keeper.names().len() == wanted);
        load.flow(100);
        let asked = (0..60).map(|_| brigade.get("/").number("slot").unwrap());
        let slots: std::collections::BTreeSet<_> = asked.collect();
        assert_eq!(slots.len(), wanted - 2, "{slots:?}");
    }
    load.stop().assert_lost_only(&kills);
    the_end(brigade, &keeper);
}

#[test]
fn a_fleet_that_is_scaled_has_the_manager_keep_what_is_open() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let brigade = both(&keeper, "2");
    let two = keeper.names();
    let mark = brigade.signal_heard(Signal::SIGTTIN);
    brigade.wait_after(mark, "worker.ready", |event| event.is("slot", 2));
    assert_eq!(keeper.names().len(), two.len() + 1);
    brigade.signal_heard(Signal::SIGTTOU);
    brigade.until("the slot is closed", || keeper.names() == two);
    let mark = brigade.signal_heard(Signal::SIGTTIN);
    brigade.wait_after(mark, "worker.ready", |event| event.is("slot", 2));
    assert_eq!(keeper.names().len(), two.len() + 1, "it is open again");
    let addresses = brigade.addresses();
    kill(brigade);
    let waiting = Waiting::at(&addresses, 30);
    let next = both(&keeper, "3");
    waiting.are_answered();
    the_end(next, &keeper);
}

#[test]
fn an_address_that_is_not_configured_any_more_is_left_when_all_who_wait_are_served() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let arguments = ["serve", "--workers=2", "--bind", "127.0.0.1:0"];
    let more = [
        "--bind",
        "127.0.0.2:0",
        "--bind",
        "unix:a.sock",
        "--bind",
        "unix:@brigade-store-left",
    ];
    let first = keeper.launch(&[&arguments[..], &more[..]].concat()).ready();
    let addresses = first.addresses();
    stop(first);
    let waiting = Waiting::at(&addresses, 40);
    let second = keeper.launch(&arguments).ready();
    waiting.are_answered();
    assert_eq!(second.addresses(), addresses[..1]);
    for gone in &addresses[1..] {
        let address = |event: &crate::support::Event| Address::parse(event.text("address"));
        let is_it = |event: &crate::support::Event| match (address(event), gone) {
            (Address::Unix(path), Address::Unix(gone)) => gone.ends_with(path),
            (address, gone) => address == *gone,
        };
        second.wait_for("listen.removed", is_it);
        let trouble = Connection::open(gone).unwrap_err();
        assert!(
            matches!(trouble, Trouble::Refused | Trouble::NoFile),
            "{gone:?}: {trouble:?}"
        );
    }
    assert_eq!(keeper.names().len(), 3, "two slots and a scoreboard");
    the_end(second, &keeper);
}

#[test]
fn an_address_keeps_its_sockets_whichever_way_connections_are_to_wait() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let start = |balance| {
        let arguments = [
            "serve",
            "--workers=3",
            "--bind",
            "127.0.0.1:0",
            "--balance",
            balance,
        ];
        keeper.launch(&arguments).ready()
    };
    let mut brigade = start("slots");
    let addresses = brigade.addresses();
    let load = Load::connections(&brigade, 4).start();
    let mut kills = Vec::new();
    for (balance, queue, sockets) in [
        ("shared", "shared", 1),
        ("slots", "per-slot", 3),
        ("shared", "shared", 1),
    ] {
        kills.push(kill(brigade));
        let waiting = Waiting::at(&addresses, 30);
        brigade = start(balance);
        waiting.are_answered();
        assert_eq!(
            brigade.events("supervisor.listening")[0].text("queue"),
            queue
        );
        assert_eq!(brigade.addresses(), addresses);
        brigade.until("the store is right", || keeper.names().len() == sockets + 1);
        load.flow(200);
    }
    load.stop().assert_lost_only(&kills);
    the_end(brigade, &keeper);
}

#[test]
fn counters_go_on_where_they_were() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let mut brigade = both(&keeper, "2");
    let mut asked = 0;
    for turn in 0..4 {
        for _ in 0..10 {
            brigade.get("/");
            asked += 1;
        }
        match turn % 2 {
            0 => drop(kill(brigade)),
            _ => stop(brigade),
        }
        brigade = both(&keeper, "2");
        let board = Board::adopt(keeper.copy("brigade-kept-1-board")).unwrap();
        let answered = |slot| board.counts(SlotId(slot)).answered();
        assert_eq!(answered(0) + answered(1), asked);
        assert_eq!(
            board.rows().count(),
            2,
            "no row is left of those who are gone"
        );
    }
    the_end(brigade, &keeper);
}

#[test]
fn programs_are_given_back_their_sockets_and_surplus_ones_are_served_to_the_end() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let interpreter = python();
    let program = app("plain.py");
    let start = |workers| {
        let words = ["exec", "--workers", workers, "--bind", "127.0.0.1:0", "--"];
        let launch = keeper.launch(&words);
        let program = [interpreter.to_str().unwrap(), program.as_str()];
        launch.arguments(program).ready()
    };
    let mut brigade = start("3");
    let addresses = brigade.addresses();
    for (turn, workers) in ["1", "2", "1"].into_iter().enumerate() {
        match turn % 2 {
            0 => stop(brigade),
            _ => {
                let workers = brigade.workers();
                brigade.bereave();
                for worker in workers {
                    reap(worker.process, PATIENCE).expect("it hears of its parent's death");
                }
                brigade.check_nothing_stays();
                drop(brigade);
            }
        }
        let waiting = Waiting::at(&addresses, 20);
        brigade = start(workers);
        waiting.are_answered();
        let wanted = workers.parse::<usize>().unwrap() + 1;
        brigade.until("the surplus is closed", || keeper.names().len() == wanted);
    }
    the_end(brigade, &keeper);
}

#[test]
fn an_upgrade_in_place_goes_on_with_what_was_kept_and_the_other_way_round() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    let start = || {
        let arguments = [&BOTH[..], &["--workers=2"]].concat();
        keeper.launch(&arguments).copied_as("DIR/brigade").ready()
    };
    let mut brigade = start();
    let addresses = brigade.addresses();
    let names = keeper.names();
    let load = Load::connections(&brigade, 4).start();
    let mut kills = Vec::new();
    for turn in 0..4 {
        assert_eq!(keeper.names(), names);
        if turn % 2 == 1 {
            upgraded(&brigade);
            load.flow(50);
            assert_eq!(keeper.names(), names);
        }
        match turn {
            0 | 1 => kills.push(kill(brigade)),
            _ => stop(brigade),
        }
        let waiting = Waiting::at(&addresses, 10);
        brigade = start();
        waiting.are_answered();
    }
    load.stop().assert_lost_only(&kills);
    the_end(brigade, &keeper);
}
