//! A long task that stays on the loop and gives way to others now and then.

use std::time::Instant;

use tokio::task::yield_now;

use super::pools::Pools;

/// For a loop of many short steps that needs what only the event loop's thread has, so that it can't
/// go to a thread of its own: after every `every` steps the loop looks after everybody else.
///
/// Choose `every` so that so many steps take about a millisecond: that is how long others wait. 0 is
/// taken as 1.
///
/// ```
/// use brigade_worker::offload::cooperative;
///
/// # async fn example(orders: std::rc::Rc<Vec<u64>>) -> u64 {
/// let (mut sum, mut steps) = (0, cooperative(1000));
/// for order in orders.iter() {
///     sum += order;
///     steps.step().await;
/// }
/// sum
/// # }
/// ```
pub fn cooperative(every: u32) -> Cooperative {
    Cooperative {
        every: every.max(1),
        steps: 0,
    }
}

/// Counts the steps of a long task; see [`cooperative`].
#[derive(Debug)]
pub struct Cooperative {
    every: u32,
    steps: u32,
}

impl Cooperative {
    /// One more step was done. Nearly always this is an addition; once in so many steps everybody
    /// else on the loop gets a turn, and new bytes and connections are looked for.
    pub async fn step(&mut self) {
        self.steps += 1;
        if self.steps < self.every {
            return;
        }
        self.steps = 0;
        let begin = Instant::now();
        yield_now().await;
        Pools::gave_way(begin.elapsed());
    }
}
