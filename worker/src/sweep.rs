//! Deadlines of connections: one task per worker ends what is overdue. A timer per request would
//! cost more than the request's own bookkeeping.

use std::rc::Rc;
use std::time::Duration;

use brigade_config::Pace;

use crate::answer::PIECE;
use crate::pulse::{Phase, Pulse};
use crate::station::Station;

/// Looks are at least so far apart: a deadline fires at most so much late.
const PACE: Duration = Duration::from_millis(50);

/// The time between looks while a worker has little room left.
const OFTEN: Duration = Duration::from_millis(250);

/// Ends overdue connections for ever. It sleeps until the earliest moment at which one can be
/// overdue, and without connections it does not wake up at all.
pub(crate) async fn sweep(station: Rc<Station>) {
    let clock = &station.meter.clock;
    loop {
        station.connections.any().await;
        let now = clock.read();
        let next = look(&station, now).max(now.saturating_add(nanos(PACE)));
        tokio::select! {
            () = tokio::time::sleep_until(clock.instant(next)) => {}
            () = station.connections.changed() => {}
        }
    }
}

/// Ends what is overdue and returns when to look again.
fn look(station: &Station, now: u64) -> u64 {
    let waits = Waits::of(station);
    // A request may end, or a connection come, at any moment; its time is not up before this.
    let mut next = now.saturating_add(waits.shortest());
    let mut is_due = |deadline: Option<u64>| match deadline {
        Some(deadline) if deadline <= now => true,
        Some(deadline) => {
            next = next.min(deadline);
            false
        }
        None => false,
    };
    station.connections.for_each(|connection| {
        let pulse = &connection.pulse;
        if is_due(waits.deadline(pulse)) {
            connection.hasten();
        } else if is_due(pulse.outflow.span_ends(waits.write)) {
            connection.demand(station.config.limits.write_pace.least());
        }
    });
    station.under_way.for_each(|entry| {
        let (begun, request) = (entry.begun_ns, waits.request);
        if is_due(request.map(|request| begun.saturating_add(request))) {
            entry.time_is_up();
        } else if is_due(entry.progress.span_ends(waits.body)) {
            let least = station.config.limits.body_pace.least();
            entry.progress.next_span(least, now);
        } else if is_due(entry.outflow.span_ends(waits.stream)) {
            entry.next_span(now);
        }
    });
    next
}

/// How long a client may take, in nanoseconds.
struct Waits {
    handshake: u64,
    first_byte: u64,
    header: u64,
    /// More connections may make the times shorter still.
    is_filling: bool,
    keep_alive: u64,
    body: u64,
    write: u64,
    /// For a piece of an answer in HTTP/2.
    stream: u64,
    request: Option<u64>,
    draining_since: Option<u64>,
}

impl Waits {
    fn of(station: &Station) -> Self {
        let config = &station.config;
        let limits = &config.limits;
        let draining_since = station.draining_since();
        let open = station.meter.open_connections() as u64;
        let room = room(open, limits.worker_connections);
        let keep_alive = match draining_since {
            None => part(config.timeout_keep_alive, room),
            Some(_) => nanos(config.timeout_lame_duck),
        };
        Self {
            handshake: nanos(limits.handshake),
            first_byte: part(limits.first_byte, room),
            header: nanos(config.timeout_header),
            is_filling: room < 1.0,
            keep_alive,
            body: nanos(limits.body_pace.within),
            write: nanos(limits.write_pace.within),
            stream: nanos(per_piece(limits.write_pace)),
            request: limits.request.map(nanos),
            draining_since,
        }
    }

    fn shortest(&self) -> u64 {
        if self.is_filling {
            return nanos(OFTEN);
        }
        let waits = [
            self.handshake,
            self.first_byte,
            self.header,
            self.keep_alive,
            self.body,
            self.write,
            self.request.unwrap_or(u64::MAX),
        ];
        waits.into_iter().fold(u64::MAX, u64::min)
    }

