//! A calculation: a password's hash, an image, a template of ten thousand rows.

use std::hint::black_box;

use axum::response::Response;
use brigade::offload;

/// A quarter of a second, on a processor of its own.
#[inline(never)]
fn calculate() -> u64 {
    let mut state = black_box(1_u64);
    for _ in 0..120_000_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    state
}

/// The event loop calculates and does nothing else.
pub(crate) async fn wrong() -> String {
    format!("{}\n", calculate())
}

/// A thread of low priority calculates; the event loop gets the processor whenever it needs it.
pub(crate) async fn right() -> Result<String, Response> {
    let number = offload::cpu(calculate).await?;
    Ok(format!("{number}\n"))
}
