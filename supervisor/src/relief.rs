//! Connections that somebody else should serve: taken from queues that nobody comes to, or passed
//! on by a worker that holds more than its share, and handed to the lightest.
//!
//! ```text
//!   a relieved queue --accept--+
//!                              +--> adrift --Order::Serve--> lent --claimed--> a worker's own
//!   Fact::Passed of a worker --+    |  ^  ^                   |
//!                                   +--+  +-------------------+
//!              nobody can take it now:     the worker is dead or blocked: taken back
//!              kept, tried again
//! ```
//!
//! What is adrift is never dropped while anybody may come to serve it.

mod lent;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use brigade_shared::board::Board;
use brigade_shared::id::{SlotId, WorkerId};
use brigade_shared::sys::accept::{accept, concerns_one_connection};
use tracing::warn;

use crate::listen::Waiting;
use crate::orders;
use crate::plan::Relief;
use crate::roster::{Member, Roster, Tie};

use lent::Lent;

/// So many connections are taken from one queue in one turn.
const BATCH: usize = 64;
/// So many connections may be on their way to a worker that has not claimed them: one that has just
/// stopped keeps no more of them waiting than that, and the rest is safe in its queue.
const MOST_AHEAD: u64 = 16;
/// Descriptors that a worker keeps for other things than connections.
const SPARE_FILES: u64 = 64;
/// The pause before workers that could not take a connection are asked again.
const AGAIN: Duration = Duration::from_millis(5);
/// The first pause after the system refused an accept for want of something; it doubles.
const PAUSE: Duration = Duration::from_millis(10);
const PAUSE_MOST: Duration = Duration::from_millis(100);
/// A refusal is logged at most so often.
const LOG_PACE: Duration = Duration::from_secs(10);

/// What is relieved by whom, and what is adrift.
#[derive(Debug, Default)]
pub(crate) struct Relieving {
    relief: Relief,
    adrift: VecDeque<Adrift>,
    lent: Lent,
    /// The fleet stops: whoever still lives is better than nobody.
    is_last_call: bool,
    again: Option<Instant>,
    want: Want,
}

/// A connection between two workers.
#[derive(Debug)]
pub(crate) struct Adrift {
    /// It.
    pub(crate) connection: OwnedFd,
    /// Who has passed it on.
    pub(crate) from: Option<WorkerId>,
}

/// The system lacks something to accept with.
#[derive(Debug)]
struct Want {
    pause: Duration,
    until: Option<Instant>,
    logged: Option<Instant>,
}

impl Default for Want {
    fn default() -> Self {
        let (until, logged) = (None, None);
        Self {
            pause: PAUSE,
            until,
            logged,
        }
    }
}

/// The workers as they are now.
pub(crate) struct Crew<'a> {
    pub(crate) roster: &'a mut Roster,
    pub(crate) board: &'a Board,
    /// How many files each of them may have open.
    pub(crate) files: u64,
    /// How many wait in the queues of each slot, if anything is adrift.
    pub(crate) waiting: BTreeMap<SlotId, u64>,
}

impl Relieving {
    /// Goes on where another program was.
    pub(crate) fn resume(relief: Relief, adrift: VecDeque<Adrift>) -> Self {
        Self {
            relief,
            adrift,
            ..Self::default()
        }
    }

    /// What is relieved by whom.
    pub(crate) fn relief(&self) -> &Relief {
        &self.relief
    }

    /// From now on. Programs can't be handed anything, and relieve nobody.
    pub(crate) fn begin(&mut self, relief: Relief, roster: &Roster) {
        self.relief = relief;
        let has_link = |worker| roster.get(worker).is_some_and(|one| one.link().is_some());
        self.relief.by.retain(|worker| has_link(*worker));
        // Those that are new among them may have room.
        self.again = None;
    }

    /// The fleet stops listening: what is adrift goes to whoever is left.
    pub(crate) fn last_call(&mut self) {
        self.is_last_call = true;
        self.again = None;
    }

    /// Whether there is anything that nobody has taken yet.
    pub(crate) fn has_adrift(&self) -> bool {
        !self.adrift.is_empty()
    }

    /// What nobody has taken yet.
    pub(crate) fn adrift(&self) -> impl Iterator<Item = &Adrift> {
        self.adrift.iter()
    }

    /// Nobody will come any more.
    pub(crate) fn end(&mut self) {
        let connections = self.adrift().count();
        if connections > 0 {
            warn!(
                event = "relief.ended",
                connections, "{connections} connections that nobody was left to serve are closed"
            );
        }
        self.adrift.clear();
    }

