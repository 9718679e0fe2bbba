//! The metrics are a stable interface: docs/metrics.md has the table, and this holds it against a
//! scrape. `UPDATE=1` writes it anew.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use brigade_shared::board::{Board, Condition, Counter, Jobs, Ledger, Phase, Pool, Station, Tally};
use brigade_shared::id::{Generation, SlotId, WorkerId};

use super::{Form, Metrics};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
const HEAD: &str = "| metric | type | labels | what it says |\n| --- | --- | --- | --- |\n";

/// A fleet of two slots, in which everything has happened once.
fn scene() -> (Ledger, Metrics) {
    let mut ledger = Ledger::new(Arc::new(Board::create().unwrap()));
    for slot in 0..2 {
        let worker = WorkerId(u64::from(slot) + 1);
        let row = ledger.claim(SlotId(slot), Generation(3), worker).unwrap();
        let row = ledger.board().row(row);
        row.set_pid(std::process::id());
        row.connection_opened();
        row.request_begun();
        for counter in Counter::ALL {
            row.count(counter, 10 * u64::from(slot) + 1);
        }
        let (queued, running) = (u64::from(slot), 2);
        row.set_jobs(Pool::Cpu, Jobs { queued, running });
        row.latency().record(Duration::from_millis(3));
        row.unpark(1_000_000_000);
        row.park(1_500_000_000);
    }
    let board = Arc::clone(ledger.board());
    board.set_waiting(SlotId(1), 7);
    board.stalls().record(Duration::from_secs(2));
    let overview = board.overview();
    overview.set_started_ms(1_700_000_000_500);
    overview.set_generation(3);
    overview.set_condition(Condition {
        phase: Phase::Reloading,
        is_started: true,
        is_ready: true,
        is_alive: true,
        wanted: 2,
        ready: 2,
        blocked: 0,
    });
    overview.set_at(Station::Ready, 2);
    Tally::ALL
        .into_iter()
        .for_each(|tally| overview.count(tally));
    (ledger, Metrics::of(board, std::process::id(), "1.2.3"))
}

fn value<'a>(text: &'a str, series: &str) -> &'a str {
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {series} in:\n{text}"))
}

