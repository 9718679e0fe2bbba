//! Connections of one peer address, in a network of the test's own: the machine's loopback
//! addresses are not counted. Whoever connects there to an address does so from this address.

use std::fs::File;

use nix::sched::{CloneFlags, setns};

use crate::admin::{answers, metric};
use crate::limits_http::counted;
use crate::support::{Address, Brigade, Connection, Launch, Need, lacks};

const NETWORK: &str = "ip link set lo up
for address in 198.51.100.2 198.51.100.3; do ip address add $address/32 dev lo; done
for address in 1::2 1::3 2::2; do ip address add 2001:db8:0:$address/128 dev lo nodad; done";

/// In a network that vanishes with the last who is in it; this test is there from now on, too.
fn start(options: &[&str]) -> Brigade {
    let arguments = ["serve", "--bind", "0.0.0.0:0", "--bind", "[::]:0"];
    let arguments = [&arguments[..], &["--admin", "127.0.0.1:0"]].concat();
    let launch = Launch::new(&[&arguments[..], options].concat());
    let launch = launch.under(&["unshare", "--net"]).after(NETWORK);
    let brigade = launch.ready();
    answers_within(&brigade);
    brigade
}

fn answers_within(brigade: &Brigade) {
    let network = format!("/proc/{}/ns/net", brigade.supervisor().0);
    setns(File::open(network).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
    answers(brigade);
}

/// A connection from this address.
fn from(brigade: &Brigade, address: &str) -> Connection {
    let port = brigade.addresses()[usize::from(address.starts_with('['))].port();
    let address = Address::parse(&format!("http://{address}:{port}"));
    Connection::open(&address).unwrap()
}

/// So many that are served and stay open.
fn served(brigade: &Brigade, address: &str, count: usize) -> Vec<Connection> {
    let open = |_| {
        let mut connection = from(brigade, address);
        assert_eq!(connection.get("/").unwrap().status, 200, "{address}");
        connection
    };
    (0..count).map(open).collect()
}

#[track_caller]
fn is_turned_away(brigade: &Brigade, address: &str) {
    let mut connection = from(brigade, address);
    let refused = connection.receive().unwrap();
    let told = (refused.status, refused.header("retry-after"));
    assert_eq!(told, (503, Some("1")), "{address}");
    assert!(connection.closes());
}

#[test]
fn a_peer_has_no_more_connections_than_it_may_and_keeps_nobody_else_out() {
    if lacks(Need::Root) {
        return;
    }
    let limits = [
        "--limit-peer-connections",
        "10",
        "--timeout-keep-alive",
        "60s",
    ];
    let brigade = start(&[&["--workers", "1"], &limits[..]].concat()).expects("limit.reached");
    let crowd = served(&brigade, "198.51.100.2", 10);
    is_turned_away(&brigade, "198.51.100.2");
    is_turned_away(&brigade, "198.51.100.2");
    counted(&brigade, "connections_refused", "peer", 2.0);
    let told = brigade.wait_for("limit.reached", |_| true);
    assert_eq!(told.text("limit"), "limit-peer-connections");
    assert_eq!(brigade.events("limit.reached").len(), 1, "not for each");
    drop(served(&brigade, "198.51.100.3", 5));
    // The machine itself: behind it may be a proxy.
    drop(served(&brigade, "127.0.0.1", 20));
    // Of IPv6 a whole network of 64 bits is one peer.
    let neighbours = [
        served(&brigade, "[2001:db8:0:1::2]", 5),
        served(&brigade, "[2001:db8:0:1::3]", 5),
    ];
    is_turned_away(&brigade, "[2001:db8:0:1::2]");
    drop(served(&brigade, "[2001:db8:0:2::2]", 5));
    counted(&brigade, "connections_refused", "peer", 3.0);
    drop((crowd, neighbours));
    let open = "brigade_connections_open{slot=\"0\"}";
    brigade.until("they have left", || metric(&brigade, open) == 0.0);
    drop(served(&brigade, "198.51.100.2", 10));
    brigade.stop_and_check();
}

#[test]
fn a_peer_is_counted_over_all_workers_and_what_a_crash_leaves_is_forgotten() {
    if lacks(Need::Root) {
        return;
    }
    let limits = [
        "--limit-peer-connections",
        "12",
        "--timeout-keep-alive",
        "60s",
    ];
    let brigade = start(&[&["--workers", "3"], &limits[..]].concat()).expects("limit.reached");
    let crowd = served(&brigade, "198.51.100.2", 12);
    is_turned_away(&brigade, "198.51.100.2");
    for worker in brigade.workers() {
        brigade.kill(worker, nix::sys::signal::Signal::SIGKILL);
    }
    drop(crowd);
    for slot in 0..3 {
        brigade.until("it is there again", || {
            brigade.workers().iter().any(|worker| worker.slot == slot)
        });
    }
    drop(served(&brigade, "198.51.100.2", 12));
    brigade.stop_and_check();
}

#[test]
fn a_trusted_proxy_has_any_number_of_connections() {
    if lacks(Need::Root) {
        return;
    }
    let limits = [
        "--limit-peer-connections",
        "5",
        "--forwarded-allow-ips",
        "198.51.100.3",
    ];
    let brigade = start(&[&["--workers", "1"], &limits[..]].concat()).expects("limit.reached");
    let _proxy = served(&brigade, "198.51.100.3", 20);
    let _crowd = served(&brigade, "198.51.100.2", 5);
    is_turned_away(&brigade, "198.51.100.2");
    brigade.stop_and_check();
}