    /// Whether connections are taken from this queue now: not while others already wait for
    /// somebody to have room, and not while descriptors are short.
    pub(crate) fn takes_from(&self, slot: Option<SlotId>) -> bool {
        let can_take = self.adrift.is_empty() && !self.relief.by.is_empty();
        can_take && self.want.until.is_none() && self.relieves(slot)
    }

    /// Whether others are to serve what waits in this queue.
    pub(crate) fn relieves(&self, slot: Option<SlotId>) -> bool {
        match slot {
            Some(slot) => self.relief.slots.binary_search(&slot).is_ok(),
            None => self.relief.shared,
        }
    }

    /// When to come back although nothing has happened.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let lent = self.lent.deadline();
        self.want
            .until
            .into_iter()
            .chain(self.again)
            .chain(lent)
            .min()
    }

    /// How many connections are on their way to this worker.
    pub(crate) fn on_their_way(&self, worker: WorkerId) -> u64 {
        self.lent.count(worker)
    }

    /// Takes back all that nobody has claimed yet: another program goes on with it.
    pub(crate) fn gather(&mut self, crew: &mut Crew<'_>) {
        self.adrift.extend(self.lent.take_back(crew, |_| true));
        self.again = None;
    }

    /// Tries again what is due to be tried again. To be called every turn.
    pub(crate) fn tick(&mut self, crew: &mut Crew<'_>) {
        let now = Instant::now();
        // Whether descriptors are to be had again shows at the next accept.
        self.want.until = self.want.until.filter(|until| *until > now);
        self.take_back(crew);
        if self.again.is_none_or(|again| again <= now) {
            self.hand_over(crew);
        }
    }

    /// Takes back what is in the channel of a worker that has ended, or that others relieve now:
    /// it blocks or leaves.
    fn take_back(&mut self, crew: &Crew<'_>) {
        self.lent.settle(crew);
        let by = &self.relief.by;
        let is_anybody_able = !by.is_empty() && !self.is_last_call;
        let back = self.lent.take_back(crew, |worker| {
            let has_ended = crew
                .roster
                .get(worker)
                .is_none_or(|member| member.has_ended);
            has_ended || is_anybody_able && !by.contains(&worker)
        });
        if !back.is_empty() {
            self.adrift.extend(back);
            self.again = None;
        }
    }

    /// A connection that waited where nobody comes any more; it is handed over with others, at the
    /// latest by the next [`Self::tick`].
    pub(crate) fn rescue(&mut self, connection: OwnedFd, crew: &mut Crew<'_>) {
        let from = None;
        self.adrift.push_back(Adrift { connection, from });
        if self.adrift.len().is_multiple_of(BATCH) {
            self.hand_over(crew);
        }
    }

    /// A connection that a worker has passed on; it is handed over by the next [`Self::tick`].
    pub(crate) fn pass_on(&mut self, connection: OwnedFd, from: WorkerId) {
        let from = Some(from);
        self.adrift.push_back(Adrift { connection, from });
        self.again = None;
    }

    /// Takes what waits in a relieved queue, within bounds, and hands it over.
    pub(crate) fn take_from(&mut self, queue: Waiting<'_>, crew: &mut Crew<'_>) {
        self.take_batch(queue);
        self.hand_over(crew);
    }

    /// Takes all that waits in a queue that is about to be closed, and hands it over.
    pub(crate) fn empty(&mut self, queue: Waiting<'_>, crew: &mut Crew<'_>) {
        // Bounded, should somebody connect without end: no queue has room for more.
        for _ in 0..=usize::from(u16::MAX) / BATCH {
            let is_empty = self.take_batch(queue);
            self.hand_over(crew);
            if is_empty {
                return;
            }
        }
    }

    /// Whether no more can be had.
    fn take_batch(&mut self, queue: Waiting<'_>) -> bool {
        for _ in 0..BATCH {
            match accept(queue.socket) {
                Ok(connection) => {
                    self.want.pause = PAUSE;
                    let from = None;
                    self.adrift.push_back(Adrift { connection, from });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    self.refused(&error, queue);
                    return true;
                }
            }
        }
        false
    }

    /// Asked again at once, the kernel would refuse again at once.
    fn refused(&mut self, error: &io::Error, queue: Waiting<'_>) {
        let now = Instant::now();
        let pause = self.want.pause;
        let is_due = |last: Instant| now.duration_since(last) >= LOG_PACE;
        if self.want.logged.is_none_or(is_due) {
            self.want.logged = Some(now);
            let address = queue.address.to_string();
            let (slot, pause_ms) = (queue.slot.map(|slot| slot.0), pause.as_millis() as u64);
            warn!(event = "relief.failed", slot, address, error = %error, pause_ms,
                "what waits at {address} for a worker that does not come can't be taken over: {error}; it is tried again in {pause_ms} ms");
        }
        self.want.until = Some(now + pause);
        self.want.pause = (pause * 2).min(PAUSE_MOST);
    }

    /// Gives what is adrift to the lightest that can take it.
    fn hand_over(&mut self, crew: &mut Crew<'_>) {
        self.again = None;
        if self.adrift.is_empty() {
            return;
        }
        self.lent.settle(crew);
        let mut ranks = self.ranks(crew);
        let is_anybody_able = !ranks.is_empty();
        ranks.retain(|rank| rank.room > 0);
        let mut kept = VecDeque::new();
        for adrift in std::mem::take(&mut self.adrift) {
            let socket = adrift.connection.as_fd();
            let given = if is_anybody_able {
                give(socket, &mut ranks, crew)
            } else {
                give_back(&adrift, crew)
            };
            match given {
                Some(worker) => self.lent.lend(worker, adrift),
                None => kept.push_back(adrift),
            }
        }
        self.adrift = kept;
        let is_program = |(_, member): (_, &Member)| matches!(member.tie, Tie::Program { .. });
        if crew.roster.all().any(is_program) {
            // Nor will anybody come who can be handed something.
            self.end();
        }
        // Without anybody able there is nothing to try before the next relief, unless the one who
        // has passed it on only had no room.
        let mut senders = self.adrift.iter().filter_map(|one| one.from);
        let may = |from| crew.roster.get(from).is_some_and(Member::serves);
        let is_worthwhile = if is_anybody_able {
            !self.adrift.is_empty()
        } else {
            senders.any(may)
        };
        self.again = is_worthwhile.then(|| Instant::now() + AGAIN);
    }

    /// To whom connections may be given, and how many each has.
    fn ranks(&self, crew: &Crew<'_>) -> Vec<Rank> {
        let of = |member: &Member| self.rank(member, crew);
        let by = self.relief.by.iter();
        let able = by
            .filter_map(|worker| crew.roster.get(*worker))
            .filter(|member| member.serves() && member.link().is_some());
        let ranks: Vec<Rank> = able.map(of).collect();
        if !ranks.is_empty() || !self.is_last_call {
            return ranks;
        }
        // Nobody else will come. A worker that drains serves what it finds in its channel, and has
        // closed its ears before it leaves.
        let all = crew.roster.all().map(|(_, member)| member);
        let living = all.filter(|member| member.finishes() && member.link().is_some());
        living.map(of).collect()
    }

    /// By the connections that a worker holds, those that are on their way to it, and those that
    /// wait for it: in a burst it may not have come to them yet, and would end up with the most.
    fn rank(&self, member: &Member, crew: &Crew<'_>) -> Rank {
        let ahead = self.lent.count(member.worker);
        let connections = crew.board.row(member.row).connections() + ahead;
        let waiting = crew.waiting.get(&member.slot).copied().unwrap_or_default();
        // At its limit of files it would lose what it is sent: the kernel drops the descriptor.
        let files = crew.files.saturating_sub(SPARE_FILES);
        Rank {
            connections: connections + waiting,
            worker: member.worker,
            room: (MOST_AHEAD.saturating_sub(ahead)).min(files.saturating_sub(connections)),
        }
    }
}

