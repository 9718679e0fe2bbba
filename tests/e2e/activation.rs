//! Sockets of a .socket unit: named, several, dual stack; and LISTEN_FDS that lies.

use std::fs::File;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};

use nix::sys::signal::Signal;

use crate::store::{Waiting, stop};
use crate::support::{Address, Brigade, Connection, Keeper, Launch, Load, Need, lacks};

fn listener(at: &str) -> (TcpListener, Address) {
    let listener = TcpListener::bind(at).unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    (listener, address)
}

fn answers(address: &Address) -> bool {
    let answer = Connection::open(address).and_then(|mut line| line.get("/"));
    answer.is_ok_and(|answer| answer.status == 200)
}

/// A service with these sockets, for these binds; without any: whatever is passed.
fn activated(binds: &[&str], sockets: &[(&str, &OwnedFd)]) -> Launch {
    let arguments = [&["serve", "--workers", "2"], binds].concat();
    let launch = match binds {
        [] => Launch::anywhere(&arguments),
        _ => Launch::new(&arguments),
    };
    let sockets: Vec<_> = sockets
        .iter()
        .map(|(name, fd)| (*name, fd.as_fd()))
        .collect();
    launch.passed(&sockets)
}

#[test]
fn one_name_may_stand_for_both_families_and_for_many_sockets() {
    if lacks(Need::Python) {
        return;
    }
    let places = ["127.0.0.1:0", "[::1]:0", "127.0.0.2:0", "127.0.0.1:0"];
    let (sockets, addresses): (Vec<OwnedFd>, Vec<Address>) = places
        .iter()
        .map(|place| listener(place))
        .map(|(socket, address)| (socket.into(), address))
        .unzip();
    let names = ["web", "web", "web", "other"];
    let passed: Vec<_> = names.into_iter().zip(&sockets).collect();
    let brigade = activated(&["--bind", "systemd:web"], &passed).ready();
    assert_eq!(brigade.addresses(), addresses[..3]);
    for address in &addresses[..3] {
        let load = Load::connections(&brigade, 2).at(address.clone()).start();
        load.flow(20);
        load.stop().assert_lost_none();
    }
    assert!(!brigade.addresses().contains(&addresses[3]));
    brigade.stop_and_check();
    assert!(
        Connection::open(&addresses[0]).is_ok(),
        "the manager still has it"
    );
}

#[test]
fn several_names_and_an_own_address_stand_side_by_side() {
    if lacks(Need::Python) {
        return;
    }
    let [(web, at_web), (shop, at_shop)] = [(); 2].map(|()| listener("127.0.0.1:0"));
    let (web, shop) = (web.into(), shop.into());
    let binds = [
        "--bind",
        "systemd:shop",
        "--bind",
        "127.0.0.1:0",
        "--bind",
        "systemd:web",
    ];
    let brigade = activated(&binds, &[("web", &web), ("shop", &shop)]).ready();
    let told = brigade.addresses();
    assert_eq!((&told[0], &told[2]), (&at_shop, &at_web));
    assert!(told.iter().all(answers));
    brigade.expect("other listeners");
    brigade.stop_and_check();
}

#[test]
fn descriptors_that_can_t_be_listened_on_are_named_and_the_others_used() {
    if lacks(Need::Python) {
        return;
    }
    let (web, address) = listener("127.0.0.1:0");
    let (one, _other) = UnixStream::pair().unwrap();
    let file = File::open("/dev/null").unwrap().into();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap().into();
    let datagram = UnixDatagram::unbound().unwrap().into();
    let (web, connected) = (web.into(), one.into());
    let passed = [
        ("web", &file),
        ("web", &udp),
        ("web", &web),
        ("admin", &datagram),
        ("web", &connected),
    ];
    for binds in [&[][..], &["--bind", "systemd:web"], &["--bind", "systemd:"]] {
        let brigade = activated(binds, &passed).ready();
        assert_eq!(brigade.addresses(), std::slice::from_ref(&address));
        assert!(answers(&address));
        let told = brigade.events("listen.unusable");
        let numbers: Vec<_> = told
            .iter()
            .map(|event| event.number("descriptor"))
            .collect();
        assert_eq!(numbers, [3, 4, 6, 7].map(Some));
        brigade.stop_and_check();
    }
    // An error only where one is needed.
    for (bind, word) in [("systemd:admin", "Datagram"), ("fd:4", "Datagram")] {
        let output = activated(&["--bind", bind], &passed).run();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(71), "{said}");
        assert!(said.contains(bind) && said.contains(word), "{said}");
    }
}

