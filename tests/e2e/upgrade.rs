//! USR2: another program in the same process, under the same workers, and nobody who asks notices.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use brigade_shared::board::Board;
use brigade_shared::id::SlotId;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{
    Account, Brigade, Crowd, Event, Launch, Load, Mark, Need, Process, Worker, app, copy_program,
    full, lacks, python, say, sized,
};

pub(crate) const BOTH: [&str; 4] = ["--bind", "127.0.0.1:0", "--bind", "unix:a.sock"];

/// A Brigade of its own file, so that the file can be replaced.
pub(crate) fn start(options: &[&str]) -> Brigade {
    let arguments = [&["serve", "--workers", "2"], options].concat();
    Launch::new(&arguments).copied_as("DIR/brigade").ready()
}

/// Replaces the file as package managers do: a new one takes the name of the old.
pub(crate) fn replace(brigade: &Brigade) -> u64 {
    replace_by(brigade, Path::new(env!("CARGO_BIN_EXE_brigade")))
}

/// The same by any other file.
pub(crate) fn replace_by(brigade: &Brigade, with: &Path) -> u64 {
    let next = brigade.dir().join("brigade.next");
    copy_program(with, &next);
    fs::rename(&next, brigade.dir().join("brigade")).unwrap();
    fs::metadata(brigade.dir().join("brigade")).unwrap().ino()
}

/// Asks for an upgrade and waits until it is over, well or not.
pub(crate) fn upgrade(brigade: &Brigade) -> (Mark, Event) {
    let mark = brigade.signal_heard(Signal::SIGUSR2);
    (mark, outcome(brigade, mark))
}

pub(crate) fn outcome(brigade: &Brigade, mark: Mark) -> Event {
    let names = ["upgrade.done", "upgrade.refused", "upgrade.rolled_back"];
    brigade.wait_any_after(mark, &names)
}

pub(crate) fn upgraded(brigade: &Brigade) -> i64 {
    let (_, event) = upgrade(brigade);
    assert_eq!(event.name(), "upgrade.done", "{}", event.value);
    event.number("generation").unwrap()
}

/// The workers of this generation that are ready.
fn serving(brigade: &Brigade, generation: i64) -> Vec<Worker> {
    let mut workers = brigade.workers();
    workers.retain(|worker| worker.generation == generation);
    workers
}

/// What a process holds open, but for the line on which a supervisor asks the kernel for the
/// queues of Unix sockets: each program opens it when somebody waits there for the first time.
pub(crate) fn held(process: Process) -> Vec<String> {
    let lines = fs::read_to_string("/proc/net/netlink").unwrap();
    let asks: Vec<&str> = lines
        .lines()
        .filter_map(|line| line.split_whitespace().next_back())
        .collect();
    let folder = fs::read_dir(format!("/proc/{}/fd", process.0));
    let links = folder.into_iter().flatten().flatten();
    let mut held: Vec<String> = links
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|link| link.to_string_lossy().into_owned())
        .filter(|link| {
            let inode = link
                .strip_prefix("socket:[")
                .map(|rest| rest.trim_end_matches(']'));
            inode.is_none_or(|inode| !asks.contains(&inode))
        })
        .map(|link| link.split(":[").next().unwrap_or_default().to_owned())
        .collect();
    held.sort();
    held
}

/// The inode of the file that a process runs.
pub(crate) fn runs(process: Process) -> u64 {
    fs::metadata(format!("/proc/{}/exe", process.0))
        .unwrap()
        .ino()
}

/// Requests that all slots have answered, as the scoreboard says. (Until there is a command that
/// shows it, the memory is read as another program would.)
fn answered(brigade: &Brigade) -> u64 {
    let folder = format!("/proc/{}/fd", brigade.supervisor().0);
    let is_board = |path: &Path| {
        fs::read_link(path).is_ok_and(|to| to.to_string_lossy().contains("brigade-board"))
    };
    let mut entries = fs::read_dir(folder).unwrap().flatten();
    let path = entries
        .find(|entry| is_board(&entry.path()))
        .unwrap()
        .path();
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let board = Board::adopt(file.into()).unwrap();
    (0..2)
        .map(|slot| board.counts(SlotId(slot)).answered())
        .sum()
}

