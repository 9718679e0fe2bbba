//! What is told of a connection that ended because of what came over it.

use brigade_shared::board::Counter;

use crate::connections::Connection;

/// hyper has ended a connection with an error. If what came was no head, or too large, it has
/// answered with 400, 414 or 431; no ticket knows of that.
#[cold]
pub(crate) fn ended(connection: &Connection, error: &hyper::Error) {
    let station = &connection.station;
    if error.is_parse_too_large() {
        station.meter.row.count(Counter::HeadsTooLarge, 1);
    }
    if !error.is_parse() || error.is_parse_too_large() {
        return;
    }
    station.meter.row.count(Counter::Malformed, 1);
    if let Some(fault) = connection.pulse.marks.fault() {
        let (slot, pid) = (station.slot, station.pid);
        tracing::debug!(
            event = "request.malformed",
            slot,
            pid,
            reason = fault.words(),
            "worker {slot} got something that is no request that everybody reads alike ({fault}); it answers 400 and closes the connection"
        );
    }
}