    /// When the connection has said nothing for too long; never while the app or the client has an
    /// answer in hand.
    fn deadline(&self, pulse: &Pulse) -> Option<u64> {
        if pulse.has_unsent() {
            return None;
        }
        let since = pulse.since();
        let wait = match (pulse.phase(), self.draining_since) {
            (Phase::Busy, _) => return None,
            (Phase::Shaking, _) => self.handshake,
            (Phase::Head, _) => self.header,
            (Phase::Fresh, None) => self.first_byte,
            (Phase::Idle, None) => self.keep_alive,
            // Whoever may still send a request gets the whole grace, counted from the moment at
            // which it could last believe that the connection stays.
            (Phase::Idle | Phase::Fresh, Some(drain)) => {
                return Some(since.max(drain).saturating_add(self.keep_alive));
            }
        };
        Some(since.saturating_add(wait))
    }
}

/// A span, or as long as a piece takes at the least pace.
fn per_piece(pace: Pace) -> Duration {
    let at_least = pace.rate.map(|rate| PIECE as f64 / rate as f64);
    pace.within
        .max(Duration::from_secs_f64(at_least.unwrap_or(0.0)))
}

/// The part of their time that silent connections get: all of it until seven eighths of a worker's
/// connections are open, from there on less and less, down to a tenth. So there is room for those
/// that have something to say, before any has to be turned away.
pub(crate) fn room(open: u64, most: Option<u64>) -> f64 {
    let Some(most) = most else { return 1.0 };
    let free = most.saturating_sub(open) as f64;
    (free / (most as f64 / 8.0)).clamp(0.1, 1.0)
}

