//! Every metric there is: its name, its words, and what of the scoreboard it shows.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use brigade_shared::board::{Board, Counter, Counts, Phase, Station, Tally};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::family::{Labels, Told, counter, gauge, histogram, info};
use super::offload::offload;
use super::seen::{SlotSeen, buckets, memory_of, slots, sum};

/// What is read at each scrape.
#[derive(Debug)]
pub(super) struct Collected {
    board: Arc<Board>,
    supervisor: u32,
    version: String,
    /// How long each slot was busy, as it was shown last: a turn that ends while it is read may
    /// look shorter than it did, and what is shown never steps back.
    busy_ns: Mutex<Vec<u64>>,
}

impl Collected {
    /// Of this board and the supervisor in this process.
    pub(super) fn of(board: Arc<Board>, supervisor: u32, version: String) -> Self {
        Self {
            board,
            supervisor,
            version,
            busy_ns: Mutex::default(),
        }
    }

    fn slots(&self) -> Vec<SlotSeen> {
        let mut slots = slots(&self.board);
        let mut shown = self.busy_ns.lock().unwrap_or_else(PoisonError::into_inner);
        let known = slots.len().max(shown.len());
        shown.resize(known, 0);
        for (slot, shown) in slots.iter_mut().zip(shown.iter_mut()) {
            slot.busy_ns = slot.busy_ns.max(*shown);
            *shown = slot.busy_ns;
        }
        slots
    }

    /// The process, the fleet, and what happened to it.
    fn fleet(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let overview = self.board.overview();
        let build = told("build", "What runs here.");
        info(to, build, &vec![("version", self.version.clone())])?;
        let started = overview.started_ms() as f64 / 1e3;
        let help = "When the supervisor's process was started, since 1970.";
        gauge(to, seconds("start_time", help), one(started))?;
        let condition = overview.condition();
        let yes = |is: Option<bool>| one(u64::from(is.unwrap_or(false)));
        let is_ready = condition.map(|found| found.is_ready);
        gauge(
            to,
            told("ready", "Whether /readyz says yes."),
            yes(is_ready),
        )?;
        let help = "Where in its life the fleet is: 1 for the phase that it is in.";
        let phase = condition.map(|found| found.phase);
        let phases = Phase::ALL.map(|one| {
            let name = format!("{one:?}").to_ascii_lowercase();
            (label("phase", name), u64::from(phase == Some(one)))
        });
        gauge(to, told("phase", help), phases)?;
        let generation = u64::from(overview.generation());
        let help = "The generation that serves: the number of configurations and programs tried so far, failed ones included.";
        gauge(to, told("generation", help), one(generation))?;
        let wanted = condition.map_or(0, |found| u64::from(found.wanted));
        let help = "How many workers there should be.";
        gauge(to, told("workers_wanted", help), one(wanted))?;
        let help = "Workers by what they are about, and slots that wait (resting) or have given up (parked).";
        let stations = Station::ALL.map(|station| {
            let name = format!("{station:?}").to_ascii_lowercase();
            (label("state", name), overview.at(station))
        });
        gauge(to, told("workers", help), stations)?;
        let help = "Workers that ended unasked or were replaced, by cause.";
        counter(
            to,
            told("worker_restarts", help),
            self.tallies("cause", &CAUSES),
        )?;
        let help = "Processes for workers that could not be made.";
        let failed = overview.counted(Tally::SpawnFailed);
        counter(to, told("worker_spawn_failures", help), one(failed))?;
        let help = "Times that a worker stood still for --stall-warn.";
        let blocked = overview.counted(Tally::Blocked);
        counter(to, told("worker_stalls", help), one(blocked))?;
        let help = "Reloads, by what came of them.";
        counter(to, told("reloads", help), self.tallies("outcome", &RELOADS))?;
        let help = "Upgrades in place, by what came of them.";
        counter(
            to,
            told("upgrades", help),
            self.tallies("outcome", &UPGRADES),
        )?;
        let help = "Times that the process behind the admin address ended unasked.";
        let ended = overview.counted(Tally::AdminCrash);
        counter(to, told("admin_restarts", help), one(ended))?;
        let help = "Memory of the supervisor in use, what it shares with workers included.";
        let memory = memory_of(self.supervisor).into_iter();
        let memory = memory.map(|bytes| (Labels::new(), bytes));
        gauge(to, bytes("supervisor_resident_memory", help), memory)
    }

