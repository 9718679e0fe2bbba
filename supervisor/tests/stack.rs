//! Looking at children in every state that a worker can be in. No libtest here: it runs tests in
//! threads, and a process with threads refuses to fork.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use brigade_shared::exit::Exit;
use brigade_shared::sys::trace::{self, Refusal};
use brigade_shared::sys::{fork, process, signal, wait};
use brigade_supervisor::stack::{self, Report};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, getpid, getuid, setuid};
use signal_hook::consts::SIGUSR1;

const PATIENCE: Duration = Duration::from_secs(30);

fn main() {
    let tests: [(&str, fn()); 13] = [
        (
            "who spins is named, and so is its caller",
            who_spins_is_named,
        ),
        ("who parks is named under the parking", who_parks_is_named),
        (
            "who waits for a lock is named under it",
            who_waits_for_a_lock_is_named,
        ),
        (
            "who reads is named, and so is what it reads",
            who_reads_is_named,
        ),
        (
            "a stopped child stays stopped, and its stack is read",
            a_stopped_child_stays_stopped,
        ),
        (
            "a zombie has ended and can still be reaped",
            a_zombie_has_ended,
        ),
        ("a process that was never there is gone", a_stranger_is_gone),
        (
            "children that end while they are looked at are reaped",
            children_end_while_looked_at,
        ),
        (
            "a busy child goes on and loses no signal",
            a_busy_child_loses_no_signal,
        ),
        (
            "a process that no signal reaches is not touched",
            an_uninterruptible_one_is_left_alone,
        ),
        (
            "a process that does not stop in time is let go",
            who_does_not_stop_is_let_go,
        ),
        (
            "a child of another user is read by root, and root by nobody else",
            users_matter,
        ),
        ("looking leaves no thread behind", no_thread_is_left),
    ];
    let count = tests.len();
    for (name, test) in tests {
        test();
        println!("ok: {name}");
    }
    println!("{count} passed, 0 failed");
}

// ---- what the children do

#[inline(never)]
fn shop_prices_a_basket(seed: u64) -> u64 {
    let mut price = seed;
    while black_box(price) != 0 {
        price = price.wrapping_mul(31) | 1;
    }
    price
}

#[inline(never)]
fn shop_answers(seed: u64) -> u64 {
    black_box(shop_prices_a_basket(black_box(seed))) + 1
}

#[inline(never)]
fn shop_waits_for_its_turn() {
    loop {
        std::thread::park();
        black_box(());
    }
}

#[inline(never)]
fn shop_locks_its_till_twice() -> u64 {
    static TILL: Mutex<u64> = Mutex::new(0);
    let first = black_box(TILL.lock().unwrap());
    let second = black_box(TILL.lock().unwrap());
    *first + *second
}

#[inline(never)]
fn shop_reads_the_ledger(mut ledger: impl Read) -> usize {
    let mut line = [0; 8];
    black_box(ledger.read(&mut line).unwrap_or(0))
}

// ---- helpers

fn child(does: impl FnOnce() -> i32) -> Pid {
    let parent = getpid();
    fork::fork_child(|| {
        // A test that fails leaves nobody behind.
        process::follow_parent(parent, Signal::SIGKILL).unwrap();
        signal::unblock_all().unwrap();
        does()
    })
    .unwrap()
}

fn end_of(child: Pid) -> Exit {
    until(|| wait::reap(child))
}

fn end(child: Pid) {
    kill(child, Signal::SIGKILL).unwrap();
    assert_eq!(end_of(child), Exit::Signal(9));
}

/// Asks again until there is an answer.
fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not in {PATIENCE:?}");
        std::thread::yield_now();
    }
}

/// Looks until the report is as expected: the child may still be on its way there.
fn report(child: Pid, state: &str, function: &str) -> Report {
    let is_expected =
        |report: &Report| report.state.starts_with(state) && position(report, function).is_some();
    let mut last = None;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let report = stack::of(child);
        if is_expected(&report) {
            return report;
        }
        last = Some(report);
    }
    panic!("last seen: {}", last.unwrap());
}

fn position(report: &Report, function: &str) -> Option<usize> {
    report.frames.iter().position(|f| f.contains(function))
}

fn state(pid: Pid) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    after.trim_start().chars().next().unwrap_or('?')
}

/// With `SHOW=1` the reports are printed.
fn show(report: &Report) {
    if std::env::var_os("SHOW").is_some() {
        println!("{report}");
    }
}

// ---- tests

