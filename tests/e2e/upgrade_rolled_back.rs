//! USR2, and the generation of the new program fails: the old program comes back, and nobody who
//! asks notices.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Brigade, Crowd, Event, Kill, Process};
use crate::upgrade::{BOTH, held, replace, runs, start, upgrade, upgraded};

/// What such a failure brings with it.
pub(crate) fn expect_roll_back(brigade: &Brigade) {
    let names = ["upgrade.rolled_back", "reload.rolled_back", "app.failed"];
    let ends = ["worker.crashed", "worker.overdue", "worker.blocked"];
    for name in names.into_iter().chain(ends) {
        brigade.expect(name);
    }
}

/// Upgrades onto a generation that fails, under load: the old program comes back, its workers
/// never left.
fn rolls_back(name: &'static str, options: &[&str], words: &str, dies: bool) -> Event {
    let brigade = start(&[&BOTH[..], options].concat());
    expect_roll_back(&brigade);
    let supervisor = brigade.supervisor();
    let before = held(supervisor);
    let (old, workers) = (runs(supervisor), brigade.workers());
    let crowd = Crowd::gather(name, &brigade);
    fs::write(brigade.dir().join("brigade-demo.conf"), words).unwrap();
    let new = replace(&brigade);
    let (mark, back) = upgrade(&brigade);
    assert_eq!(back.name(), "upgrade.rolled_back", "{}", back.value);
    assert!(back.is("generation", 2), "{}", back.value);
    brigade.wait_after(mark, "upgrade.resumed", |_| true);
    assert_eq!(runs(supervisor), old, "the old program is back");
    brigade.until("the new generation has left", || {
        brigade.workers() == workers
    });
    crowd.flow();
    let crashes = brigade.events("worker.crashed").into_iter();
    let kill = |event: Event| Kill {
        process: Process(event.pid()),
        begin: event.at - Duration::from_millis(200),
        end: event.at,
    };
    // What was in flight on a worker of the new generation that died may be lost.
    let kills: Vec<_> = crashes.filter(|_| dies).map(kill).collect();
    fs::remove_file(brigade.dir().join("brigade-demo.conf")).unwrap();
    // The old program still makes workers: its own.
    let killed = brigade.kill(workers[0], Signal::SIGKILL);
    brigade.wait_after(mark, "worker.ready", |event| event.is("generation", 1));
    crowd.flow();
    brigade.until("descriptors are as before", || held(supervisor) == before);
    // What failed once may work the next time.
    let generation = upgraded(&brigade);
    assert_eq!(
        generation, 3,
        "the number of the failed one is not used again"
    );
    assert_eq!(runs(supervisor), new);
    crowd.flow();
    crowd.go_home(&[kills, vec![killed]].concat());
    brigade.only(generation);
    brigade.until("descriptors are as before", || held(supervisor) == before);
    brigade.stop_and_check();
    back
}

#[test]
fn a_new_program_whose_app_fails_to_boot_gives_way() {
    let back = rolls_back("upgrade fails to boot", &[], "boot=fail", false);
    assert!(back.text("output").contains("boot=fail"), "{}", back.value);
}

#[test]
fn a_new_program_whose_app_crashes_gives_way() {
    rolls_back("upgrade crashes", &[], "boot=abort", false);
}

#[test]
fn a_new_program_whose_app_hangs_gives_way() {
    let options = ["--timeout-start", "1s", "--timeout-kill", "500ms"];
    rolls_back("upgrade hangs", &options, "boot=hang", false);
}

#[test]
fn a_new_program_whose_worker_dies_in_its_probation_gives_way() {
    let options = ["--reload-probation", "1s"];
    let words = "later=abort\nlater_ms=300\nslot=0";
    rolls_back("upgrade dies in probation", &options, words, true);
}

#[test]
fn a_new_program_whose_last_worker_fails_gives_way() {
    let options = ["--reload-probation", "300ms"];
    rolls_back(
        "last of an upgrade fails",
        &options,
        "boot=fail\nslot=1",
        false,
    );
}

#[test]
fn a_new_program_whose_app_fails_stays_with_the_old_workers_if_the_old_one_can_not_be_had_back() {
    let brigade = start(&BOTH);
    expect_roll_back(&brigade);
    brigade.expect("upgrade.stranded");
    let (supervisor, workers) = (brigade.supervisor(), brigade.workers());
    let kept = brigade.dir().join("brigade.before");
    fs::hard_link(brigade.dir().join("brigade"), &kept).unwrap();
    let new = replace(&brigade);
    fs::write(brigade.dir().join("brigade-demo.conf"), "boot=hang").unwrap();
    let crowd = Crowd::gather("stranded", &brigade);
    let mark = brigade.signal_heard(Signal::SIGUSR2);
    let canary = brigade.wait_after(mark, "worker.spawned", |event| event.is("generation", 2));
    // Who may not execute a file can't execute what is held of it either.
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o600)).unwrap();
    kill(Pid::from_raw(canary.pid()), Signal::SIGKILL).unwrap();
    let stranded = brigade.wait_after(mark, "upgrade.stranded", |_| true);
    let reason = stranded.text("reason");
    assert!(reason.contains("can't be executed"), "{reason}");
    assert_eq!(runs(supervisor), new);
    assert_eq!(brigade.workers(), workers, "who serves never left");
    crowd.flow();
    fs::remove_file(brigade.dir().join("brigade-demo.conf")).unwrap();
    let mark = brigade.signal_heard(Signal::SIGHUP);
    let done = brigade.wait_after(mark, "reload.done", |_| true);
    brigade.only(done.number("generation").unwrap());
    crowd.go_home(&[]);
    brigade.stop_and_check();
}
