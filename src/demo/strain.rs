//! Strain on a worker beside its requests: a loop with much to do, memory that grows.

use std::cell::RefCell;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::Instant;

thread_local! {
    /// What has been taken; a worker has one thread.
    static TAKEN: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Works without a pause until `period` is over, in short turns: the loop is busy, not blocked.
pub(super) async fn busy(period: Duration) {
    let end = Instant::now() + period;
    while Instant::now() < end {
        yield_now().await;
    }
}

/// Takes so many MiB, and tells how many that makes in all.
pub(super) fn grow(mib: u32) -> usize {
    TAKEN.with_borrow_mut(|taken| {
        // Not zeros: the kernel gives those without taking memory.
        taken.extend((0..mib).map(|_| vec![1; 1 << 20]));
        taken.len()
    })
}

#[cfg(test)]
mod tests {
    use super::{busy, grow};
    use std::time::Duration;
    use tokio::task::yield_now;

    #[test]
    fn what_grows_does_not_shrink() {
        assert_eq!(grow(2), 2);
        assert_eq!(grow(1), 3);
    }

    #[test]
    fn a_busy_task_lets_others_have_a_turn() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .unwrap();
        runtime.block_on(async {
            let work = tokio::task::spawn_local(busy(Duration::from_secs(600)));
            for _ in 0..100 {
                yield_now().await;
            }
            assert!(!work.is_finished());
            work.abort();
        });
    }
}
