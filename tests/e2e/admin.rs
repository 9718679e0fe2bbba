//! The admin address: it answers while the workers start, hang and leave, over an upgrade in place,
//! and after its own process was killed; and what it says is true.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{Address, Brigade, Connection, Launch, Process};
use crate::upgrade::{replace, runs, upgraded};

/// A Brigade with an admin address on a free port.
pub(crate) fn start(options: &[&str]) -> Brigade {
    let brigade = launch(options).ready();
    answers(&brigade);
    brigade
}

pub(crate) fn launch(options: &[&str]) -> Launch {
    let arguments = ["serve", "--workers", "2", "--admin", "127.0.0.1:0"];
    Launch::new(&[&arguments[..], options].concat())
}

/// Its process answers.
pub(crate) fn answers(brigade: &Brigade) -> Process {
    Process(brigade.wait_for("admin.ready", |_| true).pid())
}

fn admin(brigade: &Brigade) -> Address {
    let listening = brigade.wait_for("admin.listening", |_| true);
    match Address::parse(listening.text("address")) {
        Address::Unix(path) => Address::Unix(brigade.dir().join(path)),
        other => other,
    }
}

/// The status and the body of an answer on a new connection.
pub(crate) fn ask(brigade: &Brigade, path: &str) -> (u16, String) {
    let answer = Connection::open(&admin(brigade)).and_then(|mut line| line.get(path));
    let answer = answer.unwrap_or_else(|trouble| panic!("{path}: {trouble:?}"));
    (answer.status, answer.text())
}

pub(crate) fn status(brigade: &Brigade, path: &str) -> u16 {
    ask(brigade, path).0
}

/// The value of a series of the metrics.
pub(crate) fn metric(brigade: &Brigade, series: &str) -> f64 {
    let (status, text) = ask(brigade, "/metrics");
    assert_eq!(status, 200);
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("no {series} in {text}"));
    value.parse().unwrap()
}

pub(crate) fn until_status(brigade: &Brigade, path: &str, wanted: u16) {
    let what = format!("{path} is {wanted}");
    brigade.until(&what, || status(brigade, path) == wanted);
}

/// Asks again and again whether it is alive and ready, and it always is. Tells how often.
fn while_asking(brigade: &Brigade, act: impl FnOnce()) -> usize {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut asked = 0;
            while !is_over.load(Ordering::Relaxed) {
                for path in ["/readyz", "/livez"] {
                    let (status, words) = ask(brigade, path);
                    assert_eq!(status, 200, "{path}: {words}");
                    asked += 1;
                }
            }
            asked
        });
        act();
        is_over.store(true, Ordering::Relaxed);
        asking.join().unwrap()
    })
}

#[test]
fn who_serves_is_started_alive_and_ready_and_says_so_in_words() {
    for place in ["127.0.0.1:0", "unix:admin.sock", "unix:@brigade-e2e-admin"] {
        let arguments = ["serve", "--workers", "2", "--admin", place];
        let brigade = Brigade::start(&arguments);
        answers(&brigade);
        for path in ["/startupz", "/livez", "/readyz"] {
            let (status, words) = ask(&brigade, path);
            assert_eq!(status, 200, "{path}: {words}");
            assert!(words.contains("2 of 2 workers serve"), "{words}");
            let (status, list) = ask(&brigade, &format!("{path}?verbose"));
            assert_eq!(status, 200, "{path}: {list}");
            assert!(list.contains("[+] ") && !list.contains("[-]"), "{list}");
        }
        assert_eq!(status(&brigade, "/healthz"), 404);
        assert_eq!(status(&brigade, "/"), 404);
        let address = admin(&brigade);
        let mut line = Connection::open(&address).unwrap();
        let refused = line.post("/livez", b"").unwrap();
        assert_eq!(refused.status, 405);
        assert_eq!(refused.header("allow"), Some("GET, HEAD"));
        let mut line = Connection::open(&address).unwrap();
        line.send("HEAD /readyz HTTP/1.1\r\nhost: test\r\n\r\n")
            .unwrap();
        let head = line.receive_head().unwrap();
        assert_eq!(head.status, 200);
        // Nothing follows the head: the next answer is the next answer.
        assert_eq!(line.get("/livez").unwrap().status, 200);
        brigade.stop_and_check();
        let gone = Connection::open(&address);
        assert!(gone.is_err(), "somebody still listens at {address:?}");
    }
}

/// The sockets that a process has open.
fn sockets(process: Process) -> Vec<String> {
    let open = (0..200).filter_map(|number| process.descriptor(number));
    open.filter(|name| name.starts_with("socket:")).collect()
}

