//! What an app wants done when its worker leaves.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::panic;

type Running = Pin<Box<dyn Future<Output = ()>>>;
type Hook = Box<dyn FnOnce() -> Running>;

/// The hooks of one worker, in the order in which they were asked for.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Rc<RefCell<Vec<Hook>>>);

impl Hooks {
    /// One more, to be run before all others.
    pub(crate) fn add<F>(&self, hook: impl FnOnce() -> F + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        let hook: Hook = Box::new(|| Box::pin(hook()));
        self.0.borrow_mut().push(hook);
    }

    /// Runs them, the last one first, and gives all of them together so much time. A panic ends one
    /// hook; the deadline ends them all.
    pub(crate) async fn run(&self, within: Duration, slot: u16) {
        let (deadline, pid) = (Instant::now() + within, std::process::id());
        loop {
            let hook = self.0.borrow_mut().pop();
            let Some(hook) = hook else {
                return;
            };
            match timeout_at(deadline, watched(hook)).await {
                Ok(Ok(())) => {}
                Ok(Err(words)) => tracing::error!(
                    event = "hook.panicked",
                    slot,
                    pid,
                    panic = words,
                    "a hook of worker {slot} panicked at its end: {words}; the other hooks are still run"
                ),
                Err(_) => {
                    let hooks = self.0.borrow().len() + 1;
                    let within_ms = within.as_millis() as u64;
                    tracing::warn!(
                        event = "hooks.overdue",
                        slot,
                        pid,
                        hooks,
                        within_ms,
                        "worker {slot} leaves without {hooks} of its hooks: they were not done within {within_ms} ms (--timeout-hooks)"
                    );
                    return;
                }
            }
        }
    }
}

/// Runs a hook; its panic comes back as words.
async fn watched(hook: Hook) -> Result<(), String> {
    let mut running = panic::catch(hook)?;
    poll_fn(|task| match panic::catch(|| running.as_mut().poll(task)) {
        Ok(polled) => polled.map(Ok),
        Err(words) => Poll::Ready(Err(words)),
    })
    .await
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hooks({})", self.0.borrow().len())
    }
}

#[cfg(test)]
mod tests {
    use super::Hooks;
    use crate::rig::Rig;
    use std::cell::RefCell;
    use std::future::pending;
    use std::rc::Rc;
    use std::time::Duration;
    use tokio::time::sleep;

    /// Hooks, and what they have said.
    fn hooks() -> (Hooks, Rc<RefCell<Vec<&'static str>>>) {
        (Hooks::default(), Rc::default())
    }

    #[test]
    fn the_last_one_is_run_first_and_a_panic_costs_only_itself() {
        Rig::paused(async |_| {
            crate::panic::listen();
            let (hooks, said) = hooks();
            for word in ["close", "flush"] {
                let said = Rc::clone(&said);
                hooks.add(move || async move {
                    sleep(Duration::from_millis(10)).await;
                    said.borrow_mut().push(word);
                });
            }
            hooks.add(|| async { panic!("at the end") });
            hooks.run(Duration::from_secs(1), 0).await;
            assert_eq!(*said.borrow(), ["flush", "close"]);
        });
    }

    #[test]
    fn all_of_them_together_have_so_much_time() {
        Rig::paused(async |rig| {
            let (hooks, said) = hooks();
            let late = Rc::clone(&said);
            hooks.add(move || async move { late.borrow_mut().push("never") });
            hooks.add(pending);
            hooks.add(|| sleep(Duration::from_millis(600)));
            hooks.run(Duration::from_secs(1), 0).await;
            assert_eq!(rig.elapsed(), Duration::from_secs(1));
            assert!(said.borrow().is_empty());
        });
    }
}
