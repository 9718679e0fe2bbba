//! Single-writer words: relaxed loads and stores, no locked instruction.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Reads a word.
pub(super) fn get(word: &AtomicU64) -> u64 {
    word.load(Relaxed)
}

/// Writes a word.
pub(super) fn set(word: &AtomicU64, value: u64) {
    word.store(value, Relaxed);
}

/// Adds to a word that nobody else writes.
pub(super) fn add(word: &AtomicU64, amount: u64) {
    set(word, get(word).wrapping_add(amount));
}

/// Takes from a word that nobody else writes.
pub(super) fn subtract(word: &AtomicU64, amount: u64) {
    set(word, get(word).wrapping_sub(amount));
}