#[test]
fn it_is_a_small_process_of_its_own_that_holds_nothing_of_the_service() {
    let brigade = start(&[]);
    let process = answers(&brigade);
    assert_eq!(process.title(), "brigade: admin");
    assert_eq!(process.parent(), Some(brigade.supervisor().0));
    let own = sockets(process);
    let shared: Vec<_> = sockets(brigade.supervisor())
        .into_iter()
        .filter(|socket| own.contains(socket))
        .collect();
    assert_eq!(
        shared.len(),
        1,
        "the admin address and no other: {shared:?}"
    );
    assert_eq!(process.status("Threads"), "1");
    // Nobody wakes without need.
    brigade.calm();
    // The terminal's and the manager's signals are for the supervisor.
    for signal in [
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
        Signal::SIGQUIT,
    ] {
        process.signal(signal);
    }
    assert_eq!(status(&brigade, "/livez"), 200);
    brigade.stop_and_check();
}

#[test]
fn without_the_option_there_is_no_such_process() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    assert_eq!(brigade.supervisor().children().len(), 2);
    assert!(brigade.events("admin.listening").is_empty());
    brigade.stop_and_check();
}

#[test]
fn before_the_first_worker_is_ready_it_answers_no() {
    let brigade = launch(&[]).file("brigade-demo.conf", "boot=hang").start();
    answers(&brigade);
    let (startup, words) = ask(&brigade, "/startupz");
    assert_eq!(startup, 503, "{words}");
    assert!(words.contains("0 of 2 workers serve"), "{words}");
    assert_eq!(status(&brigade, "/readyz"), 503);
    assert_eq!(status(&brigade, "/livez"), 200, "a restart would not help");
    drop(brigade);
}

#[test]
fn while_every_worker_hangs_it_answers_and_shows_it() {
    let brigade = start(&["--stall-warn", "200ms"]);
    brigade.expect("worker.blocked");
    let workers = brigade.workers();
    for worker in &workers {
        worker.process.signal(Signal::SIGSTOP);
    }
    for path in ["/startupz", "/livez", "/readyz", "/metrics"] {
        let begin = Instant::now();
        let _ = ask(&brigade, path);
        assert!(begin.elapsed() < Duration::from_secs(2), "{path}");
    }
    assert!(metric(&brigade, "brigade_worker_resident_memory_bytes{slot=\"0\"}") > 0.0);
    for worker in &workers {
        worker.process.signal(Signal::SIGCONT);
    }
    until_status(&brigade, "/readyz", 200);
    brigade.stop_and_check();
}

#[test]
fn a_supervisor_that_does_not_turn_is_not_alive_and_its_workers_stay_ready() {
    let brigade = start(&[]);
    assert_eq!(
        status(&brigade, "/livez"),
        200,
        "an answer that soon is too old"
    );
    brigade.supervisor().signal(Signal::SIGSTOP);
    brigade.until("the supervisor is seen to stand still", || {
        status(&brigade, "/livez") == 503
    });
    let (_, words) = ask(&brigade, "/livez");
    assert!(words.contains("the supervisor does not answer"), "{words}");
    assert_eq!(status(&brigade, "/readyz"), 200, "the workers serve");
    assert_eq!(brigade.get("/").status, 200);
    brigade.supervisor().signal(Signal::SIGCONT);
    until_status(&brigade, "/livez", 200);
    brigade.stop_and_check();
}