#[test]
fn more_descriptors_than_came_are_missed_and_those_that_came_are_used() {
    if lacks(Need::Python) {
        return;
    }
    let (web, address) = listener("127.0.0.1:0");
    let web = web.into();
    for (lie, missing) in [("LISTEN_FDS=3", 2), ("LISTEN_FDS=4000000000", 65_535)] {
        let launch = activated(&[], &[("web", &web)]).under(&["env", lie]);
        let brigade = launch.ready();
        let told = brigade.wait_for("listen.missing", |_| true);
        assert!(told.is("missing", missing), "{}", told.value);
        assert!(told.text("descriptor") == "4", "{}", told.value);
        assert!(answers(&address));
        brigade.stop_and_check();
    }
    let launch = activated(&["--bind", "systemd:admin"], &[("web", &web)]);
    let output = launch
        .under(&["env", "LISTEN_FDS=2", "LISTEN_FDNAMES=web:admin"])
        .run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(71), "{said}");
    assert!(said.contains("systemd:admin"), "{said}");
}

#[test]
fn fewer_names_than_descriptors_and_variables_that_mean_nothing_are_no_obstacle() {
    if lacks(Need::Python) {
        return;
    }
    let [(web, at_web), (more, at_more)] = [(); 2].map(|()| listener("127.0.0.1:0"));
    let (web, more) = (web.into(), more.into());
    let launch = activated(&[], &[("web", &web), ("more", &more)]);
    let brigade = launch.under(&["env", "LISTEN_FDNAMES=web"]).ready();
    assert_eq!(brigade.addresses(), [at_web.clone(), at_more]);
    brigade.stop_and_check();
    for lie in ["LISTEN_FDS=some", "LISTEN_FDS=-1", "LISTEN_PID=me"] {
        let launch = activated(&["--bind", "127.0.0.1:0"], &[("web", &web)]);
        let brigade = launch.under(&["env", lie]).ready();
        brigade.wait_for("listen.unusable", |_| true);
        assert!(answers(&brigade.address()));
        brigade.stop_and_check();
    }
    let launch = activated(&["--bind", "127.0.0.1:0"], &[("web", &web)]);
    let brigade = launch.under(&["env", "LISTEN_PID=1"]).ready();
    brigade.wait_for("listen.not_ours", |_| true);
    assert_ne!(brigade.address(), at_web);
    brigade.stop_and_check();
}

#[test]
fn a_store_beside_a_socket_unit_is_told_from_it() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(16);
    let (web, address) = listener("127.0.0.1:0");
    let start = |more: &[&str]| -> Brigade {
        let arguments = [&["serve", "--workers", "2"], more].concat();
        let launch = Launch::anywhere(&arguments);
        keeper.launch_with(launch, &[("web", web.as_fd())]).ready()
    };
    let first = start(&[]);
    assert_eq!(first.addresses(), std::slice::from_ref(&address));
    assert_eq!(
        keeper.names(),
        ["brigade-kept-1-board"],
        "the unit has the socket"
    );
    stop(first);
    let waiting = Waiting::at(std::slice::from_ref(&address), 10);
    let second = start(&["--bind", "systemd:web", "--bind", "127.0.0.1:0"]);
    waiting.are_answered();
    let own = second.addresses()[1].clone();
    assert_eq!(keeper.names().len(), 3);
    stop(second);
    // What is kept is no reason to listen on nothing else: the unit's is the default again.
    let waiting = Waiting::at(std::slice::from_ref(&own), 10);
    let third = start(&[]);
    waiting.are_answered();
    assert_eq!(third.addresses(), std::slice::from_ref(&address));
    third.wait_for("listen.removed", |_| true);
    third.signal(Signal::SIGTERM);
    third.wait_for("supervisor.stopped", |_| true);
    keeper.close_store();
    third.ended(0);
    assert!(Connection::open(&own).is_err() && Connection::open(&address).is_ok());
}

#[test]
fn a_store_alone_is_no_socket_activation() {
    if lacks(Need::Python) {
        return;
    }
    let keeper = Keeper::new(16);
    let variables = |launch: Launch| launch.variable("PORT", "0").variable("HOST", "127.0.0.1");
    let start = || {
        let launch = Launch::anywhere(&["serve", "--workers", "1"]);
        variables(keeper.launch_with(launch, &[])).ready()
    };
    let first = start();
    let addresses = first.addresses();
    stop(first);
    let second = start();
    assert_eq!(second.addresses(), addresses);
    crate::store::the_end(second, &keeper);
}

#[test]
fn systemd_socket_activate_passes_both_families_by_one_name() {
    if lacks(Need::SocketActivate) {
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let [v4, v6] = [format!("127.0.0.1:{port}"), format!("[::1]:{port}")];
    let launch = Launch::new(&["serve", "--workers", "2", "--bind", "systemd:web"]);
    let words = [
        "systemd-socket-activate",
        "-E",
        "PATH",
        "--fdname=web:web",
        "--listen",
        &v4,
        "--listen",
        &v6,
    ];
    let brigade = launch.under(&words).start();
    let addresses = [v4, v6].map(|address| Address::parse(&address));
    brigade.until("the activator listens", || {
        addresses
            .iter()
            .all(|address| Connection::open(address).is_ok())
    });
    assert!(addresses.iter().all(answers), "the first call starts it");
    brigade.wait_for("fleet.ready", |_| true);
    assert_eq!(brigade.addresses().len(), 2);
    brigade.expects("stray lines").stop_and_check();
}
