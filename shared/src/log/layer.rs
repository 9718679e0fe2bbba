//! Where `tracing` meets the sink.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use super::fields::Fields;
use super::form::Form;
use super::sink::{Pending, Sink};

/// The log of this process. One lock, taken once a line; a fork finds it free, since it happens
/// in a process of one thread and never while that writes a line.
struct Output {
    sink: Mutex<Sink>,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
struct State {
    level: LevelFilter,
    form: Form,
}

static OUTPUT: OnceLock<Output> = OnceLock::new();

/// Starts the log of this process on what standard error is now. A second call changes level and
/// form of the log that is.
///
/// # Errors
/// If standard error is closed, or another `tracing` subscriber stands already.
pub fn begin(level: LevelFilter, form: Form) -> io::Result<()> {
    if OUTPUT.get().is_none() {
        let sink = Mutex::new(Sink::to(io::stderr().as_fd())?);
        let _ = OUTPUT.set(Output {
            sink,
            state: Mutex::new(State { level, form }),
        });
        let subscriber = tracing_subscriber::registry().with(ToSink);
        tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)?;
    }
    if let Some(output) = OUTPUT.get() {
        *lock(&output.state) = State { level, form };
    }
    tracing::callsite::rebuild_interest_cache();
    Ok(())
}

/// For a forked child: lines that the parent has begun are the parent's to end.
pub fn begin_child() {
    if let Some(output) = OUTPUT.get() {
        lock(&output.sink).forget_pending();
    }
}

/// Writes lines of this level and more important ones from now on.
pub fn set_level(level: LevelFilter) {
    if let Some(output) = OUTPUT.get() {
        lock(&output.state).level = level;
        tracing::callsite::rebuild_interest_cache();
    }
}

/// The descriptor that the log writes to: a child that closes what it does not need keeps this.
#[must_use]
pub fn descriptor() -> Option<RawFd> {
    OUTPUT
        .get()
        .map(|output| lock(&output.sink).as_fd().as_raw_fd())
}

/// The form of this process's log; none before it has begun.
#[must_use]
pub fn form() -> Option<Form> {
    OUTPUT.get().map(|output| lock(&output.state).form)
}

/// Writes a line as it is, between those of the log.
pub fn raw_line(line: &str) {
    if let Some(output) = OUTPUT.get() {
        lock(&output.sink).write_line(line.as_bytes());
    }
}

/// Tries again to write what could not be written; whether some still waits.
pub fn flush() -> bool {
    OUTPUT
        .get()
        .is_some_and(|output| !lock(&output.sink).flush())
}

/// What waits to be written, for another program that goes on with it.
#[must_use]
pub fn pending() -> Pending {
    let output = OUTPUT.get();
    output.map_or_else(Pending::default, |output| lock(&output.sink).pending())
}

/// Goes on with what waited in another program.
pub fn resume(pending: Pending) {
    if let Some(output) = OUTPUT.get() {
        lock(&output.sink).resume(pending);
    }
}

/// Gives what waits to be written some time, at the end of the process.
pub fn finish(patience: Duration) {
    let Some(output) = OUTPUT.get() else { return };
    lock(&output.sink).finish(patience);
    let dropped = lock(&output.sink).take_dropped();
    if dropped > 0 {
        tell_dropped(dropped);
        lock(&output.sink).finish(patience);
    }
}

fn tell_dropped(lines: u64) {
    tracing::warn!(
        event = "log.dropped",
        lines,
        "{lines} log lines could not be written"
    );
}

/// The target of events that are written whatever the level: what others said and we pass on.
pub const ALWAYS: &str = "brigade::always";

/// Libraries that speak with clients. They tell of every frame, and a client could make them tell as
/// much as it likes.
const CHATTERS: [&str; 4] = ["h2", "hyper", "hyper_util", "rustls"];

/// Whether an event is written.
fn is_wanted(target: &str, level: &Level, limit: LevelFilter) -> bool {
    let library = target.split("::").next().unwrap_or_default();
    let is_chatter = CHATTERS.contains(&library) && limit < LevelFilter::TRACE;
    target == ALWAYS || (*level <= limit && !is_chatter)
}

/// A poisoned lock is no reason to lose the log: what it guards is whole after every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The layer: every enabled event becomes a line of the sink.
struct ToSink;

impl<S: Subscriber> Layer<S> for ToSink {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        OUTPUT.get().map_or(metadata.target() == ALWAYS, |output| {
            is_wanted(
                metadata.target(),
                metadata.level(),
                lock(&output.state).level,
            )
        })
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let Some(output) = OUTPUT.get() else { return };
        let form = lock(&output.state).form;
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = form.line(event.metadata(), fields);
        let matters = event.metadata().target() != ALWAYS;
        let write = |sink: &mut Sink| match matters {
            true => sink.write_important_line(line.as_bytes()),
            false => sink.write_line(line.as_bytes()),
        };
        let dropped = {
            let mut sink = lock(&output.sink);
            let dropped = sink.take_dropped();
            if dropped == 0 {
                write(&mut sink);
            }
            dropped
        };
        if dropped > 0 {
            tell_dropped(dropped);
            write(&mut lock(&output.sink));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ALWAYS, is_wanted};
    use tracing::Level;
    use tracing::level_filters::LevelFilter;

    #[test]
    fn what_clients_can_make_libraries_say_is_written_only_if_everything_is() {
        for target in [
            "h2",
            "h2::codec::framed_read",
            "hyper::proto",
            "rustls::conn",
        ] {
            assert!(!is_wanted(target, &Level::WARN, LevelFilter::DEBUG));
            assert!(is_wanted(target, &Level::DEBUG, LevelFilter::TRACE));
        }
        for target in ["brigade_worker::accept", "shop::orders", "h2o"] {
            assert!(is_wanted(target, &Level::DEBUG, LevelFilter::DEBUG));
            assert!(!is_wanted(target, &Level::DEBUG, LevelFilter::INFO));
        }
        assert!(is_wanted(ALWAYS, &Level::INFO, LevelFilter::ERROR));
    }
}
