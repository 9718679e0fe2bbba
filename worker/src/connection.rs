//! One connection, from the accept to its end: hyper speaks HTTP/1.1 over it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use brigade_shared::board::Counter;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use crate::app::App;
use crate::connections::Place;
use crate::peer::{Line, Peer};
use crate::pulse::{Phase, Pulse};
use crate::receive::receive;
use crate::station::Station;
use crate::transport::{Metered, Origin, Transport};

/// Serves a connection until it ends or is upgraded. It counts from now on, not only when its
/// turn comes: whoever decides by the number of connections, or leaves when none is open, must see
/// it.
pub(crate) fn serve<T: Transport, A: App>(
    transport: T,
    origin: Origin,
    app: A,
    station: Rc<Station>,
) -> impl Future<Output = ()> {
    let meter = station.meter;
    let pulse = Arc::new(Pulse::new(meter.clock.last()));
    let (remote, local) = transport.ends();
    let transport = Metered::new(transport, origin, Arc::clone(&pulse), meter);
    let place = Place::take(station, pulse);
    let line = Line {
        remote,
        local,
        meter,
    };
    place.connection().introduce(Peer::new(line));
    speak(transport, app, place)
}

async fn speak<T: Transport, A: App>(transport: Metered<T>, app: A, place: Place) {
    let stream = TokioIo::new(transport);
    let station = Rc::clone(&place.connection().station);
    let connection = place.connection();
    let service = service_fn(|request| receive(connection, &app, request));
    let mut served = pin!(protocol().serve_connection(stream, service).with_upgrades());
    let outcome = poll_fn(|task| {
        connection.remember(task.waker());
        let (overdue, phase) = (connection.pulse.is_overdue(), connection.pulse.phase());
        let polled = served.as_mut().poll(task);
        if overdue && connection.pulse.is_overdue() {
            // Either hyper has seen the end already, or it did not care to read.
            count(&station, phase);
            return Poll::Ready(Ok(()));
        }
        polled
    })
    .await;
    // If there is something left of it now, the app has it.
    connection.pulse.upgraded();
    if let Err(error) = outcome {
        let (slot, pid) = (station.slot, station.pid);
        tracing::debug!(
            event = "connection.broken", slot, pid, %error,
            "a connection of worker {slot} ended in the middle of something: {error}"
        );
    }
}

/// Counts a deadline that has fired; the end of an idle connection in a drain is none.
fn count(station: &Station, phase: Phase) {
    let counter = match (phase, station.draining_since()) {
        (Phase::Head, _) | (Phase::Fresh, None) => Counter::HeaderTimeouts,
        (Phase::Idle, None) => Counter::KeepAliveTimeouts,
        (Phase::Fresh | Phase::Idle, Some(_)) | (Phase::Busy, _) => return,
    };
    station.meter.row.count(counter, 1);
}

/// hyper's settings.
fn protocol() -> http1::Builder {
    let mut builder = http1::Builder::new();
    // Its deadlines are the sweeper's: hyper would set a timer for every request, and has one
    // deadline for three different waits.
    builder.header_read_timeout(None);
    builder
}
