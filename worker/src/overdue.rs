//! Which deadlines have fired.

use brigade_shared::board::Counter;

use crate::meter::Meter;
use crate::pulse::{Phase, Pulse};

/// Counts the deadline that ends a connection, once; the end of an idle one in a drain is none. To
/// be called before anybody can see that the connection is gone.
pub(crate) fn count(pulse: &Pulse, meter: &Meter) {
    if !pulse.expire() {
        return;
    }
    let counter = match (pulse.phase(), meter.is_draining()) {
        (Phase::Shaking, _) => Counter::HandshakeTimeouts,
        (Phase::Fresh, false) => Counter::FirstByteTimeouts,
        (Phase::Head, _) => Counter::HeaderTimeouts,
        (Phase::Idle, false) => Counter::KeepAliveTimeouts,
        (Phase::Fresh | Phase::Idle, true) | (Phase::Busy, _) => return,
    };
    meter.row.count(counter, 1);
}

/// Counts a client that does not take what is written to it.
pub(crate) fn count_deaf(meter: &Meter) {
    meter.row.count(Counter::WriteTimeouts, 1);
}
