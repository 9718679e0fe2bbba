//! A worker under test.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use brigade_config::{Config, WorkerConfig};
use brigade_shared::board::{Board, Glance, Ledger, RowId, RowReading};
use brigade_shared::channel::{Channel, Received};
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_shared::message::{Fact, Order};
use brigade_shared::seat::{Address, Listener, Seat};
use brigade_shared::sys::clock::monotonic_ns;
use brigade_worker::Factory;

/// Nothing here takes so long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Deadlines that no test reaches by accident.
pub(crate) fn config() -> WorkerConfig {
    let mut config = Config::default().worker;
    config.timeout_header = Duration::from_secs(60);
    config.timeout_keep_alive = Duration::from_secs(60);
    config.timeout_lame_duck = Duration::from_millis(500);
    config.limits.first_byte = Duration::from_secs(60);
    config
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "never happened: {what}");
        thread::yield_now();
    }
}

/// A listening socket that several workers may share.
pub(crate) struct Door {
    socket: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Door {
    pub(crate) fn open() -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        Self { socket, address }
    }

    pub(crate) fn listener(&self, is_shared: bool) -> Listener {
        Listener {
            socket: self.socket.as_fd().try_clone_to_owned().unwrap(),
            address: Address::Tcp(self.address),
            is_shared,
            may_encrypt: true,
        }
    }
}

/// Where workers live together: they share a board.
pub(crate) struct House {
    pub(crate) board: Arc<Board>,
    ledger: Mutex<Ledger>,
    /// Whether its workers hold still until they are told to begin.
    pub(crate) holds: bool,
}

impl House {
    pub(crate) fn open() -> Self {
        let board = Arc::new(Board::create().unwrap());
        let ledger = Mutex::new(Ledger::new(Arc::clone(&board)));
        Self {
            board,
            ledger,
            holds: false,
        }
    }

    /// Starts a worker and does not wait.
    pub(crate) fn spawn<F>(
        &self,
        listeners: Vec<Listener>,
        config: WorkerConfig,
        factory: F,
    ) -> Worker
    where
        F: Factory + Send + 'static,
    {
        let (link, theirs) = Channel::<Order, Fact>::pair().unwrap();
        let (slot, generation) = (SlotId(0), Generation::FIRST);
        let mut ledger = self.ledger.lock().unwrap();
        let row = ledger.claim(slot, generation, WorkerId(1)).unwrap();
        let seat = Seat {
            slot,
            generation,
            listeners,
            holds: self.holds,
            tickets: None,
            link: theirs,
            board: Arc::clone(&self.board),
            row,
            access_log: Ok(None),
        };
        let (done, code) = mpsc::channel();
        thread::spawn(move || done.send(brigade_worker::run(seat, &config, &factory)));
        Worker {
            link: Arc::new(link),
            code,
            board: Arc::clone(&self.board),
            row,
        }
    }

    /// Starts one and waits until it is ready.
    pub(crate) fn start<F>(
        &self,
        listeners: Vec<Listener>,
        config: WorkerConfig,
        factory: F,
    ) -> Worker
    where
        F: Factory + Send + 'static,
    {
        let worker = self.spawn(listeners, config, factory);
        assert_eq!(worker.fact(), Some(Fact::Ready));
        worker
    }
}

/// A worker in a thread, and the supervisor's end of its link.
pub(crate) struct Worker {
    pub(crate) link: Arc<Channel<Order, Fact>>,
    code: mpsc::Receiver<i32>,
    board: Arc<Board>,
    pub(crate) row: RowId,
}

impl Worker {
    /// Starts one alone and does not wait.
    pub(crate) fn spawn<F>(listeners: Vec<Listener>, config: WorkerConfig, factory: F) -> Self
    where
        F: Factory + Send + 'static,
    {
        House::open().spawn(listeners, config, factory)
    }

    /// Starts one behind a door and waits until it is ready.
    pub(crate) fn start<F>(door: &Door, config: WorkerConfig, factory: F) -> Self
    where
        F: Factory + Send + 'static,
    {
        House::open().start(vec![door.listener(false)], config, factory)
    }

    /// What it tells next; nothing once it has closed the link.
    pub(crate) fn fact(&self) -> Option<Fact> {
        let mut fact = None;
        until("the worker says something", || match self.link.receive() {
            Received::Nothing => false,
            Received::Closed => true,
            Received::Nonsense(words) => panic!("nonsense from the worker: {words}"),
            Received::Message(message) => {
                fact = Some(message);
                true
            }
        });
        fact
    }

    pub(crate) fn drain(&self, within: Duration) {
        let deadline_ms = within.as_millis() as u64;
        self.link.send(&Order::Drain { deadline_ms }).unwrap();
    }

    pub(crate) fn cut(&self) {
        self.link.send(&Order::Cut).unwrap();
    }

    /// Lets go of the link, as a supervisor does that dies, and waits for the exit code.
    pub(crate) fn orphan(self) -> i32 {
        drop(self.link);
        self.code.recv_timeout(PATIENCE).expect("it never left")
    }

    /// Waits for the exit code.
    pub(crate) fn code(&self) -> i32 {
        self.code.recv_timeout(PATIENCE).expect("it never left")
    }

    /// Whether it is still there.
    pub(crate) fn lives(&self) -> bool {
        self.code.try_recv() == Err(mpsc::TryRecvError::Empty)
    }

    pub(crate) fn row(&self) -> RowReading {
        self.board.row(self.row).read().unwrap()
    }

    /// What the supervisor sees of it.
    pub(crate) fn glance(&self) -> Glance {
        let row = self.board.row(self.row);
        row.glance(monotonic_ns()).unwrap()
    }

    /// Waits until so many requests are in flight.
    pub(crate) fn works_on(&self, requests: u64) {
        until("requests are in flight", || self.row().requests == requests);
    }
}
