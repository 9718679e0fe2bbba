//! Names what has come: facts and words of workers, their ends, signals.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use brigade_shared::channel::Received;
use brigade_shared::id::WorkerId;
use brigade_shared::message::Fact;
use brigade_shared::sys::wait;
use nix::sys::signal::Signal;
use tracing::{debug, info, warn};

use crate::act::Hands;
use crate::admin::Admin;
use crate::notify::Word;
use crate::orders;
use crate::plan::{Event, Request};
use crate::probe::{self, Seen};
use crate::roster::{Member, Probe, Proof, Standing, Tie};
use crate::watch::Source;

/// The longest pause between two looks at a program that starts.
const LONGEST_PROBE: Duration = Duration::from_millis(100);

/// So many facts of one worker are heard in one turn, and of one that has ended: more than a
/// channel holds.
const MOST_FACTS: usize = 64;
const LAST_FACTS: usize = 4096;

/// How long a program whose /proc entries can't be read has to live to count as ready.
const UNSEEN: Duration = Duration::from_secs(1);

/// Orders to stop within this time of the first are one: timeout(1) sends its signal to the child
/// and then to the whole group, and a terminal to everybody in it.
const SAME_STOP: Duration = Duration::from_millis(100);

/// What has to be remembered between two turns to understand what comes.
#[derive(Debug, Default)]
pub(crate) struct Ears {
    /// When the last order to stop came that was passed on.
    stopped: Option<Instant>,
}

impl Ears {
    /// Facts before exits, so that a worker's last words are read before its death; requests
    /// last, so that they meet the fleet as it is now.
    pub(crate) fn hear(&mut self, found: &[Source], hands: &mut Hands) {
        let mut queues = Vec::new();
        for source in found {
            match *source {
                // Below, whatever was found.
                Source::Signals | Source::Sentinel | Source::Admin => {}
                Source::Link(worker) => hands.hear_link(worker, MOST_FACTS),
                Source::Notify(worker) => hands.hear_words(worker),
                Source::Output(worker, stream) => {
                    if let Some(member) = hands.roster.get_mut(worker) {
                        hands.passing.read(member, stream);
                    }
                }
                Source::Queue(number) => queues.push(number),
                Source::Quotas => hands.recount(),
            }
        }
        hands.admin.iter_mut().for_each(Admin::hear);
        let signals = hands.signals.take();
        if let Some(why) = hands.upgrade.hear(Instant::now()) {
            hands.answered(Err(why));
        }
        hands.reap();
        // After the reaping: who has just died is not alive, and so not ready.
        hands.probe();
        hands.come(&queues);
        for signal in signals {
            self.hear_signal(signal, hands);
        }
    }

    fn hear_signal(&mut self, signal: Signal, hands: &mut Hands) {
        let request = match signal {
            Signal::SIGTERM | Signal::SIGINT => Some(Request::Stop),
            Signal::SIGQUIT => Some(Request::StopNow),
            Signal::SIGHUP => Some(Request::Reload),
            Signal::SIGTTIN => Some(Request::ScaleBy(1)),
            Signal::SIGTTOU => Some(Request::ScaleBy(-1)),
            Signal::SIGUSR2 => Some(Request::Upgrade),
            _ => None,
        };
        let is_echo = request.is_some_and(|request| self.is_echo(request, Instant::now()));
        if signal != Signal::SIGCHLD {
            let name = signal.as_str();
            let again = if is_echo {
                " again, the same order as a moment ago"
            } else {
                ""
            };
            info!(
                event = "signal.received",
                signal = name,
                echo = is_echo,
                "{name} received{again}"
            );
        }
        match signal {
            Signal::SIGUSR1 => hands.reopen_logs(),
            Signal::SIGHUP => hands.voice.reload_asked(),
            _ => {}
        }
        let request = request.filter(|_| !is_echo);
        hands.events.extend(request.map(Event::Asked));
    }

