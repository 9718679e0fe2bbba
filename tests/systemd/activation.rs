//! Sockets that systemd holds: the first connection starts the service, and nobody who connects
//! while it is down is turned away.

use crate::knock::Knocking;
use crate::machine::Machine;
use crate::service::Service;
use crate::support::{Address, Connection, Load};

/// `brigade@shop.socket` with these lines instead of the shipped address, listening.
fn listen(machine: &Machine, lines: &str) {
    let edit = format!("[Socket]\nListenStream=\n{lines}");
    let path = "/etc/systemd/system/brigade@shop.socket.d/place.conf";
    machine.write(path, &edit);
    machine.systemctl(&["daemon-reload"]);
    machine.systemctl(&["enable", "--now", "brigade@shop.socket"]);
}

fn get(address: &str) -> u16 {
    let address = Address::parse(address);
    let answer = Connection::open(&address).and_then(|mut one| one.get("/"));
    answer
        .unwrap_or_else(|why| panic!("{address:?}: {why:?}"))
        .status
}

#[test]
fn the_first_connection_starts_the_service() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 2\n");
    listen(&machine, "ListenStream=8000\n");
    assert_eq!(shop.property("ActiveState"), "inactive");
    assert_eq!(get("http://127.0.0.1:8000"), 200);
    shop.wait_for("fleet.ready");
    assert_eq!(shop.property("ActiveState"), "active");
    let told = shop.wait_for("supervisor.listening");
    assert_eq!(told.text("bind"), "systemd:", "{}", told.value);
    shop.order("stop");
}

#[test]
fn stopped_and_started_under_load_it_loses_nobody() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 2\n");
    listen(&machine, "ListenStream=8000\n");
    let address = Address::parse("http://127.0.0.1:8000");
    let kept = Load::keep_alive_at(address.clone(), 4).start();
    let fresh = Load::keep_alive_at(address, 4).anew().start();
    let mut pids = vec![shop.main_pid()];
    for order in ["restart", "stop", "stop", "restart"] {
        let knocking = Knocking::at(Address::parse("http://127.0.0.1:8000"));
        shop.order(order);
        // Whoever connects starts it again after a stop.
        kept.flow(50);
        fresh.flow(50);
        pids.push(shop.main_pid());
        knocking.assert_lost_none();
    }
    pids.dedup();
    assert_eq!(pids.len(), 5, "each time another supervisor: {pids:?}");
    kept.stop().assert_lost_none();
    fresh.stop().assert_lost_none();
}

#[test]
fn several_sockets_of_several_names_and_both_families() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let config = "workers = 2\nbind = [\"systemd:http\", \"systemd:inside\"]\n";
    let shop = Service::shop(&machine, config);
    let both = "ListenStream=127.0.0.1:8000\nListenStream=[::1]:8000\n";
    listen(&machine, both);
    machine.write(
        "/etc/systemd/system/inside.socket",
        "[Socket]\nService=brigade@shop.service\nFileDescriptorName=inside\n\
         ListenStream=/run/inside.sock\n",
    );
    shop.edit(
        "inside",
        "[Service]\nSockets=brigade@shop.socket inside.socket\n",
    );
    machine.systemctl(&["start", "inside.socket"]);
    let inside = format!("unix:{}", machine.path("/run/inside.sock").display());
    let places = ["http://127.0.0.1:8000", "http://[::1]:8000", &inside];
    for place in places {
        assert_eq!(get(place), 200);
    }
    shop.wait_for("fleet.ready");
    assert_eq!(shop.addresses().len(), 3);
    // What systemd has bound stays when the service goes, and comes back with it.
    shop.order("stop");
    for place in places {
        assert_eq!(get(place), 200);
    }
    machine.systemctl(&["stop", "brigade@shop.socket", "inside.socket", &shop.unit]);
    for place in places {
        assert!(Connection::open(&Address::parse(place)).is_err(), "{place}");
    }
}

#[test]
fn the_socket_for_a_proxy_is_where_the_unit_says_and_for_its_group() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 1\n");
    let edit = "[Socket]\nSocketGroup=www-data\n";
    let path = "/etc/systemd/system/brigade@shop.socket.d/group.conf";
    machine.write(path, edit);
    machine.systemctl(&["daemon-reload"]);
    machine.systemctl(&["enable", "--now", "brigade@shop.socket"]);
    let curl = [
        "curl",
        "--silent",
        "--fail",
        "--unix-socket",
        "/run/brigade-shop.sock",
    ];
    let with = |user: &str, group: &str| {
        let become_it = [
            "setpriv",
            "--reuid",
            user,
            "--regid",
            group,
            "--clear-groups",
        ];
        let words = [&become_it[..], &curl[..], &["http://shop/"]].concat();
        machine.run(&words).status.success()
    };
    assert!(with("www-data", "www-data"));
    assert!(!with("nobody", "nogroup"));
    shop.order("stop");
    let socket = machine.path("/run/brigade-shop.sock");
    assert!(socket.exists(), "it is systemd's to remove");
}
