//! For tests: a station on a board of its own, inside a runtime whose time stands still unless
//! everybody waits.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use brigade_config::{AccessLogTo, Config, WorkerConfig};
use brigade_shared::append;
use brigade_shared::board::{Board, Ledger, RowId, RowReading, RowState};
use brigade_shared::channel::Channel;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_shared::message::{Fact, Order};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::runtime::Builder;
use tokio::time::Instant;
use tower_service::Service;

use crate::app::{App, BoxError};
use crate::body::RequestBody;
use crate::connection::serve;
use crate::exchange::Exchange;
use crate::meter::Meter;
use crate::peer::{Endpoint, Line, Peer};
use crate::pulse::Pulse;
use crate::station::Station;
use crate::tls::Tls;
use crate::transport::{Ends, Origin};

pub(crate) const HEADER: Duration = Duration::from_secs(10);
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(5);
pub(crate) const LAME_DUCK: Duration = Duration::from_millis(500);

/// See the module.
pub(crate) struct Rig {
    pub(crate) station: Rc<Station>,
    pub(crate) board: &'static Board,
    pub(crate) supervisor: Channel<Order, Fact>,
    begun: Instant,
}

impl Rig {
    /// Runs a test.
    pub(crate) fn paused(test: impl AsyncFnOnce(Rig)) {
        let board: &'static Arc<Board> = Box::leak(Box::new(Arc::new(Board::create().unwrap())));
        let mut ledger = Ledger::new(Arc::clone(board));
        let row = ledger.claim(SlotId(0), Generation::FIRST, WorkerId(0));
        let meter = Meter::leak(board.row(row.unwrap()));
        meter.row.set_state(RowState::Ready);
        meter.row.unpark(meter.clock.read());
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .on_thread_unpark(|| meter.row.unpark(meter.clock.read()))
            .build_local(Default::default())
            .unwrap();
        runtime.block_on(async { test(Self::new(meter, board)).await });
    }

    fn new(meter: &'static Meter, board: &'static Board) -> Self {
        let config = WorkerConfig {
            timeout_header: HEADER,
            timeout_keep_alive: KEEP_ALIVE,
            timeout_lame_duck: LAME_DUCK,
            ..Config::default().worker
        };
        Self::of(meter, board, config)
    }

    fn of(meter: &'static Meter, board: &'static Board, config: WorkerConfig) -> Self {
        let (ours, supervisor) = Channel::<Fact, Order>::pair().unwrap();
        let exchange = Exchange::new(board, Arc::new(ours));
        let file = match &config.access_log.to {
            Some(AccessLogTo::File(path)) => append::open(path).map(|file| Some(file.into())),
            Some(AccessLogTo::Output) | None => Ok(None),
        };
        let tls = Tls::default();
        let mut station = Station::new(meter, 0, config, exchange, RowId(0), tls);
        station.open_access_log(file);
        Self {
            station: Rc::new(station),
            board,
            supervisor,
            begun: Instant::now(),
        }
    }

    /// The same with other deadlines, from now on.
    pub(crate) fn with(self, config: WorkerConfig) -> Self {
        Self::of(self.station.meter, self.board, config)
    }

    /// The same with another limit for what comes over a WebSocket, in bytes.
    pub(crate) fn with_longest_message(&self, bytes: u64) -> Self {
        let mut config = self.station.config.clone();
        config.limits.ws_message = Some(bytes);
        Self::of(self.station.meter, self.board, config)
    }

    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        Arc::new(Pulse::new(self.station.meter.clock.read()))
    }

    /// A client's end of a connection that is served by `app`.
    pub(crate) fn connect<A: App>(&self, app: A) -> DuplexStream {
        let (client, server) = duplex(1024);
        tokio::task::spawn_local(serve(
            server,
            Origin::Accepted,
            Ends::default(),
            app,
            Rc::clone(&self.station),
        ));
        client
    }

    /// Somebody at the other end of a connection that nobody serves.
    pub(crate) fn peer(&self, remote: &str) -> Peer {
        Peer::new(Line {
            remote: Endpoint::Tcp(remote.parse().unwrap()),
            local: Endpoint::Tcp("127.0.0.1:80".parse().unwrap()),
            tls: None,
            is_encrypted: false,
            meter: self.station.meter,
        })
    }

    /// Since the test began, on tokio's clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn row(&self) -> RowReading {
        self.station.meter.row.read().unwrap()
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, BoxError>>>>;

/// An app that is a closure.
#[derive(Clone)]
pub(crate) struct Handler(Rc<RefCell<dyn FnMut(Request<RequestBody>) -> Answering>>);

impl Handler {
    pub(crate) fn new<F>(mut code: impl FnMut(Request<RequestBody>) -> F + 'static) -> Self
    where
        F: Future<Output = Result<Response<Full<Bytes>>, String>> + 'static,
    {
        Self(Rc::new(RefCell::new(move |request| -> Answering {
            let work = code(request);
            Box::pin(async { Ok(work.await?) })
        })))
    }

    /// Has an error instead of an answer to everything.
    pub(crate) fn failing(error: impl Fn() -> BoxError + 'static) -> Self {
        Self(Rc::new(RefCell::new(move |_| -> Answering {
            Box::pin(std::future::ready(Err(error())))
        })))
    }

    /// Answers everything with "hello".
    pub(crate) fn hello() -> Self {
        Self::new(async |_| Ok(Response::new(Full::from("hello"))))
    }
}

impl Service<Request<RequestBody>> for Handler {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Answering {
        (self.0.borrow_mut())(request)
    }
}

const FOREVER: Duration = Duration::from_secs(86_400);

/// Reads until the body "hello", or the end.
pub(crate) async fn read_hello(client: &mut DuplexStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 256];
    while !text.ends_with("hello") {
        let reading = tokio::time::timeout(FOREVER, client.read(&mut buffer));
        match reading.await {
            Ok(Ok(0)) => break,
            Ok(count) => text.push_str(std::str::from_utf8(&buffer[..count.unwrap()]).unwrap()),
            Err(_) => panic!("nothing more came after {text:?}"),
        }
    }
    text
}
