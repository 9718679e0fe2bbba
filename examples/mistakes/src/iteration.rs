//! A long iteration over something that belongs to the event loop's thread: each step is short, and
//! all of them together are not.

use std::hint::black_box;

use brigade::offload::cooperative;

const ORDERS: u32 = 10_000_000;

/// One step: a fraction of a microsecond.
#[inline(never)]
fn price_of(order: u32) -> u64 {
    let text = black_box(order).to_string();
    text.bytes().map(u64::from).sum()
}

/// Nobody else has a turn before the last step.
#[inline(never)]
fn price_of_all() -> u64 {
    (0..ORDERS).map(price_of).sum()
}

/// An `async fn` that never waits is a function that blocks.
pub(crate) async fn wrong() -> String {
    format!("{}\n", price_of_all())
}

/// Everybody else has a turn after every thousand steps.
pub(crate) async fn right() -> String {
    let (mut sum, mut steps) = (0, cooperative(1000));
    for order in 0..ORDERS {
        sum += price_of(order);
        steps.step().await;
    }
    format!("{sum}\n")
}
