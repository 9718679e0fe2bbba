//! An upgrade in place under systemd: the main process stays what it is.

use std::path::Path;

use crate::machine::{BRIGADE, Machine};
use crate::service::Service;
use crate::support::{Load, copy_program};

#[test]
fn an_upgrade_in_place_keeps_the_main_process_and_loses_nobody() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::serving(&machine, "workers = 2\n");
    let address = shop.addresses().remove(0);
    let load = Load::keep_alive_at(address, 4).start();
    let pid = shop.main_pid();
    for _ in 0..2 {
        // As a package manager does it.
        copy_program(Path::new(BRIGADE), &machine.path("/usr/bin/brigade.new"));
        let words = ["mv", "/usr/bin/brigade.new", "/usr/bin/brigade"];
        machine.ask(&words);
        let mark = shop.mark();
        shop.signal("USR2");
        shop.wait_after(mark, "upgrade.done", |_| true);
        load.flow(50);
        assert_eq!(shop.main_pid(), pid);
        assert_eq!(shop.property("ActiveState"), "active");
        let mark = shop.mark();
        shop.order("reload");
        shop.wait_after(mark, "reload.done", |_| true);
        load.flow(50);
    }
    assert_eq!(shop.property("NRestarts"), "0");
    load.stop().assert_lost_none();
    shop.order("stop");
    assert_eq!(shop.property("Result"), "success");
}

#[test]
fn an_upgrade_to_what_is_no_program_is_refused_and_changes_nothing() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::serving(&machine, "workers = 2\n");
    let load = Load::keep_alive_at(shop.addresses().remove(0), 4).start();
    let pid = shop.main_pid();
    machine.write_program("/usr/bin/brigade.new", "#!/bin/sh\nexit 0\n");
    machine.ask(&["mv", "/usr/bin/brigade.new", "/usr/bin/brigade"]);
    shop.signal("USR2");
    shop.wait_for("upgrade.refused");
    load.flow(50);
    assert_eq!(shop.main_pid(), pid);
    assert_eq!(shop.property("ActiveState"), "active");
    load.stop().assert_lost_none();
    shop.order("stop");
}

#[test]
fn a_signal_to_the_whole_group_is_heard_by_the_supervisor_and_harms_no_worker() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::serving(&machine, "workers = 2\nadmin = \"127.0.0.1:9000\"\n");
    let load = Load::keep_alive_at(shop.addresses().remove(0), 4).start();
    // Without --kill-whom=main everybody gets it.
    for (signal, outcome) in [
        ("HUP", "reload.done"),
        ("USR1", "logs.reopened"),
        ("USR2", "upgrade.done"),
        ("TTIN", "fleet.scaled"),
    ] {
        let mark = shop.mark();
        machine.systemctl(&["kill", &format!("--signal={signal}"), &shop.unit]);
        shop.wait_after(mark, outcome, |_| true);
        load.flow(50);
    }
    load.stop().assert_lost_none();
    for trouble in ["worker.crashed", "worker.recycling"] {
        let told = shop.events(trouble);
        assert!(told.is_empty(), "{told:#?}");
    }
    shop.order("stop");
}