#[test]
fn a_scrape_says_what_the_scoreboard_says() {
    let (_ledger, metrics) = scene();
    let text = metrics.text(Form::Prometheus);
    for (series, expected) in [
        ("brigade_build_info{version=\"1.2.3\"}", "1"),
        ("brigade_start_time_seconds", "1700000000.5"),
        ("brigade_ready", "1"),
        ("brigade_phase{phase=\"reloading\"}", "1"),
        ("brigade_phase{phase=\"serving\"}", "0"),
        ("brigade_generation", "3"),
        ("brigade_workers_wanted", "2"),
        ("brigade_workers{state=\"ready\"}", "2"),
        ("brigade_workers{state=\"resting\"}", "0"),
        ("brigade_worker_restarts_total{cause=\"crash\"}", "1"),
        ("brigade_reloads_total{outcome=\"rolled_back\"}", "1"),
        ("brigade_requests_total{slot=\"0\",class=\"2xx\"}", "1"),
        ("brigade_requests_total{slot=\"1\",class=\"5xx\"}", "11"),
        (
            "brigade_connections_total{slot=\"1\",how=\"accepted\"}",
            "12",
        ),
        ("brigade_connections_open{slot=\"0\"}", "1"),
        ("brigade_requests_in_flight{slot=\"1\"}", "1"),
        ("brigade_queue_depth{slot=\"1\"}", "7"),
        ("brigade_sent_bytes_total{slot=\"1\"}", "11"),
        ("brigade_loop_busy_seconds_total{slot=\"0\"}", "0.5"),
        ("brigade_request_duration_seconds_count", "2"),
        (
            "brigade_request_duration_seconds_bucket{le=\"0.002048\"}",
            "0",
        ),
        (
            "brigade_request_duration_seconds_bucket{le=\"0.004096\"}",
            "2",
        ),
        ("brigade_request_duration_seconds_bucket{le=\"+Inf\"}", "2"),
        ("brigade_stall_seconds_sum", "2.0"),
        (
            "brigade_offload_jobs_total{slot=\"1\",pool=\"cpu\",outcome=\"refused\"}",
            "11",
        ),
        (
            "brigade_offload_wait_seconds_total{slot=\"0\",pool=\"blocking\"}",
            "1e-9",
        ),
        ("brigade_offload_queued{slot=\"1\",pool=\"cpu\"}", "1"),
        ("brigade_offload_running{slot=\"1\",pool=\"cpu\"}", "2"),
        ("brigade_offload_running{slot=\"1\",pool=\"blocking\"}", "0"),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
    let memory = value(&text, "brigade_worker_resident_memory_bytes{slot=\"0\"}");
    assert!(memory.parse::<u64>().unwrap() > 1 << 16, "{memory}");
}

#[test]
fn both_forms_have_the_same_series_and_only_one_has_an_end() {
    let (_ledger, metrics) = scene();
    let (open, classic) = (
        metrics.text(Form::OpenMetrics),
        metrics.text(Form::Prometheus),
    );
    let names = |text: &str| -> Vec<String> {
        let series = text.lines().filter(|line| !line.starts_with('#'));
        let name = |line: &str| line.rsplit_once(' ').unwrap().0.to_owned();
        series.map(name).collect()
    };
    assert_eq!(names(&open), names(&classic));
    assert!(open.ends_with("\n# EOF\n"));
    assert!(!classic.contains("# EOF") && !classic.contains("# UNIT"));
}

#[test]
fn counters_outlive_workers_and_busy_time_never_steps_back() {
    let (mut ledger, metrics) = scene();
    let requests = "brigade_requests_total{slot=\"1\",class=\"2xx\"}";
    let busy = "brigade_loop_busy_seconds_total{slot=\"1\"}";
    let rows: Vec<_> = ledger.board().rows().map(|(id, _)| id).collect();
    // A long turn that is under way, and then over: never less than was shown.
    ledger.board().row(rows[1]).unpark(1);
    let number = |text: &str| value(text, busy).parse::<f64>().unwrap();
    let before = metrics.text(Form::Prometheus);
    assert!(number(&before) > 0.5, "the present turn counts");
    rows.into_iter().for_each(|row| ledger.release(row));
    let after = metrics.text(Form::Prometheus);
    assert_eq!(value(&after, requests), value(&before, requests));
    assert!(number(&after) >= number(&before));
    assert_eq!(value(&after, "brigade_connections_open{slot=\"1\"}"), "0");
    assert!(
        !after.contains("brigade_worker_resident_memory_bytes{"),
        "{after}"
    );
}

/// The table of all metrics, from a scrape.
fn table(text: &str) -> String {
    let mut table = HEAD.to_owned();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let help = line
            .strip_prefix("# HELP ")
            .and_then(|words| words.split_once(' '));
        let Some((name, help)) = help else { continue };
        let kind = lines.next().unwrap().rsplit_once(' ').unwrap().1;
        let labels = match lines.peek().and_then(|series| series.split_once('{')) {
            Some((_, rest)) => {
                let inside = rest.split_once('}').unwrap().0;
                let keys = inside
                    .split(',')
                    .map(|label| label.split_once('=').unwrap().0);
                let keys: Vec<String> = keys.map(|key| format!("`{key}`")).collect();
                keys.join(", ")
            }
            None => String::new(),
        };
        table.push_str(&format!("| `{name}` | {kind} | {labels} | {help} |\n"));
    }
    table
}

#[test]
fn the_document_lists_every_metric() {
    let (_ledger, metrics) = scene();
    let table = table(&metrics.text(Form::Prometheus));
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let begin = document.find(HEAD).expect("docs/metrics.md has the table");
    let rest = &document[begin..];
    let end = rest.find("\n\n").map_or(rest.len(), |end| end + 1);
    let written = format!("{}{table}{}", &document[..begin], &rest[end..]);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(DOCUMENT, written).unwrap();
        return;
    }
    assert_eq!(document, written, "UPDATE=1 writes docs/metrics.md");
}

#[test]
fn names_follow_the_conventions() {
    let (_ledger, metrics) = scene();
    let text = metrics.text(Form::Prometheus);
    for line in text.lines() {
        let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|told| told.split_once(' '))
        else {
            continue;
        };
        assert!(name.starts_with("brigade_"), "{name}");
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(name.chars().all(is_plain), "{name}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
    }
    for line in text.lines().filter_map(|line| line.strip_prefix("# HELP ")) {
        assert!(line.ends_with('.'), "a sentence: {line}");
    }
}