/// The longest time without any answer on a new connection.
fn longest_gap(account: &Account) -> Duration {
    let first = account.first_bytes.iter();
    let mut answers: Vec<Instant> = first.map(|first| first.begin + first.took).collect();
    answers.sort_unstable();
    let gaps = answers.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().unwrap_or_default()
}

/// What the releases that fail do wrong; none of their workers is ever ready in both slots.
const BAD: [&str; 5] = [
    "boot=fail",
    "boot=abort",
    "boot=hang",
    "boot=fail\nslot=1",
    "boot=abort\nslot=1",
];

#[test]
fn twenty_upgrades_and_five_that_roll_back_lose_nothing_under_load() {
    let room = ["--reload-max-lingering", "100", "--timeout-start", "2s"];
    let brigade = start(&[&BOTH[..], &room].concat());
    let back = ["upgrade.rolled_back", "reload.rolled_back"];
    for name in [
        &back[..],
        &["app.failed", "worker.crashed", "worker.overdue"],
    ]
    .concat()
    {
        brigade.expect(name);
    }
    let supervisor = brigade.supervisor();
    let before = (held(supervisor), held(brigade.worker(0).process));
    let crowd = Crowd::gather("20 upgrades and 5 that roll back", &brigade);
    let mut counted = answered(&brigade);
    let (mut serves, mut newest) = (1, 1);
    crowd.while_they_ask(6, 25, || {
        let is_bad = newest % 5 == 0;
        newest += 1;
        let leaving = serving(&brigade, serves);
        if is_bad {
            fails(&brigade, BAD[(newest / 5) as usize % BAD.len()]);
        } else {
            let file = replace(&brigade);
            let (mark, event) = upgrade(&brigade);
            assert_eq!(event.name(), "upgrade.done", "{}", event.value);
            assert!(event.is("generation", newest), "{}", event.value);
            assert_eq!(runs(supervisor), file, "it runs what it was replaced by");
            serves = newest;
            // Whoever left did so as asked: the exec of the supervisor is no death of a parent.
            for worker in leaving {
                brigade.wait_after(mark, "worker.draining", |event| {
                    event.pid() == worker.process.0
                });
            }
        }
        let all_are_children = serving(&brigade, serves)
            .iter()
            .all(|worker| worker.process.parent() == Some(supervisor.0));
        assert!(all_are_children);
        let now = answered(&brigade);
        assert!(
            now >= counted,
            "the counters stepped back: {now} after {counted}"
        );
        counted = now;
    });
    let all = crowd.go_home(&[]);
    assert!(all.generations.len() > 3, "{:?}", all.generations);
    for crash in brigade.events("worker.crashed") {
        assert_eq!(crash.value["was_ready"], false, "{}", crash.value);
    }
    brigade.only(serves);
    brigade.until("descriptors are as before", || {
        (held(supervisor), held(brigade.worker(0).process)) == before
    });
    assert_eq!(supervisor.title(), "brigade: supervisor");
    assert_eq!(supervisor.status("Name"), "brigade");
    brigade.stop_and_check();
}

/// An upgrade to a release that fails so.
fn fails(brigade: &Brigade, words: &str) {
    let (supervisor, file) = (
        brigade.supervisor(),
        brigade.dir().join("brigade-demo.conf"),
    );
    let program = runs(supervisor);
    fs::write(&file, words).unwrap();
    replace(brigade);
    let (_, event) = upgrade(brigade);
    assert_eq!(event.name(), "upgrade.rolled_back", "{}", event.value);
    assert_eq!(runs(supervisor), program, "the old program is back");
    fs::remove_file(&file).unwrap();
}

#[test]
fn there_is_no_gap_in_the_answers() {
    let brigade = start(&BOTH);
    let pace = Duration::from_millis(4);
    let load = |load: Load| load.think(pace).start();
    let kept = load(Load::keep_alive(&brigade, 2));
    let anew = load(Load::connections(&brigade, 2));
    let times = sized(3, 20);
    for generation in 2..i64::from(times) + 2 {
        replace(&brigade);
        assert_eq!(upgraded(&brigade), generation);
        anew.flow(50);
    }
    let (kept, anew) = (kept.stop(), anew.stop());
    kept.assert_lost_none();
    anew.assert_lost_none();
    let gap = longest_gap(&anew).max(kept.slowest);
    say(&format!(
        "{times} upgrades: nobody was without an answer for longer than {gap:?}"
    ));
    // How a crowded machine shares out its processors is not ours to promise.
    let most = if full() { 50 } else { 1000 };
    assert!(
        gap < Duration::from_millis(most),
        "{gap:?} without an answer"
    );
    brigade.stop_and_check();
}

