//! `systemctl reload`: the new configuration as a whole, or the old one.

use crate::machine::Machine;
use crate::service::Service;
use crate::support::Load;

#[test]
fn a_reload_brings_the_new_configuration_and_loses_nobody() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::serving(&machine, "workers = 2\n");
    let pid = shop.main_pid();
    let load = Load::keep_alive_at(shop.addresses().remove(0), 4).start();
    for (generation, workers) in [(2, 3), (3, 2)] {
        shop.configure(&format!("workers = {workers}\n"));
        let mark = shop.mark();
        shop.order("reload");
        shop.wait_after(mark, "reload.done", |event| {
            event.is("generation", generation)
        });
        machine.until("the old generation has left", || {
            shop.processes().len() == workers + 1
        });
        load.flow(50);
    }
    assert_eq!(shop.main_pid(), pid);
    let account = load.stop();
    account.assert_lost_none();
    assert!(account.generations.contains(&3), "{account:?}");
    shop.order("stop");
}

#[test]
fn a_bad_configuration_or_release_leaves_everything_as_it_was() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::serving(&machine, "workers = 2\n");
    let load = Load::keep_alive_at(shop.addresses().remove(0), 4).start();
    let before = shop.processes();

    shop.configure("workers = 2\nworkerz = 3\n");
    let mark = shop.mark();
    shop.try_order("reload");
    let refused = shop.wait_after(mark, "reload.refused", |_| true);
    assert!(refused.text("problems").contains("workerz"));
    load.flow(50);
    assert_eq!(shop.processes(), before);

    shop.configure("workers = 2\n");
    machine.write("/brigade-demo.conf", "boot=fail\n");
    let mark = shop.mark();
    shop.try_order("reload");
    shop.wait_after(mark, "reload.rolled_back", |_| true);
    load.flow(50);
    machine.until("only the old workers are left", || {
        shop.processes() == before
    });
    assert_eq!(shop.property("ActiveState"), "active");

    std::fs::remove_file(machine.path("/brigade-demo.conf")).unwrap();
    let mark = shop.mark();
    shop.order("reload");
    shop.wait_after(mark, "reload.done", |_| true);
    load.stop().assert_lost_none();
    shop.order("stop");
}
