//! A reload is whole or not at all: bad generations are rolled back while the old one serves, and
//! whatever happens, nobody who asks is disappointed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{
    Brigade, Connection, Crowd, Event, Kill, Launch, Load, Mark, Process, Trouble, say, sized,
};

const BOTH: [&str; 4] = ["--bind", "127.0.0.1:0", "--bind", "unix:a.sock"];

/// A Brigade on TCP and on a Unix socket.
fn start(options: &[&str]) -> Brigade {
    let probation = ["--reload-probation", "1s"];
    let unless_given = &probation[..if options.contains(&probation[0]) {
        0
    } else {
        2
    }];
    Launch::new(&[&["serve"], &BOTH[..], unless_given, options].concat()).ready()
}

/// How the next generation of the demo app will misbehave.
fn order(brigade: &Brigade, words: &str) {
    fs::write(brigade.dir().join("brigade-demo.conf"), words).unwrap();
}

fn done(brigade: &Brigade, mark: Mark) -> Event {
    brigade.wait_after(mark, "reload.done", |_| true)
}

fn reloads_as_fast_as_they_go(name: &'static str, mode: &str) {
    // Uploads and downloads last for a second, and several reloads fit into that.
    let room = ["--reload-max-lingering", "100", "--balance", mode];
    let quick = ["--workers", "2", "--reload-probation", "20ms"];
    let launch = Launch::new(&[&["serve"], &BOTH[..], &quick, &room].concat());
    let brigade = launch.ready();
    let crowd = Crowd::gather(name, &brigade);
    for _ in 0..sized(15, 100) {
        let mark = brigade.signal_heard(Signal::SIGHUP);
        done(&brigade, mark);
    }
    crowd.while_they_ask(1, 1, || {
        let mark = brigade.signal_heard(Signal::SIGHUP);
        done(&brigade, mark);
    });
    let account = crowd.go_home(&[]);
    assert!(account.generations.len() > 3, "{:?}", account.generations);
    brigade.stop_and_check();
}

#[test]
fn reloads_as_fast_as_they_go_lose_nothing() {
    reloads_as_fast_as_they_go("100 reloads, slots", "slots");
}

#[test]
fn reloads_as_fast_as_they_go_lose_nothing_from_a_shared_queue() {
    reloads_as_fast_as_they_go("100 reloads, shared", "shared");
}

/// Reloads onto a generation that fails, under load: it is rolled back with one event, and the
/// old generation never left. Returns that event.
fn rolls_back(name: &'static str, options: &[&str], words: &str, dies: bool) -> Event {
    let brigade = start(&[&["--workers", "2"], options].concat());
    let provoked = ["reload.rolled_back", "worker.crashed", "worker.overdue"];
    for name in [&provoked[..], &["app.failed", "worker.blocked"]].concat() {
        brigade.expect(name);
    }
    let workers = brigade.workers();
    let crowd = Crowd::gather(name, &brigade);
    order(&brigade, words);
    let times = crowd.while_they_ask(1, 1, || {
        let mark = brigade.signal_heard(Signal::SIGHUP);
        brigade.wait_after(mark, "reload.rolled_back", |_| true);
        let serving = brigade.workers().into_iter();
        let old: Vec<_> = serving.filter(|worker| worker.generation == 1).collect();
        assert_eq!(old, workers, "the old generation never left");
        brigade.until("the new one has left", || brigade.workers() == workers);
    });
    // What was in flight on a worker of the new generation that died may be lost, also if it died
    // while it was leaving.
    let left = brigade.events("worker.left").into_iter();
    let left = left.filter(|event| event.number("signal").is_some());
    let crashes = brigade.events("worker.crashed").into_iter().chain(left);
    let kill = |event: Event| Kill {
        process: Process(event.pid()),
        begin: event.at - Duration::from_millis(200),
        end: event.at,
    };
    let kills: Vec<_> = crashes.filter(|_| dies).map(kill).collect();
    crowd.go_home(&kills);
    let mut backs = brigade.events("reload.rolled_back");
    assert_eq!(backs.len(), times as usize, "one event each");
    assert!(brigade.events("reload.done").is_empty());
    // What failed once may work the next time.
    fs::remove_file(brigade.dir().join("brigade-demo.conf")).unwrap();
    let mark = brigade.signal_heard(Signal::SIGHUP);
    let generation = done(&brigade, mark).number("generation");
    brigade.only(generation.unwrap());
    brigade.stop_and_check();
    backs.remove(0)
}

