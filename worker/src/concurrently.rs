//! Many futures at the same time, but not too many.

use std::future::Future;

use futures_util::stream::{FuturesUnordered, StreamExt};

/// Awaits all these futures, at most `limit` at a time, and returns what became of them in the order
/// in which they came. 0 is taken as 1.
///
/// It is the bounded form of awaiting them all at once: a page that needs 200 answers of a database
/// should neither ask for one after the other nor for 200 at a time. The next one is begun as soon as
/// any one is done. Dropped, it drops those that were begun, and never begins the rest.
///
/// They all run within the task that awaits this, on the worker's one thread: waiting is what gets
/// shared. For work, give it jobs of [`offload`](crate::offload).
///
/// ```
/// use std::time::{Duration, Instant};
/// use brigade_worker::concurrently;
/// use tokio::time::sleep;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let answers = concurrently(4, (0..8).map(|number| async move {
///     sleep(Duration::from_millis(10)).await;
///     number * number
/// }));
/// assert_eq!(answers.await, [0, 1, 4, 9, 16, 25, 36, 49]);
/// # });
/// ```
pub async fn concurrently<F: Future>(
    limit: usize,
    futures: impl IntoIterator<Item = F>,
) -> Vec<F::Output> {
    let limit = limit.max(1);
    let mut waiting = futures.into_iter().enumerate();
    let mut running = FuturesUnordered::new();
    let mut results = Vec::new();
    loop {
        while running.len() < limit
            && let Some((index, future)) = waiting.next()
        {
            results.push(None);
            running.push(async move { (index, future.await) });
        }
        match running.next().await {
            Some((index, result)) => results[index] = Some(result),
            None => return results.into_iter().flatten().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::concurrently;
    use std::cell::Cell;
    use std::future::Future;
    use std::rc::Rc;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    fn paused(test: impl Future<Output = ()>) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(test);
    }

    #[test]
    fn at_most_so_many_run_and_the_order_stays() {
        paused(async {
            let (running, most) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
            let begin = Instant::now();
            // The first of all takes longest: nobody waits for it but its own place.
            let times = [90, 10, 30, 20, 40, 10, 10];
            let futures = times.into_iter().enumerate().map(|(index, ms)| {
                let (running, most) = (Rc::clone(&running), Rc::clone(&most));
                async move {
                    running.set(running.get() + 1);
                    most.set(most.get().max(running.get()));
                    sleep(Duration::from_millis(ms)).await;
                    running.set(running.get() - 1);
                    index
                }
            });
            assert_eq!(concurrently(2, futures).await, [0, 1, 2, 3, 4, 5, 6]);
            assert_eq!((running.get(), most.get()), (0, 2));
            // 90 beside 10, 30, 20 and most of 40; then the two of 10.
            assert_eq!(begin.elapsed(), Duration::from_millis(110));
        });
    }

    #[test]
    fn no_limit_at_all_means_one_after_the_other_and_nothing_is_nothing() {
        paused(async {
            let begin = Instant::now();
            let naps = (0..3).map(|_| sleep(Duration::from_millis(10)));
            concurrently(0, naps).await;
            assert_eq!(begin.elapsed(), Duration::from_millis(30));
            let none: Vec<()> = concurrently(5, std::iter::empty::<std::future::Ready<()>>()).await;
            assert!(none.is_empty());
        });
    }

    #[test]
    fn dropped_it_begins_no_more() {
        paused(async {
            let begun = Rc::new(Cell::new(0));
            let futures = (0..10).map(|_| {
                let begun = Rc::clone(&begun);
                async move {
                    begun.set(begun.get() + 1);
                    sleep(Duration::from_secs(60)).await;
                }
            });
            let all = concurrently(3, futures);
            assert!(
                tokio::time::timeout(Duration::from_secs(1), all)
                    .await
                    .is_err()
            );
            assert_eq!(begun.get(), 3);
        });
    }

    #[test]
    fn it_can_be_sent_if_its_futures_can() {
        fn can_be_sent(_: impl Send) {}
        can_be_sent(concurrently(2, [std::future::ready(1)]));
    }
}
