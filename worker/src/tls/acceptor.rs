//! A handshake: one connection becomes an encrypted one, or is told why not.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use brigade_shared::board::Counter;
use rustls::{HandshakeKind, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::not_tls::{NotTls, SPEAKS_TLS};
use super::stream::{Raw, Stream, TlsStream};
use crate::meter::Meter;

/// Failures are logged at most so often: whoever scans a port must not fill a disk.
const LOG_PACE: Duration = Duration::from_secs(10);

/// Shakes hands by the certificates of the moment at which it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Acceptor {
    settings: Arc<ServerConfig>,
    complaints: Rc<Complaints>,
}

/// What is remembered of failures, for all acceptors of a worker.
#[derive(Debug)]
pub(super) struct Complaints {
    meter: &'static Meter,
    slot: u16,
    untold: Cell<u64>,
    told: Cell<Option<Instant>>,
}

impl Acceptor {
    pub(super) fn new(settings: Arc<ServerConfig>, complaints: Rc<Complaints>) -> Self {
        Self {
            settings,
            complaints,
        }
    }

    /// Shakes hands. It waits for the client as long as it is let: who drops it ends it.
    ///
    /// # Errors
    /// The client left, speaks something else, or no version, cipher, protocol or certificate
    /// suits both. That is counted and told here; the connection is of no more use.
    pub(crate) async fn accept<T: Stream>(&self, transport: T) -> io::Result<TlsStream<T>> {
        let accepting = TlsAcceptor::from(Arc::clone(&self.settings));
        let accepting = accepting.accept(Raw::new(transport)).into_fallible();
        let row = self.complaints.meter.row;
        match accepting.await {
            Ok(inner) => {
                let counter = match inner.get_ref().1.handshake_kind() {
                    Some(HandshakeKind::Resumed) => Counter::TlsResumed,
                    _ => Counter::TlsFull,
                };
                row.count(counter, 1);
                Ok(TlsStream::new(inner))
            }
            Err((error, mut raw)) => {
                if NotTls::of(&error).is_some_and(NotTls::may_be_http) {
                    // It fits into an empty socket, or there is nobody left to read it.
                    let _ = raw.transport().write(SPEAKS_TLS).await;
                    let _ = raw.transport().shutdown().await;
                }
                let has_begun = raw.began_with().is_some();
                self.complaints.note(&error, has_begun);
                Err(error)
            }
        }
    }
}

impl Complaints {
    pub(super) fn new(meter: &'static Meter, slot: u16) -> Rc<Self> {
        Rc::new(Self {
            meter,
            slot,
            untold: Cell::new(0),
            told: Cell::new(None),
        })
    }

    /// Counts a failure, and tells of it if it is time. Who says nothing at all (a load balancer
    /// that looks whether somebody listens) is no failure.
    fn note(&self, error: &io::Error, has_begun: bool) {
        if !has_begun {
            return;
        }
        self.meter.row.count(Counter::TlsFailures, 1);
        self.untold.set(self.untold.get() + 1);
        let told = self.told.get();
        if told.is_some_and(|told| told.elapsed() < LOG_PACE) {
            return;
        }
        self.told.set(Some(Instant::now()));
        let (slot, failures) = (self.slot, self.untold.take());
        let error = match error.kind() {
            io::ErrorKind::InvalidInput => "the client does not speak TLS".to_owned(),
            io::ErrorKind::UnexpectedEof => "the client left".to_owned(),
            _ => error.to_string(),
        };
        tracing::warn!(
            event = "tls.handshake_failed",
            slot,
            failures,
            error,
            "worker {slot}: TLS handshakes fail ({failures} since this was last said), the last one so: {error}"
        );
    }
}
