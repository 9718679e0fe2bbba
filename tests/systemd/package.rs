//! The Debian package as an administrator meets it: installed, updated while it serves, removed.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use crate::debian::debian_package;
use crate::machine::Machine;
use crate::service::Service;
use crate::support::Load;

const CONFIG: &str = "port = 8000\nworkers = 2\n";
const INSTALL: [&str; 3] = ["dpkg", "--install", "/root/brigade.deb"];

#[test]
fn the_package_is_installed_updated_under_load_and_removed_without_a_trace() {
    let Some(machine) = Machine::boot_without_brigade() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let package = debian_package(dir.path());
    fs::copy(package, machine.path("/root/brigade.deb")).unwrap();

    machine.ask(&INSTALL);
    let version = machine.ask(&["brigade", "--version"]);
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    let shop = Service::shop(&machine, CONFIG);
    machine.systemctl(&["enable", "--now", &shop.unit]);
    shop.wait_for("fleet.ready");
    let pid = shop.main_pid();

    // Another version, as far as the package's scripts are concerned.
    let load = Load::keep_alive_at(shop.addresses()[0].clone(), 4)
        .anew()
        .start();
    let mark = shop.mark();
    machine.ask(&INSTALL);
    shop.wait_after(mark, "upgrade.done", |_| true);
    load.flow(50);
    load.stop().assert_lost_none();
    assert_eq!(shop.main_pid(), pid);

    let sample = machine.path("/etc/brigade/brigade.toml");
    let mut file = OpenOptions::new().append(true).open(&sample).unwrap();
    file.write_all(b"workers = 3\n").unwrap();
    machine.ask(&["dpkg", "--remove", "brigade"]);
    assert_eq!(shop.property("ActiveState"), "inactive");
    assert_eq!(shop.property("Result"), "success");
    assert!(shop.processes().is_empty());
    assert!(!machine.path("/usr/bin/brigade").exists());
    let kept = fs::read_to_string(&sample).unwrap();
    assert!(kept.ends_with("workers = 3\n"), "what was edited is kept");

    machine.ask(&["dpkg", "--purge", "brigade"]);
    assert!(!sample.exists());
    let find = ["find", "/etc", "/usr", "/var", "-name", "*brigade*"];
    // The administrator's own file is nobody else's to remove.
    assert_eq!(machine.ask(&find), "/etc/brigade");
    assert!(machine.path("/etc/brigade/shop.toml").exists());
}
