//! For tests: what is logged on this thread.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

/// The events that were logged since it was made, each as its fields: `name=value` and a space.
pub(crate) struct Heard {
    events: Arc<Mutex<Vec<String>>>,
    _guard: DefaultGuard,
}

struct Ear(Arc<Mutex<Vec<String>>>);

struct Words(String);

impl Heard {
    pub(crate) fn begin() -> Self {
        let events = Arc::default();
        let ear = Ear(Arc::clone(&events));
        let _guard = tracing::subscriber::set_default(ear);
        Self { events, _guard }
    }

    /// Takes those of this name.
    pub(crate) fn take(&self, event: &str) -> Vec<String> {
        let begin = format!("event={event:?} ");
        let mut events = self.events.lock().unwrap();
        let (taken, rest) = events.drain(..).partition(|words| words.contains(&begin));
        *events = rest;
        taken
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!("{field}={value:?} ");
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(String::new());
        event.record(&mut words);
        self.0.lock().unwrap().push(words.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