#[test]
fn a_generation_that_fails_to_boot_is_rolled_back_with_its_last_words() {
    let back = rolls_back("fails to boot", &[], "boot=fail", false);
    assert!(back.text("output").contains("boot=fail"), "{}", back.value);
}

#[test]
fn a_generation_that_crashes_while_it_boots_is_rolled_back() {
    rolls_back("crashes while it boots", &[], "boot=abort", false);
}

#[test]
fn a_generation_that_hangs_while_it_boots_is_rolled_back() {
    let options = ["--timeout-start", "1s", "--timeout-kill", "500ms"];
    rolls_back("hangs while it boots", &options, "boot=hang", false);
}

#[test]
fn a_generation_that_dies_in_its_probation_is_rolled_back() {
    let words = "later=abort\nlater_ms=300";
    rolls_back("dies in probation", &[], words, true);
}

#[test]
fn a_generation_whose_last_worker_dies_is_rolled_back() {
    let words = "later=abort\nlater_ms=300\nslot=1";
    rolls_back("last dies in probation", &[], words, true);
}

#[test]
fn a_generation_whose_last_worker_fails_to_boot_is_rolled_back() {
    let words = "boot=fail\nslot=1";
    rolls_back("last fails to boot", &[], words, false);
}

#[test]
fn a_generation_that_blocks_in_its_probation_is_rolled_back() {
    // It finishes what it has when it goes on, so that nothing is lost.
    let words = "later=block\nlater_ms=200\nblock_ms=1500";
    rolls_back("blocks in probation", &[], words, false);
}

#[test]
fn a_generation_that_is_slow_to_boot_is_waited_for() {
    let brigade = start(&["--workers", "2"]);
    let crowd = Crowd::gather("is slow (8 s)", &brigade);
    order(&brigade, "boot_ms=8000");
    let times = crowd.while_they_ask(1, 1, || {
        let begin = Instant::now();
        let mark = brigade.signal_heard(Signal::SIGHUP);
        let done = done(&brigade, mark);
        assert!(done.at - begin > Duration::from_secs(8), "{}", done.value);
    });
    let last = i64::from(times) + 1;
    let account = crowd.go_home(&[]);
    assert_eq!(account.generations, (1..=last).collect());
    brigade.only(last);
    brigade.stop_and_check();
}

#[test]
fn the_canary_serves_real_traffic_while_the_others_wait() {
    let options = ["serve", "--workers", "4", "--reload-probation", "1500ms"];
    let brigade = Brigade::start(&options);
    let mark = brigade.signal_heard(Signal::SIGHUP);
    let probation = brigade.wait_after(mark, "reload.probation", |_| true);
    let mut served = BTreeMap::new();
    while probation.at.elapsed() < Duration::from_secs(1) {
        let answer = brigade.get("/");
        let by = (answer.number("generation"), answer.number("slot"));
        *served.entry(by).or_insert(0) += 1;
    }
    assert!(served.contains_key(&(Some(2), Some(0))), "{served:?}");
    for slot in 1..4 {
        assert!(served.contains_key(&(Some(1), Some(slot))), "{served:?}");
        assert!(!served.contains_key(&(Some(2), Some(slot))), "{served:?}");
    }
    let done = done(&brigade, mark);
    let lasted = done.at - probation.at;
    assert!(lasted >= Duration::from_millis(1400), "{lasted:?}");
    brigade.only(2);
    brigade.stop_and_check();
}

#[test]
fn a_reload_takes_no_longer_than_a_boot_and_the_probation() {
    let brigade = Brigade::start(&["serve", "--workers", "8", "--reload-probation", "500ms"]);
    order(&brigade, "boot_ms=300");
    let begin = Instant::now();
    let mark = brigade.signal_heard(Signal::SIGHUP);
    let took = done(&brigade, mark).at - begin;
    say(&format!(
        "a reload of 8 workers: {took:?}, of it boot 300 ms, probation 500 ms"
    ));
    assert!(took < Duration::from_secs(3), "{took:?}");
    brigade.only(2);
    brigade.stop_and_check();
}

