//! Doors for the crate `fuzz`: what reads words of programs and of other versions of itself.

use crate::{listen, notify};

/// What a program says to its NOTIFY_SOCKET is understood or passed over; a status is passed on.
pub fn notification(packet: &[u8]) {
    let words = notify::parse(packet);
    assert!(words.len() <= packet.len());
}

/// The name of a kept socket is ours in one spelling only, or it could not be forgotten by it.
pub fn kept_name(name: &str) {
    if let Some(spelled) = listen::spelled_for_fuzzing(name) {
        assert_eq!(spelled, name);
    }
}