/// A worker and what it holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Rank {
    connections: u64,
    worker: WorkerId,
    /// So many more it may get now.
    room: u64,
}

/// Gives a connection to the lightest, and tells to whom; those that have no room are not asked
/// again this time.
fn give(
    connection: BorrowedFd<'_>,
    ranks: &mut Vec<Rank>,
    crew: &mut Crew<'_>,
) -> Option<WorkerId> {
    while let Some(index) = (0..ranks.len()).min_by_key(|index| ranks[*index]) {
        let worker = ranks[index].worker;
        let member = crew.roster.get_mut(worker);
        let is_given = member.is_some_and(|member| hand(member, connection));
        ranks[index].connections += 1;
        ranks[index].room -= 1;
        if !is_given || ranks[index].room == 0 {
            ranks.swap_remove(index);
        }
        if is_given {
            return Some(worker);
        }
    }
    None
}

/// To the worker that has passed it on, which serves it then.
fn give_back(adrift: &Adrift, crew: &mut Crew<'_>) -> Option<WorkerId> {
    let sender = adrift.from.and_then(|from| crew.roster.get_mut(from));
    let member = sender.filter(|member| member.serves())?;
    hand(member, adrift.connection.as_fd()).then_some(member.worker)
}

fn hand(member: &mut Member, connection: BorrowedFd<'_>) -> bool {
    let is_handed = orders::serve(member, connection).is_ok();
    member.handed += u64::from(is_handed);
    is_handed
}

#[cfg(test)]
mod tests;
