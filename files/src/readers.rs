//! The threads that wait for disks, so that the loop need not.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::Semaphore;

/// At a time, in each process. More would only queue in the disk instead of here.
const READERS: usize = 16;
/// Requests that may wait for a reader. With the disk so far behind, one more is better refused at
/// once.
const MOST_WAITING: usize = 256;

/// A bound on how much is read at a time.
#[derive(Clone, Debug)]
pub(crate) struct Readers {
    free: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

/// Too many wait already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Overrun;

/// Counts one that waits, for as long as it lives.
struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Readers {
    pub(crate) fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(READERS)),
            waiting: Arc::default(),
        }
    }

    /// Takes a place among those that wait, if there is one.
    pub(crate) fn line_up(&self) -> Result<impl Send + Sync + use<>, Overrun> {
        let waiting = Waiting(Arc::clone(&self.waiting));
        let before = self.waiting.fetch_add(1, Relaxed);
        if before < MOST_WAITING {
            Ok(waiting)
        } else {
            Err(Overrun)
        }
    }

    /// Does a job on another thread. If nobody waits for it any more before it begins, it is not done;
    /// one that has begun is finished, and what comes of it dropped.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        job: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let place = self.free.acquire_owned().await.map_err(io::Error::other)?;
        let work = tokio::task::spawn_blocking(move || {
            let done = job();
            drop(place);
            done
        });
        work.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_WAITING, Overrun, READERS, Readers};
    use std::sync::mpsc;

    #[test]
    fn no_more_jobs_run_than_there_are_readers_and_what_nobody_waits_for_is_not_begun() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let readers = Readers::new();
            let (begun, begins) = mpsc::channel();
            let mut ends = Vec::new();
            let mut jobs: Vec<_> = (0..READERS + 5)
                .map(|number| {
                    let begun = begun.clone();
                    let (end, ended) = mpsc::channel::<()>();
                    ends.push(end);
                    tokio::spawn(readers.clone().run(move || {
                        begun.send(number).unwrap();
                        let _ = ended.recv();
                        Ok(number)
                    }))
                })
                .collect();
            tokio::task::yield_now().await;
            let mut first: Vec<_> = (0..READERS).map(|_| begins.recv().unwrap()).collect();
            first.sort_unstable();
            assert_eq!(first, (0..READERS).collect::<Vec<_>>());
            assert_eq!(readers.free.available_permits(), 0, "each holds its place");
            // One that waits is given up; all that run may end.
            jobs[READERS].abort();
            assert!(jobs.remove(READERS).await.unwrap_err().is_cancelled());
            drop(ends);
            for job in jobs {
                let number = job.await.unwrap().unwrap();
                assert_ne!(number, READERS);
            }
            let mut later: Vec<_> = begins.try_iter().collect();
            later.sort_unstable();
            assert_eq!(later, (READERS + 1..READERS + 5).collect::<Vec<_>>());
        });
    }

    #[test]
    fn the_line_has_an_end() {
        let readers = Readers::new();
        let mut line: Vec<_> = (0..MOST_WAITING).map(|_| readers.line_up().ok()).collect();
        assert!(line.iter().all(Option::is_some));
        assert_eq!(readers.line_up().err(), Some(Overrun));
        line.pop();
        assert!(readers.line_up().is_ok());
    }
}
