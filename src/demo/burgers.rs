//! Waiting and working, after the burgers of FastAPI's documentation: while a burger is on the
//! grill, everybody can wait at once; what keeps a cook busy needs as many cooks as burgers.

use std::thread;
use std::time::Duration;

use brigade::{concurrently, offload};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::fibonacci::fibonacci;

/// How big a work one burger is: some milliseconds.
const EFFORT: u32 = 27;
/// How many cooks one order may keep busy.
const COOKS: usize = 8;

/// Waits for all burgers at once, on the event loop, which is free meanwhile.
pub(super) async fn concurrent(orders: u32, grill: Duration) -> String {
    let mut burgers = JoinSet::new();
    for _ in 0..orders {
        burgers.spawn_local(sleep(grill));
    }
    burgers.join_all().await;
    let ms = grill.as_millis();
    format!("{orders} burgers, ready after {ms} ms together: everybody waited at the same time.\n")
}

/// Works for each burger on a thread of its own, so that the event loop stays free.
pub(super) async fn parallel(orders: u32) -> Result<String, offload::Error> {
    let cooks = (0..orders).map(|_| offload::blocking(|| fibonacci(EFFORT)));
    let mut work = 0;
    for moves in concurrently(COOKS, cooks).await {
        work += moves?;
    }
    Ok(format!(
        "{orders} burgers, after {work} moves of cooks who stood beside the event loop.\n"
    ))
}

/// Calculates a Fibonacci number without blocking the event loop.
pub(super) async fn off_the_loop(n: u32) -> Result<u64, offload::Error> {
    offload::cpu(move || fibonacci(n)).await
}

/// Waits on a thread, as a client would that knows nothing of async.
pub(super) async fn wait_off_the_loop(pause: Duration) -> Result<String, offload::Error> {
    offload::blocking(move || thread::sleep(pause)).await?;
    Ok(format!(
        "A thread slept for {} ms, the event loop did not.\n",
        pause.as_millis()
    ))
}

#[cfg(test)]
mod tests {
    use super::{concurrent, off_the_loop, parallel, wait_off_the_loop};
    use std::time::Duration;
    use tokio::runtime::Builder;

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default());
        runtime.unwrap().block_on(work)
    }

    #[test]
    fn a_thousand_burgers_wait_at_the_same_time() {
        // One after the other they would take a quarter of an hour.
        let words = run(concurrent(1000, Duration::from_millis(900)));
        assert!(words.starts_with("1000 burgers"), "{words}");
    }

    #[test]
    fn work_is_done_elsewhere() {
        assert_eq!(run(off_the_loop(20)), Ok(6765));
        assert!(run(parallel(3)).unwrap().starts_with("3 burgers"));
        let nap = run(wait_off_the_loop(Duration::from_millis(1)));
        assert!(nap.unwrap().starts_with("A thread slept for 1 ms"));
    }
}
