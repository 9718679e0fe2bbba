//! Each mistake is made and mended under load: what a neighbour on the same worker feels, what
//! Brigade says, and that the mended half is better. `-- --nocapture` prints the table of
//! docs/offload.md.

mod app;

use std::time::Duration;

use app::{App, Felt};

/// What one route came to.
struct Told {
    felt: Felt,
    blocked: Vec<serde_json::Value>,
    busy: f64,
    /// Whether the worker had to wait for a processor for a good part of the time.
    was_crowded: bool,
}

/// Asks for a path four times at once, beside a neighbour.
fn ask(app: &App, path: &str) -> Told {
    let busy = app.metric("brigade_loop_busy_seconds_total{slot=\"0\"}");
    let mark = app.mark();
    let before = app.processor();
    let felt = app.ask(path, 4);
    let after = app.processor();
    let [ran, waited] = [0, 1].map(|index| after[index] - before[index]);
    let told = Told {
        felt,
        was_crowded: waited * 4 > ran,
        blocked: app.events_since(mark, "worker.blocked"),
        busy: app.metric("brigade_loop_busy_seconds_total{slot=\"0\"}") - busy,
    };
    let Felt { all, neighbour } = &told.felt;
    let stalls = told.blocked.len();
    println!(
        "| `{path}` | {} ms | {} ms | {stalls} | {:.0} ms |",
        all.as_millis(),
        neighbour.as_millis(),
        told.busy * 1e3
    );
    told
}

/// Brigade names the request and shows in which function the loop stands still. It does not blame a
/// worker that calculates for what a crowded machine does to it.
fn assert_names(told: &Told, path: &str, function: &str) {
    let Some(first) = told.blocked.first() else {
        assert!(told.was_crowded, "{path} is told of");
        return;
    };
    assert_eq!(first["path"], path, "{first}");
    let stack = first["stack"].as_str().unwrap();
    let was_late = stack.contains("did not stop in time");
    assert!(stack.contains(function) || was_late, "{first}");
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn each_mistake_is_told_and_its_mending_helps() {
    let app = App::start();
    println!(
        "| path | four of them took | the neighbour waited | stalls told | the loop was busy |"
    );
    println!("| --- | --- | --- | --- | --- |");

    let wrong = ask(&app, "/blocking/wrong");
    assert!(wrong.felt.all >= millis(1200), "one after the other");
    assert!(wrong.felt.neighbour >= millis(290));
    assert_names(&wrong, "/blocking/wrong", "ask_the_database");
    let right = ask(&app, "/blocking/right");
    assert!(right.felt.all < wrong.felt.all / 2, "all at once");
    assert!(right.felt.neighbour < wrong.felt.neighbour / 2);
    assert!(right.blocked.is_empty(), "{:?}", right.blocked);
    let ran = "brigade_offload_jobs_total{slot=\"0\",pool=\"blocking\",outcome=\"ran\"}";
    app.until("the jobs are told", || app.metric(ran) == 4.0);
    let run = "brigade_offload_run_seconds_total{slot=\"0\",pool=\"blocking\"}";
    assert!(app.metric(run) >= 1.2);

    let wrong = ask(&app, "/cpu/wrong");
    assert_names(&wrong, "/cpu/wrong", "calculate");
    let right = ask(&app, "/cpu/right");
    assert!(right.felt.neighbour < wrong.felt.neighbour / 2);
    assert!(right.blocked.is_empty(), "{:?}", right.blocked);
    assert!(right.busy < wrong.busy / 2.0, "a thread did the work");
    let run = "brigade_offload_run_seconds_total{slot=\"0\",pool=\"cpu\"}";
    app.until("the jobs are told", || app.metric(run) > 0.0);

    let wrong = ask(&app, "/iteration/wrong");
    assert_names(&wrong, "/iteration/wrong", "price_of");
    let right = ask(&app, "/iteration/right");
    assert!(right.felt.neighbour < wrong.felt.neighbour / 2);
    assert!(right.blocked.is_empty(), "{:?}", right.blocked);
    assert!(app.metric("brigade_yields_total{slot=\"0\"}") >= 8000.0);

    // Nothing stands still here: it is slow, while the loop has nothing to do.
    let wrong = ask(&app, "/sequence/wrong");
    assert!(wrong.felt.all >= millis(400));
    assert!(wrong.blocked.is_empty(), "{:?}", wrong.blocked);
    let right = ask(&app, "/sequence/right");
    assert!(right.felt.all >= millis(80));
    assert!(right.felt.all < wrong.felt.all / 2);
    app.stop();
}
