//! The keys with which TLS sessions are resumed, the same in every worker.
//!
//! ```text
//!             rotate                rotate                rotate
//!   next ----------------> current ----------------> previous ------> forgotten
//!   opens tickets          seals and opens            opens
//! ```
//!
//! A key is known everywhere before anybody seals with it, so that nobody meets a worker that has
//! not heard of it yet.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use crate::sys::random;

/// One key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketKey {
    /// Stands in the clear in each ticket, to find the key.
    pub name: [u8; 16],
    /// Known to this supervisor's processes only.
    pub secret: [u8; 32],
}

/// The keys of now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TicketKeys {
    /// The one before.
    pub previous: Option<TicketKey>,
    /// The one to seal with.
    pub current: TicketKey,
    /// The one after.
    pub next: TicketKey,
}

impl TicketKey {
    fn fresh() -> io::Result<Self> {
        let (mut name, mut secret) = ([0; 16], [0; 32]);
        random::fill(&mut name)?;
        random::fill(&mut secret)?;
        Ok(Self { name, secret })
    }
}

impl TicketKeys {
    /// Keys that nobody has ever had.
    ///
    /// # Errors
    /// The kernel's: it has no randomness to give.
    pub fn fresh() -> io::Result<Self> {
        Ok(Self {
            previous: None,
            current: TicketKey::fresh()?,
            next: TicketKey::fresh()?,
        })
    }

    /// The keys of the time after this.
    ///
    /// # Errors
    /// The kernel's; then these go on to be used.
    pub fn rotated(&self) -> io::Result<Self> {
        Ok(Self {
            previous: Some(self.current.clone()),
            current: self.next.clone(),
            next: TicketKey::fresh()?,
        })
    }

    /// The key of this name.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<&TicketKey> {
        let known = [
            Some(&self.current),
            self.previous.as_ref(),
            Some(&self.next),
        ];
        known.into_iter().flatten().find(|key| key.name == name)
    }
}

impl fmt::Debug for TicketKey {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::TicketKeys;

    #[test]
    fn a_key_is_known_before_it_seals_and_one_rotation_after() {
        let first = TicketKeys::fresh().unwrap();
        let second = first.rotated().unwrap();
        let third = second.rotated().unwrap();
        assert_eq!(second.current, first.next);
        assert!(first.find(&second.current.name).is_some());
        assert!(second.find(&first.current.name).is_some());
        assert!(third.find(&first.current.name).is_none(), "it is forgotten");
    }

    #[test]
    fn no_secret_is_printed() {
        let keys = TicketKeys::fresh().unwrap();
        let printed = format!("{keys:?}");
        let secret = format!("{:?}", keys.current.secret);
        assert!(!printed.contains(&secret), "{printed}");
    }
}
