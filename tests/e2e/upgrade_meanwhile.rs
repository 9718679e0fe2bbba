//! What happens in the middle of an upgrade: while the new program is asked, between its answer
//! and its first instruction, and while its workers prove themselves.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::support::{Brigade, Connection, Launch, Load, Mark, Process, Trouble, copy_program};
use crate::upgrade::{held, outcome, runs, start, upgraded};

/// A new program that pauses at places of the test's choice, for as long as the test likes.
///
/// It is a shell, which finds the script `serve` where Brigade finds a command, and becomes the
/// real one. The script has no children of its own: these would be taken for workers, and its
/// waiting for them would take the workers' deaths away from the supervisor.
struct Hesitant<'a> {
    brigade: &'a Brigade,
}

/// Where it pauses.
#[derive(Clone, Copy)]
enum Place {
    /// Before it answers.
    Asked,
    /// In the place of the old program: every signal is blocked, and nobody listens.
    Executed,
}

impl Place {
    const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Executed => "executed",
        }
    }
}

impl<'a> Hesitant<'a> {
    /// Takes the name of the old program. `before` are more lines of its script.
    fn new(brigade: &'a Brigade, places: &[Place], before: &str) -> Self {
        let folder = brigade.dir().display();
        let script = format!(
            r#"case $BRIGADE_HANDOVER in sentinel:*) place=asked ;; *) place=executed ;; esac
{before}
place={folder}/$place
if test -p "$place"; then
    echo $$ > "$place.here"
    read -r _ < "$place"
fi
exec {folder}/real serve "$@"
"#
        );
        let this = Self { brigade };
        fs::write(this.path("serve"), script).unwrap();
        let real = Path::new(env!("CARGO_BIN_EXE_brigade"));
        copy_program(real, &this.path("real"));
        for place in places {
            let mode = Mode::S_IRUSR | Mode::S_IWUSR;
            mkfifo(&this.path(place.name()), mode).unwrap();
        }
        copy_program(Path::new("/bin/sh"), &this.path("next"));
        fs::set_permissions(this.path("next"), Permissions::from_mode(0o755)).unwrap();
        fs::rename(this.path("next"), this.path("brigade")).unwrap();
        this
    }

    /// Waits until it pauses there.
    fn pauses(&self, place: Place) -> Process {
        let path = self.path(&format!("{}.here", place.name()));
        let pid = || fs::read_to_string(&path).ok()?.trim().parse().ok();
        self.brigade
            .until("the new program pauses", || pid().is_some());
        Process(pid().unwrap())
    }

    /// Lets it go on.
    fn goes_on(&self, place: Place) {
        // Waits until it reads.
        fs::write(self.path(place.name()), "on\n").unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.brigade.dir().join(name)
    }
}

fn send(process: Process, signal: Signal) {
    kill(Pid::from_raw(process.0), signal).unwrap();
}

/// Asks for an upgrade, and waits until the new program pauses there.
fn caught<'a>(brigade: &'a Brigade, place: Place) -> (Hesitant<'a>, Mark, Process) {
    let hesitant = Hesitant::new(brigade, &[place], "");
    let mark = brigade.signal_heard(Signal::SIGUSR2);
    let process = hesitant.pauses(place);
    (hesitant, mark, process)
}

/// The upgrade is refused with these words, and Brigade is as it was.
fn refused_with(brigade: &Brigade, mark: Mark, words: &str, before: &[String]) {
    brigade.expect("upgrade.refused");
    let event = outcome(brigade, mark);
    assert_eq!(event.name(), "upgrade.refused", "{}", event.value);
    assert!(event.text("reason").contains(words), "{}", event.value);
    assert!(!brigade.has_after(mark, "upgrade.resumed"));
    brigade.until("descriptors are as before", || {
        held(brigade.supervisor()) == before
    });
    brigade.check_children();
}

#[test]
fn a_sentinel_that_is_killed_has_not_agreed() {
    let brigade = start(&[]);
    let before = held(brigade.supervisor());
    let load = Load::connections(&brigade, 2).start();
    let (_hesitant, mark, sentinel) = caught(&brigade, Place::Asked);
    send(sentinel, Signal::SIGKILL);
    load.stop().assert_lost_none();
    refused_with(&brigade, mark, "gave no answer: signal SIGKILL", &before);
    brigade.stop_and_check();
}