#[test]
fn the_file_may_be_found_by_name_or_through_a_link_and_may_be_gone() {
    // As ./brigade, by its name in PATH, and through a link that is switched.
    for name in ["./brigade", "brigade", "current/brigade"] {
        let launch = Launch::new(&["serve", "--workers", "1"]).copied_as(name);
        let dir = launch.dir().to_owned();
        fs::create_dir(dir.join("one")).unwrap();
        fs::create_dir(dir.join("two")).unwrap();
        fs::hard_link(dir.join("brigade"), dir.join("one/brigade")).unwrap();
        symlink("one", dir.join("current")).unwrap();
        let path = format!("{}:/usr/bin:/bin", dir.display());
        let brigade = launch.variable("PATH", &path).ready();
        let file = if name == "current/brigade" {
            copy_program(&dir.join("brigade"), &dir.join("two/brigade"));
            symlink("two", dir.join("next")).unwrap();
            fs::rename(dir.join("next"), dir.join("current")).unwrap();
            fs::remove_dir_all(dir.join("one")).unwrap();
            fs::metadata(dir.join("two/brigade")).unwrap().ino()
        } else {
            replace(&brigade)
        };
        for _ in 0..2 {
            upgraded(&brigade);
            assert_eq!(runs(brigade.supervisor()), file, "{name}");
        }
        assert_eq!(brigade.get("/").status, 200);
        brigade.stop_and_check();
    }
}

#[test]
fn a_new_configuration_comes_with_the_new_program() {
    let launch = Launch::new(&["serve"]).copied_as("DIR/brigade");
    let brigade = launch.file("brigade.toml", "workers = 1\n").ready();
    let load = Load::connections(&brigade, 2).start();
    for workers in [3, 2] {
        let text = format!("workers = {workers}\n");
        fs::write(brigade.dir().join("brigade.toml"), text).unwrap();
        let generation = upgraded(&brigade);
        brigade.only(generation);
        brigade.until("the fleet has its size", || {
            brigade.workers().len() == workers
        });
        load.flow(20);
    }
    load.stop().assert_lost_none();
    brigade.stop_and_check();
}

#[test]
fn a_pid_file_stays_and_is_removed_in_the_end() {
    let brigade = start(&["--pid-file", "brigade.pid"]);
    upgraded(&brigade);
    let text = fs::read_to_string(brigade.dir().join("brigade.pid")).unwrap();
    assert_eq!(text.trim(), brigade.supervisor().0.to_string());
    brigade.stop_and_check();
}

