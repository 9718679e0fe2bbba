//! The connections: few at a time, none for long, and whoever comes last is served first.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::sleep;

use crate::reply::Clerk;

/// So many connections at a time. One more, and the oldest is closed: who holds connections and
/// says nothing keeps no probe waiting.
const MOST: usize = 64;
/// How long a request's head may take, and how long a connection may be idle.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may last: also one whose client never reads what it asked for.
const LIFE: Duration = Duration::from_secs(300);
/// The longest head of a request.
const LONGEST_HEAD: usize = 16 * 1024;
/// At the end, so long is waited for answers that are under way.
const PARTING: Duration = Duration::from_millis(500);

/// Everybody who is connected.
#[derive(Debug)]
pub(crate) struct Guests {
    clerk: Rc<Clerk>,
    here: RefCell<VecDeque<AbortHandle>>,
    is_closing: watch::Sender<bool>,
}

impl Guests {
    /// Nobody yet.
    pub(crate) fn new(clerk: Clerk) -> Self {
        Self {
            clerk: Rc::new(clerk),
            here: RefCell::default(),
            is_closing: watch::Sender::new(false),
        }
    }

    /// Serves a connection.
    pub(crate) fn welcome(&self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let mut here = self.here.borrow_mut();
        here.retain(|guest| !guest.is_finished());
        if here.len() >= MOST
            && let Some(oldest) = here.pop_front()
        {
            oldest.abort();
        }
        let serving = serve(stream, Rc::clone(&self.clerk), self.is_closing.subscribe());
        here.push_back(spawn_local(serving).abort_handle());
    }

    /// Answers what was asked and sees everybody off.
    pub(crate) async fn see_off(&self) {
        let _ = self.is_closing.send_replace(true);
        // Every connection holds a receiver until its end.
        let _ = tokio::time::timeout(PARTING, self.is_closing.closed()).await;
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    clerk: Rc<Clerk>,
    mut is_closing: watch::Receiver<bool>,
) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let clerk = Rc::clone(&clerk);
        async move { Ok::<Response<Full<Bytes>>, Infallible>(clerk.answer(&request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = std::pin::pin!(connection);
    let mut end = std::pin::pin!(sleep(LIFE));
    let mut is_told = false;
    loop {
        tokio::select! {
            // Its errors are the client's: it left, was too slow, or spoke no HTTP.
            _ = connection.as_mut() => return,
            () = end.as_mut() => return,
            _ = is_closing.wait_for(|closing| *closing), if !is_told => {
                is_told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
