//! Tickets: sealed with the supervisor's keys, so that a session resumes in every worker, and
//! after crashes, reloads and upgrades.
//!
//! ```text
//! ticket = key's name (16) | nonce (12) | session, sealed by AES-256-GCM
//! ```
//!
//! Who is a client by certificate stands in its ticket and is not judged again: what judges clients
//! is sealed in, so that a ticket from under other rules is worth nothing.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use brigade_shared::sys::random;
use brigade_shared::tickets::{TicketKey, TicketKeys};
use rustls::server::ProducesTickets;

use super::provider::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

const NAME: usize = 16;
const HEAD: usize = NAME + NONCE_LEN;

/// Makes and opens tickets.
#[derive(Debug)]
pub(super) struct Tickets {
    ring: Arc<KeyRing>,
    lifetime: Duration,
    /// The rules for clients.
    rules: Vec<u8>,
}

/// The keys of now, changed from outside while configurations that use them come and go.
#[derive(Debug)]
pub(super) struct KeyRing(RwLock<Arc<TicketKeys>>);

impl KeyRing {
    pub(super) fn new(keys: TicketKeys) -> Arc<Self> {
        Arc::new(Self(RwLock::new(Arc::new(keys))))
    }

    pub(super) fn replace(&self, keys: TicketKeys) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    fn now(&self) -> Arc<TicketKeys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Tickets {
    pub(super) fn new(ring: Arc<KeyRing>, lifetime: Duration, rules: Vec<u8>) -> Self {
        Self {
            ring,
            lifetime,
            rules,
        }
    }

    /// What is sealed along with a ticket and not in it.
    fn aad(&self, key: &TicketKey) -> Aad<Vec<u8>> {
        Aad::from([&key.name[..], &self.rules].concat())
    }
}

fn aead(key: &TicketKey) -> Option<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, &key.secret).ok()?;
    Some(LessSafeKey::new(key))
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(self.lifetime.as_secs()).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        let keys = self.ring.now();
        let key = &keys.current;
        let mut nonce = [0; NONCE_LEN];
        // Drawn and not counted: the workers share the key.
        random::fill(&mut nonce).ok()?;
        let mut sealed = session.to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        aead(key)?
            .seal_in_place_append_tag(unique, self.aad(key), &mut sealed)
            .ok()?;
        Some([&key.name[..], &nonce, &sealed].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (head, sealed) = ticket.split_at_checked(HEAD)?;
        let (name, nonce) = head.split_at(NAME);
        let keys = self.ring.now();
        let key = keys.find(name)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut session = sealed.to_vec();
        let opened = aead(key)?.open_in_place(nonce, self.aad(key), &mut session);
        let length = opened.ok()?.len();
        session.truncate(length);
        Some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyRing, Tickets};
    use brigade_shared::tickets::TicketKeys;
    use rustls::server::ProducesTickets;
    use std::time::Duration;

    fn tickets(keys: &TicketKeys, rules: &str) -> Tickets {
        let ring = KeyRing::new(keys.clone());
        Tickets::new(ring, Duration::from_secs(60), rules.into())
    }

    #[test]
    fn what_one_worker_seals_another_opens_before_and_after_a_rotation() {
        let keys = TicketKeys::fresh().unwrap();
        let (one, late) = (tickets(&keys, ""), tickets(&keys, ""));
        let ticket = one.encrypt(b"session").unwrap();
        assert_eq!(late.decrypt(&ticket).unwrap(), b"session");
        let rotated = keys.rotated().unwrap();
        one.ring.replace(rotated.clone());
        assert_eq!(one.decrypt(&ticket).unwrap(), b"session");
        let newer = one.encrypt(b"newer").unwrap();
        assert_eq!(
            late.decrypt(&newer).unwrap(),
            b"newer",
            "who has not heard yet"
        );
        one.ring.replace(rotated.rotated().unwrap());
        assert_eq!(one.decrypt(&ticket), None, "its key is forgotten");
    }

    #[test]
    fn a_ticket_from_under_other_rules_is_worth_nothing() {
        let keys = TicketKeys::fresh().unwrap();
        let ticket = tickets(&keys, "required").encrypt(b"session").unwrap();
        assert_eq!(tickets(&keys, "another authority").decrypt(&ticket), None);
    }

    #[test]
    fn whatever_a_client_sends_instead_is_no_ticket() {
        let tickets = tickets(&TicketKeys::fresh().unwrap(), "");
        let ticket = tickets.encrypt(&[7; 40]).unwrap();
        for end in 0..ticket.len() {
            assert_eq!(tickets.decrypt(&ticket[..end]), None);
        }
        for at in 0..ticket.len() {
            let mut forged = ticket.clone();
            forged[at] ^= 1;
            assert_eq!(tickets.decrypt(&forged), None, "byte {at}");
        }
        let twice = tickets.encrypt(&[7; 40]).unwrap();
        assert_ne!(ticket, twice, "no nonce is used twice");
    }
}
