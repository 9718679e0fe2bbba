//! What only this supervisor and its workers know: the keys of TLS sessions, and certificates that
//! have been read and are not in use yet. Both reach running workers through sealed memory.

use std::os::fd::AsFd;
use std::sync::Arc;

use brigade_config::{Config, TlsFiles};
use brigade_shared::id::Generation;
use brigade_shared::message::Order;
use brigade_shared::parcel;
use brigade_shared::tickets::TicketKeys;
use tracing::{debug, error, warn};

use crate::act::Hands;
use crate::roster::Roster;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    /// None before a worker needs them.
    tickets: Option<TicketKeys>,
    /// What the reload that runs has found: only these have changed.
    renewed: Option<Arc<TlsFiles>>,
}

impl Secrets {
    /// As another program has left them.
    pub(crate) fn resume(tickets: Option<TicketKeys>) -> Self {
        Self {
            tickets,
            renewed: None,
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
                let told = tell(&self.roster, None, &Order::TicketKeys, &keys);
                debug!(
                    event = "tls.tickets_rotated",
                    workers = told.0,
                    "the keys of TLS sessions have changed; {} workers know",
                    told.0
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
        let (_, missed) = tell(
            &self.roster,
            Some(generation),
            &Order::Certificates,
            &*files,
        );
        for slot in missed {
            warn!(
                event = "tls.not_told",
                slot,
                "worker {slot} can't be told of the new certificates, since it has not read its orders for long: it goes on with the old ones until it is replaced; reload again, or end it"
            );
        }
        if let Some(config) = self.configs.of.get_mut(&generation) {
            config.worker.tls.files = files;
        }
    }
}

/// Sends a value to the workers of a generation, or to all: how many were told, and the slots of
/// those that were not.
fn tell(
    roster: &Roster,
    generation: Option<Generation>,
    order: &Order,
    value: &impl serde::Serialize,
) -> (usize, Vec<u16>) {
    let meant = roster.all().map(|(_, member)| member).filter(|member| {
        let is_of_it = generation.is_none_or(|generation| member.generation == generation);
        is_of_it && !member.has_ended
    });
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
            missed.push(member.slot.0);
        }
    }
    (told, missed)
}

#[cfg(test)]
mod tests {
    use super::only_files_changed;
    use brigade_config::{Config, TlsFiles};
    use std::sync::Arc;

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
}
