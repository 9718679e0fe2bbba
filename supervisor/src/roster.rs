//! Who is who: the only place that knows pids and what binds a worker to the supervisor.

use std::collections::BTreeMap;
use std::time::Instant;

use brigade_shared::board::RowId;
use brigade_shared::channel::Channel;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_shared::message::{Fact, Order};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::listen::{PlaceId, Takers};
use crate::notify::NotifySocket;
use crate::output::Output;
use crate::plan::Deadline;

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
    /// Where it listens; none: wherever its slot has a queue.
    pub(crate) places: Option<Vec<PlaceId>>,
    /// When it was made.
    pub(crate) born: Instant,
    /// Its row of the scoreboard.
    pub(crate) row: RowId,
    /// How far it has come.
    pub(crate) standing: Standing,
    /// How many connections were handed to it.
    pub(crate) handed: u64,
    /// When its memory was measured last.
    pub(crate) measured: Option<Instant>,
    /// Why it failed, in its own words.
    pub(crate) failed: Option<String>,
    /// The deadline that it missed and was ended for, if one.
    pub(crate) missed: Option<Deadline>,
    /// Whether it has been reaped; its entry stays until the plan has dealt with that.
    pub(crate) has_ended: bool,
    /// Its standard output.
    pub(crate) out: Output,
    /// Its standard error.
    pub(crate) err: Output,
    /// How it speaks.
    pub(crate) tie: Tie,
}

/// How far a worker has come, by what was heard of it and what it was ordered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// It may not be ready to serve.
    Starting,
    /// It can serve.
    Ready,
    /// It was told to finish and leave.
    Draining,
    /// It was told to leave now, or is ended by force.
    Ending,
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
        /// How often it said that it lives.
        watchdogs: u64,
        /// When it said so last, or was made.
        spoke: Instant,
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

impl Member {
    /// Notes how far it has come; nobody goes back.
    pub(crate) fn reach(&mut self, standing: Standing) {
        self.standing = self.standing.max(standing);
    }

    /// Whether it serves, and was not told to leave.
    pub(crate) fn serves(&self) -> bool {
        self.standing == Standing::Ready && !self.has_ended
    }

    /// Whether it serves what it has, and what it still gets, although perhaps it was told to
    /// leave.
    pub(crate) fn finishes(&self) -> bool {
        matches!(self.standing, Standing::Ready | Standing::Draining) && !self.has_ended
    }

    /// Whether it takes what waits in its queue: a service that was told to leave has let go of it.
    pub(crate) fn accepts(&self) -> bool {
        match self.tie {
            Tie::Service { .. } => self.serves(),
            Tie::Program { .. } => self.finishes(),
        }
    }

    /// Its channel, if it has one that it listens to.
    pub(crate) fn link(&self) -> Option<&Channel<Order, Fact>> {
        match &self.tie {
            Tie::Service { link } => link.as_ref(),
            Tie::Program { .. } => None,
        }
    }
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

    /// Those who take connections.
    pub(crate) fn takers(&self) -> Takers<'_> {
        let accepting = self.workers.values().filter(|member| member.accepts());
        Takers(
            accepting
                .map(|member| (member.slot, member.places.as_deref()))
                .collect(),
        )
    }

    /// All of them, to change them.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = (WorkerId, &mut Member)> {
        self.workers
            .iter_mut()
            .map(|(worker, member)| (*worker, member))
    }
}

#[cfg(test)]
impl Member {
    /// A service that is ready, without a process, and its end of the channel.
    pub(crate) fn for_tests(
        worker: WorkerId,
        slot: SlotId,
        row: RowId,
    ) -> (Self, Channel<Fact, Order>) {
        let (link, end) = Channel::pair().unwrap();
        let output = || Output::new(std::io::pipe().unwrap().0);
        let member = Self {
            worker,
            pid: Pid::from_raw(i32::MAX),
            slot,
            generation: Generation::FIRST,
            places: None,
            born: Instant::now(),
            row,
            standing: Standing::Ready,
            handed: 0,
            measured: None,
            failed: None,
            missed: None,
            has_ended: false,
            out: output(),
            err: output(),
            tie: Tie::Service { link: Some(link) },
        };
        (member, end)
    }
}
