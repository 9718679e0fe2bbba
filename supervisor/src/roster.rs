//! Who is who: the only place that knows pids and what binds a worker to the supervisor.

use std::collections::BTreeMap;
use std::time::Instant;

use brigade_shared::board::RowId;
use brigade_shared::channel::Channel;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_shared::message::{Fact, Order};
use nix::unistd::Pid;

use crate::notify::NotifySocket;
use crate::output::Output;

/// The living workers.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    workers: BTreeMap<WorkerId, Member>,
    by_pid: BTreeMap<Pid, WorkerId>,
}

/// One worker.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its number.
    pub(crate) worker: WorkerId,
    /// Its process.
    pub(crate) pid: Pid,
    /// Where it serves.
    pub(crate) slot: SlotId,
    /// Whose configuration it has.
    pub(crate) generation: Generation,
    /// When it was made.
    pub(crate) born: Instant,
    /// Its row of the scoreboard.
    pub(crate) row: RowId,
    /// Whether it has been reaped; its entry stays until the plan has dealt with that.
    pub(crate) has_ended: bool,
    /// Its standard output.
    pub(crate) out: Output,
    /// Its standard error.
    pub(crate) err: Output,
    /// How it speaks.
    pub(crate) tie: Tie,
}

/// How supervisor and worker speak, by kind of worker.
#[derive(Debug)]
pub(crate) enum Tie {
    /// A Rust service: messages.
    Service {
        /// Closed by the worker on its way out.
        link: Option<Channel<Order, Fact>>,
    },
    /// Another program: signals down, sd_notify up.
    Program {
        /// Where it says how it is.
        notify: NotifySocket,
        /// When to look next whether it is ready; none when that is known.
        probe: Option<Probe>,
    },
}

/// The next look at a program that starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    /// When.
    pub(crate) at: Instant,
    /// The pause before the one after that.
    pub(crate) pause: std::time::Duration,
    /// What to look for.
    pub(crate) proof: Proof,
}

/// What proves that a program is ready which does not say so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Proof {
    /// That it is still there.
    Lives,
    /// That it waits for connections.
    Waits,
}

impl Roster {
    /// Enters a new worker.
    pub(crate) fn enter(&mut self, worker: WorkerId, member: Member) {
        self.by_pid.insert(member.pid, worker);
        self.workers.insert(worker, member);
    }

    /// Notes that a worker has been reaped: from now on its pid may be another process's.
    pub(crate) fn mark_ended(&mut self, worker: WorkerId) -> Option<&mut Member> {
        let member = self.workers.get_mut(&worker)?;
        member.has_ended = true;
        self.by_pid.remove(&member.pid);
        Some(member)
    }

    /// Strikes out a worker whose end has been dealt with.
    pub(crate) fn strike(&mut self, worker: WorkerId) -> Option<Member> {
        self.workers.remove(&worker)
    }

    /// Looks a worker up.
    pub(crate) fn get(&self, worker: WorkerId) -> Option<&Member> {
        self.workers.get(&worker)
    }

    /// Looks a worker up, to change it.
    pub(crate) fn get_mut(&mut self, worker: WorkerId) -> Option<&mut Member> {
        self.workers.get_mut(&worker)
    }

    /// Whose process this is.
    pub(crate) fn by_pid(&self, pid: Pid) -> Option<WorkerId> {
        self.by_pid.get(&pid).copied()
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = (WorkerId, &Member)> {
        self.workers
            .iter()
            .map(|(worker, member)| (*worker, member))
    }

    /// All of them, to change them.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = (WorkerId, &mut Member)> {
        self.workers
            .iter_mut()
            .map(|(worker, member)| (*worker, member))
    }
}