/// At every moment of the log: workers that are ready and were not told to leave, and new workers
/// of this generation that have not taken over from anybody.
fn replay(brigade: &Brigade, generation: i64, mut look: impl FnMut(usize, usize)) {
    let (mut serving, mut staged) = (BTreeSet::new(), BTreeSet::new());
    let names = ["worker.spawned", "worker.ready", "worker.draining"];
    let gone = ["worker.left", "worker.crashed"];
    for event in brigade.all_events() {
        let (pid, slot) = (event.pid(), event.number("slot"));
        let is_new = event.is("generation", generation);
        match event.name() {
            "worker.spawned" if is_new => _ = staged.insert(slot),
            "worker.ready" => _ = serving.insert(pid),
            "worker.draining" => {
                serving.remove(&pid);
                staged.remove(&slot);
            }
            name if gone.contains(&name) => _ = serving.remove(&pid),
            _ => {}
        }
        if names.contains(&event.name()) || gone.contains(&event.name()) {
            look(serving.len(), staged.len());
        }
    }
}

#[test]
fn with_a_surge_of_one_there_is_never_more_than_one_new_worker_beside_the_old() {
    let brigade = start(&["--workers", "4", "--reload-surge", "1"]);
    let crowd = Crowd::gather("surge 1", &brigade);
    let mark = brigade.signal_heard(Signal::SIGHUP);
    done(&brigade, mark);
    brigade.only(2);
    crowd.go_home(&[]);
    replay(&brigade, 2, |_, staged| {
        assert!(staged <= 1, "{staged} at once")
    });
    brigade.stop_and_check();
}

#[test]
fn without_a_surge_as_many_slots_are_empty_as_may_be_and_no_more() {
    let none = ["--reload-surge", "0", "--reload-max-unavailable", "1"];
    let brigade = start(&[&["--workers", "4"], &none[..]].concat());
    let crowd = Crowd::gather("surge 0, one unavailable", &brigade);
    crowd.while_they_ask(1, 1, || {
        let mark = brigade.signal_heard(Signal::SIGHUP);
        done(&brigade, mark);
    });
    crowd.go_home(&[]);
    let mut full = false;
    replay(&brigade, 2, |serving, _| {
        full |= serving == 4;
        assert!(!full || (3..=4).contains(&serving), "{serving} serve");
    });
    brigade.stop_and_check();
}

#[test]
fn a_wave_that_fails_is_rolled_back_by_renewal() {
    let brigade = start(&["--workers", "3", "--reload-surge", "1"]);
    for name in ["reload.rolled_back", "worker.crashed", "app.failed"] {
        brigade.expect(name);
    }
    let crowd = Crowd::gather("a wave fails", &brigade);
    order(&brigade, "boot=fail\nslot=2");
    crowd.while_they_ask(1, 1, || {
        let mark = brigade.signal_heard(Signal::SIGHUP);
        brigade.wait_after(mark, "reload.rolled_back", |_| true);
        brigade.until("all three are of the old generation", || {
            let workers = brigade.workers();
            workers.len() == 3 && workers.iter().all(|worker| worker.generation == 1)
        });
    });
    crowd.go_home(&[]);
    brigade.stop_and_check();
}

#[test]
fn one_worker_is_reloaded_and_rolled_back_as_well() {
    let brigade = start(&["--workers", "1", "--reload-probation", "300ms"]);
    for name in ["reload.rolled_back", "worker.crashed", "app.failed"] {
        brigade.expect(name);
    }
    let crowd = Crowd::gather("one worker", &brigade);
    let times = crowd.while_they_ask(2, 20, || {
        let mark = brigade.signal_heard(Signal::SIGHUP);
        done(&brigade, mark);
        order(&brigade, "boot=fail");
        let mark = brigade.signal_heard(Signal::SIGHUP);
        brigade.wait_after(mark, "reload.rolled_back", |_| true);
        fs::remove_file(brigade.dir().join("brigade-demo.conf")).unwrap();
    });
    brigade.only(i64::from(times) * 2);
    crowd.go_home(&[]);
    brigade.stop_and_check();
}

