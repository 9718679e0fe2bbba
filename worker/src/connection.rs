//! One connection, from the accept to its end.
//!
//! ```text
//! (PROXY header) -> (TLS) -> HTTP/1 or HTTP/2 -> (upgraded: the app's)
//! ```

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use brigade_config::HttpVersions;

use crate::admit;
use crate::app::App;
use crate::connections::{Connection, Place};
use crate::overdue;
use crate::peer::{Endpoint, Line, Peer};
use crate::protocol::{Protocol, serve_http1, serve_http2, sniff};
use crate::proxy_protocol::{self, Unproxied};
use crate::pulse::Pulse;
use crate::station::Station;
use crate::tls::{self, Acceptor};
use crate::transport::{Ends, Metered, Origin, Transport};

/// Serves a connection until it ends or is upgraded. It counts from now on, not only when its
/// turn comes: whoever decides by the number of connections, or leaves when none is open, must see
/// it.
pub(crate) fn serve<T: Transport, A: App>(
    transport: T,
    origin: Origin,
    known: Ends,
    app: A,
    station: Rc<Station>,
) -> impl Future<Output = ()> {
    let meter = station.meter;
    let pulse = Arc::new(Pulse::new(meter.clock.last()));
    let remote = known.remote.unwrap_or_else(|| transport.remote());
    let local = known.local.unwrap_or_else(|| transport.local());
    let transport = Metered::new(transport, origin, Arc::clone(&pulse), meter);
    let line = Line {
        remote,
        local,
        tls: None,
        is_encrypted: false,
        meter,
    };
    watch(transport, line, app, Place::take(station, pulse))
}

/// Walks the connection's way in sight of the sweeper, which ends it when it is overdue.
async fn watch<T: Transport, A: App>(transport: Metered<T>, line: Line, app: A, place: Place) {
    let connection = place.connection();
    let mut walk = pin!(walk(transport, line, &app, connection));
    let outcome = poll_fn(|task| {
        connection.remember(task.waker());
        let was_overdue = connection.pulse.is_overdue();
        let polled = walk.as_mut().poll(task);
        if was_overdue && connection.pulse.is_overdue() {
            // Either its end has been seen already, or nobody cared to read.
            overdue::count(&connection.pulse, connection.station.meter);
            return Poll::Ready(Ok(()));
        }
        if connection.pulse.is_broken_off() {
            return Poll::Ready(Ok(()));
        }
        if connection.pulse.outflow.has_to_answer() {
            overdue::count_deaf(connection.station.meter);
            return Poll::Ready(Ok(()));
        }
        polled
    })
    .await;
    if let Err(error) = outcome {
        let Station { slot, pid, .. } = *connection.station;
        tracing::debug!(
            event = "connection.broken", slot, pid, %error,
            "a connection of worker {slot} ended in the middle of something: {error}"
        );
    }
}

async fn walk<T: Transport, A: App>(
    mut transport: Metered<T>,
    mut line: Line,
    app: &A,
    connection: &Rc<Connection>,
) -> Result<(), Broken> {
    let station = &connection.station;
    let acceptor = match line.local {
        Endpoint::Tcp(local) => station.tls.acceptor_at(local),
        Endpoint::Unix => None,
    };
    // By whom a proxy speaks for: the proxy itself may have as many as it likes.
    proxy_protocol::introduce(&mut transport, &mut line, station).await?;
    match admit::enter(station, line.remote) {
        Ok(guest) => transport.keep(guest),
        Err(limit) => {
            let plain = acceptor.is_none().then(|| Peer::new(line));
            admit::turn_away(station, limit, &mut transport, plain);
            return Ok(());
        }
    }
    if let Some(acceptor) = acceptor {
        // In a box of its own, so that plain connections stay small.
        return Box::pin(encrypted(acceptor, transport, line, app, connection)).await;
    }
    let protocol = match connection.station.config.http.versions {
        HttpVersions::Both => sniff(&mut transport).await?,
        HttpVersions::Http1 => Some(Protocol::Http1),
        HttpVersions::Http2 => Some(Protocol::Http2),
    };
    connection.introduce(Peer::new(line));
    match protocol {
        Some(Protocol::Http1) => serve_http1(transport, app, connection).await?,
        // In a box of its own: it is the largest, and most connections do without.
        Some(Protocol::Http2) => Box::pin(serve_http2(transport, app, connection)).await?,
        None => {}
    }
    Ok(())
}

/// Shakes hands, then speaks what was agreed on; who does not ask for a protocol (ALPN) gets the
/// one that everybody knows.
async fn encrypted<T: Transport, A: App>(
    acceptor: Acceptor,
    transport: Metered<T>,
    line: Line,
    app: &A,
    connection: &Rc<Connection>,
) -> Result<(), Broken> {
    let (pulse, meter) = (&connection.pulse, connection.station.meter);
    pulse.handshake_begun();
    let stream = match acceptor.accept(transport).await {
        Ok(stream) => stream,
        Err(error) => {
            tls::write_down(&error, &connection.station, line);
            return Err(error.into());
        }
    };
    pulse.handshake_ended(meter.clock.last());
    let tls = Some(stream.facts());
    connection.introduce(Peer::new(Line { tls, ..line }));
    let only_http2 = connection.station.config.http.versions == HttpVersions::Http2;
    if only_http2 || stream.alpn() == Some(b"h2") {
        serve_http2(stream, app, connection).await?;
    } else {
        serve_http1(stream, app, connection).await?;
    }
    Ok(())
}

/// Why a connection ended in the middle of something.
#[derive(Debug)]
enum Broken {
    /// Before a protocol was spoken.
    Transport(io::Error),
    /// By a proxy.
    Unproxied(Unproxied),
    /// In it.
    Http(hyper::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Transport(error)
    }
}

impl From<Unproxied> for Broken {
    fn from(error: Unproxied) -> Self {
        Self::Unproxied(error)
    }
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Transport(error) => error.fmt(f),
            Self::Unproxied(error) => error.fmt(f),
            Self::Http(error) => error.fmt(f),
        }
    }
}
