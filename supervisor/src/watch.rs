//! The loop: waits for whatever comes first, names it, lets the plan decide, has it carried out.
//! The only place that reads the clock for the plan.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use brigade_shared::channel::Received;
use brigade_shared::id::WorkerId;
use brigade_shared::log;
use brigade_shared::message::Fact;
use brigade_shared::sys::wait;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::Signal;
use nix::sys::time::TimeSpec;
use tracing::{debug, info, warn};

use crate::act::Hands;
use crate::notify::Word;
use crate::orders;
use crate::passing::Stream;
use crate::plan::{Action, Event, Fleet, Moment, Request, Verdict};
use crate::probe::{self, Seen};
use crate::roster::{Member, Probe, Proof, Tie};

/// The longest pause between two looks at a program that starts.
const LONGEST_PROBE: Duration = Duration::from_millis(100);

/// The pause between two attempts to write lines of the log that nobody reads.
const LOG_PAUSE: Duration = Duration::from_secs(1);

/// So many facts of one worker are heard in one turn.
const MOST_FACTS: usize = 64;

/// How long a program whose /proc entries can't be read has to live to count as ready.
const UNSEEN: Duration = Duration::from_secs(1);

/// The signals that a supervisor listens for. WINCH does nothing by default and PIPE is ignored
/// from the start (Rust's runtime), so neither needs a handler.
pub(crate) const SIGNALS: [Signal; 9] = [
    Signal::SIGCHLD,
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
];

/// The thinking half and the acting half, and the clock between them.
pub(crate) struct Watch {
    fleet: Fleet,
    hands: Hands,
    began: Instant,
}

/// What poll(2) found something on.
#[derive(Clone, Copy)]
enum Source {
    Signals,
    Link(WorkerId),
    Notify(WorkerId),
    Output(WorkerId, Stream),
}

impl Watch {
    /// Ready to run.
    pub(crate) fn new(fleet: Fleet, hands: Hands) -> Self {
        Self {
            fleet,
            hands,
            began: Instant::now(),
        }
    }

    /// Runs until the plan says that it is over.
    pub(crate) fn run(&mut self) -> Verdict {
        let mut actions = Vec::new();
        self.fleet.start(self.now(), &mut actions);
        self.carry_out(actions);
        loop {
            self.turn();
            if let Some(verdict) = self.hands.verdict {
                return verdict;
            }
            let found = self.wait();
            self.hear(&found);
        }
    }

    /// The acting half, for the end.
    pub(crate) fn into_hands(self) -> Hands {
        self.hands
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    /// Feeds every event to the plan, those that come of its actions too.
    fn turn(&mut self) {
        self.hands.events.push_back(Event::Tick);
        while let Some(event) = self.hands.events.pop_front() {
            let buried = match &event {
                Event::Exited(worker, _) => Some(*worker),
                _ => None,
            };
            let mut actions = Vec::new();
            self.fleet.handle(event, self.now(), &mut actions);
            self.carry_out(actions);
            if let Some(worker) = buried {
                self.hands.bury(worker);
            }
        }
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            self.hands.act(action);
        }
    }

