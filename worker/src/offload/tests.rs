//! The pools with real threads. Jobs wait at gates that the tests open, and tests wait for jobs.

use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use brigade_config::Offload;
use brigade_shared::board::{Board, Counter, Jobs, Ledger, Pool as Kind, Row, RowState};
use brigade_shared::id::{Generation, SlotId, WorkerId};
use tokio::runtime::Builder;
use tokio::task::yield_now;

use super::tally::Owner;
use super::{Error, Pools, cooperative};

const PATIENCE: Duration = Duration::from_secs(30);

/// Pools with a scoreboard of their own.
struct Bench {
    pools: Pools,
    row: Row<'static>,
}

impl Bench {
    fn new(config: Offload) -> Self {
        let board: &'static Arc<Board> = Box::leak(Box::new(Arc::new(Board::create().unwrap())));
        let mut ledger = Ledger::new(Arc::clone(board));
        let row = ledger.claim(SlotId(0), Generation::FIRST, WorkerId(0));
        let row = board.row(row.unwrap());
        row.set_state(RowState::Ready);
        let owner = Owner {
            row,
            slot: 0,
            pid: 1,
        };
        let pools = Pools::new(Some(owner), &config);
        Self { pools, row }
    }

    fn of(threads: u16, queue: u32) -> Self {
        Self::new(Offload {
            threads,
            queue,
            ..Offload::default()
        })
    }

    fn count(&self, counter: Counter) -> u64 {
        self.row.read().unwrap().counts.get(counter)
    }

    fn jobs(&self) -> (u64, u64) {
        let Jobs { queued, running } = self.row.jobs(Kind::Blocking);
        (queued, running)
    }

    /// Waits until something is so.
    async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !is_so(self) {
            assert!(begin.elapsed() < PATIENCE, "never happened: {what}");
            yield_now().await;
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.pools.stop(PATIENCE);
    }
}

fn run(test: impl AsyncFnOnce()) {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(test());
}

/// A job that says that it has begun and then waits until it is let go.
fn gated() -> (impl FnOnce() -> u32 + Send + 'static, Gate) {
    let (open, opened) = mpsc::channel::<()>();
    let begun = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&begun);
    let job = move || {
        told.store(true, Relaxed);
        let _ = opened.recv_timeout(PATIENCE);
        7
    };
    (job, Gate { open, begun })
}

struct Gate {
    open: mpsc::Sender<()>,
    begun: Arc<AtomicBool>,
}

impl Gate {
    fn has_begun(&self) -> bool {
        self.begun.load(Relaxed)
    }
}

#[test]
fn a_job_runs_on_another_thread_while_the_loop_goes_on() {
    run(async || {
        let bench = Bench::of(2, 1);
        let (job, gate) = gated();
        let mut job = bench.pools.blocking(job);
        bench.until("it has begun", |_| gate.has_begun()).await;
        assert!(futures_util::poll!(&mut job).is_pending());
        drop(gate.open);
        assert_eq!(job.await, Ok(7));
        let here = thread::current().id();
        let there = bench.pools.blocking(move || thread::current().id()).await;
        assert_ne!(there, Ok(here));
        bench
            .until("both are told", |bench| bench.jobs() == (0, 0))
            .await;
        assert_eq!(bench.count(Counter::BlockingRan), 2);
        assert!(bench.count(Counter::BlockingRunNs) > 0);
        assert!(bench.count(Counter::BlockingWaitNs) > 0);
    });
}

#[test]
fn what_does_not_fit_is_refused_at_once_and_the_rest_is_done() {
    run(async || {
        let bench = Bench::of(2, 1);
        let (first, first_gate) = gated();
        let (second, second_gate) = gated();
        let running = [bench.pools.blocking(first), bench.pools.blocking(second)];
        let both = || first_gate.has_begun() && second_gate.has_begun();
        bench.until("both have begun", |_| both()).await;
        let third = bench.pools.blocking(|| 3);
        assert_eq!(bench.jobs(), (1, 2));
        let (refused, never) = gated();
        assert_eq!(bench.pools.blocking(refused).await, Err(Error::Full));
        assert_eq!(bench.count(Counter::BlockingRefused), 1);
        drop((first_gate, second_gate));
        assert_eq!(third.await, Ok(3));
        for job in running {
            assert_eq!(job.await, Ok(7));
        }
        assert!(!never.has_begun());
        // There is room again.
        assert_eq!(bench.pools.blocking(|| 5).await, Ok(5));
    });
}

