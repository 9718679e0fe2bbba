//! The WebSockets of a worker, for the end of its service.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Weak};

use brigade_shared::board::Counter;

use super::switch::{Reason, Spoken};
use crate::pulse::Pulse;
use crate::station::Station;

/// All that are open, and some that have ended.
#[derive(Default, Debug)]
pub(crate) struct Register {
    list: RefCell<Vec<Weak<Pulse>>>,
    /// At this length those that have ended are thrown out.
    full: Cell<usize>,
}

/// hyper has let go of a connection. If it speaks WebSocket now, it is told when the worker leaves.
pub(crate) fn begin(station: &Station, pulse: &Arc<Pulse>) {
    if pulse.switch.free() != Spoken::WebSocket {
        return;
    }
    station.meter.row.count(Counter::WebSockets, 1);
    if station.draining_since().is_some() {
        pulse.switch.close(Reason::Restart);
        return;
    }
    let register = &station.websockets;
    let mut list = register.list.borrow_mut();
    if list.len() >= register.full.get().max(64) {
        list.retain(|pulse| pulse.strong_count() > 0);
        register.full.set(2 * list.len());
    }
    list.push(Arc::downgrade(pulse));
}

/// Closes all of them with 1012, each as soon as the app is between two frames.
pub(crate) fn close_all(station: &Station) {
    for pulse in station.websockets.list.take() {
        if let Some(pulse) = pulse.upgrade() {
            pulse.switch.close(Reason::Restart);
        }
    }
}
