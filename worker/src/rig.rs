//! For tests: a station on a board of its own, inside a runtime whose time stands still unless
//! everybody waits.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use brigade_config::WorkerConfig;
use brigade_shared::board::{Board, RowId, RowReading, RowState};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::runtime::Builder;
use tokio::time::Instant;
use tower_service::Service;

use crate::app::RequestBody;
use crate::connection::serve;
use crate::meter::Meter;
use crate::pulse::Pulse;
use crate::station::Station;

pub(crate) const HEADER: Duration = Duration::from_secs(10);
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(5);
pub(crate) const LAME_DUCK: Duration = Duration::from_millis(500);

/// See the module.
pub(crate) struct Rig {
    pub(crate) station: Rc<Station>,
    begun: Instant,
}

impl Rig {
    /// Runs a test.
    pub(crate) fn paused(test: impl AsyncFnOnce(Rig)) {
        let board: &'static Board = Box::leak(Box::new(Board::create().unwrap()));
        let meter = Meter::leak(board.row(RowId(0)));
        meter.row.set_state(RowState::Ready);
        meter.row.unpark(meter.clock.read());
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .on_thread_unpark(|| meter.row.unpark(meter.clock.read()))
            .build_local(Default::default())
            .unwrap();
        runtime.block_on(async { test(Self::new(meter)).await });
    }

    fn new(meter: &'static Meter) -> Self {
        let config = WorkerConfig {
            timeout_header: HEADER,
            timeout_keep_alive: KEEP_ALIVE,
            timeout_lame_duck: LAME_DUCK,
        };
        Self::of(Station::new(meter, 0, config))
    }

    /// Around a station of one's own, inside the runtime of another rig.
    pub(crate) fn of(station: Station) -> Self {
        Self {
            station: Rc::new(station),
            begun: Instant::now(),
        }
    }

    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        Arc::new(Pulse::new(self.station.meter.clock.read()))
    }

    /// A client's end of a connection that is served by `app`.
    pub(crate) fn connect(&self, app: Handler) -> DuplexStream {
        let (client, server) = duplex(1024);
        tokio::task::spawn_local(serve(server, app, Rc::clone(&self.station)));
        client
    }

    /// Since the test began, on tokio's clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn row(&self) -> RowReading {
        self.station.meter.row.read().unwrap()
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, String>>>>;

/// An app that is a closure.
#[derive(Clone)]
pub(crate) struct Handler(Rc<RefCell<dyn FnMut(Request<RequestBody>) -> Answering>>);

impl Handler {
    pub(crate) fn new<F>(mut code: impl FnMut(Request<RequestBody>) -> F + 'static) -> Self
    where
        F: Future<Output = Result<Response<Full<Bytes>>, String>> + 'static,
    {
        Self(Rc::new(RefCell::new(move |request| -> Answering {
            Box::pin(code(request))
        })))
    }

    /// Answers everything with "hello".
    pub(crate) fn hello() -> Self {
        Self::new(async |_| Ok(Response::new(Full::from("hello"))))
    }
}

impl Service<Request<RequestBody>> for Handler {
    type Response = Response<Full<Bytes>>;
    type Error = String;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), String>> {
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
