//! HTTP/1.0 and 1.1, by hyper.

use std::rc::Rc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::app::App;
use crate::connections::Connection;
use crate::receive::receive;

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
    let service = service_fn(|request| receive(connection, app, request));
    let served = builder().serve_connection(TokioIo::new(stream), service);
    let outcome = served.with_upgrades().await;
    // If there is something left of it now, the app has it.
    connection.pulse.upgraded();
    outcome
}

/// hyper's settings.
fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    // Its deadlines are the sweeper's: hyper would set a timer for every request, and has one
    // deadline for three different waits.
    builder.header_read_timeout(None);
    builder
}
