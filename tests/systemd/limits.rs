//! Limits that systemd sets, or somebody else with the same means.

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::machine::Machine;
use crate::service::Service;
use crate::support::{Connection, Need, PATIENCE, lacks};

/// Sets a quota for the processors of a service, by the means that this machine has.
enum Quota {
    /// systemd's own.
    Unit,
    /// The controller is with version 1 of control groups, which systemd does not manage: a group
    /// made by hand, gone when dropped.
    Group { name: String },
}

const V1: &str = "/sys/fs/cgroup/cpu";

impl Quota {
    fn new() -> Self {
        if !Path::new(V1).join("cpu.cfs_quota_us").exists()
            && !Path::new(V1).join("cgroup.procs").exists()
        {
            return Self::Unit;
        }
        let name = format!("brigade-systemd-tests-{}", std::process::id());
        fs::create_dir_all(format!("{V1}/{name}")).unwrap();
        Self::Group { name }
    }

    /// The service will run with this quota, in percent of one processor.
    fn apply(&self, shop: &Service<'_>, percent: u32) {
        let Self::Group { name } = self else {
            return shop.edit("quota", &format!("[Service]\nCPUQuota={percent}%\n"));
        };
        let machine = shop.machine;
        machine.ask(&["mkdir", "/run/v1"]);
        machine.ask(&["mount", "-t", "cgroup", "-o", "cpu", "cpu", "/run/v1"]);
        let group = format!("/run/v1/{name}");
        machine.ask(&["chmod", "666", &format!("{group}/cgroup.procs")]);
        shop.edit(
            "quota",
            &format!(
                "[Service]\nReadWritePaths=/run/v1\nExecStart=\nExecStart=/bin/sh -c \
                 'echo $$$$ >{group}/cgroup.procs; \
                 exec /usr/bin/brigade serve --config /etc/brigade/shop.toml'\n"
            ),
        );
        self.change(shop, percent);
    }

    /// The file that holds it.
    fn file(&self, shop: &Service<'_>) -> String {
        match self {
            Self::Unit => format!("/sys/fs/cgroup{}/cpu.max", shop.property("ControlGroup")),
            Self::Group { name } => format!("/run/v1/{name}/cpu.cfs_quota_us"),
        }
    }

    /// Somebody changes it while the service runs.
    fn change(&self, shop: &Service<'_>, percent: u32) {
        let quota = percent * 1000;
        let text = match self {
            Self::Unit => format!("{quota} 100000"),
            Self::Group { .. } => format!("{quota}"),
        };
        fs::write(shop.machine.path(&self.file(shop)), text).unwrap();
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        if let Self::Group { name } = self {
            // It stays busy for a moment after the last process has left.
            let begin = Instant::now();
            while fs::remove_dir(format!("{V1}/{name}")).is_err() && begin.elapsed() < PATIENCE {}
        }
    }
}

#[test]
fn a_processor_quota_decides_how_many_workers_there_are_and_the_log_says_so() {
    if lacks(Need::Root) {
        return;
    }
    // Before the machine, so that nobody is in it any more when it is cleared away.
    let quota = Quota::new();
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = \"auto\"\n");
    quota.apply(&shop, 150);
    shop.order("start");
    let file = quota.file(&shop);
    let starting = shop.wait_for("supervisor.starting");
    assert!(starting.is("workers", 2), "{}", starting.value);
    let why = starting.text("workers_reason");
    assert!(why.contains("quota of 1.5"), "{}", starting.value);
    assert!(why.contains(&file), "{file}: {}", starting.value);
    shop.wait_for("fleet.ready");
    assert_eq!(shop.processes().len(), 3);
    let mark = shop.mark();
    quota.change(&shop, 80);
    let scaled = shop.wait_after(mark, "fleet.scaled", |_| true);
    assert_eq!(scaled.text("because"), "processors", "{}", scaled.value);
    assert!(scaled.is("to", 1), "{}", scaled.value);
    machine.until("one worker is left", || shop.processes().len() == 2);
    let answer = Connection::open(&shop.addresses()[0]).unwrap().get("/");
    assert_eq!(answer.unwrap().status, 200);
    shop.order("stop");
}
