//! Real, tiny children. No libtest here: it runs tests in threads, and a process with threads
//! refuses to fork, which is one of the things shown.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use brigade_shared::exit::Exit;
use brigade_shared::sys::signal::Signals;
use brigade_shared::sys::{exec, fd, fork, process, signal, title, wait};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::{Pid, getpid, getppid};

fn main() {
    let tests: [(&str, fn()); 9] = [
        (
            "a child's end is told as it was",
            a_childs_end_is_told_as_it_was,
        ),
        (
            "an ended child keeps its pid until it is reaped",
            an_ended_child_keeps_its_pid,
        ),
        (
            "a panic in a child ends the child alone",
            a_panic_ends_the_child_alone,
        ),
        (
            "a signal to a child does not wake its parent",
            a_signal_to_a_child_stays_there,
        ),
        ("signals are told once each", signals_are_told_once_each),
        (
            "a child keeps what it asks for and nothing else",
            a_child_keeps_only_what_it_asks_for,
        ),
        (
            "a child forgets variables, and its parent does not",
            a_child_forgets_variables,
        ),
        (
            "the title is longer than the command line was",
            the_title_may_be_long,
        ),
        (
            "a process with two threads does not fork",
            two_threads_do_not_fork,
        ),
    ];
    let count = tests.len();
    for (name, test) in tests {
        test();
        println!("ok: {name}");
    }
    println!("{count} passed, 0 failed");
}

fn end_of(child: Pid) -> Exit {
    loop {
        if let Some(exit) = wait::reap(child) {
            return exit;
        }
        std::thread::yield_now();
    }
}

fn a_childs_end_is_told_as_it_was() {
    assert_eq!(end_of(fork::fork_child(|| 42).unwrap()), Exit::Code(42));
    let killed = fork::fork_child(|| {
        raise(Signal::SIGKILL).unwrap();
        0
    });
    assert_eq!(end_of(killed.unwrap()), Exit::Signal(9));
    let killed = fork::fork_child(|| {
        signal::unblock_all().unwrap();
        let number = std::process::id().to_string();
        let _ = std::process::Command::new("kill")
            .args(["-40", &number])
            .status();
        0
    });
    assert_eq!(
        end_of(killed.unwrap()),
        Exit::Signal(40),
        "a real-time signal"
    );
}

fn an_ended_child_keeps_its_pid() {
    let child = fork::fork_child(|| 0).unwrap();
    while wait::next_ended().is_none() {
        std::thread::yield_now();
    }
    assert_eq!(wait::next_ended(), Some(child), "looking does not take");
    assert_eq!(kill(child, None), Ok(()), "a zombie's pid is its own");
    assert_eq!(wait::reap(child), Some(Exit::Code(0)));
    assert_eq!(wait::next_ended(), None);
}

fn a_panic_ends_the_child_alone() {
    let child = fork::fork_child(|| {
        std::panic::set_hook(Box::new(|_| {}));
        panic!("in the child")
    });
    assert_eq!(end_of(child.unwrap()), Exit::Code(101));
}

fn a_signal_to_a_child_stays_there() {
    let signals = Signals::listen(&[Signal::SIGUSR1]).unwrap();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let child = fork::fork_child(|| {
        signals.forget();
        signal::unblock_all().unwrap();
        (&theirs).write_all(b"r").unwrap();
        let mut byte = [0];
        let _ = (&theirs).read(&mut byte);
        0
    })
    .unwrap();
    ours.read_exact(&mut [0]).unwrap();
    for _ in 0..20 {
        kill(child, Signal::SIGUSR1).unwrap();
    }
    ours.write_all(b"q").unwrap();
    assert_eq!(end_of(child), Exit::Code(0));
    let mut fds = [PollFd::new(
        std::os::fd::AsFd::as_fd(&signals),
        PollFlags::POLLIN,
    )];
    assert_eq!(
        poll(&mut fds, PollTimeout::ZERO),
        Ok(0),
        "the parent was woken"
    );
    assert_eq!(signals.take(), []);
}

fn signals_are_told_once_each() {
    let signals = Signals::listen(&[Signal::SIGUSR1, Signal::SIGHUP]).unwrap();
    raise(Signal::SIGHUP).unwrap();
    raise(Signal::SIGUSR1).unwrap();
    raise(Signal::SIGUSR1).unwrap();
    assert_eq!(signals.take(), [Signal::SIGUSR1, Signal::SIGHUP]);
    assert_eq!(signals.take(), []);
}

fn a_child_keeps_only_what_it_asks_for() {
    let (kept, other): (OwnedFd, OwnedFd) = {
        let (one, two) = UnixStream::pair().unwrap();
        (one.into(), two.into())
    };
    let child = fork::fork_child(|| {
        fd::close_all_but(&mut [kept.as_raw_fd()]).unwrap();
        let is_open = |fd: &OwnedFd| std::fs::exists(format!("/proc/self/fd/{}", fd.as_raw_fd()));
        i32::from(!is_open(&kept).unwrap()) + 2 * i32::from(is_open(&other).unwrap())
    });
    assert_eq!(end_of(child.unwrap()), Exit::Code(0));
    assert!(fd::adopt(2).is_err(), "standard error is nobody's to adopt");
    assert!(fd::adopt(9999).is_err());
}

fn a_child_forgets_variables() {
    let is_here = |name: &str| std::env::var_os(name).is_some();
    // Every test has a PATH and, from cargo, the name of its package.
    let child = fork::fork_child(|| {
        exec::forget_variables(&["CARGO_PKG_NAME", "NOWHERE"]);
        i32::from(is_here("CARGO_PKG_NAME")) + 2 * i32::from(!is_here("PATH"))
    });
    assert_eq!(end_of(child.unwrap()), Exit::Code(0));
    assert!(is_here("CARGO_PKG_NAME") && is_here("PATH"));
}

fn the_title_may_be_long() {
    let before: Vec<_> = std::env::vars_os().collect();
    let arguments: Vec<_> = std::env::args_os().collect();
    let words = "brigade: a title that is a good deal longer than what was typed to start this";
    title::set(words);
    let shown = std::fs::read("/proc/self/cmdline").unwrap();
    let shown = String::from_utf8_lossy(&shown);
    assert_eq!(shown.trim_end_matches('\0'), words);
    title::set("brigade: short");
    let shown = std::fs::read_to_string("/proc/self/cmdline").unwrap();
    assert_eq!(shown.trim_end_matches('\0'), "brigade: short");
    assert_eq!(
        std::env::vars_os().collect::<Vec<_>>(),
        before,
        "the environment moved whole"
    );
    assert_eq!(
        std::env::args_os().collect::<Vec<_>>(),
        arguments,
        "and the arguments"
    );
}

fn two_threads_do_not_fork() {
    let thread = std::thread::spawn(pause_until_unparked);
    let refused = fork::fork_child(|| 0).unwrap_err();
    assert!(refused.to_string().contains("2 threads"), "{refused}");
    thread.thread().unpark();
    thread.join().unwrap();
    let parent = getpid();
    let child = fork::fork_child(|| {
        let follows = process::follow_parent(parent, Signal::SIGTERM).is_ok();
        let stranger = process::follow_parent(Pid::from_raw(1), Signal::SIGTERM).is_ok();
        i32::from(!follows) + 2 * i32::from(stranger && getppid() != Pid::from_raw(1))
    });
    assert_eq!(end_of(child.unwrap()), Exit::Code(0));
}

fn pause_until_unparked() {
    std::thread::park();
}
