//! Whether a connection may stay.

use std::pin::Pin;
use std::task::{Context, Waker};

use brigade_shared::board::{Board, Counter, PeerKey, RowId};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::told::Limit;
use crate::access::Unread;
use crate::peer::{Endpoint, Peer};
use crate::station::Station;
use crate::sweep::room;

/// What a connection reads that is turned away, if it is plain: it may not even speak HTTP.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\
    connection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 21\r\n\r\n\
    Too many connections\n";
const NO_ROOM_BODY: u64 = 21;
/// So much of what it may have sent is read before: a socket that is closed over unread bytes resets
/// the connection, and the client might not get to read its answer.
const READ_FIRST: usize = 4096;

/// A connection among those of its peer; given back on drop, on whatever thread.
#[derive(Debug)]
pub(crate) struct Guest {
    board: &'static Board,
    row: RowId,
    key: PeerKey,
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.board.peers().closed(self.row, self.key);
    }
}

/// Whether a connection, counted as open already, may stay. Of some nobody counts how many a peer
/// has. To be asked when it is known who the peer is.
pub(crate) fn enter(station: &Station, peer: Endpoint) -> Result<Option<Guest>, Limit> {
    let limits = &station.config.limits;
    let own = station.meter.open_connections() as u64;
    let is_over = |limit: Option<u64>, count: u64| limit.is_some_and(|most| count > most);
    if is_over(limits.worker_connections, own) {
        return Err(Limit::WorkerConnections);
    }
    if room(own, limits.worker_connections) < 1.0 && room(own - 1, limits.worker_connections) >= 1.0
    {
        // There is less time for the silent from now on.
        station.connections.look_again();
    }
    let load = station.exchange.load(station.meter.clock.last());
    if is_over(limits.connections, load.connections) {
        return Err(Limit::Connections);
    }
    let (Some(most), Some(address)) = (limits.peer_connections, peer.ip()) else {
        return Ok(None);
    };
    // Behind a trusted proxy is everybody.
    let is_proxy = station.config.proxy.trusted.covers(address);
    if is_proxy || address.to_canonical().is_loopback() {
        return Ok(None);
    }
    let (board, row) = (station.exchange.board(), station.row);
    let peers = board.peers();
    let key = peers.key(address);
    // Others are asked only where the peer has a good part of its limit: whoever is beyond it has,
    // at some worker.
    let here = peers.count(std::iter::once(row), key) + 1;
    let is_many = here.saturating_mul(2 * load.workers.max(1)) > most;
    if is_many && peers.count(board.rows_in_use(), key) >= most {
        return Err(Limit::PeerConnections);
    }
    peers.opened(row, key);
    Ok(Some(Guest { board, row, key }))
}

/// Counts a connection that may not stay and tells its client (the peer, if what it speaks is plain),
/// as far as that goes without waiting.
pub(crate) fn turn_away<S>(station: &Station, limit: Limit, stream: &mut S, plain: Option<Peer>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let counter = match limit {
        Limit::PeerConnections => Counter::PeersCrowded,
        Limit::Connections
        | Limit::WorkerConnections
        | Limit::Concurrency
        | Limit::Http2Cancels
        | Limit::Http2Frames => Counter::ConnectionsCrowded,
    };
    station.meter.row.count(counter, 1);
    station.told.tell(station, limit);
    if let Some(peer) = plain {
        let mut nobody = Context::from_waker(Waker::noop());
        let mut room = [0; READ_FIRST];
        let mut room = ReadBuf::new(&mut room);
        let _ = Pin::new(&mut *stream).poll_read(&mut nobody, &mut room);
        let _ = Pin::new(stream).poll_write(&mut nobody, NO_ROOM);
        let unread = Unread {
            head: room.filled(),
            status: 503,
            answer: Some(NO_ROOM_BODY),
            began_ns: station.meter.clock.last(),
            took_ns: 0,
        };
        station.access.refused(station, &peer, &unread);
    }
}