fn part(duration: Duration, room: f64) -> u64 {
    (nanos(duration) as f64 * room) as u64
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{PACE, sweep};
    use crate::rig::{HEADER, Handler, KEEP_ALIVE, LAME_DUCK, Rig, read_hello};
    use brigade_config::{Limits, WorkerConfig};
    use brigade_shared::board::Counter;
    use http::Response;
    use http_body_util::Full;
    use std::rc::Rc;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    /// Waits for the end and asserts that it came after `limit`, and not much later.
    async fn ends_after(rig: &Rig, client: &mut DuplexStream, limit: Duration) {
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
        let elapsed = rig.elapsed();
        assert!(elapsed >= limit, "{elapsed:?} < {limit:?}");
        assert!(elapsed <= limit + PACE + PACE, "{elapsed:?} > {limit:?}");
    }

    fn sweeping(test: impl AsyncFnOnce(Rig)) {
        Rig::paused(async |rig| {
            tokio::task::spawn_local(sweep(Rc::clone(&rig.station)));
            test(rig).await;
        });
    }

    #[test]
    fn a_client_that_says_nothing_is_not_waited_for() {
        sweeping(async |rig| {
            let mut client = rig.connect(Handler::hello());
            ends_after(&rig, &mut client, HEADER).await;
            assert_eq!(rig.row().counts.get(Counter::FirstByteTimeouts), 1);
        });
    }

    #[test]
    fn a_head_that_comes_byte_by_byte_has_to_be_complete_in_time() {
        sweeping(async |rig| {
            let mut client = rig.connect(Handler::hello());
            for _ in 0..10 {
                tokio::time::sleep(HEADER / 11).await;
                client.write_all(b"G").await.unwrap();
            }
            ends_after(&rig, &mut client, HEADER).await;
        });
    }

    #[test]
    fn a_second_head_has_its_own_time_from_its_first_byte() {
        sweeping(async |rig| {
            let mut client = rig.connect(Handler::hello());
            client.write_all(REQUEST).await.unwrap();
            read_hello(&mut client).await;
            tokio::time::sleep(KEEP_ALIVE - Duration::from_secs(1)).await;
            let begun = rig.elapsed();
            client.write_all(b"GET").await.unwrap();
            ends_after(&rig, &mut client, begun + HEADER).await;
        });
    }

    #[test]
    fn an_idle_connection_stays_for_its_time_after_each_answer() {
        sweeping(async |rig| {
            let mut client = rig.connect(Handler::hello());
            for _ in 0..5 {
                tokio::time::sleep(KEEP_ALIVE - Duration::from_millis(100)).await;
                client.write_all(REQUEST).await.unwrap();
                let answer = read_hello(&mut client).await;
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            }
            let last = rig.elapsed();
            ends_after(&rig, &mut client, last + KEEP_ALIVE).await;
            let counts = rig.row().counts;
            assert_eq!(counts.get(Counter::KeepAliveTimeouts), 1);
            assert_eq!(counts.get(Counter::HeaderTimeouts), 0);
        });
    }

    #[test]
    fn a_request_may_take_longer_than_any_deadline() {
        sweeping(async |rig| {
            let slow = Handler::new(async |_| {
                tokio::time::sleep(3 * HEADER).await;
                Ok(Response::new(Full::from("hello")))
            });
            let mut client = rig.connect(slow);
            client.write_all(REQUEST).await.unwrap();
            let answer = read_hello(&mut client).await;
            assert!(answer.ends_with("hello"), "{answer}");
            assert!(rig.elapsed() >= 3 * HEADER);
        });
    }

    #[test]
    fn a_client_that_takes_its_time_to_read_is_not_idle() {
        sweeping(async |rig| {
            let long = Handler::new(async |_| {
                let body = format!("{}hello", "x".repeat(10_000));
                Ok(Response::new(Full::from(body)))
            });
            let mut client = rig.connect(long);
            client.write_all(REQUEST).await.unwrap();
            tokio::time::sleep(3 * KEEP_ALIVE).await;
            let answer = read_hello(&mut client).await;
            assert!(answer.ends_with("xhello"));
            let read = rig.elapsed();
            ends_after(&rig, &mut client, read + KEEP_ALIVE).await;
        });
    }

    #[test]
    fn a_drain_gives_idle_and_new_connections_the_lame_duck_time() {
        sweeping(async |rig| {
            let mut idle = rig.connect(Handler::hello());
            idle.write_all(REQUEST).await.unwrap();
            read_hello(&mut idle).await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            let mut fresh = rig.connect(Handler::hello());
            tokio::time::sleep(Duration::from_secs(1)).await;
            let begun = rig.elapsed();
            rig.station.begin_drain();
            ends_after(&rig, &mut idle, begun + LAME_DUCK).await;
            ends_after(&rig, &mut fresh, begun + LAME_DUCK).await;
            rig.station.meter.all_gone().await;
            let counts = rig.row().counts;
            assert_eq!(counts.get(Counter::KeepAliveTimeouts), 0);
            assert_eq!(counts.get(Counter::HeaderTimeouts), 0);
        });
    }

    #[test]
    fn a_lame_duck_answers_and_says_that_this_was_the_last_time() {
        sweeping(async |rig| {
            let mut client = rig.connect(Handler::hello());
            client.write_all(REQUEST).await.unwrap();
            assert!(!read_hello(&mut client).await.contains("connection: close"));
            rig.station.begin_drain();
            tokio::time::sleep(LAME_DUCK / 2).await;
            client.write_all(REQUEST).await.unwrap();
            assert!(read_hello(&mut client).await.contains("connection: close"));
            let mut rest = Vec::new();
            assert_eq!(client.read_to_end(&mut rest).await.unwrap(), 0);
            assert!(rig.elapsed() < LAME_DUCK);
        });
    }

    #[test]
    fn a_deadline_that_never_comes_is_waited_for() {
        Rig::paused(async |rig| {
            let config = WorkerConfig {
                timeout_header: Duration::MAX,
                timeout_keep_alive: Duration::MAX,
                timeout_lame_duck: Duration::ZERO,
                limits: Limits {
                    first_byte: Duration::MAX,
                    ..rig.station.config.limits.clone()
                },
                ..rig.station.config.clone()
            };
            let rig = rig.with(config);
            tokio::task::spawn_local(sweep(Rc::clone(&rig.station)));
            let mut client = rig.connect(Handler::hello());
            tokio::time::sleep(Duration::from_secs(86_400)).await;
            client.write_all(REQUEST).await.unwrap();
            assert!(read_hello(&mut client).await.ends_with("hello"));
            let begun = rig.elapsed();
            rig.station.begin_drain();
            ends_after(&rig, &mut client, begun).await;
        });
    }

    #[test]
    fn without_connections_nobody_wakes_up() {
        sweeping(async |rig| {
            drop(rig.connect(Handler::hello()));
            rig.station.meter.all_gone().await;
            // What the sweeper still had in mind passes.
            tokio::time::sleep(HEADER).await;
            let runtime = tokio::runtime::Handle::current().metrics();
            let before = runtime.worker_park_count(0);
            tokio::time::sleep(Duration::from_secs(3600)).await;
            // tokio's own timer wheel turns a few times on the way.
            let parks = runtime.worker_park_count(0) - before;
            assert!(parks < 20, "{parks}");
        });
    }
}
