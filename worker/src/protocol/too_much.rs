//! That a connection of HTTP/2 ends because its client does too much of something.

use std::error::Error;

use brigade_shared::board::Counter;
use h2::Reason;

use super::calm::Flood;
use crate::admit::Limit;
use crate::station::Station;

/// Counts a flood of which we know what it is, and says so.
#[cold]
pub(super) fn tell(station: &Station, flood: Flood) {
    station.meter.row.count(Counter::Floods, 1);
    let limit = match flood {
        Flood::Cancels => Limit::Http2Cancels,
        Flood::Frames => Limit::Http2Frames,
    };
    station.told.tell(station, limit);
}

/// Counts one that h2 has found, if this error is one.
#[cold]
pub(super) fn count(station: &Station, error: &hyper::Error) {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    let is_flood = cause.is_some_and(|cause: &h2::Error| {
        cause.is_library() && cause.reason() == Some(Reason::ENHANCE_YOUR_CALM)
    });
    if is_flood {
        station.meter.row.count(Counter::Floods, 1);
    }
}