#[test]
fn workers_of_another_user_are_taken_over_and_followed_by_their_like() {
    if lacks(Need::Root) {
        return;
    }
    let options = [&["--user", "nobody"], &BOTH[..]].concat();
    let brigade = start(&options);
    let uid = brigade.worker(0).process.status("Uid");
    let generation = upgraded(&brigade);
    brigade.only(generation);
    assert_eq!(brigade.worker(0).process.status("Uid"), uid);
    assert!(brigade.supervisor().status("Uid").starts_with("0 "));
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn sockets_passed_by_systemd_go_along() {
    let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses: Vec<_> = sockets
        .iter()
        .map(|socket| socket.local_addr().unwrap())
        .collect();
    let announce = "export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:admin";
    let launch = Launch::anywhere(&["serve", "--workers", "2"])
        .inherit_two(sockets.map(OwnedFd::from))
        .after(announce)
        .copied_as("DIR/brigade");
    let brigade = launch.ready();
    for _ in 0..3 {
        replace(&brigade);
        let generation = upgraded(&brigade);
        brigade.only(generation);
        for address in &addresses {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
            let text = std::io::read_to_string(stream).unwrap();
            assert!(text.contains(" 200 OK\r\n"), "{text}");
        }
    }
    brigade.stop_and_check();
}

#[test]
fn process_1_is_upgraded_like_any_other() {
    if lacks(Need::Root) {
        return;
    }
    let unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let launch = Launch::new(&["serve", "--workers", "2"]).copied_as("DIR/brigade");
    let brigade = launch.under(&unshare).ready();
    let first = brigade.supervisor().children()[0];
    let tell = |signal| kill(Pid::from_raw(first.0), signal).unwrap();
    let load = Load::connections(&brigade, 4).start();
    for _ in 0..3 {
        let file = replace(&brigade);
        let mark = brigade.mark();
        tell(Signal::SIGUSR2);
        assert_eq!(outcome(&brigade, mark).name(), "upgrade.done");
        assert_eq!(runs(first), file);
        load.flow(20);
    }
    load.stop().assert_lost_none();
    tell(Signal::SIGTERM);
    brigade.ended(0);
}

#[test]
fn programs_go_on_under_the_new_supervisor() {
    if lacks(Need::Python) {
        return;
    }
    let program = [python().display().to_string(), app("plain.py")];
    let launch = Launch::new(&["exec", "--workers", "2"]).copied_as("DIR/brigade");
    let brigade = launch.arguments(["--"]).arguments(program).ready();
    let before = held(brigade.supervisor());
    let load = Load::connections(&brigade, 2).path("/").start();
    for _ in 0..3 {
        replace(&brigade);
        let generation = upgraded(&brigade);
        brigade.only(generation);
        load.flow(20);
    }
    // Between two programs that share no queue, and stop as they like, a connection may be lost.
    load.stop();
    let environment = brigade.get("/env").text();
    assert!(!environment.contains("BRIGADE_HANDOVER"), "{environment}");
    brigade.until("descriptors are as before", || {
        held(brigade.supervisor()) == before
    });
    brigade.stop_and_check();
}

#[test]
fn output_begun_before_an_upgrade_is_ended_after_it() {
    let program =
        r#"printf 'begun '; while ! test -e go; do sleep 0.02; done; echo ended; exec sleep 1000"#;
    let arguments = [
        "exec",
        "--workers",
        "1",
        "--ready",
        "100ms",
        "--",
        "sh",
        "-c",
        program,
    ];
    let brigade = Launch::new(&arguments).copied_as("DIR/brigade").start();
    brigade.wait_for("fleet.ready", |_| true);
    let first = brigade.worker(0);
    let mark = brigade.signal_heard(Signal::SIGUSR2);
    brigade.wait_after(mark, "upgrade.resumed", |_| true);
    fs::write(brigade.dir().join("go"), "").unwrap();
    let line = brigade.wait_after(mark, "worker.output", |event| {
        event.pid() == first.process.0
    });
    assert_eq!(line.text("line"), "begun ended");
    brigade.wait_after(mark, "upgrade.done", |_| true);
    brigade.stop_and_check();
}

#[test]
fn no_line_of_the_workers_is_lost_or_torn() {
    let program = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.002; done";
    let arguments = ["exec", "--workers", "1", "--ready", "50ms", "--"];
    let launch = Launch::new(&arguments).arguments(["sh", "-c", program]);
    let brigade = launch.copied_as("DIR/brigade").start();
    brigade.wait_for("fleet.ready", |_| true);
    for _ in 0..5 {
        replace(&brigade);
        let generation = upgraded(&brigade);
        brigade.only(generation);
    }
    let mut next: BTreeMap<i32, u64> = BTreeMap::new();
    for event in brigade.events("worker.output") {
        let next = next.entry(event.pid()).or_insert(1);
        assert_eq!(event.text("line"), format!("line {next}"));
        *next += 1;
    }
    assert!(next.len() >= 6, "{next:?}");
    brigade.stop_and_check();
}

#[test]
fn an_upgrade_while_workers_linger_takes_them_along() {
    let brigade = start(&[]);
    let mut slow = brigade.connect();
    slow.send("GET /sleep?ms=1500 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let workers = brigade.workers();
    for _ in 0..3 {
        upgraded(&brigade);
    }
    let answer = slow.receive().unwrap();
    assert_eq!(answer.status, 200, "by a worker three programs old");
    brigade.until("all of the first have left", || {
        brigade
            .workers()
            .iter()
            .all(|worker| !workers.contains(worker))
    });
    brigade.stop_and_check();
}