#[test]
fn without_a_queue_whoever_finds_a_free_thread_is_served() {
    run(async || {
        let bench = Bench::of(1, 0);
        for round in 0..100 {
            let job = bench.pools.blocking(move || round);
            assert_eq!(job.await, Ok(round));
            bench
                .until("the thread is idle", |bench| bench.jobs() == (0, 0))
                .await;
        }
        let (job, gate) = gated();
        let job = bench.pools.blocking(job);
        assert_eq!(bench.pools.blocking(|| ()).await, Err(Error::Full));
        drop(gate);
        assert_eq!(job.await, Ok(7));
    });
}

#[test]
fn dropped_in_the_queue_it_is_never_run() {
    run(async || {
        let bench = Bench::of(1, 5);
        let (first, gate) = gated();
        let first = bench.pools.blocking(first);
        bench.until("it has begun", |_| gate.has_begun()).await;
        let (second, never) = gated();
        let second = bench.pools.blocking(second);
        let third = bench.pools.blocking(|| 3);
        drop(second);
        assert_eq!(bench.jobs().0, 1);
        assert_eq!(bench.count(Counter::BlockingAbandoned), 1);
        drop(gate);
        assert_eq!((first.await, third.await), (Ok(7), Ok(3)));
        assert!(!never.has_begun());
    });
}

#[test]
fn dropped_while_it_runs_it_goes_on_and_its_result_is_dropped() {
    run(async || {
        let bench = Bench::of(1, 5);
        let (job, gate) = gated();
        let job = bench.pools.blocking(job);
        bench.until("it has begun", |_| gate.has_begun()).await;
        drop(job);
        assert_eq!(bench.count(Counter::BlockingAbandoned), 0);
        drop(gate.open);
        bench
            .until("it is done", |bench| bench.count(Counter::BlockingRan) == 1)
            .await;
        assert_eq!(bench.count(Counter::BlockingAbandoned), 1);
    });
}

#[test]
fn who_waits_too_long_for_a_thread_is_late_and_never_run() {
    run(async || {
        let wait = Duration::from_millis(20);
        let bench = Bench::new(Offload {
            threads: 1,
            wait,
            ..Offload::default()
        });
        let (first, gate) = gated();
        let first = bench.pools.blocking(first);
        let (second, never) = gated();
        assert_eq!(bench.pools.blocking(second).await, Err(Error::Late(wait)));
        assert_eq!(bench.count(Counter::BlockingLate), 1);
        drop(gate);
        // The wait is over for the first one, too, and it was begun in time.
        assert_eq!(first.await, Ok(7));
        assert!(!never.has_begun());
        assert_eq!(bench.count(Counter::BlockingAbandoned), 0);
    });
}

#[test]
fn who_runs_too_long_is_left_behind_and_its_thread_comes_back() {
    run(async || {
        let bench = Bench::of(1, 5);
        let (job, gate) = gated();
        let job = bench.pools.blocking(job);
        bench.until("it has begun", |_| gate.has_begun()).await;
        let within = Duration::from_millis(20);
        assert_eq!(job.within(within).await, Err(Error::Overran(within)));
        assert_eq!(bench.count(Counter::BlockingLate), 1);
        assert_eq!(bench.jobs(), (0, 1));
        drop(gate.open);
        assert_eq!(bench.pools.blocking(|| 3).await, Ok(3));
        assert_eq!(bench.count(Counter::BlockingAbandoned), 1);
    });
}

#[test]
fn a_panic_comes_back_with_its_words_and_the_thread_lives_on() {
    crate::panic::listen();
    run(async || {
        let bench = Bench::of(1, 5);
        let job = bench.pools.blocking(|| panic!("out of {}", "onions"));
        let Err(Error::Panicked(words)) = job.await else {
            panic!("it had a result");
        };
        assert!(words.starts_with("out of onions ("), "{words}");
        assert_eq!(bench.count(Counter::JobPanics), 1);
        assert_eq!(bench.pools.blocking(|| 3).await, Ok(3));
    });
}

#[test]
fn a_result_that_panics_when_it_is_dropped_costs_nobody_a_thread() {
    struct Trap;
    impl Drop for Trap {
        fn drop(&mut self) {
            // Only where nobody wants it any more.
            let name = thread::current().name().map(str::to_owned);
            assert!(name.as_deref() != Some("brigade-block"), "dropped");
        }
    }
    run(async || {
        let bench = Bench::of(1, 5);
        let (job, gate) = gated();
        let job = bench.pools.blocking(move || (job(), Trap));
        bench.until("it has begun", |_| gate.has_begun()).await;
        drop(job);
        drop(gate.open);
        assert_eq!(bench.pools.blocking(|| 3).await, Ok(3));
        assert_eq!(bench.count(Counter::JobPanics), 1);
        bench
            .until("it is told", |bench| bench.jobs() == (0, 0))
            .await;
    });
}

