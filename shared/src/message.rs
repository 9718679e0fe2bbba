//! The vocabularies between the supervisor and its children: facts go up, orders go down. One enum
//! per direction, so that a message the wrong way does not compile.

use serde::{Deserialize, Serialize};

/// A fact that a worker tells the supervisor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fact {
    /// The runtime turns, the app is built, the listeners are registered.
    Ready,
    /// The app could not be built; the worker leaves with this sentence as its last word.
    Failed {
        /// Why, in the app's own words.
        reason: String,
    },
    /// Somebody else than the supervisor asks this worker to leave (SIGTERM). It serves on, for
    /// some seconds, until its replacement does.
    Leaving,
    /// With the descriptor of an accepted connection: this worker holds clearly more than its
    /// siblings, one of them shall serve it. Answered by [`Order::Serve`] to the lightest.
    Passed,
    /// The loop turns again after the supervisor has ceased to look
    /// ([`crate::board::Board::doze`]).
    Stirred,
}

/// An order that the supervisor gives to a worker.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Order {
    /// Accept what already waits, then no more; finish what is open within `deadline_ms`
    /// milliseconds, cut the rest, leave with code 0.
    Drain {
        /// From the receipt of the order, in milliseconds.
        deadline_ms: u64,
    },
    /// Take connections from now on, or as soon as you can: to one that was born to hold still
    /// ([`crate::seat::Seat::holds`]).
    Begin,
    /// Close every connection now and leave with code 0.
    Cut,
    /// Open the log files again: they were rotated.
    ReopenLogs,
    /// With the descriptor of an accepted connection: serve it, whatever else is going on. It
    /// waited in a queue that nobody came to, or another worker passed it on.
    Serve,
    /// Show that the loop turns ([`crate::board::Row::answer`]). Asked only of a worker that looks
    /// as if it were stuck.
    Answer,
    /// With a sealed memory that holds a [`TicketKeys`](crate::tickets::TicketKeys): resume TLS
    /// sessions with these from now on.
    TicketKeys,
    /// With a sealed memory that holds certificates and keys (`TlsFiles`): new connections get
    /// these.
    Certificates,
}

/// A fact that the process behind the admin address tells the supervisor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AdminFact {
    /// It answers from now on.
    Ready,
    /// Somebody wants to know whether the supervisor turns: to be answered with the same number.
    Asks {
        /// Counted by who asks.
        question: u64,
    },
}

/// An order that the supervisor gives to the process behind the admin address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AdminOrder {
    /// The supervisor turns.
    Answer {
        /// The number of the question.
        question: u64,
    },
    /// Answer who is there, then leave with code 0.
    Leave {
        /// So long a connection may stay on which nothing is asked: what is on its way arrives.
        idle_ms: u64,
    },
}
