//! Single-writer words: relaxed loads and stores, no locked instruction. And the few that more than
//! one writes: nothing else depends on what they say, so that no order is needed there either.

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

/// Adds to a word that several threads write.
pub(super) fn add_among(word: &AtomicU64, amount: u64) {
    word.fetch_add(amount, Relaxed);
}

/// Takes from a word that nobody else writes.
pub(super) fn subtract(word: &AtomicU64, amount: u64) {
    set(word, get(word).wrapping_sub(amount));
}

/// Puts `to` in the place of `from`; false if something else is there.
pub(super) fn exchange(word: &AtomicU64, from: u64, to: u64) -> bool {
    word.compare_exchange(from, to, Relaxed, Relaxed).is_ok()
}

/// Writes a word, and returns what was there before.
pub(super) fn swap(word: &AtomicU64, value: u64) -> u64 {
    word.swap(value, Relaxed)
}