    /// Sleeps until something comes or the earliest deadline; an idle supervisor has none.
    fn wait(&mut self) -> Vec<Source> {
        let deadline = self.next_deadline();
        let (sources, mut fds): (Vec<Source>, Vec<PollFd<'_>>) = self
            .sources()
            .map(|(source, fd)| (source, PollFd::new(fd, PollFlags::POLLIN)))
            .unzip();
        let timeout = deadline.map(|at| TimeSpec::from(at.saturating_sub(self.now())));
        // Interrupted: a signal came, and its byte will be found by the next turn's poll.
        if ppoll(&mut fds, timeout, None).is_err() {
            return Vec::new();
        }
        let has_come = |fd: &PollFd<'_>| fd.revents().is_some_and(|found| !found.is_empty());
        let found = fds.iter().zip(sources).filter(|(fd, _)| has_come(fd));
        found.map(|(_, source)| source).collect()
    }

    fn next_deadline(&mut self) -> Option<Moment> {
        // Lines that a reader was too slow for are tried again, also if nothing else happens.
        let some_wait = log::flush() | self.hands.passing.flush();
        let log = some_wait.then(|| self.now() + LOG_PAUSE);
        let probes = self
            .hands
            .roster
            .all()
            .filter_map(|(_, member)| match &member.tie {
                Tie::Program {
                    probe: Some(probe), ..
                } => Some(probe.at.saturating_duration_since(self.began)),
                _ => None,
            });
        let fleet = self.fleet.next_deadline();
        probes.chain(log).chain(fleet).min()
    }

    fn sources(&self) -> impl Iterator<Item = (Source, BorrowedFd<'_>)> {
        let signals = (Source::Signals, self.hands.signals.as_fd());
        std::iter::once(signals).chain(self.hands.roster.all().flat_map(of_member))
    }

    /// Names what has come. Facts before exits, so that a worker's last words are read before its
    /// death; requests last, so that they meet the fleet as it is now.
    fn hear(&mut self, found: &[Source]) {
        for source in found {
            match *source {
                Source::Signals => {}
                Source::Link(worker) => self.hear_link(worker),
                Source::Notify(worker) => self.hear_words(worker),
                Source::Output(worker, stream) => {
                    if let Some(member) = self.hands.roster.get_mut(worker) {
                        self.hands.passing.read(member, stream);
                    }
                }
            }
        }
        let signals = self.hands.signals.take();
        self.reap();
        // After the reaping: who has just died is not alive, and so not ready.
        self.probe();
        for signal in signals {
            self.hear_signal(signal);
        }
    }

    fn hear_link(&mut self, worker: WorkerId) {
        let Some(member) = self.hands.roster.get_mut(worker) else {
            return;
        };
        let Tie::Service { link } = &mut member.tie else {
            return;
        };
        // Bounded: a worker that talks without end must not keep the supervisor.
        for _ in 0..MOST_FACTS {
            let Some(channel) = link else { return };
            match channel.receive() {
                Received::Message(Fact::Ready) => {
                    self.hands.events.push_back(Event::Ready(worker));
                }
                // Told by the worker's own log line; its exit follows.
                Received::Message(_) => {}
                Received::Nothing => return,
                Received::Closed => *link = None,
                Received::Nonsense(words) => {
                    *link = None;
                    let slot = member.slot.0;
                    warn!(
                        event = "worker.nonsense",
                        slot,
                        words,
                        "worker {slot} sent what is no message, and is not listened to any more: {words}"
                    );
                }
            }
        }
    }

    fn hear_words(&mut self, worker: WorkerId) {
        let Some(member) = self.hands.roster.get_mut(worker) else {
            return;
        };
        let (slot, pid, generation) = (member.slot.0, member.pid.as_raw(), member.generation.0);
        let Tie::Program { notify, probe } = &mut member.tie else {
            return;
        };
        for word in notify.read() {
            match word {
                Word::Ready => {
                    *probe = None;
                    self.hands.events.push_back(Event::Ready(worker));
                }
                Word::Status(status) => {
                    info!(
                        event = "worker.status",
                        slot,
                        pid,
                        generation,
                        worker = worker.0,
                        status,
                        "worker {slot} says: {status}"
                    );
                }
                Word::Stopping => {
                    info!(
                        event = "worker.status",
                        slot,
                        pid,
                        generation,
                        worker = worker.0,
                        status = "stopping",
                        "worker {slot} says that it stops"
                    );
                }
                Word::Watchdog => {
                    debug!(
                        event = "worker.watchdog",
                        slot,
                        pid,
                        generation,
                        worker = worker.0,
                        "worker {slot} says that it lives"
                    );
                }
            }
        }
    }

    /// Looks at programs that start, where it is time to.
    fn probe(&mut self) {
        let now = Instant::now();
        let hands = &mut self.hands;
        for (worker, member) in hands.roster.all_mut() {
            let Some(due) = due_probe(member, now) else {
                continue;
            };
            let sockets = hands.listeners.of_slot(member.slot, member.generation);
            let sockets = sockets.iter().map(|offer| offer.socket);
            let seen = match due.proof {
                Proof::Lives => Seen::Waiting,
                Proof::Waits => probe::look(member.pid, sockets),
            };
            let (slot, pid) = (member.slot.0, member.pid.as_raw());
            let generation = member.generation.0;
            let Tie::Program { probe, .. } = &mut member.tie else {
                continue;
            };
            *probe = match seen {
                Seen::Waiting => {
                    hands.events.push_back(Event::Ready(worker));
                    None
                }
                Seen::Busy => {
                    let pause = (due.pause * 2).min(LONGEST_PROBE);
                    let at = now + pause;
                    Some(Probe { at, pause, ..due })
                }
                Seen::Hidden => {
                    warn!(
                        event = "worker.hidden",
                        slot,
                        pid,
                        generation,
                        worker = worker.0,
                        "whether worker {slot} waits for connections can't be seen in /proc (that takes CAP_SYS_PTRACE): it counts as ready when it has lived for a second; --ready notify or --ready 2s says otherwise"
                    );
                    let (at, proof) = (now + UNSEEN, Proof::Lives);
                    Some(Probe { at, proof, ..due })
                }
            };
        }
    }

    fn reap(&mut self) {
        while let Some(pid) = wait::next_ended() {
            let worker = self.hands.roster.by_pid(pid);
            if let Some(member) = worker.and_then(|worker| self.hands.roster.get(worker))
                && matches!(member.tie, Tie::Program { .. })
            {
                // Before the pid can be another's: what the program left behind goes with it.
                let _ = orders::kill_group(member);
            }
            let Some(exit) = wait::reap(pid) else {
                return;
            };
            match worker {
                Some(worker) => {
                    self.hear_link(worker);
                    self.hear_words(worker);
                    self.hands.ended(worker, exit);
                }
                None => debug!(event = "orphan.reaped", pid = pid.as_raw(), exit = %exit,
                    "reaped process {pid}, which was left to us ({exit})"),
            }
        }
    }

    fn hear_signal(&mut self, signal: Signal) {
        let request = match signal {
            Signal::SIGTERM | Signal::SIGINT => Some(Request::Stop),
            Signal::SIGQUIT => Some(Request::StopNow),
            Signal::SIGHUP => Some(Request::Reload),
            Signal::SIGTTIN => Some(Request::ScaleBy(1)),
            Signal::SIGTTOU => Some(Request::ScaleBy(-1)),
            _ => None,
        };
        if signal != Signal::SIGCHLD {
            let name = signal.as_str();
            info!(event = "signal.received", signal = name, "{name} received");
        }
        match signal {
            Signal::SIGUSR1 => self.hands.reopen_logs(),
            Signal::SIGUSR2 => warn!(
                event = "upgrade.refused",
                "upgrade in place is not part of this version: nothing is done"
            ),
            _ => {}
        }
        self.hands.events.extend(request.map(Event::Asked));
    }
}

fn of_member(
    (worker, member): (WorkerId, &Member),
) -> impl Iterator<Item = (Source, BorrowedFd<'_>)> {
    let tie = match &member.tie {
        Tie::Service { link } => link
            .as_ref()
            .map(|link| (Source::Link(worker), link.as_fd())),
        Tie::Program { notify, .. } => Some((Source::Notify(worker), notify.as_fd())),
    };
    let out = member
        .out
        .is_open()
        .then(|| (Source::Output(worker, Stream::Out), member.out.as_fd()));
    let err = member
        .err
        .is_open()
        .then(|| (Source::Output(worker, Stream::Err), member.err.as_fd()));
    tie.into_iter().chain(out).chain(err)
}

fn due_probe(member: &Member, now: Instant) -> Option<Probe> {
    match &member.tie {
        Tie::Program {
            probe: Some(probe), ..
        } if probe.at <= now => Some(*probe),
        _ => None,
    }
}
