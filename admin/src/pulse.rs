//! Whether the supervisor turns: asked over the link, by however many at once.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use brigade_shared::channel::{Channel, Received};
use brigade_shared::message::{AdminFact, AdminOrder};
use tokio::io::Interest;
use tokio::net::UnixDatagram;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// So long an answer is waited for. Longer than the supervisor takes for anything that it does
/// in one go, and a second less than probes are given by those who are in a hurry.
const PATIENCE: Duration = Duration::from_secs(1);
/// An answer that is not older than this will do for the next who asks: nobody makes the
/// supervisor busy by asking often.
const FRESH: Duration = Duration::from_millis(50);

/// The link to the supervisor, and what has come over it.
#[derive(Debug)]
pub(crate) struct Pulse {
    link: Channel<AdminFact, AdminOrder>,
    /// The same socket once more, as one that tokio knows how to watch: it says when to look, and
    /// the channel does the reading.
    watched: UnixDatagram,
    asked: Cell<u64>,
    /// The newest answer, and when it came.
    answered: watch::Sender<Option<(u64, Instant)>>,
    /// When the question that waits for an answer was asked.
    waiting: RefCell<Option<Instant>>,
}

impl Pulse {
    /// Over this link. To be called inside a runtime.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn over(link: Channel<AdminFact, AdminOrder>) -> io::Result<Self> {
        let socket = link.as_fd().try_clone_to_owned()?;
        Ok(Self {
            watched: UnixDatagram::from_std(socket.into())?,
            link,
            asked: Cell::new(0),
            answered: watch::Sender::new(None),
            waiting: RefCell::new(None),
        })
    }

    /// Tells the supervisor that this process answers.
    pub(crate) fn say_ready(&self) {
        // If nobody hears it, the link's end is the next thing to come.
        let _ = self.link.send(&AdminFact::Ready);
    }

    /// Whether the supervisor turns.
    pub(crate) async fn beats(&self) -> bool {
        let now = Instant::now();
        if let Some((_, at)) = *self.answered.borrow()
            && now.duration_since(at) < FRESH
        {
            return true;
        }
        let mut answers = self.answered.subscribe();
        let question = self.ask(now);
        let answered = answers.wait_for(|newest| newest.is_some_and(|(got, _)| got >= question));
        matches!(timeout_at(now + PATIENCE, answered).await, Ok(Ok(_)))
    }

    /// The question whose answer proves that the supervisor has turned since `now`. While one is on
    /// its way that is young, no other is asked than one more.
    fn ask(&self, now: Instant) -> u64 {
        let mut waiting = self.waiting.borrow_mut();
        let is_pending = waiting.is_some_and(|since| now.duration_since(since) < FRESH);
        if is_pending {
            return self.asked.get();
        }
        let question = self.asked.get() + 1;
        self.asked.set(question);
        *waiting = Some(now);
        // A supervisor that has not read for so long that there is no room does not turn.
        let _ = self.link.send(&AdminFact::Asks { question });
        question
    }

    /// Listens after the order to leave: until the supervisor is dead.
    pub(crate) async fn listen_on(&self) {
        while !self.until_dismissed().await.is_zero() {}
    }

    /// Listens until this process is to leave: it was told to, or the supervisor is dead. Tells how
    /// long connections may stay on which nothing is asked.
    pub(crate) async fn until_dismissed(&self) -> Duration {
        let receive = || match self.link.receive() {
            Received::Nothing => Err(io::ErrorKind::WouldBlock.into()),
            received => Ok(received),
        };
        while let Ok(received) = self.watched.async_io(Interest::READABLE, receive).await {
            match received {
                Received::Message(AdminOrder::Answer { question }) => {
                    self.waiting.take();
                    self.answered.send_replace(Some((question, Instant::now())));
                }
                Received::Message(AdminOrder::Leave { idle_ms }) => {
                    return Duration::from_millis(idle_ms);
                }
                Received::Closed => break,
                // A supervisor of a later version may know more orders.
                Received::Message(_) | Received::Nonsense(_) | Received::Nothing => {}
            }
        }
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::{PATIENCE, Pulse};
    use brigade_shared::channel::{Channel, Received};
    use brigade_shared::message::{AdminFact, AdminOrder};
    use std::rc::Rc;
    use std::time::{Duration, Instant};

    type Supervisor = Channel<AdminOrder, AdminFact>;

    fn with_pulse<F: Future<Output = ()>>(test: impl FnOnce(Rc<Pulse>, Supervisor) -> F) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .unwrap();
        runtime.block_on(async {
            let (link, supervisor) = Channel::pair().unwrap();
            let pulse = Rc::new(Pulse::over(link).unwrap());
            let listening = Rc::clone(&pulse);
            tokio::task::spawn_local(async move { listening.until_dismissed().await });
            test(pulse, supervisor).await;
        });
    }

    /// The questions that have come.
    fn questions(supervisor: &Supervisor) -> Vec<u64> {
        let mut found = Vec::new();
        while let Received::Message(fact) = supervisor.receive() {
            if let AdminFact::Asks { question } = fact {
                found.push(question);
            }
        }
        found
    }

    #[test]
    fn who_gets_an_answer_knows_that_the_supervisor_turns() {
        with_pulse(|pulse, supervisor| async move {
            let asking = Rc::clone(&pulse);
            let asked = tokio::task::spawn_local(async move { asking.beats().await });
            tokio::task::yield_now().await;
            let all = questions(&supervisor);
            assert_eq!(all.len(), 1);
            let question = all[0];
            supervisor.send(&AdminOrder::Answer { question }).unwrap();
            assert!(asked.await.unwrap());
            assert!(pulse.beats().await, "a fresh answer will do");
            assert_eq!(questions(&supervisor), Vec::<u64>::new());
        });
    }

    #[test]
    fn who_gets_none_waits_for_a_second_and_no_longer() {
        with_pulse(|pulse, _supervisor| async move {
            let begin = Instant::now();
            assert!(!pulse.beats().await);
            assert!(begin.elapsed() >= PATIENCE, "{:?}", begin.elapsed());
        });
    }

    #[test]
    fn many_who_ask_at_once_ask_once() {
        with_pulse(|pulse, supervisor| async move {
            let crowd: Vec<_> = (0..50)
                .map(|_| {
                    let pulse = Rc::clone(&pulse);
                    tokio::task::spawn_local(async move { pulse.beats().await })
                })
                .collect();
            tokio::task::yield_now().await;
            let all = questions(&supervisor);
            assert_eq!(all.len(), 1, "{all:?}");
            let question = all[0];
            supervisor.send(&AdminOrder::Answer { question }).unwrap();
            for one in crowd {
                assert!(one.await.unwrap());
            }
        });
    }

    #[test]
    fn an_answer_to_an_older_question_proves_nothing_of_now() {
        with_pulse(|pulse, supervisor| async move {
            assert!(!pulse.beats().await, "nobody answered the first");
            let asking = Rc::clone(&pulse);
            let asked = tokio::task::spawn_local(async move { asking.beats().await });
            tokio::task::yield_now().await;
            let question = questions(&supervisor)[0];
            supervisor.send(&AdminOrder::Answer { question }).unwrap();
            assert!(!asked.await.unwrap());
        });
    }

    #[test]
    fn the_end_of_the_link_and_the_order_to_leave_end_it() {
        for (orders, idle) in [(vec![AdminOrder::Leave { idle_ms: 70 }], 70), (vec![], 0)] {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let (link, supervisor) = Channel::<AdminFact, AdminOrder>::pair().unwrap();
                let pulse = Pulse::over(link).unwrap();
                pulse.say_ready();
                assert_eq!(supervisor.receive(), Received::Message(AdminFact::Ready));
                for order in &orders {
                    supervisor.send(order).unwrap();
                }
                drop(supervisor);
                let told = pulse.until_dismissed().await;
                assert_eq!(told, Duration::from_millis(idle));
            });
        }
    }
}