#[test]
fn storms_of_requests_from_two_senders_end_in_one_new_generation_and_lose_nothing() {
    let options = ["--workers", "2", "--reload-probation", "50ms"];
    let brigade = start(&[&options[..], &["--reload-max-lingering", "100"]].concat());
    let crowd = Crowd::gather("storms from two senders", &brigade);
    let supervisor = brigade.supervisor();
    let send = || {
        for _ in 0..60 {
            supervisor.signal(Signal::SIGHUP);
            brigade.watch_for(Duration::from_millis(10));
        }
    };
    crowd.while_they_ask(1, 10, || {
        thread::scope(|scope| {
            scope.spawn(send);
            scope.spawn(send);
        });
    });
    // The last of them is heard and followed.
    let ended = ["reload.done", "reload.queued"];
    brigade.until("it has calmed down", || {
        let count = |name| brigade.events(name).len();
        let last = brigade.all_events().into_iter();
        let last = last.filter(|event| ended.contains(&event.name())).last();
        count("reload.started") == count("reload.done")
            && last.is_some_and(|event| event.name() == "reload.done")
    });
    crowd.go_home(&[]);
    let last = brigade.events("reload.done").pop();
    brigade.only(last.unwrap().number("generation").unwrap());
    brigade.stop_and_check();
}

#[test]
fn of_too_many_old_generations_the_oldest_is_cut() {
    let quick = ["serve", "--workers", "1", "--reload-probation", "10ms"];
    let brigade = Launch::new(&quick)
        .arguments(["--reload-max-lingering", "3"])
        .ready();
    let mut held = Vec::new();
    for generation in 1..=4 {
        // One that drains accepts what it finds waiting, and may be faster for a moment.
        let mut download = loop {
            let mut connection = brigade.connect();
            if connection.get("/").unwrap().number("generation") == Some(generation) {
                break connection;
            }
        };
        download
            .send("GET /stream?chunks=10000&ms=20 HTTP/1.1\r\nhost: test\r\n\r\n")
            .unwrap();
        let head = download.receive_head().unwrap();
        held.push((head, download));
        let mark = brigade.signal_heard(Signal::SIGHUP);
        done(&brigade, mark);
    }
    brigade.wait_for("worker.left", |event| event.is("generation", 1));
    let (head, mut oldest) = held.remove(0);
    assert_eq!(oldest.receive_body(&head).unwrap_err(), Trouble::Cut);
    // The others go on.
    let lingering = brigade.workers().len();
    assert_eq!(lingering, 4, "three linger beside the one that serves");
    for (_, download) in &mut held {
        download.receive_some().unwrap();
    }
    drop(held);
    brigade.only(5);
    brigade.stop_and_check();
}

#[test]
fn a_keep_alive_client_does_not_notice_ten_reloads() {
    let brigade = Brigade::start(&["serve", "--workers", "2", "--reload-probation", "20ms"]);
    let load = Load::keep_alive(&brigade, 8).full_speed().start();
    for _ in 0..10 {
        let mark = brigade.signal_heard(Signal::SIGHUP);
        done(&brigade, mark);
        load.flow(100);
    }
    load.stop().assert_lost_none();
    brigade.stop_and_check();
}

#[test]
fn an_address_that_leaves_is_served_by_those_who_still_listen_there() {
    let two = "bind = [\"127.0.0.1:0\", \"127.0.0.2:0\"]\n";
    let options = ["serve", "--workers", "3", "--reload-surge", "1"];
    let brigade = Launch::anywhere(&options)
        .arguments(["--timeout-start", "60s"])
        .file("brigade.toml", two)
        .ready();
    for name in ["reload.rolled_back", "worker.crashed"] {
        brigade.expect(name);
    }
    let leaving = brigade.addresses().remove(1);
    let ask = || {
        for _ in 0..60 {
            let answer = Connection::open(&leaving).and_then(|mut line| line.get("/"));
            assert_eq!(answer.expect("somebody listens there").status, 200);
        }
    };
    // The first slot is taken over by one who does not listen there; the second keeps waiting.
    order(&brigade, "boot=hang\nslot=1");
    let one = "bind = [\"127.0.0.1:0\"]
";
    fs::write(brigade.dir().join("brigade.toml"), one).unwrap();
    let mark = brigade.signal_heard(Signal::SIGHUP);
    brigade.wait_after(mark, "worker.left", |event| event.is("slot", 0));
    let hangs = brigade.wait_after(mark, "worker.spawned", |event| event.is("slot", 1));
    ask();
    kill(Pid::from_raw(hangs.pid()), Signal::SIGKILL).unwrap();
    brigade.wait_after(mark, "reload.rolled_back", |_| true);
    ask();
    brigade.until("all three are of the old generation", || {
        let workers = brigade.workers();
        workers.len() == 3 && workers.iter().all(|worker| worker.generation == 1)
    });
    ask();
    brigade.stop_and_check();
}