#[test]
fn orders_to_the_whole_group_do_not_end_the_sentinel() {
    let brigade = start(&[]);
    let (hesitant, mark, sentinel) = caught(&brigade, Place::Asked);
    for order in [
        Signal::SIGHUP,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGTTIN,
        Signal::SIGTTOU,
    ] {
        send(sentinel, order);
    }
    hesitant.goes_on(Place::Asked);
    assert_eq!(outcome(&brigade, mark).name(), "upgrade.done");
    brigade.only(2);
    brigade.stop_and_check();
}

#[test]
fn a_sentinel_that_hangs_is_killed_with_what_it_has_started() {
    let brigade = start(&["--timeout-start", "1s"]);
    let before = held(brigade.supervisor());
    let started = "sleep 1000 & echo $! > child.number";
    let hesitant = Hesitant::new(&brigade, &[Place::Asked], started);
    let mark = brigade.signal_heard(Signal::SIGUSR2);
    send(hesitant.pauses(Place::Asked), Signal::SIGSTOP);
    refused_with(&brigade, mark, "no answer in time", &before);
    let child = fs::read_to_string(brigade.dir().join("child.number")).unwrap();
    let child = Process(child.trim().parse().unwrap());
    brigade.until("its child is gone too", || {
        child.parent().is_none() || child.is_zombie()
    });
    brigade.stop_and_check();
}

#[test]
fn a_sentinel_that_crashes_has_not_agreed() {
    let brigade = start(&[]);
    let before = held(brigade.supervisor());
    // And what it has started holds what it was given; the end of the test finds it.
    let crash = "sleep 1000 >/dev/null 2>&1 & echo broken >&2; kill -SEGV $$";
    let _hesitant = Hesitant::new(&brigade, &[], crash);
    let mark = brigade.signal_heard(Signal::SIGUSR2);
    let words = "gave no answer: signal SIGSEGV; it said: broken";
    refused_with(&brigade, mark, words, &before);
    brigade.stop_and_check();
}

#[test]
fn a_program_that_agreed_is_executed_whatever_becomes_of_its_file() {
    let brigade = start(&[]);
    let (hesitant, mark, _) = caught(&brigade, Place::Asked);
    fs::remove_file(brigade.dir().join("brigade")).unwrap();
    hesitant.goes_on(Place::Asked);
    assert_eq!(outcome(&brigade, mark).name(), "upgrade.done");
    brigade.only(2);
    let real = fs::metadata(brigade.dir().join("real")).unwrap();
    assert_eq!(runs(brigade.supervisor()), real.ino());
    brigade.stop_and_check();
}

