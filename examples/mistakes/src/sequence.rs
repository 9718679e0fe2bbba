//! Many questions, none of which needs the answer to another.

use std::time::Duration;

use brigade::concurrently;
use tokio::time::sleep;

const QUESTIONS: u64 = 20;

/// Asks somebody who answers after 20 ms; the event loop is free meanwhile.
async fn ask(number: u64) -> u64 {
    sleep(Duration::from_millis(20)).await;
    number
}

/// Each is asked when the one before was answered: 20 times 20 ms.
pub(crate) async fn wrong() -> String {
    let mut sum = 0;
    for number in 0..QUESTIONS {
        sum += ask(number).await;
    }
    format!("{sum}\n")
}

/// Five are under way at any time, which is what the other side was said to bear.
pub(crate) async fn right() -> String {
    let answers = concurrently(5, (0..QUESTIONS).map(ask)).await;
    format!("{}\n", answers.iter().sum::<u64>())
}
