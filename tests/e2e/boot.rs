//! Where Brigade listens, and that it says so.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;

use crate::support::{Address, Brigade, Connection, Launch, Load, Need, lacks};

/// Everybody who listens at `address` answers.
fn answers(address: &Address) -> bool {
    let answer = Connection::open(address).and_then(|mut connection| connection.get("/"));
    answer.is_ok_and(|answer| answer.status == 200)
}

#[test]
fn a_free_port_is_told_and_every_worker_serves_on_it() {
    let brigade = Brigade::start(&["serve", "--workers", "3"]);
    assert_ne!(brigade.address().port(), 0);
    assert_eq!(
        brigade.addresses().len(),
        1,
        "one address, however many workers"
    );
    let load = Load::connections(&brigade, 4).start();
    load.flow(300);
    let account = load.stop();
    account.assert_lost_none();
    let workers: Vec<_> = brigade
        .workers()
        .iter()
        .map(|worker| worker.process)
        .collect();
    let mut answered: Vec<_> = account.by_process.keys().copied().collect();
    answered.sort();
    let mut expected = workers.clone();
    expected.sort();
    assert_eq!(answered, expected, "who answered, and who is ready");
    brigade.stop_and_check();
}

#[test]
fn the_answer_names_slot_process_and_generation() {
    let brigade = Brigade::start(&["serve", "--workers", "1"]);
    let answer = brigade.get("/");
    let worker = brigade.worker(0);
    assert_eq!(answer.number("slot"), Some(0), "{}", answer.text());
    assert_eq!(
        answer.number("pid"),
        Some(worker.process.0.into()),
        "{}",
        answer.text()
    );
    assert_eq!(answer.number("generation"), Some(1), "{}", answer.text());
    brigade.stop_and_check();
}

#[test]
fn it_listens_on_ipv6() {
    let brigade = Brigade::start(&["serve", "--workers", "2", "--bind", "[::1]:0"]);
    assert!(matches!(brigade.address(), Address::Tcp(address) if address.is_ipv6()));
    assert!(answers(&brigade.address()));
    brigade.stop_and_check();
}

#[test]
fn a_name_is_resolved_when_it_binds() {
    let brigade = Brigade::start(&["serve", "--workers", "1", "--bind", "localhost:0"]);
    assert!(brigade.addresses().iter().all(answers));
    brigade.stop_and_check();
}

#[test]
fn a_unix_socket_serves_and_is_removed_at_the_end() {
    let launch = Launch::new(&["serve", "--workers", "2", "--uds", "a.sock"]);
    let path = launch.dir().join("a.sock");
    let brigade = launch.ready();
    assert!(path.exists());
    assert!(answers(&Address::Unix(path.clone())));
    brigade.stop_and_check();
    assert!(!path.exists());
}

#[test]
fn several_places_at_once_each_serve() {
    let name = format!("brigade-test-{}", std::process::id());
    let launch = Launch::new(&["serve", "--workers", "2", "--bind", "127.0.0.1:0"])
        .arguments(["--bind", "[::1]:0", "--bind", "unix:a.sock"])
        .arguments(["--bind".to_owned(), format!("unix:@{name}")]);
    let path = launch.dir().join("a.sock");
    let brigade = launch.ready();
    let listening = brigade.events("supervisor.listening");
    let queues: Vec<_> = listening.iter().map(|event| event.text("queue")).collect();
    assert_eq!(queues, ["per-slot", "per-slot", "shared", "shared"]);
    assert_eq!(listening[3].text("address"), format!("unix:@{name}"));
    let mut addresses = brigade.addresses();
    // The log may tell the path as configured: relative to where Brigade works.
    addresses[2] = Address::Unix(path);
    for address in &addresses {
        assert!(answers(address), "{address:?}");
        let load = Load::keep_alive(&brigade, 3).at(address.clone()).start();
        load.flow(50);
        load.stop().assert_lost_none();
    }
    brigade.stop_and_check();
}

#[test]
fn an_inherited_socket_serves_also_what_came_before_the_start() {
    for flags in [["--bind", "fd:3"], ["--fd", "3"]] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let mut early = Connection::open(&address).unwrap();
        let copy = listener.try_clone().unwrap();
        let arguments = [&["serve", "--workers", "2"], &flags[..]].concat();
        let brigade = Launch::new(&arguments).inherit(copy).ready();
        assert_eq!(
            early.get("/").unwrap().status,
            200,
            "the connection that waited"
        );
        let load = Load::connections(&brigade, 3).at(address.clone()).start();
        load.flow(50);
        load.stop().assert_lost_none();
        assert_eq!(
            brigade.events("supervisor.listening")[0].text("queue"),
            "shared"
        );
        drop(early);
        brigade.stop_and_check();
        // Whoever gave it still holds it: it was closed, not shut down.
        assert!(Connection::open(&address).is_ok());
        drop(listener);
    }
}

