//! What is told of a connection that ended because of what came over it.

use brigade_shared::board::Counter;

use crate::access::Unread;
use crate::connections::Connection;
use crate::pulse::Phase;

/// The longest target that hyper reads, in bytes.
const LONGEST_TARGET: usize = u16::MAX as usize - 1;

/// hyper has ended a connection with an error. If what came (`head` is the begin of it) was no head,
/// or too large, it has answered with 400, 414 or 431; no ticket knows of that.
#[cold]
pub(crate) fn ended(connection: &Connection, error: &hyper::Error, head: &[u8]) {
    let (station, pulse) = (&connection.station, &connection.pulse);
    let row = station.meter.row;
    // When that was known, or at least when the head began: an answer may linger for long.
    let (began_ns, now_ns) = (pulse.since(), station.meter.clock.last());
    let mut unread = Unread {
        head,
        status: 400,
        answer: Some(0),
        began_ns,
        took_ns: 0,
    };
    if error.is_parse_too_large() {
        row.count(Counter::HeadsTooLarge, 1);
        unread.status = match is_target_too_long(head) {
            true => 414,
            false => 431,
        };
    } else if error.is_parse() {
        row.count(Counter::Malformed, 1);
        match connection.pulse.marks.fault() {
            Some(fault) => tell(connection, fault.words()),
            None => tell(connection, &error.to_string()),
        }
    } else if pulse.is_overdue() && pulse.phase() == Phase::Head {
        // Nobody is told: the client may be in the middle of its words.
        unread.status = 408;
        unread.answer = None;
        unread.took_ns = now_ns.saturating_sub(began_ns);
    } else {
        return;
    }
    if unread.answer.is_some() {
        row.count(Counter::of_status(unread.status), 1);
    }
    station.access.refused(station, connection.peer(), &unread);
}

/// hyper looks at this when the head is complete; one that is not has its limit before.
fn is_target_too_long(head: &[u8]) -> bool {
    let line = memchr::memchr(b'\r', head).map_or(head, |end| &head[..end]);
    let mut words = line.split(|byte| *byte == b' ').skip(1);
    let is_complete = memchr::memmem::find(head, b"\r\n\r\n").is_some();
    is_complete
        && words
            .next()
            .is_some_and(|target| target.len() > LONGEST_TARGET)
}

/// Says what was wrong with something that is answered with 400.
#[cold]
pub(crate) fn tell(connection: &Connection, reason: &str) {
    let (slot, pid) = (connection.station.slot, connection.station.pid);
    tracing::debug!(
        event = "request.malformed",
        slot,
        pid,
        reason,
        "worker {slot} got something that is no request that everybody reads alike ({reason}); it answers 400 and lets it go no further"
    );
}
