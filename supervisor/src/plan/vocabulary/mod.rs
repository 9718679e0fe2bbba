//! The words of the plan: what it hears (Event), what it orders (Action), what it tells (Change).
//! They name slots and workers and moments, and nothing of an operating system.

mod action;
mod change;
mod event;
mod reason;
mod settings;

pub use action::{Action, Relief};
pub use change::Change;
pub use event::{Event, Look, Moment, Request, Sight, Signs};
pub use reason::{
    Deadline, Despair, Failure, Haste, Leaving, Next, Refusal, Scaling, Verdict, Wear,
};
pub use settings::{Elastic, Intensity, KeptSlots, Quorum, Recycle, Settings};