#[test]
fn a_stop_while_the_new_program_is_asked_does_not_wait_for_it() {
    let brigade = start(&[]);
    let mut slow = brigade.connect();
    slow.send("GET /sleep?ms=1500 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let (_hesitant, mark, sentinel) = caught(&brigade, Place::Asked);
    brigade.signal_heard(Signal::SIGTERM);
    brigade.wait_after(mark, "fleet.stopping", |_| true);
    // It had copies of the listening sockets: who connected there would wait for nobody.
    brigade.until("nobody listens", || {
        matches!(Connection::open(&brigade.address()), Err(Trouble::Refused))
    });
    brigade.until("it is gone, and was waited for", || {
        sentinel.parent().is_none()
    });
    assert_eq!(slow.receive().unwrap().status, 200);
    brigade.ended(0);
}

#[test]
fn a_reload_asked_for_while_the_new_program_is_asked_follows_the_upgrade() {
    let brigade = start(&[]);
    let (hesitant, mark, _) = caught(&brigade, Place::Asked);
    brigade.signal_heard(Signal::SIGHUP);
    hesitant.goes_on(Place::Asked);
    let done = brigade.wait_after(mark, "upgrade.done", |_| true);
    assert!(done.is("generation", 2), "{}", done.value);
    let done = brigade.wait_after(mark, "reload.done", |_| true);
    assert!(done.is("generation", 3), "{}", done.value);
    brigade.only(3);
    brigade.stop_and_check();
}

#[test]
fn a_second_upgrade_while_the_new_program_is_asked_is_refused_at_once() {
    let brigade = start(&[]);
    brigade.expect("upgrade.refused");
    let (hesitant, mark, _) = caught(&brigade, Place::Asked);
    let second = brigade.signal_heard(Signal::SIGUSR2);
    let refused = outcome(&brigade, second);
    assert_eq!(refused.text("because"), "busy", "{}", refused.value);
    hesitant.goes_on(Place::Asked);
    brigade.wait_after(mark, "upgrade.done", |_| true);
    brigade.stop_and_check();
}

#[test]
fn a_worker_more_asked_for_while_the_new_program_is_asked_comes_at_once() {
    let brigade = start(&[]);
    let (hesitant, mark, _) = caught(&brigade, Place::Asked);
    brigade.signal_heard(Signal::SIGTTIN);
    brigade.wait_after(mark, "worker.ready", |event| event.is("slot", 2));
    hesitant.goes_on(Place::Asked);
    // As with a reload, the configured number holds from then on.
    brigade.wait_after(mark, "upgrade.done", |_| true);
    brigade.only(2);
    assert_eq!(brigade.workers().len(), 2);
    brigade.stop_and_check();
}

#[test]
fn a_worker_more_asked_for_during_the_exec_comes() {
    let brigade = start(&[]);
    let (hesitant, mark, _) = caught(&brigade, Place::Executed);
    brigade.signal(Signal::SIGTTIN);
    hesitant.goes_on(Place::Executed);
    brigade.wait_after(mark, "upgrade.done", |_| true);
    brigade.until("there are three of the new generation", || {
        let workers = brigade.workers();
        workers.len() == 3 && workers.iter().all(|worker| worker.generation == 2)
    });
    brigade.stop_and_check();
}

#[test]
fn a_worker_killed_while_the_new_program_is_asked_is_replaced_at_once() {
    let brigade = start(&[]);
    let (hesitant, mark, _) = caught(&brigade, Place::Asked);
    brigade.kill(brigade.worker(1), Signal::SIGKILL);
    brigade.wait_after(mark, "worker.ready", |event| event.is("generation", 1));
    hesitant.goes_on(Place::Asked);
    brigade.wait_after(mark, "upgrade.done", |_| true);
    brigade.only(2);
    assert_eq!(brigade.workers().len(), 2);
    brigade.stop_and_check();
}

#[test]
fn a_worker_that_dies_during_the_exec_is_noticed() {
    let brigade = start(&[]);
    let load = Load::connections(&brigade, 2).start();
    let (hesitant, mark, _) = caught(&brigade, Place::Executed);
    let victim = brigade.worker(1);
    send(victim.process, Signal::SIGKILL);
    brigade.expect("worker.crashed");
    brigade.until("it is dead", || victim.process.is_zombie());
    hesitant.goes_on(Place::Executed);
    let crashed = brigade.wait_after(mark, "worker.crashed", |_| true);
    assert_eq!(crashed.pid(), victim.process.0);
    assert_eq!(outcome(&brigade, mark).name(), "upgrade.done");
    brigade.only(2);
    assert_eq!(brigade.workers().len(), 2);
    load.flow(20);
    load.stop();
    brigade.stop_and_check();
}

#[test]
fn a_worker_killed_while_the_new_ones_prove_themselves_is_noticed_and_replaced_in_the_end() {
    let brigade = start(&["--reload-probation", "500ms"]);
    let load = Load::connections(&brigade, 4).start();
    let victim = brigade.worker(1);
    let mark = brigade.signal_heard(Signal::SIGUSR2);
    brigade.wait_after(mark, "upgrade.resumed", |_| true);
    let killed = brigade.kill(victim, Signal::SIGKILL);
    assert_eq!(outcome(&brigade, mark).name(), "upgrade.done");
    brigade.only(2);
    assert_eq!(brigade.workers().len(), 2);
    load.flow(50);
    load.stop().assert_lost_only(&[killed]);
    brigade.stop_and_check();
}

#[test]
fn a_reload_asked_for_during_the_exec_is_heard_and_follows() {
    let brigade = start(&[]);
    let (hesitant, mark, _) = caught(&brigade, Place::Executed);
    brigade.signal(Signal::SIGHUP);
    hesitant.goes_on(Place::Executed);
    brigade.wait_after(mark, "signal.received", |event| {
        event.text("signal") == "SIGHUP"
    });
    brigade.wait_after(mark, "upgrade.done", |_| true);
    let done = brigade.wait_after(mark, "reload.done", |_| true);
    brigade.only(done.number("generation").unwrap());
    brigade.stop_and_check();
}

#[test]
fn a_stop_asked_for_during_the_exec_is_heard() {
    let brigade = start(&[]);
    let (hesitant, mark, _) = caught(&brigade, Place::Executed);
    brigade.signal(Signal::SIGTERM);
    hesitant.goes_on(Place::Executed);
    brigade.wait_after(mark, "fleet.stopping", |_| true);
    brigade.ended(0);
}

#[test]
fn a_configuration_that_breaks_after_the_answer_leads_back() {
    let launch = Launch::anywhere(&["serve"]).copied_as("DIR/brigade");
    let text = "workers = 2\nport = 0\n";
    let brigade = launch.file("brigade.toml", text).ready();
    brigade.expect("upgrade.refused");
    let workers = brigade.workers();
    let load = Load::connections(&brigade, 2).start();
    let old = runs(brigade.supervisor());
    let (hesitant, mark, _) = caught(&brigade, Place::Executed);
    fs::write(brigade.dir().join("brigade.toml"), "workers = [\n").unwrap();
    hesitant.goes_on(Place::Executed);
    let event = outcome(&brigade, mark);
    assert_eq!(event.name(), "upgrade.refused", "{}", event.value);
    assert_eq!(event.text("because"), "exec", "{}", event.value);
    assert!(
        event.text("reason").contains("brigade.toml"),
        "{}",
        event.value
    );
    assert_eq!(runs(brigade.supervisor()), old);
    assert_eq!(brigade.workers(), workers);
    load.flow(20);
    // The next one is as welcome as ever.
    fs::remove_file(hesitant.path("executed")).unwrap();
    fs::write(brigade.dir().join("brigade.toml"), text).unwrap();
    let generation = upgraded(&brigade);
    brigade.only(generation);
    load.stop().assert_lost_none();
    brigade.stop_and_check();
}

#[test]
fn a_directory_that_is_gone_after_the_answer_leads_back() {
    let launch = Launch::new(&["serve", "--workers", "2"]).after("mkdir release && cd release");
    let brigade = launch.copied_as("DIR/brigade").ready();
    brigade.expect("upgrade.refused");
    let workers = brigade.workers();
    let hesitant = Hesitant::new(&brigade, &[Place::Executed], "");
    let release = hesitant.path("release");
    fs::rename(hesitant.path("serve"), release.join("serve")).unwrap();
    let mark = brigade.signal_heard(Signal::SIGUSR2);
    hesitant.pauses(Place::Executed);
    fs::remove_dir_all(&release).unwrap();
    hesitant.goes_on(Place::Executed);
    let event = outcome(&brigade, mark);
    assert_eq!(event.text("because"), "exec", "{}", event.value);
    assert_eq!(brigade.workers(), workers);
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn an_address_that_is_taken_after_the_answer_leads_back() {
    let launch = Launch::anywhere(&["serve"]).copied_as("DIR/brigade");
    let text = "workers = 2\nport = 0\n";
    let brigade = launch.file("brigade.toml", text).ready();
    brigade.expect("upgrade.refused");
    let workers = brigade.workers();
    let (hesitant, mark, _) = caught(&brigade, Place::Executed);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!("{text}bind = ['{}']\n", taken.local_addr().unwrap());
    fs::write(brigade.dir().join("brigade.toml"), text).unwrap();
    hesitant.goes_on(Place::Executed);
    let event = outcome(&brigade, mark);
    assert_eq!(event.text("because"), "exec", "{}", event.value);
    assert_eq!(brigade.workers(), workers);
    assert_eq!(brigade.get("/").status, 200);
    brigade.stop_and_check();
}

#[test]
fn what_waits_for_a_blocked_worker_is_served_by_others_all_the_while() {
    let brigade = start(&["--reload-probation", "1s"]);
    brigade.expect("worker.blocked");
    let mut blocker = brigade.connect();
    blocker
        .send("GET /blocking?ms=4000 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    brigade.wait_for("worker.blocked", |_| true);
    let load = Load::connections(&brigade, 4).start();
    let generation = upgraded(&brigade);
    load.flow(50);
    let account = load.stop();
    account.assert_lost_none();
    // Nobody has waited for the blocked one.
    assert!(account.slowest < Duration::from_secs(2), "{account:?}");
    assert_eq!(blocker.receive().unwrap().status, 200);
    brigade.only(generation);
    brigade.stop_and_check();
}
