//! The connections: few at a time, none for long, and whoever comes last is served first.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
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
const PARTING: Duration = Duration::from_millis(300);

/// Everybody who is connected.
#[derive(Debug)]
pub(crate) struct Guests {
    clerk: Rc<Clerk>,
    here: RefCell<VecDeque<AbortHandle>>,
    /// In the end: how long a connection may stay on which nothing is asked.
    closing: watch::Sender<Option<Duration>>,
}

impl Guests {
    /// Nobody yet.
    pub(crate) fn new(clerk: Clerk) -> Self {
        Self {
            clerk: Rc::new(clerk),
            here: RefCell::default(),
            closing: watch::Sender::new(None),
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
        let serving = serve(stream, Rc::clone(&self.clerk), self.closing.subscribe());
        here.push_back(spawn_local(serving).abort_handle());
    }

    /// Sees everybody off. What is asked meanwhile is answered, and is the last on its connection:
    /// closing one at once would cut off a request that is on its way.
    pub(crate) async fn see_off(&self, idle: Duration) {
        let _ = self.closing.send_replace(Some(idle));
        // Every connection holds a receiver until its end.
        let _ = tokio::time::timeout(idle + PARTING, self.closing.closed()).await;
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    clerk: Rc<Clerk>,
    mut closing: watch::Receiver<Option<Duration>>,
) {
    let seen = closing.clone();
    let answer = service_fn(move |request: Request<Incoming>| {
        let (clerk, seen) = (Rc::clone(&clerk), seen.clone());
        async move {
            let mut response: Response<Full<Bytes>> = clerk.answer(&request).await;
            if seen.borrow().is_some() {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = std::pin::pin!(connection);
    let mut end = std::pin::pin!(sleep(LIFE));
    let mut last_call = std::pin::pin!(async {
        let idle = closing
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|told| *told);
        sleep(idle.unwrap_or_default()).await;
    });
    let mut is_over = false;
    loop {
        tokio::select! {
            // Its errors are the client's: it left, was too slow, or spoke no HTTP.
            _ = connection.as_mut() => return,
            () = end.as_mut() => return,
            () = last_call.as_mut(), if !is_over => {
                is_over = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