#[test]
fn an_inherited_unix_socket_keeps_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("given.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let launch = Launch::new(&["serve", "--workers", "2", "--bind", "fd:3"]);
    let brigade = launch.inherit(listener).ready();
    assert!(answers(&Address::Unix(path.clone())));
    brigade.stop_and_check();
    assert!(path.exists(), "the file belongs to whoever made the socket");
}

/// Starts with sockets passed as systemd passes them, named `web` and `admin`.
fn activated(binds: &[&str], sockets: [TcpListener; 2]) -> Launch {
    let arguments = [&["serve", "--workers", "1"], binds].concat();
    let announce = "export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:admin";
    let launch = if binds.is_empty() {
        Launch::anywhere(&arguments)
    } else {
        Launch::new(&arguments)
    };
    launch
        .inherit_two(sockets.map(OwnedFd::from))
        .after(announce)
}

#[test]
fn sockets_passed_by_systemd_are_taken_by_name_or_all() {
    for (binds, served) in [
        (&["--bind", "systemd:web"][..], [true, false]),
        (&["--bind", "systemd:admin"], [false, true]),
        (&["--bind", "systemd:"], [true, true]),
    ] {
        let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = sockets
            .each_ref()
            .map(|s| Address::Tcp(s.local_addr().unwrap()));
        let brigade = activated(binds, sockets).ready();
        let told = brigade.addresses();
        for (address, served) in addresses.iter().zip(served) {
            assert_eq!(told.contains(address), served, "{binds:?}: {told:?}");
            assert!(!served || answers(address), "{binds:?}: {address:?}");
        }
        brigade.stop_and_check();
    }
}

#[test]
fn sockets_passed_by_systemd_are_found_without_a_word_and_by_their_number() {
    for (binds, served) in [(&[][..], [true, true]), (&["--fd", "4"], [false, true])] {
        let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = sockets
            .each_ref()
            .map(|socket| Address::Tcp(socket.local_addr().unwrap()));
        let brigade = activated(binds, sockets).ready();
        for (address, served) in addresses.iter().zip(served) {
            assert_eq!(answers(address), served, "{binds:?}: {address:?}");
        }
        brigade.stop_and_check();
    }
}

#[test]
fn a_socket_waits_in_systemd_socket_activate_until_somebody_calls() {
    if lacks(Need::SocketActivate) {
        return;
    }
    let launch = Launch::new(&["serve", "--workers", "2", "--bind", "systemd:"]);
    let path = launch.dir().join("activated.sock");
    let listen = path.to_string_lossy().into_owned();
    let words = [
        "systemd-socket-activate",
        "-E",
        "PATH",
        "--listen",
        &listen,
        "--",
    ];
    let brigade = launch.under(&words).start();
    let address = Address::Unix(path);
    brigade.until("the activator listens", || {
        Connection::open(&address).is_ok()
    });
    assert!(answers(&address));
    brigade.wait_for("fleet.ready", |_| true);
    brigade
        .expects("stray lines")
        .expects("socket files")
        .stop_and_check();
}

#[test]
fn the_first_lines_tell_a_tired_operator_everything() {
    let brigade = Brigade::start(&["serve", "--workers", "2"]);
    let starting = brigade.wait_for("supervisor.starting", |_| true);
    let version = concat!(env!("CARGO_PKG_VERSION"), " (");
    assert!(starting.text("version").starts_with(version));
    assert!(starting.is("pid", brigade.supervisor().0.into()));
    assert!(starting.is("workers", 2));
    assert!(!starting.text("workers_reason").is_empty());
    assert_eq!(starting.text("config"), "none");
    let message = brigade
        .wait_for("supervisor.listening", |_| true)
        .text("message")
        .to_owned();
    assert!(
        message.contains("http://127.0.0.1:"),
        "a URL to click on: {message:?}"
    );
    brigade.stop_and_check();
}

#[test]
fn the_number_of_workers_follows_the_usable_processors() {
    let launch = Launch::new(&["serve", "--workers", "auto"]);
    let brigade = launch.under(&["taskset", "--cpu-list", "0"]).ready();
    let starting = brigade.wait_for("supervisor.starting", |_| true);
    assert!(starting.is("workers", 1), "{}", starting.value);
    let reason = starting.text("workers_reason");
    assert!(
        reason.contains("affinity") || reason.to_lowercase().contains("cpu"),
        "{reason:?}"
    );
    brigade.stop_and_check();
}

#[test]
fn worker_processes_hold_nothing_of_their_siblings() {
    let brigade = Brigade::start(&["serve", "--workers", "4"]);
    let counts: Vec<_> = brigade
        .workers()
        .iter()
        .map(|worker| worker.process.descriptors())
        .collect();
    // Who was forked last could have inherited most: each sibling's socket and channel.
    assert!(
        counts.windows(2).all(|pair| pair[0] == pair[1]),
        "{counts:#?}"
    );
    brigade.stop_and_check();
}
