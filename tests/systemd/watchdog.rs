//! The watchdog: a supervisor that stands still, or whose workers all do, is replaced.

use std::time::{Duration, Instant};

use crate::knock::Knocking;
use crate::machine::Machine;
use crate::service::Service;
use crate::support::{Connection, Load};

/// Short, since the test waits for it.
const SHORT: &str = "[Service]\nWatchdogSec=2\nTimeoutAbortSec=2\n";

fn begin<'a>(machine: &'a Machine, config: &str) -> Service<'a> {
    let shop = Service::shop(machine, config);
    shop.edit("watchdog", SHORT);
    shop.order("start");
    shop.wait_for("fleet.ready");
    shop
}

/// systemd has ended it for this reason, and started it anew.
fn was_replaced(shop: &Service<'_>) {
    let is_told = || {
        let entries = shop.journal();
        entries.iter().any(|entry| {
            let text = entry.get("MESSAGE").and_then(serde_json::Value::as_str);
            text.unwrap_or_default().contains("Watchdog timeout")
        })
    };
    shop.machine.until("the watchdog bites", is_told);
    shop.until_property("NRestarts", "1");
    shop.until_property("ActiveState", "active");
}

#[test]
fn a_frozen_supervisor_is_replaced_and_nobody_is_refused() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = begin(&machine, "workers = 2\n");
    let address = shop.addresses().remove(0);
    let kept = Load::keep_alive_at(address.clone(), 4).start();
    let fresh = Load::keep_alive_at(address.clone(), 4).anew().start();
    let knocking = Knocking::at(address);
    let pid = shop.main_pid();
    shop.signal("STOP");
    was_replaced(&shop);
    assert_ne!(shop.main_pid(), pid);
    kept.flow(50);
    fresh.flow(50);
    kept.stop().assert_lost_none();
    fresh.stop().assert_lost_none();
    knocking.assert_lost_none();
    shop.order("stop");
}

#[test]
fn a_service_whose_workers_are_all_blocked_is_replaced() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    // It can't be told from one that stands still itself, and is asked to leave like that.
    let deadlines = "timeout-graceful-shutdown = 1\ntimeout-kill = 1\ntimeout-worker = \"off\"\n";
    let shop = begin(&machine, &format!("workers = 2\n{deadlines}"));
    let address = shop.addresses().remove(0);
    let pid = shop.main_pid();
    let mut blockers = Vec::new();
    for number in 1..=2 {
        let mut blocker = Connection::open(&address).unwrap();
        let request = "GET /blocking?ms=60000 HTTP/1.1\r\nhost: test\r\n\r\n";
        blocker.send(request).unwrap();
        blockers.push(blocker);
        machine.until("one more is blocked", || {
            shop.events("worker.blocked").len() == number
        });
    }
    was_replaced(&shop);
    assert_ne!(shop.main_pid(), pid);
    let answer = Connection::open(&address).unwrap().get("/");
    assert_eq!(answer.unwrap().status, 200);
    shop.order("stop");
}

#[test]
fn one_that_is_idle_or_has_one_worker_left_is_left_alone() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = begin(&machine, "workers = 2\ntimeout-worker = \"off\"\n");
    let address = shop.addresses().remove(0);
    let pid = shop.main_pid();
    let lives_on = || {
        let begin = Instant::now();
        machine.until("two watchdogs could have bitten", || {
            begin.elapsed() > Duration::from_secs(5)
        });
        assert_eq!(shop.main_pid(), pid);
        assert_eq!(shop.property("NRestarts"), "0");
    };
    lives_on();
    let mut blocker = Connection::open(&address).unwrap();
    let request = "GET /blocking?ms=8000 HTTP/1.1\r\nhost: test\r\n\r\n";
    blocker.send(request).unwrap();
    shop.wait_for("worker.blocked");
    lives_on();
    assert_eq!(blocker.receive().unwrap().status, 200);
    shop.order("stop");
}
