//! The loop: waits for whatever comes first, names it, lets the plan decide, has it carried out.
//! The only place that reads the clock for the plan.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use brigade_shared::id::WorkerId;
use brigade_shared::log;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::Signal;
use nix::sys::time::TimeSpec;

use crate::act::Hands;
use crate::admin::Admin;
use crate::handover::{self, Takeover};
use crate::hear::Ears;
use crate::overview;
use crate::passing::Stream;
use crate::plan::{Action, Event, Fleet, Moment, Verdict};
use crate::roster::{Member, Tie};

/// The pause between two attempts to write lines of the log that nobody reads.
const LOG_PAUSE: Duration = Duration::from_secs(1);

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
    ears: Ears,
    began: Instant,
}

/// What poll(2) found something on.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// Signals.
    Signals,
    /// A service's facts.
    Link(WorkerId),
    /// A program's words.
    Notify(WorkerId),
    /// What a worker writes.
    Output(WorkerId, Stream),
    /// A queue in which somebody waits, by its number among all.
    Queue(usize),
    /// The files with the processor quotas.
    Quotas,
    /// What the sentinel of an upgrade says.
    Sentinel,
    /// What the process behind the admin address says.
    Admin,
}

impl Watch {
    /// Ready to run.
    pub(crate) fn new(fleet: Fleet, hands: Hands) -> Self {
        Self {
            fleet,
            hands,
            ears: Ears::default(),
            began: Instant::now(),
        }
    }

    /// Goes on where another program was, in the same process.
    pub(crate) fn go_on(taken: Takeover) -> (Self, Vec<Action>) {
        let Takeover {
            fleet,
            hands,
            began,
            actions,
        } = taken;
        let watch = Self {
            fleet,
            hands,
            ears: Ears::default(),
            began,
        };
        (watch, actions)
    }

    /// The first orders of a fleet that has not been started.
    pub(crate) fn first_orders(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        let kept = self.hands.kept_slots();
        self.fleet.start_with(kept, self.now(), &mut actions);
        actions
    }

    /// Carries out the first orders, and runs until the plan says that it is over.
    pub(crate) fn run(&mut self, first: Vec<Action>) -> Verdict {
        // Before the first worker: whoever asks whether it has started gets an answer.
        self.show();
        self.carry_out(first);
        // Of a program before us some may have died unheard.
        self.hands.reap();
        loop {
            self.turn();
            if let Some(verdict) = self.hands.verdict
                && self.hands.has_left_admin(self.now())
            {
                self.hands.voice.end(verdict, &mut self.hands.line);
                self.hands.attention.relieving.end();
                return verdict;
            }
            if let Some(leap) = self.hands.upgrade.take_order() {
                handover::take(leap, &self.fleet, &mut self.hands, self.began);
                continue;
            }
            let found = self.wait();
            self.ears.hear(&found, &mut self.hands);
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
        self.hands.attend();
        self.hands.line.tick(Instant::now());
        let Hands {
            secrets, roster, ..
        } = &mut self.hands;
        secrets.tell_again(roster, Instant::now());
        let look = self.hands.listeners.next_look();
        if look.is_some_and(|at| at <= Instant::now()) {
            self.hands.look_at_retired();
        }
        self.hands.events.push_back(Event::Tick);
        while let Some(event) = self.hands.events.pop_front() {
            let buried = match &event {
                Event::Exited(worker, _) => Some(*worker),
                _ => None,
            };
            let mut actions = Vec::new();
            self.fleet.handle(event, self.now(), &mut actions);
            // What is told next may be asked about the next moment.
            overview::show(&self.fleet, self.hands.nursery.ledger.board());
            self.carry_out(actions);
            if let Some(worker) = buried {
                self.hands.bury(worker);
            }
        }
        self.hands.steer_now();
        self.hands.keep();
        self.hands.tend_admin(self.now());
        let now = self.now();
        self.hands.speak(&self.fleet, now);
    }

    fn show(&mut self) {
        overview::show(&self.fleet, self.hands.nursery.ledger.board());
        self.hands.tend_admin(self.now());
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
        let attention = self.hands.attention.deadline();
        let fleet = self.fleet.next_deadline();
        let retired = self.hands.listeners.next_look();
        let sentinel = self.hands.upgrade.deadline();
        let line = self.hands.line.deadline();
        let untold = self.hands.secrets.deadline();
        let due = [attention, retired, sentinel, line, untold];
        let due = due.into_iter().flatten();
        let due = due.map(|at| at.saturating_duration_since(self.began));
        let admin = self.hands.admin.as_ref().and_then(Admin::next_deadline);
        let voice = self.hands.voice.deadline();
        let pure = [fleet, admin, voice].into_iter().flatten();
        probes.chain(log).chain(due).chain(pure).min()
    }

    fn sources(&self) -> impl Iterator<Item = (Source, BorrowedFd<'_>)> {
        let hands = &self.hands;
        let signals = (Source::Signals, hands.signals.as_fd());
        let quotas = hands.attention.processors.changes();
        let queues = hands.listeners.queues().enumerate();
        let watched = queues.filter(|(_, queue)| hands.attention.watches(queue.slot));
        let sentinel = hands.upgrade.sources();
        let admin = hands.admin.iter().flat_map(Admin::sources);
        std::iter::once(signals)
            .chain(hands.roster.all().flat_map(of_member))
            .chain(watched.map(|(number, queue)| (Source::Queue(number), queue.socket)))
            .chain(quotas.map(|fd| (Source::Quotas, fd)))
            .chain(sentinel.map(|fd| (Source::Sentinel, fd)))
            .chain(admin.map(|fd| (Source::Admin, fd)))
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