    fn tallies(
        &self,
        key: &'static str,
        names: &'static [(Tally, &'static str)],
    ) -> impl Iterator<Item = (Labels, u64)> {
        let overview = self.board.overview();
        let counted = move |(tally, name): &(Tally, &'static str)| {
            (label(key, (*name).to_owned()), overview.counted(*tally))
        };
        names.iter().map(counted)
    }

    /// How long things took, over all workers.
    fn times(&self, to: &mut DescriptorEncoder<'_>, all: &Counts) -> fmt::Result {
        let help = "From the end of a request's head to the end of its answer.";
        let latency = seconds("request_duration", help);
        histogram(to, latency, &buckets(&all.latency))?;
        let help =
            "How long turns of the event loops took: what becomes ready meanwhile waits so long.";
        histogram(to, seconds("loop_turn", help), &buckets(&all.lag))?;
        let help = "How long workers stood still that were told of and went on.";
        let stalls = buckets(&self.board.stalls().read());
        histogram(to, seconds("stall", help), &stalls)
    }
}

impl Collector for Collected {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        self.fleet(&mut to)?;
        let slots = self.slots();
        traffic(&mut to, &slots)?;
        refusals(&mut to, &slots)?;
        gauges(&mut to, &slots)?;
        offload(&mut to, &slots)?;
        self.times(&mut to, &sum(&slots))
    }
}

/// What slots have counted.
fn traffic(to: &mut DescriptorEncoder<'_>, slots: &[SlotSeen]) -> fmt::Result {
    let help = "Requests by slot and class of the answer's status; unanswered: the client left, or the connection was cut.";
    counter(
        to,
        told("requests", help),
        by_kind(slots, "class", &CLASSES),
    )?;
    let help = "Connections by slot: served by the worker that accepted them, taken from others, or passed on.";
    counter(
        to,
        told("connections", help),
        by_kind(slots, "how", &COMINGS),
    )?;
    let help = "Connections that were closed before their client wanted, by slot and reason.";
    counter(
        to,
        told("connections_closed", help),
        by_kind(slots, "reason", &CLOSINGS),
    )?;
    let help = "Accepts that the system refused.";
    counter(
        to,
        told("accept_errors", help),
        by_slot(slots, Counter::AcceptErrors),
    )?;
    let help = "Bytes read from connections.";
    counter(
        to,
        bytes("received", help),
        by_slot(slots, Counter::BytesIn),
    )?;
    let help = "Bytes written to connections.";
    counter(to, bytes("sent", help), by_slot(slots, Counter::BytesOut))?;
    let help = "Panics caught in handlers and bodies.";
    counter(to, told("panics", help), by_slot(slots, Counter::Panics))?;
    let help = "Requests for which the app returned an error instead of a response.";
    counter(
        to,
        told("app_errors", help),
        by_slot(slots, Counter::AppErrors),
    )?;
    let help = "Lines of the access log that could not be written.";
    counter(
        to,
        told("access_log_lost", help),
        by_slot(slots, Counter::AccessLogLost),
    )?;
    let help = "How long the event loop was at work, the present turn included: its rate is the busy share.";
    let busy = slots
        .iter()
        .map(|slot| (of(slot), slot.busy_ns as f64 / 1e9));
    counter(to, seconds("loop_busy", help), busy)
}

/// What the limits have kept out.
fn refusals(to: &mut DescriptorEncoder<'_>, slots: &[SlotSeen]) -> fmt::Result {
    let help = "Connections that were closed as soon as they came, by slot and limit.";
    counter(
        to,
        told("connections_refused", help),
        by_kind(slots, "limit", &TURNED_AWAY),
    )?;
    let help = "Requests that a limit of size, speed or number ended, by slot and limit.";
    counter(
        to,
        told("requests_refused", help),
        by_kind(slots, "limit", &REFUSALS),
    )?;
    let help = "What came as a request and was refused with 400: malformed, or read differently by different programs.";
    let malformed = by_slot(slots, Counter::Malformed);
    counter(to, told("requests_malformed", help), malformed)?;
    let help = "WebSockets by slot: opened, closed with 1012 because the worker leaves, closed with 1009 because a message was too big.";
    let websockets = by_kind(slots, "event", &WEBSOCKETS);
    counter(to, told("websockets", help), websockets)?;
    let help =
        "TLS handshakes by slot and outcome: from the beginning, resumed by a ticket, or failed.";
    counter(
        to,
        told("tls_handshakes", help),
        by_kind(slots, "outcome", &HANDSHAKES),
    )
}

/// How slots are now.
fn gauges(to: &mut DescriptorEncoder<'_>, slots: &[SlotSeen]) -> fmt::Result {
    let each = |value: fn(&SlotSeen) -> u64| slots.iter().map(move |slot| (of(slot), value(slot)));
    let help = "Connections that are open.";
    gauge(
        to,
        told("connections_open", help),
        each(|slot| slot.connections),
    )?;
    let help = "Requests under way.";
    gauge(
        to,
        told("requests_in_flight", help),
        each(|slot| slot.requests),
    )?;
    let help = "Connections that wait to be accepted, when the supervisor looked last; none while nothing goes on.";
    gauge(to, told("queue_depth", help), each(|slot| slot.waiting))?;
    let help = "Memory of the slot's workers in use, what they share with others included.";
    let memory = slots
        .iter()
        .filter_map(|slot| Some((of(slot), slot.memory?)));
    gauge(to, bytes("worker_resident_memory", help), memory)
}

