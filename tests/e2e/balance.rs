//! New connections are shared evenly, whatever the mode and the load, and nobody waits for a slot
//! that nobody serves.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{
    Account, Brigade, Connection, Crowd, Launch, Load, Process, Worker, say, sized,
};

const MODES: [&str; 2] = ["slots", "shared"];

fn start(mode: &str, workers: usize) -> Brigade {
    let workers = workers.to_string();
    let options = ["--workers", &workers, "--timeout-keep-alive", "60s"];
    Brigade::start(&[&["serve", "--balance", mode], &options[..]].concat())
}

/// How many times the mean the busiest has; without end if somebody is forgotten.
fn ratio(workers: usize, shares: &BTreeMap<Process, u64>) -> f64 {
    if shares.len() != workers {
        return f64::INFINITY;
    }
    let mean = shares.values().sum::<u64>() as f64 / workers as f64;
    shares.values().max().copied().unwrap_or_default() as f64 / mean
}

/// Nobody has clearly more than the mean, and nobody is forgotten.
fn assert_even(what: &str, workers: usize, shares: &BTreeMap<Process, u64>) {
    let ratio = ratio(workers, shares);
    say(&format!("{what}: busiest {ratio:.3} times the mean"));
    assert!(ratio <= 1.3, "{what}: {ratio} times the mean: {shares:?}");
}

/// Serves so many requests per worker and looks at the shares.
fn spreads(
    mode: &str,
    workers: usize,
    load: impl Fn(&Brigade) -> Load,
    shares: impl Fn(Account) -> BTreeMap<Process, u64>,
    what: &str,
) {
    let brigade = start(mode, workers);
    let measure = || {
        let load = load(&brigade).path("/").start();
        // Enough that chance alone does not make a third more: four deviations are a quarter.
        load.reach(workers as u64 * u64::from(sized(260, 2000)));
        let account = load.stop();
        account.assert_lost_none();
        shares(account)
    };
    let mut found = measure();
    // Other tests crowd the processors for moments, and who does not get to run serves nobody. Over
    // several windows that evens out; a preference of ours stays.
    for _ in 0..sized(5, 0) {
        if ratio(workers, &found) <= 1.3 {
            break;
        }
        for (process, more) in measure() {
            *found.entry(process).or_default() += more;
        }
    }
    assert_even(
        &format!("{what}, {mode}, {workers} workers"),
        workers,
        &found,
    );
    brigade.stop_and_check();
}

#[test]
fn short_connections_are_spread_evenly_under_full_load() {
    for mode in MODES {
        for workers in [2, 4, 8, 16] {
            let load = |brigade: &Brigade| Load::connections(brigade, 16).full_speed();
            let shares = |account: Account| account.by_process;
            spreads(mode, workers, load, shares, "short connections, full load");
        }
    }
}

#[test]
fn short_connections_are_spread_evenly_under_light_load() {
    for mode in MODES {
        for workers in [2, 4, 8, 16] {
            let load = |brigade: &Brigade| Load::connections(brigade, 2);
            let shares = |account: Account| account.by_process;
            spreads(mode, workers, load, shares, "short connections, light load");
        }
    }
}

#[test]
fn requests_on_kept_connections_are_spread_evenly_under_light_load() {
    for mode in MODES {
        for workers in [2, 4, 8, 16] {
            let think = Duration::from_millis(20);
            let load = |brigade: &Brigade| Load::keep_alive(brigade, 8 * workers).think(think);
            let shares = |account: Account| account.by_process;
            spreads(mode, workers, load, shares, "requests on kept connections");
        }
    }
}

#[test]
fn kept_connections_are_spread_evenly_under_full_load() {
    for mode in MODES {
        for workers in [2, 4, 8, 16] {
            let load = |brigade: &Brigade| Load::keep_alive(brigade, 4 * workers).full_speed();
            let shares = |account: Account| account.connections;
            spreads(mode, workers, load, shares, "kept connections, full load");
        }
    }
}

/// Who serves these connections; each is asked once.
fn shares(connections: &mut [Connection]) -> BTreeMap<Process, u64> {
    let mut shares = BTreeMap::new();
    for connection in &mut *connections {
        connection
            .send("GET / HTTP/1.1\r\nhost: test\r\n\r\n")
            .unwrap();
    }
    for connection in connections {
        let pid = connection.receive().unwrap().number("pid").unwrap();
        *shares.entry(Process(pid.try_into().unwrap())).or_default() += 1;
    }
    shares
}

#[test]
fn connections_that_stay_open_are_spread_evenly_also_if_they_come_in_a_burst() {
    for mode in MODES {
        for workers in [2, 4, 8, 16] {
            let brigade = start(mode, workers);
            let mut open: Vec<_> = (0..workers * 10).map(|_| brigade.connect()).collect();
            let what = format!("a burst of long connections, {mode}, {workers} workers");
            assert_even(&what, workers, &shares(&mut open));
            drop(open);
            brigade.stop_and_check();
        }
    }
}

#[test]
fn connections_that_stay_open_are_spread_evenly_if_they_come_one_by_one() {
    for mode in MODES {
        for workers in [2, 4, 8, 16] {
            let brigade = start(mode, workers);
            let mut open = Vec::new();
            for _ in 0..workers * 10 {
                let mut one = brigade.connect();
                one.get("/").unwrap();
                open.push(one);
            }
            let what = format!("long connections one by one, {mode}, {workers} workers");
            assert_even(&what, workers, &shares(&mut open));
            drop(open);
            brigade.stop_and_check();
        }
    }
}