    /// Whether this is an order to stop that came a moment ago already. The first of them was
    /// passed on, and the time is not prolonged by those that follow: whoever means it a second
    /// time is heard after it.
    fn is_echo(&mut self, request: Request, now: Instant) -> bool {
        if request != Request::Stop {
            return false;
        }
        let is_soon = |first: Instant| now.duration_since(first) < SAME_STOP;
        let is_echo = self.stopped.is_some_and(is_soon);
        if !is_echo {
            self.stopped = Some(now);
        }
        is_echo
    }
}

impl Hands {
    fn hear_link(&mut self, worker: WorkerId, most: usize) {
        let Some(member) = self.roster.get_mut(worker) else {
            return;
        };
        let slot = member.slot.0;
        let Tie::Service { link } = &mut member.tie else {
            return;
        };
        let mut has_stirred = false;
        let mut is_ready = false;
        let mut passed: Vec<OwnedFd> = Vec::new();
        // Bounded: a worker that talks without end must not keep the supervisor.
        for _ in 0..most {
            let Some(channel) = link else { break };
            match channel.receive_with() {
                (Received::Message(Fact::Ready), _) => is_ready = true,
                (Received::Message(Fact::Passed), Some(connection)) => passed.push(connection),
                (Received::Message(Fact::Passed), None) => {
                    warn!(
                        event = "relief.lost",
                        slot,
                        "worker {slot} passed a connection on that did not arrive: the supervisor has too many files open"
                    );
                }
                (Received::Message(Fact::Stirred), _) => has_stirred = true,
                (Received::Message(Fact::Leaving), _) => {
                    self.events.push_back(Event::Leaving(worker));
                }
                // Its exit follows.
                (Received::Message(Fact::Failed { reason }), _) => member.failed = Some(reason),
                (Received::Message(_), _) => {}
                (Received::Nothing, _) => break,
                (Received::Closed, _) => *link = None,
                (Received::Nonsense(words), _) => {
                    *link = None;
                    let (pid, generation) = (member.pid.as_raw(), member.generation.0);
                    warn!(
                        event = "worker.nonsense",
                        slot,
                        pid,
                        generation,
                        worker = worker.0,
                        words,
                        "worker {slot} sent what is no message, and is not listened to any more: {words}"
                    );
                }
            }
        }
        if is_ready {
            self.became_ready(worker);
        }
        if has_stirred {
            self.stirred();
        }
        let relieving = &mut self.attention.relieving;
        for connection in passed {
            relieving.pass_on(connection, worker);
        }
    }

    fn hear_words(&mut self, worker: WorkerId) {
        let Some(member) = self.roster.get_mut(worker) else {
            return;
        };
        let (slot, pid, generation) = (member.slot.0, member.pid.as_raw(), member.generation.0);
        let Tie::Program {
            notify,
            probe,
            watchdogs,
            spoke,
        } = &mut member.tie
        else {
            return;
        };
        let mut is_ready = false;
        let mut begins_to_speak = false;
        for word in notify.read() {
            match word {
                Word::Ready => {
                    *probe = None;
                    is_ready = true;
                }
                Word::Status(status) => {
                    info!(
                        event = "worker.status",
                        slot,
                        pid,
                        generation,
                        worker = worker.0,
                        status,
                        "worker {slot} says: {status}"
                    );
                }
                Word::Stopping => {
                    info!(
                        event = "worker.status",
                        slot,
                        pid,
                        generation,
                        worker = worker.0,
                        status = "stopping",
                        "worker {slot} says that it stops"
                    );
                }
                Word::Watchdog => {
                    begins_to_speak |= *watchdogs == 0;
                    *watchdogs += 1;
                    *spoke = Instant::now();
                    debug!(
                        event = "worker.watchdog",
                        slot,
                        pid,
                        generation,
                        worker = worker.0,
                        "worker {slot} says that it lives"
                    );
                }
            }
        }
        if is_ready {
            self.became_ready(worker);
        }
        if begins_to_speak {
            self.stirred();
        }
    }

