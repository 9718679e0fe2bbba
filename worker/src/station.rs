//! What all parts of one worker share.

use std::cell::Cell;
use std::sync::Arc;

use brigade_config::WorkerConfig;
use brigade_shared::board::RowId;

use crate::access::Access;
use crate::additions::Additions;
use crate::admit::Told;
use crate::connections::Connections;
use crate::courtesy::Courtesy;
use crate::exchange::Exchange;
use crate::forwarded::Forwarded;
use crate::lines::Lines;
use crate::meter::Meter;
use crate::proxy_protocol::Missing;
use crate::tls::Tls;
use crate::under_way::UnderWay;
use crate::websocket::Register;

/// A worker's place of work. One per worker, on its one thread.
#[derive(Debug)]
pub(crate) struct Station {
    pub(crate) meter: &'static Meter,
    pub(crate) slot: u16,
    pub(crate) pid: u32,
    pub(crate) config: WorkerConfig,
    pub(crate) row: RowId,
    /// What the operator says of the proxies in front.
    pub(crate) mounted: Option<Arc<Forwarded>>,
    pub(crate) access: Access,
    pub(crate) additions: Additions,
    pub(crate) connections: Connections,
    pub(crate) under_way: UnderWay,
    pub(crate) lines: Lines,
    /// Requests that were admitted and are not answered to the end.
    pub(crate) admitted: Cell<u64>,
    pub(crate) told: Told,
    pub(crate) exchange: Exchange,
    pub(crate) courtesy: Courtesy,
    pub(crate) websockets: Register,
    pub(crate) tls: Tls,
    pub(crate) unproxied: Missing,
    /// The number of the request that the scoreboard shows, or showed last.
    pub(crate) shown: Cell<u64>,
    begun: Cell<u64>,
    draining_since: Cell<Option<u64>>,
}

impl Station {
    pub(crate) fn new(
        meter: &'static Meter,
        slot: u16,
        config: WorkerConfig,
        exchange: Exchange,
        row: RowId,
        tls: Tls,
    ) -> Self {
        Self {
            meter,
            slot,
            pid: std::process::id(),
            mounted: Forwarded::of_operator(&config.proxy),
            access: Access::default(),
            additions: Additions::new(&config.proxy.answers),
            config,
            row,
            connections: Connections::default(),
            under_way: UnderWay::default(),
            lines: Lines::default(),
            admitted: Cell::new(0),
            told: Told::default(),
            courtesy: Courtesy::new(exchange.board(), row),
            exchange,
            websockets: Register::default(),
            tls,
            unproxied: Missing::default(),
            shown: Cell::new(0),
            begun: Cell::new(0),
            draining_since: Cell::new(None),
        }
    }

    /// A number for a new request.
    pub(crate) fn next_number(&self) -> u64 {
        let number = self.begun.get() + 1;
        self.begun.set(number);
        number
    }

    /// From now on every answer closes its connection, and nothing new is accepted.
    pub(crate) fn begin_drain(&self) {
        self.draining_since.set(Some(self.meter.clock.read()));
        self.meter.begin_drain();
        self.connections.tell_of_drain();
        self.connections.look_again();
        crate::websocket::close_all(self);
    }

    /// Since when the worker drains, in nanoseconds.
    pub(crate) fn draining_since(&self) -> Option<u64> {
        self.draining_since.get()
    }

    /// Ends when the drain has begun.
    pub(crate) async fn drain_begun(&self) {
        self.meter.draining().await;
    }
}
