//! What only this supervisor and its workers know: the keys of TLS sessions, and certificates that
//! have been read and are not in use yet. Both reach running workers through sealed memory.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brigade_config::{Config, TlsFiles};
use brigade_shared::id::{Generation, WorkerId};
use brigade_shared::message::Order;
use brigade_shared::parcel;
use brigade_shared::tickets::TicketKeys;
use tracing::{debug, error, info, warn};

use crate::act::Hands;
use crate::roster::Roster;

/// Who could not be told of new certificates is told again so often, as long as it lives.
const AGAIN: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    /// None before a worker needs them.
    tickets: Option<TicketKeys>,
    /// What the reload that runs has found: only these have changed.
    renewed: Option<Arc<TlsFiles>>,
    untold: Option<Untold>,
}

/// Workers that have not read their orders for long, and do not know these certificates.
#[derive(Debug)]
struct Untold {
    workers: Vec<WorkerId>,
    files: Arc<TlsFiles>,
    again: Instant,
}

impl Secrets {
    /// As another program has left them.
    pub(crate) fn resume(tickets: Option<TicketKeys>) -> Self {
        Self {
            tickets,
            ..Self::default()
        }
    }

    /// For another program to go on with.
    pub(crate) fn tickets(&self) -> Option<&TicketKeys> {
        self.tickets.as_ref()
    }

    /// Makes keys if a worker of this configuration needs some and there are none.
    pub(crate) fn prepare(&mut self, config: &Config) {
        if self.tickets.is_some() || !config.worker.tls.is_on() {
            return;
        }
        match TicketKeys::fresh() {
            Ok(keys) => self.tickets = Some(keys),
            Err(error) => told_of_no_keys(&error),
        }
    }

    /// When to come back although nothing has happened.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.untold.as_ref().map(|untold| untold.again)
    }

    /// Tells the workers of a generation of new certificates.
    fn renew(
        &mut self,
        files: Arc<TlsFiles>,
        roster: &Roster,
        generation: Generation,
        now: Instant,
    ) {
        let is_meant = |_, of| of == generation;
        let (_, missed) = tell(roster, is_meant, &Order::Certificates, &*files);
        for slot in slots(roster, &missed) {
            warn!(
                event = "tls.not_told",
                slot,
                "worker {slot} can't be told of the new certificates, since it has not read its orders for long: it goes on with the old ones, and is told again every second until it listens or is replaced"
            );
        }
        self.miss(missed, files, now);
    }

    /// Tells those again that could not be told, if it is time.
    pub(crate) fn tell_again(&mut self, roster: &Roster, now: Instant) {
        let Some(late) = self.untold.take_if(|untold| untold.again <= now) else {
            return;
        };
        let is_meant = |worker, _| late.workers.contains(&worker);
        let (_, missed) = tell(roster, is_meant, &Order::Certificates, &*late.files);
        let mut told = late.workers;
        told.retain(|worker| !missed.contains(worker));
        for slot in slots(roster, &told) {
            info!(
                event = "tls.told_late",
                slot, "worker {slot} listens again, and has been told of the new certificates"
            );
        }
        self.miss(missed, late.files, now);
    }

    fn miss(&mut self, workers: Vec<WorkerId>, files: Arc<TlsFiles>, now: Instant) {
        self.untold = (!workers.is_empty()).then(|| Untold {
            workers,
            files,
            again: now + AGAIN,
        });
    }

    /// Keeps certificates until the plan says what becomes of them.
    pub(crate) fn keep(&mut self, files: Arc<TlsFiles>) {
        self.renewed = Some(files);
    }
}

/// Whether nothing has changed but what is in the files of certificates.
pub(crate) fn only_files_changed(old: &Config, new: &Config) -> bool {
    let mut same = new.clone();
    same.worker.tls.files = Arc::clone(&old.worker.tls.files);
    same == *old && new.worker.tls.files != old.worker.tls.files
}

fn told_of_no_keys(error: &std::io::Error) {
    error!(event = "tls.no_ticket_keys", %error,
        "the system has no random bytes for the keys of TLS sessions: {error}; the last ones go on to be used, and if there are none every client has to shake hands anew");
}

impl Hands {
    /// New keys, to all workers. Who is not told in time can open what others seal with them, and
    /// what it seals can be opened.
    pub(crate) fn rotate_tickets(&mut self) {
        let Some(keys) = &self.secrets.tickets else {
            return;
        };
        match keys.rotated() {
            Ok(keys) => {
                let (workers, _) = tell(&self.roster, |_, _| true, &Order::TicketKeys, &keys);
                debug!(
                    event = "tls.tickets_rotated",
                    workers, "the keys of TLS sessions have changed; {workers} workers know"
                );
                self.secrets.tickets = Some(keys);
            }
            Err(error) => told_of_no_keys(&error),
        }
    }

    /// The certificates that were read last, to the workers of the generation that serves.
    pub(crate) fn renew_certificates(&mut self, generation: Generation) {
        let Some(files) = self.secrets.renewed.take() else {
            return;
        };
        let now = Instant::now();
        self.secrets
            .renew(Arc::clone(&files), &self.roster, generation, now);
        if let Some(config) = self.configs.of.get_mut(&generation) {
            config.worker.tls.files = files;
        }
    }
}

