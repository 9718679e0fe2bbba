//! Install, start, look, stop: what the README promises an administrator.

use crate::machine::Machine;
use crate::service::Service;
use crate::support::{Connection, Load};

const CONFIG: &str =
    "bind = [\"127.0.0.1:8000\", \"unix:/run/brigade/shop/shop.sock\"]\nworkers = 2\n";

#[test]
fn an_enabled_service_serves_at_every_address_and_stops_without_a_loss() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, CONFIG);
    machine.systemctl(&["enable", "--now", &shop.unit]);
    shop.wait_for("fleet.ready");
    assert_eq!(shop.property("ActiveState"), "active");
    let addresses = shop.addresses();
    assert_eq!(addresses.len(), 2);
    for address in &addresses {
        let answer = Connection::open(address).unwrap().get("/").unwrap();
        assert_eq!(answer.status, 200);
    }
    assert_eq!(shop.processes().len(), 3, "the supervisor and two workers");
    let load = Load::keep_alive_at(addresses[0].clone(), 4).start();
    load.flow(50);
    let account = load.stop();
    account.assert_lost_none();
    let group = shop.property("ControlGroup");
    shop.order("stop");
    assert_eq!(shop.property("Result"), "success");
    assert_eq!(shop.property("ExecMainStatus"), "0");
    assert!(shop.processes().is_empty());
    assert!(!machine.path(&format!("/sys/fs/cgroup{group}")).exists());
    assert!(!machine.path("/run/brigade/shop").exists());
}