fn who_spins_is_named() {
    let child = child(|| i32::from(shop_answers(1) == 0));
    let report = report(child, "runs", "shop_answers");
    show(&report);
    assert!(report.state.starts_with("runs"), "{report}");
    let inner = position(&report, "shop_prices_a_basket");
    assert!(inner < position(&report, "shop_answers"), "{report}");
    // At the top, but for what it calls.
    assert!(inner.is_some_and(|at| at <= 1), "{report}");
    let mut words = report.frames.iter().flat_map(|frame| frame.split("::"));
    let is_hash = |word: &str| {
        let digits = word.strip_prefix('h').unwrap_or_default();
        digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    assert!(!words.any(is_hash), "a hash: {report}");
    assert!(report.frames.len() <= 20);
    end(child);
}

fn who_parks_is_named() {
    let child = child(|| {
        shop_waits_for_its_turn();
        0
    });
    let report = report(child, "waits in futex", "shop_waits_for_its_turn");
    show(&report);
    assert!(report.state.contains("futex"), "{report}");
    assert!(
        position(&report, "shop_waits_for_its_turn").is_some_and(|at| at > 0),
        "{report}"
    );
    end(child);
}

fn who_waits_for_a_lock_is_named() {
    let child = child(|| i32::from(shop_locks_its_till_twice() == 0));
    let report = report(child, "waits in futex", "shop_locks_its_till_twice");
    show(&report);
    assert!(
        position(&report, "shop_locks_its_till_twice").is_some_and(|at| at > 0),
        "{report}"
    );
    end(child);
}

fn who_reads_is_named() {
    let (ours, ledger) = std::io::pipe().map(|(read, write)| (write, read)).unwrap();
    let child = child(|| i32::from(shop_reads_the_ledger(ledger.try_clone().unwrap()) == 0));
    let report = report(child, "waits in read at pipe:[", "shop_reads_the_ledger");
    show(&report);
    assert!(
        report.state.starts_with("waits in read at pipe:["),
        "{report}"
    );
    assert!(
        position(&report, "shop_reads_the_ledger").is_some_and(|at| at > 0),
        "{report}"
    );
    // It goes on reading as if nobody had looked.
    until(|| (state(child) == 'S').then_some(()));
    (&ours).write_all(b"x").unwrap();
    assert_eq!(end_of(child), Exit::Code(0));
}

fn a_stopped_child_stays_stopped() {
    let child = child(|| i32::from(shop_answers(1) == 0));
    report(child, "runs", "shop_answers");
    kill(child, Signal::SIGSTOP).unwrap();
    until(|| (state(child) == 'T').then_some(()));
    for _ in 0..50 {
        let report = stack::of(child);
        assert_eq!(report.state, "is stopped by a signal");
        assert!(position(&report, "shop_answers").is_some(), "{report}");
        until(|| (state(child) == 'T').then_some(()));
    }
    let busy = || {
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap();
        let after = stat.rsplit(')').next().unwrap().to_owned();
        after
            .split_whitespace()
            .nth(11)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let before = busy();
    assert_eq!(busy(), before);
    kill(child, Signal::SIGCONT).unwrap();
    until(|| (busy() > before).then_some(()));
    end(child);
}

fn a_zombie_has_ended() {
    let child = child(|| 7);
    until(|| (state(child) == 'Z').then_some(()));
    let report = stack::of(child);
    assert_eq!(
        (report.state.as_str(), report.frames.len()),
        ("has ended", 0)
    );
    assert_eq!(wait::next_ended(), Some(child));
    assert_eq!(wait::reap(child), Some(Exit::Code(7)));
}

fn a_stranger_is_gone() {
    let child = child(|| 0);
    end_of(child);
    assert_eq!(stack::of(child).state, "is gone");
}

fn children_end_while_looked_at() {
    for round in 0..200_u64 {
        // Some end before the look, some in it, some after it.
        let spins = round * 500;
        let child = child(|| {
            (0..spins).for_each(|n| {
                black_box(n);
            });
            3
        });
        black_box(stack::of(child));
        assert_eq!(end_of(child), Exit::Code(3), "round {round}");
    }
    assert_eq!(wait::next_ended(), None);
}

/// One signal after the other, each only when the one before has arrived: so there is always one on its
/// way, also in the moment in which the child is held.
fn a_busy_child_loses_no_signal() {
    let (hears, answers) = UnixStream::pair().unwrap();
    let busy = child(|| {
        let answers = answers.try_clone().unwrap();
        signal_hook::low_level::pipe::register(SIGUSR1, answers).unwrap();
        (&hears).write_all(b"r").unwrap();
        i32::from(shop_answers(1) == 0)
    });
    (&answers).read_exact(&mut [0]).unwrap();
    let (ours, ends) = UnixStream::pair().unwrap();
    let sender = child(|| {
        hears.set_read_timeout(Some(PATIENCE)).unwrap();
        ends.set_nonblocking(true).unwrap();
        while (&ends).read(&mut [0]).is_err() {
            kill(busy, Signal::SIGUSR1).unwrap();
            if (&hears).read_exact(&mut [0]).is_err() {
                return 1;
            }
        }
        0
    });
    let looks = (0..100).map(|_| stack::of(busy));
    let seen = looks.filter(|report| !report.frames.is_empty()).count();
    (&ours).write_all(b"e").unwrap();
    assert_eq!(end_of(sender), Exit::Code(0), "a signal was lost");
    assert!(seen > 50, "{seen} of 100 looks saw frames");
    end(busy);
}

/// A process that has called vfork(2) waits for its child, and no signal but SIGKILL reaches it.
struct Vforked {
    parent: std::process::Child,
    child: Pid,
}

impl Vforked {
    fn start() -> Self {
        let script = "import ctypes, os, signal\n\
                      if ctypes.PyDLL(None).vfork() == 0:\n\
                      \x20   os.write(1, b'%d\\n' % os.getpid())\n\
                      \x20   signal.pause()";
        let mut python = Command::new("python3");
        let python = python.args(["-c", script]).stdout(Stdio::piped());
        let mut parent = python.spawn().expect("python3, see tests/needs.sh");
        let mut line = String::new();
        let mut output = BufReader::new(parent.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let child = Pid::from_raw(line.trim().parse().unwrap());
        let vforked = Self { parent, child };
        until(|| (state(vforked.pid()) == 'D').then_some(()));
        vforked
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.parent.id()).unwrap())
    }
}

impl Drop for Vforked {
    fn drop(&mut self) {
        let _ = kill(self.pid(), Signal::SIGKILL);
        let _ = kill(self.child, Signal::SIGKILL);
        let _ = self.parent.wait();
    }
}

fn an_uninterruptible_one_is_left_alone() {
    let vforked = Vforked::start();
    let report = stack::of(vforked.pid());
    show(&report);
    assert!(report.state.starts_with("waits"), "{report}");
    assert!(
        report.state.ends_with("and no signal reaches it"),
        "{report}"
    );
    assert_eq!((report.frames.len(), state(vforked.pid())), (0, 'D'));
}

/// As if it had begun to wait between the first look and the request to stop.
fn who_does_not_stop_is_let_go() {
    let vforked = Vforked::start();
    let refused = trace::capture(vforked.pid(), 4096).unwrap_err();
    assert!(matches!(refused, Refusal::NotInTime), "{refused:?}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", vforked.pid())).unwrap();
    assert!(status.contains("TracerPid:\t0\n"), "{status}");
    assert_eq!(fork::thread_count(), Some(1));
}