#[test]
fn from_the_first_moment_of_a_drain_to_its_end_it_is_not_ready_and_alive() {
    let brigade = start(&[]);
    let mut slow = brigade.connect();
    slow.send("GET /stream?chunks=20&ms=50 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let head = slow.receive_head().unwrap();
    let mark = brigade.mark();
    brigade.signal(Signal::SIGTERM);
    brigade.wait_after(mark, "fleet.stopping", |_| true);
    let (ready, words) = ask(&brigade, "/readyz");
    assert_eq!(ready, 503, "{words}");
    assert!(words.contains("it stops"), "{words}");
    assert_eq!(status(&brigade, "/livez"), 200);
    assert_eq!(status(&brigade, "/startupz"), 200);
    assert_eq!(metric(&brigade, "brigade_phase{phase=\"stopping\"}"), 1.0);
    let left = brigade.events("worker.left").len();
    assert!(left < 2, "all of that during the drain");
    assert!(!slow.receive_body(&head).unwrap().is_empty());
    brigade.ended(0);
}

#[test]
fn killed_it_is_replaced_and_nobody_is_refused() {
    let brigade = start(&[]);
    brigade.expect("admin.crashed");
    let mut process = answers(&brigade);
    for round in 1..=3 {
        let mark = brigade.mark();
        process.signal(Signal::SIGKILL);
        // At once, and while nobody is there: whoever comes waits in the queue.
        for _ in 0..5 {
            assert_eq!(status(&brigade, "/livez"), 200);
        }
        brigade.wait_after(mark, "admin.crashed", |event| event.pid() == process.0);
        process = Process(brigade.wait_after(mark, "admin.ready", |_| true).pid());
        let counted = metric(&brigade, "brigade_admin_restarts_total");
        assert_eq!(counted, f64::from(round));
    }
    brigade.stop_and_check();
}

#[test]
fn a_frozen_one_is_killed_at_the_end_and_does_not_hold_it_up() {
    let brigade = start(&[]);
    brigade.expect("admin.overdue");
    answers(&brigade).signal(Signal::SIGSTOP);
    let mark = brigade.mark();
    brigade.signal(Signal::SIGTERM);
    brigade.wait_after(mark, "admin.overdue", |event| {
        event.text("deadline") == "leave"
    });
    brigade.ended(0);
}

#[test]
fn with_the_supervisor_it_goes_at_once_and_the_address_is_free() {
    let brigade = start(&[]);
    let (process, address) = (answers(&brigade), admin(&brigade));
    brigade.bereave();
    brigade.until("the process is gone", || {
        process.parent().is_none() || process.is_zombie()
    });
    assert!(
        Connection::open(&address).is_err(),
        "nobody listens any more"
    );
}

#[test]
fn the_counters_count_what_happened_and_never_step_back() {
    let brigade = start(&[]);
    for _ in 0..10 {
        assert_eq!(brigade.get("/").status, 200);
    }
    let all = || -> f64 {
        let slots = ["0", "1"];
        let of = |slot: &str| format!("brigade_requests_total{{slot=\"{slot}\",class=\"2xx\"}}");
        slots.map(|slot| metric(&brigade, &of(slot))).iter().sum()
    };
    brigade.until("all are counted", || all() == 10.0);
    brigade.kill(brigade.worker(0), Signal::SIGKILL);
    assert_eq!(all(), 10.0, "they outlive the worker");
    let crashes = "brigade_worker_restarts_total{cause=\"crash\"}";
    assert_eq!(metric(&brigade, crashes), 1.0);
    let mark = brigade.signal_heard(Signal::SIGHUP);
    brigade.wait_after(mark, "reload.done", |_| true);
    assert_eq!(
        metric(&brigade, "brigade_reloads_total{outcome=\"done\"}"),
        1.0
    );
    assert_eq!(metric(&brigade, "brigade_generation"), 2.0);
    assert_eq!(all(), 10.0);
    let started = metric(&brigade, "brigade_start_time_seconds");
    assert!(started > 1.7e9, "{started}");
    brigade.stop_and_check();
}

#[test]
fn an_upgrade_in_place_refuses_nobody_and_puts_a_process_of_the_new_program_there() {
    let brigade = launch(&[]).copied_as("DIR/brigade").ready();
    let before = answers(&brigade);
    let asked = while_asking(&brigade, || {
        for _ in 0..3 {
            let (file, mark) = (replace(&brigade), brigade.mark());
            upgraded(&brigade);
            let now = Process(brigade.wait_after(mark, "admin.ready", |_| true).pid());
            assert_eq!(runs(now), file, "it runs the new program");
            brigade.wait_after(mark, "admin.left", |_| true);
        }
    });
    assert!(asked > 10, "{asked}");
    assert!(before.parent().is_none(), "the first one has left");
    assert_eq!(
        metric(&brigade, "brigade_upgrades_total{outcome=\"done\"}"),
        3.0
    );
    brigade.stop_and_check();
}

#[test]
fn who_holds_connections_and_says_nothing_keeps_no_probe_waiting() {
    let brigade = start(&[]);
    let address = admin(&brigade);
    let idle: Vec<_> = (0..200)
        .map(|_| Connection::open(&address).unwrap())
        .collect();
    let begin = Instant::now();
    assert_eq!(status(&brigade, "/livez"), 200);
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "{:?}",
        begin.elapsed()
    );
    drop(idle);
    brigade.stop_and_check();
}

#[test]
fn programs_are_shown_with_their_lives_and_memory() {
    let arguments = [
        "exec",
        "--workers",
        "2",
        "--admin",
        "127.0.0.1:0",
        "--ready",
        "50ms",
        "--",
        "sleep",
        "1000",
    ];
    let brigade = Brigade::start(&arguments);
    assert_eq!(status(&brigade, "/readyz"), 200);
    assert_eq!(metric(&brigade, "brigade_workers{state=\"ready\"}"), 2.0);
    assert!(metric(&brigade, "brigade_worker_resident_memory_bytes{slot=\"1\"}") > 0.0);
    brigade.stop_and_check();
}
