//! HTTP/1.0 and 1.1, by hyper.

use std::rc::Rc;
use std::sync::Arc;

use brigade_config::WorkerConfig;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::app::App;
use crate::connections::Connection;
use crate::receive::receive;
use crate::strict::{self, Guard};
use crate::websocket;

/// Serves until the connection ends or is upgraded.
pub(crate) async fn serve<S, A>(
    stream: S,
    app: &A,
    connection: &Rc<Connection>,
) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: App,
{
    let (station, pulse) = (&connection.station, &connection.pulse);
    let guard = Guard::new(stream, Arc::clone(pulse), station);
    let service = service_fn(|request| receive(connection, app, request));
    let served = builder(&station.config).serve_connection(TokioIo::new(guard), service);
    let mut served = served.with_upgrades();
    let outcome = (&mut served).await;
    if let Err(error) = &outcome {
        // What hyper could not read is still in its hands.
        let unread = served.into_parts().map(|parts| parts.read_buf);
        strict::ended(connection, error, &unread.unwrap_or_default());
    } else {
        drop(served);
    }
    // If there is something left of it now, the app has it.
    pulse.upgraded();
    websocket::begin(station, pulse);
    outcome
}

/// The most fields that hyper takes if nobody says anything.
const HEADERS: u16 = 100;

/// hyper's settings.
fn builder(config: &WorkerConfig) -> http1::Builder {
    let limits = &config.limits;
    let mut builder = http1::Builder::new();
    builder.auto_date_header(config.proxy.answers.date);
    builder.max_header_size(limits.header_size as usize);
    // As many as by default cost hyper no memory of their own.
    if limits.headers != HEADERS {
        builder.max_headers(limits.headers.into());
    }
    // Its deadlines are the sweeper's: hyper would set a timer for every request, and has one
    // deadline for three different waits.
    builder.header_read_timeout(None);
    builder
}