fn users_matter() {
    if !getuid().is_root() {
        let without = std::env::var("BRIGADE_TESTS_WITHOUT").unwrap_or_default();
        assert!(
            without.contains("root"),
            "needs root, or BRIGADE_TESTS_WITHOUT=root"
        );
        println!("skipped: needs root");
        return;
    }
    let nobody = User::from_name("nobody").unwrap().expect("the user nobody");
    let theirs = child(|| {
        setuid(nobody.uid).unwrap();
        i32::from(shop_answers(1) == 0)
    });
    let report = report(theirs, "runs", "shop_answers");
    show(&report);
    end(theirs);
    // A supervisor without privileges that looks at a child of root's.
    let supervisor = child(|| {
        let (ledger, kept) = std::io::pipe().unwrap();
        let ours = fork::fork_child(|| i32::from(shop_reads_the_ledger(&ledger) == 0));
        let ours = ours.unwrap();
        setuid(nobody.uid).unwrap();
        let report = stack::of(ours);
        show(&report);
        let is_told = report.frames.is_empty() && report.state.contains("CAP_SYS_PTRACE");
        (&kept).write_all(b"x").unwrap();
        i32::from(!is_told) + 2 * i32::from(end_of(ours) != Exit::Code(0))
    });
    assert_eq!(end_of(supervisor), Exit::Code(0));
}

fn no_thread_is_left() {
    let child = child(|| i32::from(shop_answers(1) == 0));
    for _ in 0..200 {
        black_box(stack::of(child));
        assert_eq!(fork::thread_count(), Some(1));
    }
    end(child);
}
