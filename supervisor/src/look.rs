//! What a look at the workers and their queues shows. Reads shared memory and asks the kernel; the
//! workers notice nothing of it.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use brigade_shared::board::Board;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_shared::seat::Address;
use brigade_shared::sys::clock::monotonic_ns;
use brigade_shared::sys::depth::{UnixDiag, tcp_waiting};
use brigade_shared::sys::footprint::{proportional, resident};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::listen::Waiting;
use crate::plan::{Look, Sight, Signs};
use crate::probe;
use crate::roster::{Member, Roster, Tie};
use crate::stack::has_uninterruptible_thread;
use crate::starvation::Starvation;

/// How often a worker's memory is measured, if there is a limit on it.
const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// So many are measured in one look, and of so many the kernel walks the pages: a look has to be
/// short. The others' turn comes with the next looks.
const MEASURES: usize = 8;
const WALKS: usize = 1;

/// What one look leaves behind for the next.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    diag: Diag,
    /// Which services were found how.
    seen: BTreeMap<WorkerId, (u64, bool)>,
    /// Of services that stood still.
    starvation: Starvation,
    /// The slots for which somebody waited.
    waited: Vec<SlotId>,
}

/// The line on which the kernel tells of Unix sockets' queues.
#[derive(Debug, Default)]
enum Diag {
    #[default]
    Untried,
    Open(UnixDiag),
    Missing,
}

/// What there is to look at.
pub(crate) struct Scene<'a> {
    pub(crate) roster: &'a mut Roster,
    pub(crate) board: &'a Board,
    pub(crate) queues: &'a [Waiting<'a>],
    /// How many connections are on their way to a worker: they wait for it as those in its queue.
    pub(crate) on_their_way: &'a dyn Fn(WorkerId) -> u64,
    /// How much memory workers of a generation may use; none: as much as they like.
    pub(crate) memory_limit: &'a dyn Fn(Generation) -> Option<u64>,
}

impl Observer {
    /// After another program, which may have shown on the board that somebody waits for these.
    pub(crate) fn resume(waited: Vec<SlotId>) -> Self {
        Self {
            waited,
            ..Self::default()
        }
    }

    /// Looks at every worker that serves, and at every queue.
    pub(crate) fn look(&mut self, scene: &mut Scene<'_>) -> Look {
        let (waiting, waiting_shared) = self.count(scene);
        self.note_waiting(&waiting, scene.board);
        let memory = measure(scene);
        let now_ns = monotonic_ns();
        let seen = std::mem::take(&mut self.seen);
        self.starvation.begin();
        let mut workers = Vec::new();
        let serving = scene.roster.all().filter(|(_, member)| member.serves());
        for (worker, member) in serving {
            let Some(mut signs) = signs(member, scene.board, now_ns) else {
                continue;
            };
            if let Signs::Row {
                progress,
                is_running,
                starved,
                ..
            } = &mut signs
            {
                self.seen.insert(worker, (*progress, *is_running));
                let waits = waiting.iter().any(|(slot, _)| *slot == member.slot);
                let stands_still = seen.get(&worker).is_some_and(|(mark, _)| mark == progress);
                if stands_still && (*is_running || waits || waiting_shared > 0) {
                    *starved = self.starvation.of(worker, member.pid);
                }
            }
            workers.push(Sight {
                worker,
                signs,
                memory: memory.get(&worker).copied(),
            });
        }
        Look {
            workers,
            waiting,
            waiting_shared,
        }
    }

    /// Whether anything goes on that the last look did not see: a loop has turned or turns, or
    /// somebody waits.
    pub(crate) fn is_astir(&self, scene: &Scene<'_>) -> bool {
        let now_ns = monotonic_ns();
        let serving = scene.roster.all().filter(|(_, member)| member.serves());
        let mut signs =
            serving.map(|(worker, member)| (worker, signs(member, scene.board, now_ns)));
        let has_moved = signs.any(|(worker, signs)| match signs {
            Some(Signs::Row {
                progress,
                is_running,
                ..
            }) => is_running || self.seen.get(&worker) != Some(&(progress, false)),
            Some(Signs::Words { .. }) | None => false,
        });
        has_moved || ready_queues(scene.queues).next().is_some()
    }

