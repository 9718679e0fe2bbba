//! The end of a service, and what nobody has asked for.

use std::time::{Duration, Instant};

use crate::machine::Machine;
use crate::service::Service;
use crate::support::{Address, Connection, Load};

#[test]
fn a_stuck_worker_delays_the_stop_by_its_bound_and_nobody_stays() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let limits = "timeout-graceful-shutdown = \"1s\"\ntimeout-kill = \"1s\"\n";
    let shop = Service::serving(&machine, &format!("workers = 2\n{limits}"));
    let group = machine.path(&format!("/sys/fs/cgroup{}", shop.property("ControlGroup")));
    let mut stuck = Connection::open(&shop.addresses()[0]).unwrap();
    stuck
        .send("GET /blocking?ms=60000 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    shop.wait_for("worker.blocked");
    let begin = Instant::now();
    shop.order("stop");
    // systemd's own limit is 50 s, Brigade's is 2 s and what the kernel takes.
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert_eq!(shop.property("Result"), "success");
    assert!(!group.exists(), "somebody has stayed");
}

#[test]
fn requests_in_flight_are_finished_by_a_stop_and_by_the_death_of_the_supervisor() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::serving(&machine, "workers = 2\n");
    let address = shop.addresses().remove(0);
    for order in ["stop", "death"] {
        if order == "death" {
            shop.order("start");
            machine.until("it serves", || Connection::open(&address).is_ok());
        }
        let mut slow: Vec<_> = (0..4)
            .map(|_| Connection::open(&address).unwrap())
            .collect();
        for connection in &mut slow {
            connection.get("/").unwrap();
            let request = "GET /sleep?ms=1500 HTTP/1.1\r\nhost: test\r\n\r\n";
            connection.send(request).unwrap();
        }
        if order == "death" {
            shop.signal("KILL");
        } else {
            shop.order(order);
        }
        for connection in &mut slow {
            let answer = connection.receive();
            assert_eq!(answer.expect("it is finished").status, 200, "{order}");
        }
    }
    // Killed, it has been started anew.
    shop.until_property("NRestarts", "1");
    shop.until_property("ActiveState", "active");
    shop.order("stop");
}

#[test]
fn stopped_by_systemd_nobody_is_taken_for_crashed() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 4\n");
    for _ in 0..5 {
        let mark = shop.mark();
        shop.order("start");
        shop.wait_after(mark, "fleet.ready", |_| true);
        let load = Load::keep_alive_at(Address::parse("http://127.0.0.1:8000"), 4).start();
        shop.order("stop");
        let account = load.stop();
        // Only who came after the end was refused.
        let heard = account
            .losses
            .iter()
            .filter(|loss| loss.answered_before > 0);
        assert_eq!(heard.count(), 0, "{:#?}", account.losses);
        assert_eq!(shop.property("Result"), "success");
    }
    // The workers hear systemd's SIGTERM, too.
    for trouble in [
        "worker.crashed",
        "worker.recycling",
        "worker.overdue",
        "connections.cut",
    ] {
        let told = shop.events(trouble);
        assert!(told.is_empty(), "{told:#?}");
    }
}

#[test]
fn probes_are_answered_until_the_last_request_is() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::serving(&machine, "workers = 2\nadmin = \"127.0.0.1:9000\"\n");
    let admin = Address::parse("http://127.0.0.1:9000");
    let probe = || Connection::open(&admin).and_then(|mut one| one.get("/readyz"));
    machine.until("it is ready", || {
        probe().is_ok_and(|answer| answer.status == 200)
    });
    let mut slow = Connection::open(&shop.addresses()[0]).unwrap();
    slow.get("/").unwrap();
    slow.send("GET /sleep?ms=2000 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    machine.systemctl(&["stop", "--no-block", &shop.unit]);
    shop.wait_for("fleet.stopping");
    // systemd tells every process of the group to leave, this one too.
    for _ in 0..20 {
        let answer = probe().unwrap_or_else(|why| panic!("{why:?}"));
        assert_eq!(answer.status, 503, "{}", answer.text());
    }
    assert_eq!(slow.receive().unwrap().status, 200);
    shop.until_property("ActiveState", "inactive");
    assert_eq!(shop.property("Result"), "success");
}
