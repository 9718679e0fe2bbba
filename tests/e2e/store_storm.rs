//! Supervisors that are killed in the middle of whatever they do, again and again, under load.

use std::fs;

use nix::sys::signal::Signal;

use crate::store::{bereave, the_end};
use crate::support::{
    Address, Brigade, Connection, Keeper, Launch, Load, Need, PATIENCE, full, lacks, reap, say,
};

const HERE: &str = "127.0.0.1:0";
const THERE: &str = "127.0.0.2:0";

/// Writes the configuration that the next reload or start finds.
fn configure(keeper: &Keeper, workers: usize, binds: &[&str]) {
    let binds = binds.join("\", \"");
    let text = format!("workers = {workers}\nbind = [\"{binds}\", \"unix:a.sock\"]\n");
    fs::write(keeper.dir().join("brigade.toml"), text).unwrap();
}

/// What a supervisor is at when it is killed. Returns what keeps one that stops from ending before.
fn busy(brigade: &Brigade, keeper: &Keeper, turn: usize) -> Option<Connection> {
    let begins = |moment| {
        brigade.wait_for(moment, |_| true);
        None
    };
    let (signal, moment) = match turn % 8 {
        0 => return begins("supervisor.listening"),
        1 => return begins("worker.spawned"),
        2 => return begins("worker.ready"),
        3 => (Signal::SIGTTIN, "fleet.scaled"),
        4 => (Signal::SIGTTOU, "worker.draining"),
        5 => {
            configure(keeper, 2, &[HERE]);
            (Signal::SIGHUP, "listen.retired")
        }
        6 => {
            configure(keeper, 4, &[HERE, THERE]);
            (Signal::SIGHUP, "reload.started")
        }
        _ => (Signal::SIGTERM, "worker.draining"),
    };
    brigade.wait_for("fleet.ready", |_| true);
    let slow = (signal == Signal::SIGTERM).then(|| {
        let mut slow = brigade.connect();
        let ask = "GET /stream?chunks=100&ms=50 HTTP/1.1\r\nhost: test\r\n\r\n";
        slow.send(ask).unwrap();
        slow.receive_head().unwrap();
        slow
    });
    let mark = brigade.mark();
    brigade.signal(signal);
    brigade.wait_after(mark, moment, |_| true);
    slow
}

#[test]
fn whatever_a_supervisor_is_at_when_it_is_killed_the_next_goes_on() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(64);
    configure(&keeper, 3, &[HERE, THERE]);
    let start = || {
        let launch = Launch::anywhere(&["serve"]);
        keeper.launch_with(launch, &[]).start()
    };
    let mut brigade = start();
    brigade.wait_for("fleet.ready", |_| true);
    let addresses = brigade.addresses();
    let here = [&addresses[0], &addresses[2]];
    let load = |address: &Address| {
        let load = Load::connections(&brigade, 3).at(address.clone());
        [load.clone().start(), load.full_speed().start()]
    };
    let loads: Vec<_> = here.into_iter().flat_map(load).collect();
    let (mut ancestors, mut kills) = (Vec::new(), Vec::new());
    for turn in 0..if full() { 160 } else { 24 } {
        let slow = busy(&brigade, &keeper, turn);
        kills.push(bereave(&brigade));
        drop(slow);
        ancestors.push(std::mem::replace(&mut brigade, start()));
        loads.iter().for_each(|load| load.flow(5));
    }
    brigade.wait_for("fleet.ready", |_| true);
    loads.iter().for_each(|load| load.flow(20));
    for ancestor in &ancestors {
        for worker in ancestor.all_workers() {
            // However: some had not even begun, and some were reaped by their supervisor.
            let has_left = reap(worker, PATIENCE).is_some() || worker.parent().is_none();
            assert!(has_left, "an orphan leaves");
        }
    }
    assert_eq!(brigade.addresses()[0], addresses[0]);
    for load in loads {
        let account = load.stop();
        let (answered, lost) = (account.answered, account.losses.len());
        say(&format!(
            "{} kills: {answered} answered, {lost} lost",
            kills.len()
        ));
        account.assert_lost_only(&kills);
    }
    let stale: Vec<_> = ancestors
        .iter()
        .chain([&brigade])
        .flat_map(|one| one.events("store.stale"))
        .map(|event| event.value)
        .collect();
    assert!(stale.is_empty(), "{stale:#?}");
    brigade.check_children();
    the_end(brigade, &keeper);
    drop(ancestors);
}
