//! What can't be: said in a sentence, tried again if waiting can help, and never at full speed.

use std::net::TcpListener;

use crate::machine::Machine;
use crate::service::Service;
use crate::support::Connection;

fn words(shop: &Service<'_>) -> String {
    let entries = shop.journal();
    let message = |entry: &serde_json::Value| {
        let text = entry.get("MESSAGE").and_then(serde_json::Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    entries.iter().map(message).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_bad_configuration_is_told_and_not_tried_again() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 0\n");
    shop.try_order("start");
    shop.until_property("ActiveState", "failed");
    assert_eq!(shop.property("ExecMainStatus"), "78");
    assert_eq!(shop.property("Result"), "exit-code");
    assert_eq!(shop.property("NRestarts"), "0");
    let words = words(&shop);
    assert!(
        words.contains("with 0 workers nobody would serve"),
        "{words}"
    );
}

#[test]
fn a_taken_address_is_tried_again_until_it_is_free() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 1\n");
    let taken = TcpListener::bind("127.0.0.1:8000").unwrap();
    shop.try_order("start");
    let restarts = || shop.property("NRestarts").parse::<u32>().unwrap();
    machine.until("it has been tried twice more", || restarts() >= 2);
    let words = words(&shop);
    assert!(words.contains("127.0.0.1:8000"), "{words}");
    drop(taken);
    shop.wait_for("fleet.ready");
    shop.until_property("ActiveState", "active");
    let answer = Connection::open(&shop.addresses()[0]).unwrap().get("/");
    assert_eq!(answer.unwrap().status, 200);
    shop.order("stop");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    // Not the unit's runtime directory: the rest of the machine is there to be read.
    let shop = Service::shop(&machine, "workers = 1\nbind = [\"unix:/run/shop.sock\"]\n");
    shop.try_order("start");
    machine.until("it is told", || words(&shop).contains("/run/shop.sock"));
    let told = words(&shop);
    assert!(told.contains("unix:/run/shop.sock"), "{told}");
    assert!(
        told.contains("Read-only file system") || told.contains("Permission denied"),
        "{told}"
    );
    shop.order("stop");

    let mark = shop.mark();
    shop.configure("workers = 1\npid-file = \"/run/shop.pid\"\n");
    shop.try_order("start");
    shop.wait_after(mark, "supervisor.refused", |event| {
        event.text("problem").contains("/run/shop.pid")
    });
    shop.order("stop");

    // Where it may write.
    let mark = shop.mark();
    shop.configure("workers = 1\npid-file = \"/run/brigade/shop/pid\"\n");
    shop.order("start");
    shop.wait_after(mark, "fleet.ready", |_| true);
    let pid = std::fs::read_to_string(machine.path("/run/private/brigade/shop/pid")).unwrap();
    assert_eq!(pid.trim(), shop.property("MainPID"));
    shop.order("stop");
}