#[test]
fn connections_that_stay_open_are_spread_evenly_on_a_unix_socket() {
    for workers in [2, 8] {
        let workers_text = workers.to_string();
        let arguments = ["serve", "--workers", &workers_text, "--bind", "unix:a.sock"];
        let brigade = Launch::new(&arguments).ready();
        let address = brigade.addresses().remove(0);
        let open = |_| Connection::open(&address).unwrap();
        let mut open: Vec<_> = (0..workers * 10).map(open).collect();
        let what = format!("long connections on a Unix socket, {workers} workers");
        assert_even(&what, workers, &shares(&mut open));
        drop(open);
        brigade.stop_and_check();
    }
}

/// A slot's worker, frozen, with connections in its queue that nobody else has taken yet.
fn strand(brigade: &Brigade, worker: Worker) -> Vec<Connection> {
    kill(Pid::from_raw(worker.process.0), Signal::SIGSTOP).unwrap();
    let mut waiting: Vec<_> = (0..40).map(|_| brigade.connect()).collect();
    for one in &mut waiting {
        one.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    }
    waiting
}

/// All are answered soon, by others than this worker.
fn served_soon(waiting: &mut [Connection], not_by: Worker) {
    let begin = Instant::now();
    for one in waiting {
        let answer = one.receive().expect("a connection that waits is served");
        assert_ne!(answer.number("pid"), Some(not_by.process.0.into()));
    }
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(3), "served after {took:?}");
}

#[test]
fn what_waits_for_a_slot_that_rests_is_served_by_others_at_once() {
    for mode in MODES {
        // Nobody is taken for stuck here, so what is stranded waits until the death.
        let arguments = ["--restart-delay", "15s", "--stall-warn", "0"];
        let launch = Launch::new(&["serve", "--workers", "2", "--balance", mode]);
        let brigade = launch.arguments(arguments).ready();
        let first = brigade.worker(0);
        brigade.kill(first, Signal::SIGKILL);
        brigade.until("the slot is served again", || {
            let workers = brigade.workers();
            workers.len() == 2 && workers.iter().all(|worker| *worker != first)
        });
        let second = brigade.worker(0);
        let mut waiting = strand(&brigade, second);
        brigade.kill(second, Signal::SIGKILL);
        served_soon(&mut waiting, second);
        assert_eq!(brigade.workers().len(), 1, "the slot still rests");
        brigade.stop_and_check();
    }
}

#[test]
fn what_waits_for_a_slot_that_is_parked_is_served_by_others_at_once() {
    let arguments = ["serve", "--workers", "2", "--stall-warn", "0"];
    let brigade = Brigade::start(&arguments);
    brigade.expect("worker.crashed");
    let mut blocker = brigade.connect();
    let pid = blocker.get("/").unwrap().number("pid");
    let workers = brigade.workers();
    let blocked = workers
        .into_iter()
        .find(|worker| Some(worker.process.0.into()) == pid);
    let blocked = blocked.unwrap();
    // The second request follows in the same breath, before the loop could accept anybody.
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n");
    let both = get("/blocking?ms=500") + &get("/crash?how=exit&code=78");
    let idle = blocked.process.waits_in();
    blocker.send(both).unwrap();
    brigade.until("the worker is blocked", || {
        let place = blocked.process.waits_in();
        place != "running" && place != idle
    });
    let mut waiting = strand(&brigade, blocked);
    kill(Pid::from_raw(blocked.process.0), Signal::SIGCONT).unwrap();
    brigade.wait_for("slot.parked", |event| event.is("slot", blocked.slot));
    served_soon(&mut waiting, blocked);
    brigade.stop_and_check();
}

/// Asks for one more or one fewer so many times, each when the last has been heard.
fn scale(brigade: &Brigade, signal: Signal, to: i64) {
    let now = || {
        let scaled = brigade.events("fleet.scaled");
        scaled
            .last()
            .and_then(|event| event.number("to"))
            .unwrap_or(8)
    };
    while now() != to {
        let mark = brigade.mark();
        brigade.signal(signal);
        brigade.wait_after(mark, "fleet.scaled", |_| true);
    }
    brigade.until("the fleet has its size", || {
        i64::try_from(brigade.workers().len()) == Ok(to)
    });
}

#[test]
fn down_and_up_again_under_load_loses_nothing() {
    for mode in MODES {
        let binds = ["--bind", "127.0.0.1:0", "--bind", "unix:a.sock"];
        let launch =
            Launch::new(&[&["serve", "--workers", "8", "--balance", mode], &binds[..]].concat());
        let brigade = launch.ready();
        let name = if mode == "slots" {
            "8 -> 2 -> 8, slots"
        } else {
            "8 -> 2 -> 8, shared"
        };
        let crowd = Crowd::gather(name, &brigade);
        crowd.while_they_ask(3, 20, || {
            scale(&brigade, Signal::SIGTTOU, 2);
            crowd.flow();
            scale(&brigade, Signal::SIGTTIN, 8);
        });
        crowd.go_home(&[]);
        brigade.stop_and_check();
    }
}
