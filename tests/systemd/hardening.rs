//! What the units take away, and that nothing which Brigade promises goes with it.

use crate::machine::{Machine, texts, units};
use crate::service::Service;
use crate::support::Connection;

/// Tenths of systemd's measure of exposure: 2.0 at most.
const EXPOSURE: &str = "--threshold=20";

#[test]
fn every_unit_is_understood_and_exposes_little() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let mut services = 0;
    for unit in std::fs::read_dir(units()).unwrap() {
        let name = unit.unwrap().file_name().into_string().unwrap();
        let path = format!("/etc/systemd/system/{name}");
        // Programs that the examples name are not here yet.
        for program in [
            "/usr/local/bin/example-server",
            "/srv/example/venv/bin/uvicorn",
        ] {
            machine.write_program(program, "#!/bin/sh\n");
        }
        let verify = machine.run(&["systemd-analyze", "verify", "--man=no", &path]);
        let (out, err) = texts(&verify);
        assert!(
            verify.status.success() && err.is_empty(),
            "{name}: {out}{err}"
        );
        if !name.ends_with(".service") {
            continue;
        }
        let loaded = name.replace("@.", "@shop.");
        let security = [
            "systemd-analyze",
            "security",
            "--no-pager",
            EXPOSURE,
            &loaded,
        ];
        let security = machine.run(&security);
        let (out, err) = texts(&security);
        assert!(out.contains("Overall exposure level"), "{out}{err}");
        assert!(security.status.success(), "{out}{err}");
        services += 1;
    }
    assert_eq!(services, 3);
}

/// The settings of a unit but for those that are its own.
fn common_settings(name: &str) -> Vec<String> {
    let own = [
        "Description=",
        "WorkingDirectory=",
        "Environment=",
        "ExecStart=",
        "RuntimeDirectory=",
    ];
    let text = std::fs::read_to_string(units().join(name)).unwrap();
    let settings = text
        .lines()
        .filter(|line| line.contains('=') && !line.starts_with('#'));
    let common = settings.filter(|line| !own.iter().any(|key| line.starts_with(key)));
    common.map(str::to_owned).collect()
}

#[test]
fn the_examples_are_as_hard_as_the_template() {
    let template = common_settings("brigade@.service");
    assert!(template.len() > 40, "{template:#?}");
    for name in [
        "brigade-exec-example.service",
        "brigade-python-example.service",
    ] {
        assert_eq!(common_settings(name), template, "{name}");
    }
}

#[test]
fn the_sandbox_holds_supervisor_and_workers() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::serving(&machine, "workers = 2\n");
    for pid in shop.processes() {
        let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = |key: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(key));
            found.unwrap_or_default().split_whitespace().next()
        };
        assert_eq!(line("NoNewPrivs:"), Some("1"));
        assert_eq!(line("Seccomp:"), Some("2"));
        assert_eq!(line("CapEff:"), Some("0000000000000000"));
        assert_eq!(line("CapBnd:"), Some("0000000000000000"));
        let user: u32 = line("Uid:").unwrap().parse().unwrap();
        // Of a user namespace in which the rest of the machine has no name.
        assert!((61184..=65519).contains(&user), "a dynamic user: {user}");
    }
}

#[test]
fn in_the_sandbox_a_stuck_worker_is_seen_with_its_stack_and_relieved() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let config = "workers = 2\nbind = [\"127.0.0.1:8000\", \"unix:/run/brigade/shop/a.sock\"]\n";
    let shop = Service::serving(&machine, config);
    for address in shop.addresses() {
        let mark = shop.mark();
        let mut stuck = Connection::open(&address).unwrap();
        stuck
            .send("GET /blocking?ms=2000 HTTP/1.1\r\nhost: test\r\n\r\n")
            .unwrap();
        let told = shop.wait_after(mark, "worker.blocked", |_| true);
        let stack = told.text("stack");
        let was_late = stack.contains("did not stop in time");
        assert!(stack.contains("demo") || was_late, "{}", told.value);
        // Somebody else answers meanwhile.
        for _ in 0..8 {
            let answer = Connection::open(&address).unwrap().get("/").unwrap();
            assert_ne!(answer.number("pid"), told.number("pid"));
        }
        assert_eq!(stuck.receive().unwrap().status, 200);
        shop.wait_after(mark, "worker.recovered", |_| true);
    }
    assert!(shop.events("relief.failed").is_empty());
    shop.order("stop");
}

#[test]
fn in_the_sandbox_a_frozen_worker_is_seen_by_what_waits_for_it() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let config = "workers = 1\nbind = [\"unix:/run/brigade/shop/a.sock\"]\n";
    let shop = Service::shop(&machine, config);
    shop.order("start");
    let worker = shop.wait_for("worker.ready").pid().to_string();
    shop.wait_for("fleet.ready");
    // Idle, so that nothing but the queue tells.
    machine.ask(&["kill", "-STOP", &worker]);
    let address = &shop.addresses()[0];
    let mut waiting: Vec<_> = (0..3).map(|_| Connection::open(address).unwrap()).collect();
    let told = shop.wait_for("worker.blocked");
    assert!(told.is("waiting", 3), "{}", told.value);
    machine.ask(&["kill", "-CONT", &worker]);
    for connection in &mut waiting {
        assert_eq!(connection.get("/").unwrap().status, 200);
    }
    shop.order("stop");
}

#[test]
fn in_the_sandbox_memory_is_measured_and_processors_are_chosen() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let config = "workers = 1\ncpu-affinity = true\nlimit-worker-memory = \"64MiB\"\n";
    let shop = Service::serving(&machine, config);
    let worker = shop.events("worker.ready").remove(0).pid();
    let status = std::fs::read_to_string(machine.path(&format!("/proc/{worker}/status"))).unwrap();
    let cpus = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    assert!(cpus.unwrap().trim().parse::<u32>().is_ok(), "one: {cpus:?}");
    let address = &shop.addresses()[0];
    let answer = Connection::open(address).unwrap().get("/grow?mib=100");
    assert_eq!(answer.unwrap().status, 200);
    let worn = shop.wait_for("worker.recycling");
    assert_eq!(worn.text("because"), "memory", "{}", worn.value);
    shop.order("stop");
}

#[test]
fn where_the_sandbox_forbids_it_workers_run_on_any_cpu_and_say_so() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "workers = 2\ncpu-affinity = true\n");
    shop.edit("filter", "[Service]\nSystemCallFilter=~sched_setaffinity\n");
    shop.order("start");
    shop.wait_for("fleet.ready");
    let told = shop.wait_for("worker.output");
    assert!(told.text("line").contains("cpu-affinity"), "{}", told.value);
    let answer = Connection::open(&shop.addresses()[0]).unwrap().get("/");
    assert_eq!(answer.unwrap().status, 200);
    assert!(shop.events("worker.crashed").is_empty());
    shop.order("stop");
}
