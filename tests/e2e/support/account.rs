//! The account of a load: how every request ended, and which losses are excused.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::http::Trouble;
use super::process::Process;

/// The end of a worker by force. What was in flight on it between the two moments may be lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kill {
    /// The killed process.
    pub(crate) process: Process,
    /// Just before the signal was sent.
    pub(crate) begin: Instant,
    /// When the supervisor had seen the end.
    pub(crate) end: Instant,
}

/// A request that was not answered, or not rightly.
#[derive(Clone, Debug)]
pub(crate) struct Loss {
    /// What happened.
    pub(crate) trouble: Trouble,
    /// Which client.
    pub(crate) client: usize,
    /// The worker at the other end, if an earlier answer on this connection has told.
    pub(crate) process: Option<Process>,
    /// How many requests this connection had answered before.
    pub(crate) answered_before: u64,
    /// When the client turned to this request.
    pub(crate) begin: Instant,
    /// When it was lost.
    pub(crate) end: Instant,
}

/// The first answer on a new connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstByte {
    /// Just before it was opened.
    pub(crate) begin: Instant,
    /// From there to the first byte of the answer.
    pub(crate) took: Duration,
    /// Who answered, if the answer tells.
    pub(crate) process: Option<Process>,
}

/// The account of one client, or the sum of several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// Requests answered rightly.
    pub(crate) answered: u64,
    /// Those that were not.
    pub(crate) losses: Vec<Loss>,
    /// Idle connections that the server closed; no request was lost by that.
    pub(crate) closed_idle: u64,
    /// Answers of each worker.
    pub(crate) by_process: BTreeMap<Process, u64>,
    /// Connections that each worker has served.
    pub(crate) connections: BTreeMap<Process, u64>,
    /// Of every new connection that was answered.
    pub(crate) first_bytes: Vec<FirstByte>,
    /// Generations that answered.
    pub(crate) generations: BTreeSet<i64>,
    /// The longest time from turning to a request to its answer.
    pub(crate) slowest: Duration,
}

impl Account {
    /// Adds another account to this one.
    pub(crate) fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.losses.extend(other.losses);
        self.closed_idle += other.closed_idle;
        for (process, count) in other.by_process {
            *self.by_process.entry(process).or_default() += count;
        }
        for (process, count) in other.connections {
            *self.connections.entry(process).or_default() += count;
        }
        self.first_bytes.extend(other.first_bytes);
        self.generations.extend(other.generations);
        self.slowest = self.slowest.max(other.slowest);
    }

    /// Every request was answered.
    pub(crate) fn assert_lost_none(&self) {
        self.assert_lost_only(&[]);
    }

    /// Every request was answered, but for those in flight on a killed worker: at most one of
    /// each client per kill, and none on a connection to another worker.
    pub(crate) fn assert_lost_only(&self, kills: &[Kill]) {
        let mut used = BTreeSet::new();
        let mut inexcusable = Vec::new();
        for loss in &self.losses {
            let mut excuses = kills.iter().enumerate();
            let is_excused = excuses.any(|(number, kill)| {
                loss.is_excused_by(kill) && used.insert((number, loss.client))
            });
            if !is_excused {
                inexcusable.push(loss);
            }
        }
        let answered = self.answered;
        let zero = kills.first().map_or_else(Instant::now, |kill| kill.begin);
        let told: Vec<_> = inexcusable.iter().map(|loss| loss.tell(zero)).collect();
        let kills: Vec<_> = kills.iter().map(|kill| kill.tell(zero)).collect();
        assert!(
            inexcusable.is_empty(),
            "{} of {} requests were lost without an excuse: {told:#?}\nkills: {kills:#?}",
            inexcusable.len(),
            answered + self.losses.len() as u64,
        );
        assert!(answered > 0, "the load has not asked anything");
    }
}

/// A moment in milliseconds from another.
fn from(zero: Instant, moment: Instant) -> f64 {
    let after = moment.saturating_duration_since(zero).as_secs_f64();
    (after - zero.saturating_duration_since(moment).as_secs_f64()) * 1e3
}

impl Kill {
    fn tell(&self, zero: Instant) -> String {
        let (begin, end) = (from(zero, self.begin), from(zero, self.end));
        format!("pid {} from {begin:.3} to {end:.3} ms", self.process.0)
    }
}

impl Loss {
    fn tell(&self, zero: Instant) -> String {
        let (begin, end) = (from(zero, self.begin), from(zero, self.end));
        let pid = self.process.map_or(0, |process| process.0);
        format!(
            "client {} from {begin:.3} to {end:.3} ms, pid {pid}, after {} answers: {:?}",
            self.client, self.answered_before, self.trouble
        )
    }

    fn is_excused_by(&self, kill: &Kill) -> bool {
        let meant = self.process.is_none_or(|process| process == kill.process);
        let broken = matches!(
            self.trouble,
            Trouble::Reset | Trouble::Closed | Trouble::Cut
        );
        meant && broken && self.begin <= kill.end && self.end >= kill.begin
    }
}
