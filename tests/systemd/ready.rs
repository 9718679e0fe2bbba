//! What systemd is told (`Type=notify-reload`): its orders end when they have come true, and its
//! deadlines leave time for what legitimately takes long.

use std::time::{Duration, Instant};

use crate::machine::{Machine, texts};
use crate::service::Service;
use crate::support::{Connection, Load};

fn mischief(machine: &Machine, text: &str) {
    machine.write("/brigade-demo.conf", text);
}

#[test]
fn started_means_that_the_workers_are_ready() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 2\n");
    mischief(&machine, "boot_ms=1500\n");
    machine.systemctl(&["start", "--no-block", &shop.unit]);
    shop.wait_for("worker.spawned");
    assert_eq!(shop.property("ActiveState"), "activating");
    shop.order("start");
    assert_eq!(shop.property("ActiveState"), "active");
    assert_eq!(shop.events("worker.ready").len(), 2);
    let status = shop.property("StatusText");
    assert!(status.starts_with("2/2 workers ready"), "{status}");
    shop.order("stop");
}

#[test]
fn a_part_of_the_workers_may_be_enough() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 2\nready-when = \"50%\"\n");
    mischief(&machine, "boot=hang\nslot=1\n");
    shop.order("start");
    assert_eq!(shop.events("worker.ready").len(), 1);
    let status = shop.property("StatusText");
    assert!(status.starts_with("1/2 workers ready"), "{status}");
    shop.order("stop");
}

#[test]
fn a_start_and_a_stop_that_take_long_get_the_time() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 1\n");
    mischief(&machine, "boot_ms=5000\n");
    shop.edit("short", "[Service]\nTimeoutStartSec=2\nTimeoutStopSec=2\n");
    let begin = Instant::now();
    shop.order("start");
    assert!(begin.elapsed() >= Duration::from_secs(5));
    let mut slow = Connection::open(&shop.addresses()[0]).unwrap();
    slow.get("/").unwrap();
    slow.send("GET /sleep?ms=5000 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    machine.systemctl(&["stop", "--no-block", &shop.unit]);
    assert_eq!(slow.receive().expect("it is finished").status, 200);
    shop.until_property("ActiveState", "inactive");
    assert_eq!(shop.property("Result"), "success");
}

#[test]
fn a_reload_ends_when_it_is_over_and_the_status_tells_how() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 2\n");
    shop.order("start");
    let load = Load::keep_alive_at(shop.addresses().remove(0), 2).start();

    mischief(&machine, "boot_ms=1000\n");
    shop.order("reload");
    assert_eq!(shop.events("reload.done").len(), 1);
    let status = shop.property("StatusText");
    assert!(status.starts_with("2/2 workers ready"), "{status}");

    mischief(&machine, "boot=fail\n");
    shop.order("reload");
    assert_eq!(shop.events("reload.rolled_back").len(), 1);
    assert_eq!(shop.property("ActiveState"), "active");
    let status = shop.property("StatusText");
    assert!(status.contains("rolled back"), "{status}");

    shop.configure("workers = 2\nworkerz = 3\n");
    shop.order("reload");
    assert_eq!(shop.events("reload.refused").len(), 1);
    assert_eq!(shop.property("ActiveState"), "active");
    let status = shop.property("StatusText");
    assert!(status.contains("refused"), "{status}");

    shop.configure("workers = 2\n");
    mischief(&machine, "");
    shop.order("reload");
    assert_eq!(shop.events("reload.done").len(), 2);
    load.stop().assert_lost_none();
    shop.order("stop");
}

#[test]
fn a_start_that_fails_is_told_with_its_reason() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 1\nstart-attempts = 2\n");
    shop.edit("once", "[Service]\nRestart=no\n");
    mischief(&machine, "boot=fail\n");
    let started = shop.try_order("start");
    assert!(!started.status.success(), "{:?}", texts(&started));
    assert_eq!(shop.property("ActiveState"), "failed");
    assert_eq!(shop.property("ExecMainStatus"), "1");

    shop.configure("workerz = 1\n");
    let started = shop.try_order("start");
    assert!(!started.status.success(), "{:?}", texts(&started));
    assert_eq!(shop.property("ExecMainStatus"), "78");
}