    /// Looks at programs that start, where it is time to.
    fn probe(&mut self) {
        let now = Instant::now();
        let mut ready = Vec::new();
        for (worker, member) in self.roster.all_mut() {
            let Some(due) = due_probe(member, now) else {
                continue;
            };
            let sockets = self.listeners.of_slot(member.slot, member.generation);
            let sockets = sockets.iter().map(|offer| offer.socket);
            let seen = match due.proof {
                Proof::Lives => Seen::Waiting,
                Proof::Waits => probe::look(member.pid, sockets),
            };
            let (slot, pid) = (member.slot.0, member.pid.as_raw());
            let generation = member.generation.0;
            let Tie::Program { probe, .. } = &mut member.tie else {
                continue;
            };
            *probe = match seen {
                Seen::Waiting => {
                    ready.push(worker);
                    None
                }
                Seen::Busy => {
                    let pause = (due.pause * 2).min(LONGEST_PROBE);
                    let at = now + pause;
                    Some(Probe { at, pause, ..due })
                }
                Seen::Hidden => {
                    warn!(
                        event = "worker.hidden",
                        slot,
                        pid,
                        generation,
                        worker = worker.0,
                        "whether worker {slot} waits for connections can't be seen in /proc (that takes CAP_SYS_PTRACE): it counts as ready when it has lived for a second; --ready notify or --ready 2s says otherwise"
                    );
                    let (at, proof) = (now + UNSEEN, Proof::Lives);
                    Some(Probe { at, proof, ..due })
                }
            };
        }
        ready
            .into_iter()
            .for_each(|worker| self.became_ready(worker));
    }

    /// Deals with every child that has ended.
    pub(crate) fn reap(&mut self) {
        while let Some(pid) = wait::next_ended() {
            let worker = self.roster.by_pid(pid);
            if let Some(member) = worker.and_then(|worker| self.roster.get(worker))
                && matches!(member.tie, Tie::Program { .. })
            {
                // Before the pid can be another's: what the program left behind goes with it.
                let _ = orders::kill_group(member);
            }
            let Some(exit) = wait::reap(pid) else {
                return;
            };
            match worker {
                Some(worker) => {
                    if let Some(member) = self.roster.get_mut(worker) {
                        member.reach(Standing::Ending);
                    }
                    // To the end: a connection that it has passed on lives on.
                    self.hear_link(worker, LAST_FACTS);
                    self.hear_words(worker);
                    self.ended(worker, exit);
                }
                None if self.upgrade.is_sentinel(pid) => {
                    let answer = self.upgrade.sentinel_ended(exit);
                    self.answered(answer);
                }
                None if self
                    .admin
                    .as_mut()
                    .is_some_and(|admin| admin.ended(pid, exit)) => {}
                None => debug!(event = "orphan.reaped", pid = pid.as_raw(), exit = %exit,
                    "reaped process {pid}, which was left to us ({exit})"),
            }
        }
    }
}

fn due_probe(member: &Member, now: Instant) -> Option<Probe> {
    match &member.tie {
        Tie::Program {
            probe: Some(probe), ..
        } if probe.at <= now => Some(*probe),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Ears, SAME_STOP};
    use crate::plan::Request;
    use std::time::{Duration, Instant};

    #[test]
    fn an_order_to_stop_and_its_echo_are_one_and_a_second_order_is_heard() {
        let mut ears = Ears::default();
        let first = Instant::now();
        let mut is_echo = |request, after| ears.is_echo(request, first + after);
        let moment = Duration::from_millis(1);
        assert!(!is_echo(Request::Stop, Duration::ZERO));
        assert!(is_echo(Request::Stop, moment));
        assert!(!is_echo(Request::StopNow, moment), "QUIT never is one");
        assert!(is_echo(Request::Stop, SAME_STOP - moment));
        assert!(!is_echo(Request::Stop, SAME_STOP), "nothing is prolonged");
        assert!(is_echo(Request::Stop, SAME_STOP + moment));
        assert!(!is_echo(Request::Reload, SAME_STOP + moment));
    }
}
