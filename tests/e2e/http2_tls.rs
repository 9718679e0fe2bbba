//! HTTP/2 over TLS through everything that ends a worker: every request is accounted for.

use nix::sys::signal::Signal;

use crate::support::h2::{Http2, Http2Account, Http2Load};
use crate::support::{Authority, Brigade};
use crate::tls::launch;
use crate::upgrade::{replace, upgraded};

fn load(authority: &Authority, brigade: &Brigade) -> Http2Load {
    let (client, port) = (authority.client(), brigade.address().port());
    Http2Load::over(move || Http2::encrypted(&client, port, "a.example"), 4, 8)
}

#[track_caller]
fn lost_none(account: &Http2Account) {
    assert_eq!((&account.lost[..], account.refused), (&[][..], 0));
}

#[test]
fn reloads_renewals_and_replacements_lose_nothing() {
    let authority = Authority::new();
    let options = ["--workers", "2", "--limit-max-requests", "2000"];
    let brigade = launch(&authority, &options).ready();
    let load = load(&authority, &brigade);
    for round in 0..2 {
        brigade.reload();
        load.flow(200);
        // Certificates alone: no worker leaves.
        authority.sign("a.example", brigade.dir());
        let mark = brigade.signal_heard(Signal::SIGHUP);
        let done = brigade.wait_after(mark, "reload.done", |_| true);
        assert_eq!(done.text("only"), "certificates", "round {round}");
        load.flow(200);
        for (signal, name) in [
            (Signal::SIGTTIN, "worker.ready"),
            (Signal::SIGTTOU, "worker.left"),
        ] {
            let mark = brigade.signal_heard(signal);
            brigade.wait_after(mark, name, |_| true);
            load.flow(200);
        }
    }
    // Workers that have served their number are replaced under way.
    brigade.wait_for("worker.recycling", |_| true);
    load.flow(2000);
    let account = load.stop();
    lost_none(&account);
    assert!(
        account.farewells > 0 && account.generations.len() >= 3,
        "{account:?}"
    );
    brigade.stop_and_check();
}

#[test]
fn an_upgrade_in_place_loses_nothing() {
    let authority = Authority::new();
    let launch = launch(&authority, &["--workers", "2"]);
    let brigade = launch.copied_as("DIR/brigade").ready();
    let load = load(&authority, &brigade);
    replace(&brigade);
    let generation = upgraded(&brigade);
    brigade.only(generation);
    load.flow(200);
    let account = load.stop();
    lost_none(&account);
    assert!(account.generations.contains(&generation), "{account:?}");
    brigade.stop_and_check();
}

#[test]
fn a_stop_answers_all_that_was_begun() {
    let authority = Authority::new();
    let brigade = launch(&authority, &["--workers", "2"]).ready();
    let load = load(&authority, &brigade);
    brigade.signal_heard(Signal::SIGTERM);
    brigade.ended(0);
    let account = load.stop();
    // Who comes later finds nobody.
    assert!(account.lost.is_empty(), "{:#?}", account.lost);
    assert!(account.farewells > 0);
}
