//! What the supervisor sees of a worker's loop, and what the loop tells it.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use brigade_shared::board::Board;
use brigade_shared::channel::Channel;
use brigade_shared::message::{Fact, Order};
use brigade_worker::service_fn;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use crate::app::ungated;
use crate::client::Client;
use crate::worker::{Door, House, Worker, config, until};

struct Outside {
    link: Arc<Channel<Order, Fact>>,
    board: Arc<Board>,
}

/// What a test and the handlers of its worker share.
#[derive(Default)]
struct Inside {
    open: Mutex<bool>,
    opened: Condvar,
    polls: AtomicU64,
    /// What a handler would need to play the supervisor.
    outside: OnceLock<Outside>,
}

impl Inside {
    /// Really blocks the thread.
    fn block(&self) {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn is_open(&self) -> bool {
        *self.open.lock().unwrap()
    }

    /// Gives an order to the own worker, and returns how often its tasks were polled before it was
    /// followed. The tasks wake themselves, so that the loop never comes to rest.
    async fn order_and_count(&self) -> u64 {
        let Outside { link, board } = self.outside.get().unwrap();
        let row = board.row(brigade_shared::board::RowId(0));
        let answers = || row.glance(0).unwrap().progress;
        let (mut polls, mut before) = (0, None);
        poll_fn(|task| {
            let before = *before.get_or_insert_with(|| {
                link.send(&Order::Answer).unwrap();
                answers()
            });
            polls += 1;
            task.waker().wake_by_ref();
            match answers() == before {
                true => Poll::Pending,
                false => Poll::Ready(polls),
            }
        })
        .await
    }
}

/// A worker whose handlers are at odds with its loop.
fn odd() -> (Door, Worker, Arc<Inside>) {
    let (door, house, inside) = (Door::open(), House::open(), Arc::<Inside>::default());
    let shared = Arc::clone(&inside);
    let factory = move |_| {
        let inside = Arc::clone(&shared);
        async move {
            Ok::<_, Infallible>(service_fn(move |request: http::Request<_>| {
                let inside = Arc::clone(&inside);
                async move {
                    let body = match request.uri().path() {
                        "/block" => {
                            inside.block();
                            String::new()
                        }
                        "/yield" => {
                            while !inside.is_open() {
                                inside.polls.fetch_add(1, Relaxed);
                                tokio::task::yield_now().await;
                            }
                            String::new()
                        }
                        "/offload" => {
                            let blocking = Arc::clone(&inside);
                            let offloaded = tokio::task::spawn_blocking(move || blocking.block());
                            offloaded.await.unwrap();
                            String::new()
                        }
                        "/count" => inside.order_and_count().await.to_string(),
                        _ => "hello".to_owned(),
                    };
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(body)))
                }
            }))
        }
    };
    let worker = house.start(vec![door.listener(false)], config(), factory);
    let outside = Outside {
        link: Arc::clone(&worker.link),
        board: Arc::clone(&house.board),
    };
    assert!(inside.outside.set(outside).is_ok());
    (door, worker, inside)
}

/// Looks for a while, and asserts that nothing has moved and the loop is at work.
fn stands_still(worker: &Worker) {
    let first = worker.glance();
    assert!(first.is_running);
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(100) {
        let now = worker.glance();
        assert_eq!((now.progress, now.is_running), (first.progress, true));
        std::thread::yield_now();
    }
    let busier = worker.glance().busy.saturating_sub(first.busy);
    assert!(busier >= Duration::from_millis(100), "{busier:?}");
}

#[test]
fn a_blocked_loop_stands_still_and_says_in_which_request() {
    let (door, worker, inside) = odd();
    let mut client = Client::connect(door.address).unwrap();
    client.ask("/block").unwrap();
    let path = || worker.row().request.map(|request| request.path);
    until("it blocks", || path().as_deref() == Some("/block"));
    worker.link.send(&Order::Answer).unwrap();
    stands_still(&worker);
    let before = worker.glance().progress;
    inside.open();
    until("it goes on", || worker.glance().progress > before + 1);
    assert_eq!(client.receive().unwrap().status, 200);
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn a_loop_that_is_busy_for_nobody_is_told_from_a_blocked_one_by_its_answer() {
    let (door, worker, inside) = odd();
    let mut client = Client::connect(door.address).unwrap();
    client.ask("/yield").unwrap();
    until("it spins", || inside.polls.load(Relaxed) > 100);
    stands_still(&worker);
    let before = worker.glance().progress;
    worker.link.send(&Order::Answer).unwrap();
    until("it answers", || worker.glance().progress > before);
    inside.open();
    assert_eq!(client.receive().unwrap().status, 200);
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn work_that_was_sent_to_a_thread_leaves_the_loop_parked() {
    let (door, worker, inside) = odd();
    let mut client = Client::connect(door.address).unwrap();
    client.ask("/offload").unwrap();
    worker.works_on(1);
    // It may have turned to something small once more.
    until("it rests", || {
        let first = worker.glance();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(100) {
            std::thread::yield_now();
        }
        let now = worker.glance();
        !now.is_running && (now.progress, now.busy) == (first.progress, first.busy)
    });
    inside.open();
    assert_eq!(client.receive().unwrap().status, 200);
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn a_loop_that_never_rests_follows_an_order_within_a_few_polls() {
    let (door, worker, _inside) = odd();
    let mut client = Client::connect(door.address).unwrap();
    for _ in 0..20 {
        let polls: u64 = client.get("/count").unwrap().text().parse().unwrap();
        assert!(polls <= 40, "{polls} polls");
    }
    worker.cut();
    assert_eq!(worker.code(), 0);
}

#[test]
fn whoever_turns_first_rings_once_for_a_supervisor_that_dozes() {
    let (door, worker, inside) = odd();
    let board = Arc::clone(&inside.outside.get().unwrap().board);
    let mut client = Client::connect(door.address).unwrap();
    for _ in 0..3 {
        client.get("/").unwrap();
        until("it waits", || !worker.glance().is_running);
        board.doze();
        client.get("/").unwrap();
        assert_eq!(worker.fact(), Some(Fact::Stirred));
        assert!(!board.stir());
        client.get("/").unwrap();
    }
    worker.cut();
    assert_eq!(worker.fact(), None, "and says nothing else");
    assert_eq!(worker.code(), 0);
}

#[test]
fn nobody_to_ring_for_is_no_trouble() {
    let house = House::open();
    let worker = house.start(Vec::new(), config(), |_| async {
        Ok::<_, Infallible>(ungated())
    });
    until("it waits", || !worker.glance().is_running);
    house.board.doze();
    assert_eq!(worker.orphan(), 0);
}
