//! What a line costs the loop: `cargo test --release -p brigade-worker --lib access::cost -- --nocapture`.

use crate::rig::Rig;
use brigade_config::{Config, Record};
use http::{Request, Response};
use std::time::Instant;

const ROUNDS: u64 = 20;
const REQUESTS: u64 = 500;

/// A request as browsers send it, from its head to its line; whatever happens between is not here.
/// So much for each, in nanoseconds.
fn cost(format: &str) -> u128 {
    let record = Record::from([
        ("access-log".to_owned(), vec!["/dev/null".to_owned()]),
        ("access-log-format".to_owned(), vec![format.to_owned()]),
    ]);
    let (config, _) = Config::recall(&record);
    let mut each = u128::MAX;
    Rig::paused(async |rig| {
        let rig = rig.with(config.worker);
        let station = &*rig.station;
        let peer = rig.peer("203.0.113.9:50123");
        let request = Request::builder()
            .uri("/articles/2026/11/how-to-measure?page=2&sort=new")
            .header("host", "www.example.org")
            .header("referer", "https://www.example.org/articles/2026/11/")
            .header(
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
            )
            .body(())
            .unwrap();
        let (head, ()) = Response::new(()).into_parts();
        // The best of many rounds: what else the machine does is not the log's cost.
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            for _ in 0..REQUESTS {
                let began = station.meter.clock.last();
                let begun = station.access.begin(station, &request, &peer, began);
                let mut sheet = begun.unwrap();
                station
                    .access
                    .answered(&mut sheet, &head, Some(1024), station);
                sheet.sent(1024);
                let row = station.meter.row;
                station.access.end(sheet, row, began + 1_234_567);
            }
            each = each.min(begin.elapsed().as_nanos() / u128::from(REQUESTS));
        }
        station
            .access
            .finish(station, std::time::Duration::from_secs(30));
    });
    each
}

#[test]
fn the_cost_of_a_line_is_told() {
    for format in ["common", "combined", "json"] {
        println!("access log, {format}: {} ns a request", cost(format));
    }
}