const CAUSES: [(Tally, &str); 9] = [
    (Tally::Crash, "crash"),
    (Tally::FailedStart, "start"),
    (Tally::Stall, "stall"),
    (Tally::Requests, "requests"),
    (Tally::Age, "age"),
    (Tally::Memory, "memory"),
    (Tally::Asked, "asked"),
    (Tally::Reload, "reload"),
    (Tally::Scale, "scale"),
];
const RELOADS: [(Tally, &str); 3] = [
    (Tally::ReloadDone, "done"),
    (Tally::ReloadRefused, "refused"),
    (Tally::ReloadRolledBack, "rolled_back"),
];
const UPGRADES: [(Tally, &str); 3] = [
    (Tally::UpgradeDone, "done"),
    (Tally::UpgradeRefused, "refused"),
    (Tally::UpgradeRolledBack, "rolled_back"),
];
const CLASSES: [(Counter, &str); 6] = [
    (Counter::Informational, "1xx"),
    (Counter::Success, "2xx"),
    (Counter::Redirection, "3xx"),
    (Counter::ClientError, "4xx"),
    (Counter::ServerError, "5xx"),
    (Counter::Unanswered, "unanswered"),
];
const COMINGS: [(Counter, &str); 3] = [
    (Counter::Accepted, "accepted"),
    (Counter::Taken, "taken"),
    (Counter::Passed, "passed"),
];
const WEBSOCKETS: [(Counter, &str); 3] = [
    (Counter::WebSockets, "opened"),
    (Counter::WebSocketsRestarted, "restarted"),
    (Counter::WebSocketsTooBig, "too_big"),
];
const CLOSINGS: [(Counter, &str); 8] = [
    (Counter::HandshakeTimeouts, "handshake_timeout"),
    (Counter::FirstByteTimeouts, "first_byte_timeout"),
    (Counter::HeaderTimeouts, "header_timeout"),
    (Counter::KeepAliveTimeouts, "keep_alive_timeout"),
    (Counter::WriteTimeouts, "write_timeout"),
    (Counter::ProxyHeadersMissing, "proxy_header"),
    (Counter::Floods, "h2_flood"),
    (Counter::Cut, "cut"),
];
const TURNED_AWAY: [(Counter, &str); 2] = [
    (Counter::ConnectionsCrowded, "connections"),
    (Counter::PeersCrowded, "peer"),
];
const REFUSALS: [(Counter, &str); 6] = [
    (Counter::LinesTooLong, "request_line"),
    (Counter::HeadsTooLarge, "header_size"),
    (Counter::BodiesTooLarge, "body_size"),
    (Counter::BodyTimeouts, "body_timeout"),
    (Counter::RequestTimeouts, "request_timeout"),
    (Counter::RequestsCrowded, "concurrency"),
];

const HANDSHAKES: [(Counter, &str); 3] = [
    (Counter::TlsFull, "full"),
    (Counter::TlsResumed, "resumed"),
    (Counter::TlsFailures, "failed"),
];

pub(super) fn told(name: &'static str, help: &'static str) -> Told {
    let unit = None;
    Told { name, help, unit }
}

pub(super) fn seconds(name: &'static str, help: &'static str) -> Told {
    let unit = Some(&Unit::Seconds);
    Told { name, help, unit }
}

fn bytes(name: &'static str, help: &'static str) -> Told {
    let unit = Some(&Unit::Bytes);
    Told { name, help, unit }
}

fn one<V>(value: V) -> [(Labels, V); 1] {
    [(Labels::new(), value)]
}

fn label(key: &'static str, value: String) -> Labels {
    vec![(key, value)]
}

pub(super) fn of(slot: &SlotSeen) -> Labels {
    label("slot", slot.slot.to_string())
}

pub(super) fn by_slot(slots: &[SlotSeen], counter: Counter) -> impl Iterator<Item = (Labels, u64)> {
    slots
        .iter()
        .map(move |slot| (of(slot), slot.counts.get(counter)))
}

fn by_kind(
    slots: &[SlotSeen],
    key: &'static str,
    kinds: &'static [(Counter, &'static str)],
) -> impl Iterator<Item = (Labels, u64)> {
    slots.iter().flat_map(move |slot| {
        kinds.iter().map(move |(counter, name)| {
            let mut labels = of(slot);
            labels.push((key, (*name).to_owned()));
            (labels, slot.counts.get(*counter))
        })
    })
}
