//! Connections that change hands: passed on to whoever holds less, or taken from whoever could not
//! serve them. Each travels through the supervisor, over the link.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;

use brigade_shared::board::{Board, Counter, Load};
use brigade_shared::channel::Channel;
use brigade_shared::message::{Fact, Order};
use brigade_shared::sys::fd::set_nonblocking;
use socket2::{Domain, SockRef, Type};
use tokio::net::{TcpStream, UnixStream};

use crate::app::App;
use crate::connection::serve;
use crate::listen::Adopt;
use crate::meter::Meter;
use crate::orders::refuse;
use crate::share::{is_crowded, is_long_lived};
use crate::station::Station;
use crate::transport::{Ends, Origin, Transport};

/// With more workers than this, what they hold is not read anew for every connection.
const MANY: u64 = 32;
/// How old the reading may be then.
const STALE_NS: u64 = 1_000_000;

/// What became of a connection that could have been passed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pass {
    /// It is on its way to a sibling.
    Passed,
    /// It may well be served here.
    Kept,
    /// It should be served elsewhere, but the supervisor is gone or does not come to its work.
    Refused,
}

/// A worker's view of its siblings, and the way to them.
#[derive(Debug)]
pub(crate) struct Exchange {
    board: &'static Board,
    link: Arc<Channel<Fact, Order>>,
    load: Cell<Load>,
    read_at: Cell<u64>,
}

impl Exchange {
    pub(crate) fn new(board: &'static Board, link: Arc<Channel<Fact, Order>>) -> Self {
        Self {
            board,
            link,
            load: Cell::default(),
            read_at: Cell::new(0),
        }
    }

    /// Where all workers tell of themselves.
    pub(crate) const fn board(&self) -> &'static Board {
        self.board
    }

    /// Passes a connection on, or says why not. It is passed on if this worker holds more than its share, such connections stay,
    /// and the supervisor takes it. The cheapest questions come first: where connections come and
    /// go, nobody else's row is read.
    pub(crate) fn pass(&self, transport: &impl Transport, meter: &Meter) -> Pass {
        let now = meter.clock.last();
        let mine = meter.open_connections() as u64;
        if mine == 0 || !is_long_lived(meter.lately.trend(now)) || !is_crowded(mine, self.load(now))
        {
            return Pass::Kept;
        }
        let Some(descriptor) = transport.descriptor() else {
            return Pass::Kept;
        };
        if self.link.send_with(&Fact::Passed, descriptor).is_err() {
            return Pass::Refused;
        }
        meter.lately.passed(now);
        meter.row.count(Counter::Passed, 1);
        Pass::Passed
    }

    /// What all serving workers hold.
    pub(crate) fn load(&self, now_ns: u64) -> Load {
        let known = self.load.get();
        if known.workers > MANY && now_ns.saturating_sub(self.read_at.get()) < STALE_NS {
            return known;
        }
        let load = self.board.load();
        self.load.set(load);
        self.read_at.set(now_ns);
        load
    }
}

/// Gives back connections that were sent to a worker that will never serve.
pub(crate) fn give_back(link: &Channel<Fact, Order>, connections: Vec<OwnedFd>) {
    for connection in connections {
        // Nothing more can be done for it.
        let _ = link.send_with(&Fact::Passed, connection.as_fd());
    }
}

/// Serves a connection that somebody else has accepted.
pub(crate) fn take<A: App>(connection: OwnedFd, app: &A, station: &Rc<Station>) {
    if let Err(words) = try_take(connection, app.clone(), station) {
        refuse(&words);
    }
}

/// Fails, in words, if it is no connection.
fn try_take<A: App>(connection: OwnedFd, app: A, station: &Rc<Station>) -> Result<(), String> {
    let socket = SockRef::from(&connection);
    let describe = |error: io::Error| format!("what came with it is no connection: {error}");
    let domain = socket.domain().map_err(describe)?;
    let is_stream = socket.r#type().map_err(describe)? == Type::STREAM;
    if !is_stream || socket.is_listener().map_err(describe)? {
        return Err("what came with it is a socket, but no connection".to_owned());
    }
    set_nonblocking(&connection).map_err(describe)?;
    match domain {
        Domain::IPV4 | Domain::IPV6 => {
            // A client that has left already does not mind.
            let _ = socket.set_tcp_nodelay(true);
            adopt::<TcpStream, A>(connection, app, station)
        }
        Domain::UNIX => adopt::<UnixStream, A>(connection, app, station),
        other => Err(format!("what came with it is a socket of {other:?}")),
    }
}

fn adopt<S: Adopt, A: App>(
    connection: OwnedFd,
    app: A,
    station: &Rc<Station>,
) -> Result<(), String> {
    let stream = S::adopt(connection).map_err(|error| format!("it can't be watched: {error}"))?;
    let service = serve(
        stream,
        Origin::Taken,
        Ends::default(),
        app,
        Rc::clone(station),
    );
    tokio::task::spawn_local(service);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::MANY;
    use crate::rig::Rig;
    use crate::transport::Origin;
    use brigade_shared::board::{Board, Ledger, RowId, RowState};
    use brigade_shared::channel::Received;
    use brigade_shared::id::{Generation, SlotId, WorkerId};
    use brigade_shared::message::Fact;
    use std::os::fd::AsFd;
    use std::sync::Arc;
    use std::time::Duration;

    /// Gives the rig so many siblings without connections, and itself as many connections.
    fn crowd(rig: &Rig, siblings: u64, connections: u64) {
        let board =
            Arc::new(Board::adopt(rig.board.as_fd().try_clone_to_owned().unwrap()).unwrap());
        let mut ledger = Ledger::new(Arc::clone(&board));
        for number in 1..=siblings {
            let worker = WorkerId(number);
            let row = ledger.claim(SlotId(number as u16), Generation::FIRST, worker);
            board.row(row.unwrap()).set_state(RowState::Ready);
        }
        for _ in 0..connections {
            let _ = rig.station.meter.connection_opened(Origin::Accepted);
        }
    }

    fn passes(rig: &Rig) -> bool {
        let (stream, _client) = tokio::net::UnixStream::pair().unwrap();
        let passed = rig.station.exchange.pass(&stream, rig.station.meter);
        let is_passed = passed == super::Pass::Passed;
        let (heard, descriptor) = rig.supervisor.receive_with();
        assert_eq!(heard == Received::Message(Fact::Passed), is_passed);
        assert_eq!(descriptor.is_some(), is_passed);
        is_passed
    }

    #[test]
    fn who_is_crowded_passes_on_and_who_has_no_sibling_does_not() {
        Rig::paused(async |rig| {
            crowd(&rig, 0, 3);
            assert!(!passes(&rig));
            crowd(&rig, 1, 0);
            assert!(passes(&rig));
        });
    }

    #[test]
    fn among_many_workers_a_reading_of_the_board_serves_for_a_millisecond() {
        Rig::paused(async |rig| {
            crowd(&rig, MANY, 2);
            assert!(passes(&rig));
            for row in 1..=MANY {
                rig.board
                    .row(RowId(row as u16))
                    .set_state(RowState::Draining);
            }
            assert!(passes(&rig), "it has not looked again");
            tokio::time::advance(Duration::from_millis(2)).await;
            rig.station.meter.clock.read();
            assert!(!passes(&rig));
        });
    }
}