#[test]
fn a_thread_that_is_free_is_used_again_before_another_is_started() {
    run(async || {
        let bench = Bench::of(40, 5);
        let mut threads = HashSet::new();
        for _ in 0..50 {
            let job = bench.pools.blocking(|| thread::current().id());
            threads.insert(job.await.unwrap());
            bench
                .until("the thread is idle", |bench| bench.jobs() == (0, 0))
                .await;
        }
        // A thread that has given its result may not have come to rest yet.
        assert!(threads.len() <= 3, "{threads:?}");
    });
}

#[test]
fn at_the_end_what_waits_is_dropped_and_what_runs_is_waited_for() {
    run(async || {
        let bench = Bench::of(1, 5);
        let (first, gate) = gated();
        let first = bench.pools.blocking(first);
        bench.until("it has begun", |_| gate.has_begun()).await;
        let second = bench.pools.blocking(|| 2);
        let begin = Instant::now();
        bench.pools.stop(Duration::from_millis(50));
        assert!(
            begin.elapsed() >= Duration::from_millis(50),
            "it was not done"
        );
        assert_eq!(second.await, Err(Error::Stopped));
        assert_eq!(bench.pools.blocking(|| 3).await, Err(Error::Stopped));
        drop(gate);
        let begin = Instant::now();
        bench.pools.stop(PATIENCE);
        assert!(begin.elapsed() < PATIENCE);
        assert_eq!(first.await, Ok(7), "done in time");
    });
}

#[test]
fn what_computes_gives_way_to_event_loops() {
    run(async || {
        let bench = Bench::of(1, 5);
        let nice = bench.pools.cpu(|| {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let fields = stat.rsplit_once(')').unwrap().1;
            // proc_pid_stat(5): the state is the third field, the nice value the nineteenth.
            let nice = fields.split_ascii_whitespace().nth(16).unwrap();
            nice.parse::<i32>().unwrap()
        });
        assert_eq!(nice.await, Ok(10));
        bench
            .until("it is told", |bench| bench.count(Counter::CpuRan) == 1)
            .await;
        assert_eq!(bench.count(Counter::BlockingRan), 0);
    });
}

#[test]
fn thousands_of_jobs_some_of_them_dropped_are_all_accounted_for() {
    run(async || {
        let bench = Bench::of(4, 64);
        let done = Arc::new(AtomicUsize::new(0));
        let (mut kept, mut answered, mut refused) = (Vec::new(), 0, 0);
        for round in 0..20_000_usize {
            let count = Arc::clone(&done);
            let job = bench.pools.blocking(move || count.fetch_add(1, Relaxed));
            match round % 4 {
                0 => drop(job),
                _ => kept.push(job),
            }
            if kept.len() == 48 {
                for job in kept.drain(..) {
                    match job.await {
                        Ok(_) => answered += 1,
                        Err(Error::Full) => refused += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        }
        for job in kept {
            assert!(job.await.is_ok());
            answered += 1;
        }
        bench
            .until("all is told", |bench| bench.jobs() == (0, 0))
            .await;
        let count = |counter| bench.count(counter) as usize;
        assert_eq!(answered + refused, 15_000);
        assert_eq!(done.load(Relaxed), count(Counter::BlockingRan));
        assert!(count(Counter::BlockingRefused) >= refused);
        let gone = count(Counter::BlockingAbandoned) + count(Counter::BlockingRefused) - refused;
        // A dropped one may have been done already.
        assert!(gone <= 5_000, "{gone}");
        assert!(count(Counter::BlockingRan) >= answered);
    });
}

#[test]
fn a_long_task_lets_others_have_their_turn_every_so_many_steps() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default());
    runtime.unwrap().block_on(async {
        let turns = Rc::new(Cell::new(0));
        let mine = Rc::clone(&turns);
        let other = tokio::task::spawn_local(async move {
            loop {
                mine.set(mine.get() + 1);
                yield_now().await;
            }
        });
        let mut steps = cooperative(10);
        for _ in 0..99 {
            steps.step().await;
        }
        let seen = turns.get();
        other.abort();
        assert!((8..=10).contains(&seen), "{seen} turns in nine pauses");
    });
}

#[test]
fn outside_of_a_worker_there_are_pools_too() {
    run(async || {
        assert_eq!(super::blocking(|| 1).await, Ok(1));
        assert_eq!(super::cpu(|| 2).await, Ok(2));
    });
}