    /// How many wait, for each slot and for all.
    fn count(&mut self, scene: &Scene<'_>) -> (Vec<(SlotId, u32)>, u32) {
        let mut own: BTreeMap<SlotId, u32> = BTreeMap::new();
        let mut shared = 0_u32;
        for (worker, member) in scene.roster.all() {
            let waiting = u32::try_from((scene.on_their_way)(worker)).unwrap_or(u32::MAX);
            let sum = own.entry(member.slot).or_default();
            *sum = sum.saturating_add(waiting);
        }
        for queue in ready_queues(scene.queues) {
            let waiting = match queue.address {
                Address::Tcp(_) => tcp_waiting(queue.socket).ok(),
                Address::Unix(_) | Address::Abstract(_) => self.diag.waiting(queue.socket),
            };
            // poll(2) has seen somebody; whoever has come there meanwhile is content.
            let waiting = waiting.unwrap_or(1);
            let sum = match queue.slot {
                Some(slot) => own.entry(slot).or_default(),
                None => &mut shared,
            };
            *sum = sum.saturating_add(waiting);
        }
        own.retain(|_, waiting| *waiting > 0);
        (own.into_iter().collect(), shared)
    }

    /// Shows on the board what was counted, and that nobody waits any more elsewhere.
    fn note_waiting(&mut self, waiting: &[(SlotId, u32)], board: &Board) {
        for slot in self.waited.drain(..) {
            board.set_waiting(slot, 0);
        }
        for (slot, connections) in waiting {
            board.set_waiting(*slot, *connections);
            self.waited.push(*slot);
        }
    }
}

impl Diag {
    /// Opened when it is needed first: most services have no Unix socket.
    fn waiting(&mut self, socket: BorrowedFd<'_>) -> Option<u32> {
        if matches!(self, Self::Untried) {
            *self = UnixDiag::open().map_or(Self::Missing, Self::Open);
        }
        match self {
            Self::Open(diag) => diag.waiting(socket).ok(),
            Self::Untried | Self::Missing => None,
        }
    }
}

/// The queues in which somebody waits, found with one call for all: nearly always there are none.
fn ready_queues<'a, 'b>(queues: &'a [Waiting<'b>]) -> impl Iterator<Item = Waiting<'b>> + 'a {
    let mut fds: Vec<PollFd<'_>> = queues
        .iter()
        .map(|queue| PollFd::new(queue.socket, PollFlags::POLLIN))
        .collect();
    // Without the answer each of them is asked.
    let is_answered = poll(&mut fds, PollTimeout::ZERO).is_ok();
    let is_ready = fds.into_iter().map(move |fd| {
        let found = fd.revents().unwrap_or(PollFlags::empty());
        !is_answered || found.contains(PollFlags::POLLIN)
    });
    let is_ready: Vec<bool> = is_ready.collect();
    let found = queues
        .iter()
        .zip(is_ready)
        .filter(|(_, is_ready)| *is_ready);
    found.map(|(queue, _)| *queue)
}

/// What shows whether a worker turns; nothing if its row is not in use.
fn signs(member: &Member, board: &Board, now_ns: u64) -> Option<Signs> {
    match &member.tie {
        Tie::Service { .. } => {
            let glance = board.row(member.row).glance(now_ns)?;
            Some(Signs::Row {
                progress: glance.progress,
                is_running: glance.is_running,
                busy: glance.busy,
                answered: glance.answered,
                starved: Duration::ZERO,
            })
        }
        Tie::Program {
            watchdogs, spoke, ..
        } => Some(Signs::Words {
            watchdogs: *watchdogs,
            silent: spoke.elapsed(),
        }),
    }
}

/// The memory of those whose turn it is, those first that were not measured for longest.
fn measure(scene: &mut Scene<'_>) -> BTreeMap<WorkerId, u64> {
    let now = Instant::now();
    let is_due = |member: &Member| {
        member
            .measured
            .is_none_or(|last| now.duration_since(last) >= MEASURE_EVERY)
    };
    let limited = scene.roster.all_mut().filter_map(|(worker, member)| {
        let limit = (scene.memory_limit)(member.generation)?;
        (member.serves() && is_due(member)).then_some((worker, limit, member))
    });
    let mut due: Vec<_> = limited.collect();
    due.sort_by_key(|(_, _, member)| member.measured);
    let mut walks = WALKS;
    let mut found = BTreeMap::new();
    for (worker, limit, member) in due.into_iter().take(MEASURES) {
        let processes = match member.tie {
            Tie::Service { .. } => vec![member.pid],
            Tie::Program { .. } => probe::family(member.pid),
        };
        let sum = |of: fn(_) -> Option<u64>| processes.iter().copied().filter_map(of).sum::<u64>();
        let mut memory = sum(resident);
        if memory >= limit {
            // Much of it may be shared with its siblings. Otherwise that is all there is to know.
            if walks == 0 {
                continue;
            }
            walks -= 1;
            // Its pages are not walked while a thread of it may hold the lock that this takes.
            let exact = |pid| {
                let walkable = !has_uninterruptible_thread(pid);
                let walked = walkable.then(|| proportional(pid)).flatten();
                walked.or_else(|| resident(pid))
            };
            memory = sum(exact);
        }
        member.measured = Some(now);
        found.insert(worker, memory);
    }
    found
}