/// Where these workers serve; those that have ended serve nowhere.
fn slots(roster: &Roster, workers: &[WorkerId]) -> impl Iterator<Item = u16> {
    let alive = workers.iter().filter_map(|worker| roster.get(*worker));
    alive
        .filter(|member| !member.has_ended)
        .map(|member| member.slot.0)
}

/// Sends a value to some workers: how many were told, and those that were not.
fn tell(
    roster: &Roster,
    is_meant: impl Fn(WorkerId, Generation) -> bool,
    order: &Order,
    value: &impl serde::Serialize,
) -> (usize, Vec<WorkerId>) {
    let members = roster.all().map(|(_, member)| member);
    let meant =
        members.filter(|member| is_meant(member.worker, member.generation) && !member.has_ended);
    let memory = parcel::pack(c"brigade-tls", value);
    let mut missed = Vec::new();
    let mut told = 0;
    for member in meant {
        // A program has no link, and speaks its own TLS.
        let Some(link) = member.link() else { continue };
        let sent = memory
            .as_ref()
            .is_ok_and(|memory| link.send_with(order, memory.as_fd()).is_ok());
        if sent {
            told += 1;
        } else {
            missed.push(member.worker);
        }
    }
    (told, missed)
}

#[cfg(test)]
mod tests {
    use super::{AGAIN, Secrets, only_files_changed};
    use crate::roster::{Member, Roster};
    use brigade_config::{Config, TlsFiles};
    use brigade_shared::board::RowId;
    use brigade_shared::channel::Received;
    use brigade_shared::id::{Generation, SlotId, WorkerId};
    use brigade_shared::message::Order;
    use std::sync::Arc;
    use std::time::Instant;

    #[test]
    fn only_a_change_of_nothing_but_the_files_renews_them() {
        let old = Config::default();
        assert!(
            !only_files_changed(&old, &old),
            "a plain reload replaces the workers"
        );
        let mut new = old.clone();
        new.worker.tls.files = Arc::new(TlsFiles {
            ocsp: vec![("a".to_owned(), vec![1])],
            ..TlsFiles::default()
        });
        assert!(only_files_changed(&old, &new));
        new.supervisor.backlog += 1;
        assert!(!only_files_changed(&old, &new));
    }

    #[test]
    fn a_worker_that_does_not_listen_is_told_again_until_it_does() {
        let mut roster = Roster::default();
        let mut ends = Vec::new();
        for number in 0..2 {
            let worker = WorkerId(number.into());
            let (member, end) = Member::for_tests(worker, SlotId(number), RowId(number));
            roster.enter(worker, member);
            ends.push(end);
        }
        let link = roster.get(WorkerId(1)).unwrap().link().unwrap();
        while link.send(&Order::ReopenLogs).is_ok() {}
        let (mut secrets, now) = (Secrets::default(), Instant::now());
        let files = Arc::new(TlsFiles::default());
        secrets.renew(files, &roster, Generation::FIRST, now);
        assert_eq!(secrets.deadline(), Some(now + AGAIN));
        secrets.tell_again(&roster, now + AGAIN / 2);
        assert_eq!(secrets.deadline(), Some(now + AGAIN), "not yet");
        secrets.tell_again(&roster, now + AGAIN);
        assert_eq!(
            secrets.deadline(),
            Some(now + 2 * AGAIN),
            "it still reads nothing"
        );
        let mut told = [0, 0];
        for round in 2..4 {
            for (end, told) in ends.iter().zip(&mut told) {
                while let Received::Message(order) = end.receive() {
                    *told += usize::from(order == Order::Certificates);
                }
            }
            assert_eq!(told, [1, round - 2]);
            secrets.tell_again(&roster, now + 2 * AGAIN);
            assert_eq!(secrets.deadline(), None, "everybody knows");
        }
    }

    #[test]
    fn only_the_generation_that_serves_is_told() {
        let mut roster = Roster::default();
        let (member, end) = Member::for_tests(WorkerId(0), SlotId(0), RowId(0));
        roster.enter(WorkerId(0), member);
        let (mut secrets, now) = (Secrets::default(), Instant::now());
        let other = Generation::FIRST.next();
        secrets.renew(Arc::default(), &roster, other, now);
        assert_eq!(end.receive(), Received::Nothing);
        secrets.renew(Arc::default(), &roster, Generation::FIRST, now);
        assert_eq!(end.receive(), Received::Message(Order::Certificates));
        assert_eq!(secrets.deadline(), None);
    }

    #[test]
    fn who_has_ended_is_not_told_and_nobody_waits_for_it() {
        let mut roster = Roster::default();
        let (member, end) = Member::for_tests(WorkerId(0), SlotId(0), RowId(0));
        roster.enter(WorkerId(0), member);
        drop(end);
        let (mut secrets, now) = (Secrets::default(), Instant::now());
        secrets.renew(Arc::default(), &roster, Generation::FIRST, now);
        assert!(secrets.deadline().is_some());
        roster.mark_ended(WorkerId(0));
        secrets.tell_again(&roster, now + AGAIN);
        assert_eq!(secrets.deadline(), None);
    }
}
