//! `brigade unit`: what it prints for a configuration, that systemd understands it, and that the
//! service runs with it. `UPDATE=1` writes the snapshots again.

use std::fs;
use std::path::PathBuf;

use crate::machine::{Machine, texts};
use crate::service::Service;
use crate::support::{Address, Connection, app};

/// Prints a unit inside, puts it in its place, and holds it against its snapshot.
fn print(machine: &Machine, name: &str, words: &[&str]) {
    let output = machine.run(words);
    let (text, err) = texts(&output);
    assert!(output.status.success() && err.is_empty(), "{text}{err}");
    let snapshot = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/systemd/snapshots")
        .join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(snapshot.parent().unwrap()).unwrap();
        fs::write(&snapshot, &text).unwrap();
    }
    let expected = fs::read_to_string(&snapshot).unwrap_or_default();
    assert_eq!(text, expected, "{name}");
    let path = format!("/etc/systemd/system/{name}");
    machine.write(&path, &text);
    machine.systemctl(&["daemon-reload"]);
    let verify = machine.run(&["systemd-analyze", "verify", "--man=no", &path]);
    let (out, err) = texts(&verify);
    assert!(verify.status.success() && err.is_empty(), "{out}{err}");
    if name.ends_with(".service") {
        let words = [
            "systemd-analyze",
            "security",
            "--no-pager",
            "--threshold=20",
            name,
        ];
        let security = machine.run(&words);
        assert!(security.status.success(), "{}", texts(&security).0);
    }
}

fn get(place: &str) -> u16 {
    let address = Address::parse(place);
    let answer = Connection::open(&address).and_then(|mut one| one.get("/"));
    answer
        .unwrap_or_else(|why| panic!("{place}: {why:?}"))
        .status
}

#[test]
fn a_printed_unit_runs_the_configuration_that_it_was_printed_for() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let config = "bind = [\"127.0.0.1:80\", \"unix:/run/shop/web.sock\"]\nworkers = 2\n\
        pid-file = \"/run/shop/pid\"\nadmin = \"unix:/run/shop-admin/a.sock\"\ntimeout-graceful-shutdown = \"90s\"\n\
        log-format = \"json\"\n";
    machine.write("/etc/brigade/shop.toml", config);
    let words = [
        "env",
        "BRIGADE_LOG_LEVEL=debug",
        "brigade",
        "unit",
        "-c",
        "/etc/brigade/shop.toml",
    ];
    let words = [&words[..], &["--workers", "3", "--cpu-affinity"]].concat();
    print(&machine, "shop.service", &words);
    let shop = Service::of(&machine, "shop.service");
    shop.order("start");
    assert!(shop.wait_for("fleet.ready").is("workers", 3));
    // Said by the environment.
    assert!(!shop.events("worker.spawned").is_empty());
    assert_eq!(get("http://127.0.0.1:80"), 200);
    let socket = machine.path("/run/private/shop/web.sock");
    assert_eq!(get(&format!("unix:{}", socket.display())), 200);
    let admin = machine.path("/run/private/shop-admin/a.sock");
    let admin = Address::Unix(admin);
    let metrics = Connection::open(&admin).unwrap().get("/metrics").unwrap();
    assert_eq!(metrics.status, 200);
    shop.order("stop");
    assert_eq!(shop.property("Result"), "success");
    assert!(!machine.path("/run/shop").exists());
}

#[test]
fn a_printed_unit_runs_a_program_as_a_user_of_the_machine() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let program = fs::read_to_string(app("plain.py")).unwrap();
    machine.write_program(
        "/usr/local/bin/server",
        &format!("#!/usr/bin/python3\n{program}"),
    );
    machine.ask(&["mkdir", "-p", "/srv/shop"]);
    machine.ask(&["chown", "www-data", "/srv/shop"]);
    let options = [
        "--workers",
        "1..2",
        "--user",
        "www-data",
        "--uds",
        "/srv/shop/web sock",
        "--log-format",
        "json",
    ];
    let program = ["--", "/usr/local/bin/server", "--notify-after", "/dev/null"];
    let words = [&["brigade", "unit"], &options[..], &program[..]].concat();
    print(&machine, "program.service", &words);
    let service = Service::of(&machine, "program.service");
    service.order("start");
    service.wait_for("fleet.ready");
    let socket = machine.path("/srv/shop/web sock");
    assert_eq!(get(&format!("unix:{}", socket.display())), 200);
    for pid in service.processes() {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let user = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        assert_eq!(user.unwrap().split_whitespace().next(), Some("33"));
    }
    service.order("stop");
    assert_eq!(service.property("Result"), "success");
}

#[test]
fn printed_units_of_a_socket_and_its_service_work_together() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let places = [
        "--bind",
        "127.0.0.1:80",
        "--bind",
        "[::1]:80",
        "--bind",
        "unix:/run/held.sock",
    ];
    let words = [
        "brigade",
        "unit",
        "--bind",
        "systemd:http",
        "--workers",
        "2",
    ];
    print(&machine, "held.service", &words);
    let words = [&["brigade", "unit", "--socket"], &places[..]].concat();
    print(&machine, "held.socket", &words);
    machine.systemctl(&["enable", "--now", "held.socket"]);
    let inside = format!("unix:{}", machine.path("/run/held.sock").display());
    for place in ["http://127.0.0.1:80", "http://[::1]:80", &inside] {
        assert_eq!(get(place), 200);
    }
    machine.systemctl(&["stop", "held.socket", "held.service"]);
}

#[test]
fn what_systemd_cannot_hold_is_refused() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    for (bind, words) in [
        ("localhost:80", "is a name"),
        ("127.0.0.1:0", "needs a port"),
        ("unix:here.sock", "is relative"),
        ("systemd:http", "from outside already"),
    ] {
        let output = machine.run(&["brigade", "unit", "--socket", "--bind", bind]);
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(78), "{out}{err}");
        assert!(err.contains(words) && out.is_empty(), "{out}{err}");
    }
}

#[test]
fn a_printed_unit_serves_the_files_of_a_directory_that_it_hides_otherwise() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    machine.write("/home/shop/site/index.html", "hello");
    machine.write("/home/shop/secret", "no");
    let words = [
        "brigade",
        "unit",
        "--static",
        "/home/shop/site",
        "--cache-control",
        "public, max-age=60",
        "--bind",
        "127.0.0.1:80",
        "--workers",
        "2",
        "--log-format",
        "json",
    ];
    print(&machine, "site.service", &words);
    let site = Service::of(&machine, "site.service");
    site.order("start");
    assert!(site.wait_for("fleet.ready").is("workers", 2));
    assert_eq!(get("http://127.0.0.1:80"), 200);
    for pid in site.processes() {
        let hidden = machine.path(&format!("/proc/{pid}/root/home/shop/secret"));
        assert!(!hidden.exists());
    }
    site.order("stop");
    assert_eq!(site.property("Result"), "success");
}
