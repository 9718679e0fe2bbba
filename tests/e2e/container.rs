//! In a container made from the Containerfile: process 1, an unknown user without capabilities, a
//! file system that nobody can write to, and no program but Brigade.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::{
    Address, Brigade, COMMIT, Connection, Event, Launch, Load, Need, Process, built, contained,
    contained_in, image, lacks, outside, shop,
};

fn start(arguments: &[&str]) -> Brigade {
    contained(Launch::new(arguments), &[]).ready()
}

fn tell(process: Process, signal: Signal) {
    kill(Pid::from_raw(process.0), signal).unwrap();
}

fn stop(brigade: Brigade) {
    tell(outside(&brigade), Signal::SIGTERM);
    brigade.ended(0);
}

/// Every file below a folder, as a path from there.
fn files(folder: &Path, below: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            files(folder, &path, found);
        } else {
            found.insert(path);
        }
    }
}

#[test]
fn the_image_holds_a_program_and_its_configuration_and_nothing_else() {
    if lacks(Need::Root) {
        return;
    }
    let mut found = BTreeSet::new();
    files(&image().join("root"), Path::new(""), &mut found);
    let wanted = ["brigade", "etc/brigade/brigade.toml"].map(PathBuf::from);
    assert_eq!(found, BTreeSet::from(wanted));
    let output = contained(Launch::new(&["--version"]), &[]).run();
    let said = String::from_utf8_lossy(&output.stdout);
    let version = format!("brigade {} ({COMMIT})\n", env!("CARGO_PKG_VERSION"));
    assert!(said.starts_with(&version), "{said}");
    assert!(said.contains(", static, "), "{said}");
}

#[test]
fn a_builder_makes_of_the_containerfiles_what_our_script_makes_of_them() {
    if lacks(Need::Root) || lacks(Need::Builder) {
        return;
    }
    for (containerfile, image) in [
        ("Containerfile", image()),
        ("examples/container/Containerfile", shop()),
    ] {
        let (files, config) = built(containerfile, image);
        let mut ours = BTreeSet::new();
        self::files(&image.join("root"), Path::new(""), &mut ours);
        assert_eq!(files, ours, "{containerfile}");
        let ours = fs::read_to_string(image.join("config.json")).unwrap();
        let ours: Value = serde_json::from_str(&ours).unwrap();
        for (theirs, our) in [
            ("User", "USER"),
            ("Entrypoint", "ENTRYPOINT"),
            ("Cmd", "CMD"),
            ("WorkingDir", "WORKDIR"),
            ("StopSignal", "STOPSIGNAL"),
        ] {
            assert_eq!(config[theirs], ours[our], "{theirs} of {containerfile}");
        }
        let port = format!("{}/tcp", ours["EXPOSE"].as_str().unwrap());
        assert!(config["ExposedPorts"][port].is_object(), "{config}");
    }
}

#[test]
fn the_image_by_itself_serves_every_address_as_nobody_who_may_write_nothing() {
    if lacks(Need::Root) {
        return;
    }
    // Its own network, so that port 8000 is free.
    let launch = Launch::anywhere(&["serve", "--workers", "2"]);
    let brigade = contained(launch, &["--network"]).ready();
    brigade.expect("other listeners");
    let starting = brigade.wait_for("supervisor.starting", |_| true);
    assert_eq!(starting.text("config"), "/etc/brigade/brigade.toml");
    assert!(starting.is("pid", 1), "{}", starting.value);
    let address = brigade.wait_for("supervisor.listening", |_| true);
    assert_eq!(address.text("address"), "http://0.0.0.0:8000");
    let first = outside(&brigade);
    let all: Vec<Process> = [first].into_iter().chain(first.children()).collect();
    assert_eq!(all.len(), 3);
    for process in all {
        assert_eq!(process.status("Uid"), "65532 65532 65532 65532");
        assert_eq!(process.status("Groups"), "");
        for set in ["CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            let none = process.status(set).bytes().all(|digit| digit == b'0');
            assert!(none, "{set}");
        }
    }
    let mounts = fs::read_to_string(format!("/proc/{}/mountinfo", first.0)).unwrap();
    let writable = mounts.lines().filter_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let devices = [
            "/dev/null",
            "/dev/zero",
            "/dev/full",
            "/dev/random",
            "/dev/urandom",
        ];
        let is_other = words[4] != "/proc" && !devices.contains(&words[4]);
        (is_other && words[5].starts_with("rw")).then_some(words[4])
    });
    // The tmpfs that holds the control groups belongs to root.
    let writable: Vec<_> = writable
        .filter(|point| *point != "/sys/fs/cgroup")
        .collect();
    assert!(writable.is_empty(), "{writable:?}");
    stop(brigade);
}

#[test]
fn process_1_serves_reloads_replaces_and_stops_without_a_loss() {
    if lacks(Need::Root) {
        return;
    }
    let brigade = start(&["serve", "--workers", "2"]);
    let load = Load::connections(&brigade, 4).start();
    tell(outside(&brigade), Signal::SIGHUP);
    brigade.wait_for("reload.done", |_| true);
    load.flow(50);
    let mark = brigade.mark();
    // The program is the container's own, /brigade, which nobody can write to.
    tell(outside(&brigade), Signal::SIGUSR2);
    let done = brigade.wait_after(mark, "upgrade.done", |_| true);
    load.flow(50);
    load.stop().assert_lost_none();
    brigade.only(done.number("generation").unwrap());
    brigade.expect("worker.crashed");
    let victim = outside(&brigade).children()[0];
    tell(victim, Signal::SIGKILL);
    brigade.wait_for("worker.crashed", |event| event.is("signal", 9));
    assert_eq!(brigade.get("/").status, 200);
    stop(brigade);
}

#[test]
fn process_1_reaps_what_a_killed_program_leaves_behind() {
    if lacks(Need::Root) {
        return;
    }
    // The only program of the image, as a program: a Brigade whose workers lose their supervisor.
    let inner = [
        "exec",
        "--workers",
        "1",
        "--",
        "/brigade",
        "serve",
        "--fd",
        "3",
        "--workers",
        "3",
    ];
    let brigade = start(&inner).expects("worker.crashed");
    let first = outside(&brigade);
    let supervisor = first.children()[0];
    brigade.until("the inner workers are there", || {
        supervisor.children().len() == 3
    });
    tell(supervisor, Signal::SIGKILL);
    brigade.until("its three orphans are reaped", || {
        brigade.events("orphan.reaped").len() >= 3
    });
    brigade.until("its successor serves alone", || {
        let children = first.children();
        children.len() == 1 && !children.iter().any(|child| child.is_zombie())
    });
    assert_eq!(brigade.get("/").status, 200);
    stop(brigade);
}

#[test]
fn process_1_ends_with_the_right_codes() {
    if lacks(Need::Root) {
        return;
    }
    let nothing = ["exec", "--workers", "1", "--", "/nothing"];
    let bad = ["serve", "--config", "/bad.toml"];
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let nobody = ["serve", "--user", "nobody"];
    for (arguments, code, words) in [
        (&["serve", "--workerz", "2"][..], 2, "--workerz"),
        (&nothing, 2, "cannot run /nothing"),
        (&bad, 78, "`workerz`"),
        (&nobody, 78, "nobody"),
        (&["serve", "--bind", &taken], 71, "in use"),
        (&["serve", "--pid-file", "/brigade.pid"], 71, "brigade.pid"),
    ] {
        let launch = Launch::new(arguments).file("bad.toml", "workerz = 2\n");
        let volume = format!("{}/bad.toml:/bad.toml", launch.dir().display());
        let output = contained(launch, &["--volume", &volume]).run();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    let crashes = ["exec", "--workers", "1", "--", "/brigade", "nonsense"];
    let brigade = contained(Launch::new(&crashes), &[]).start();
    brigade.wait_for("supervisor.giving_up", |_| true);
    brigade
        .expects("worker.crashed")
        .expects("supervisor.giving_up")
        .ended(1);
}

#[test]
fn the_stack_of_a_blocked_worker_is_told_without_any_capability() {
    if lacks(Need::Root) {
        return;
    }
    let brigade = start(&["serve", "--workers", "1", "--stall-warn", "100ms"]);
    brigade.expect("worker.blocked");
    let mut connection = brigade.connect();
    connection
        .send("GET /blocking?ms=1500 HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap();
    let blocked = brigade.wait_for("worker.blocked", |_| true);
    assert_eq!(blocked.text("path"), "/blocking");
    assert!(
        blocked.text("stack").contains("demo::"),
        "{}",
        blocked.value
    );
    assert_eq!(connection.receive().unwrap().status, 200);
    stop(brigade);
}

#[test]
fn names_are_looked_up_without_a_libc_in_the_image() {
    if lacks(Need::Root) {
        return;
    }
    // What every runtime gives to its containers.
    let launch = Launch::new(&["serve", "--bind", "home:0"]).file("hosts", "127.0.0.1 home\n");
    let volume = format!("{}/hosts:/etc/hosts", launch.dir().display());
    let brigade = contained(launch, &["--volume", &volume]).ready();
    assert_eq!(brigade.get("/").status, 200);
    stop(brigade);
}

#[test]
fn the_pod_of_config_kubernetes_serves_and_answers_its_probes() {
    if lacks(Need::Root) {
        return;
    }
    // The arguments and the volume of deployment.yaml.
    let launch = Launch::anywhere(&["serve", "--config", "/etc/brigade/brigade.toml"]);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/kubernetes");
    let volume = format!("{folder}:/etc/brigade");
    let brigade = contained(launch, &["--network", "--volume", &volume]).ready();
    brigade.wait_for("admin.ready", |_| true);
    // From here on this test is at home in the container's network.
    let network = fs::File::open(format!("/proc/{}/ns/net", outside(&brigade).0)).unwrap();
    setns(network, CloneFlags::CLONE_NEWNET).unwrap();
    let ask = |port: u16, path: &str| {
        let address = Address::parse(&format!("http://127.0.0.1:{port}"));
        let answer = Connection::open(&address).and_then(|mut line| line.get(path));
        answer.unwrap().status
    };
    for probe in ["/startupz", "/livez", "/readyz", "/metrics"] {
        assert_eq!(ask(9090, probe), 200, "{probe}");
    }
    assert_eq!(ask(8000, "/"), 200);
    stop(brigade);
}

/// A group of the first version of cgroups; gone when dropped.
struct Group(PathBuf);

impl Group {
    fn new(controller: &str, file: &str, value: &str) -> Self {
        let root = Path::new("/sys/fs/cgroup").join(controller);
        let group = root.join(format!("brigade-container-{}", std::process::id()));
        fs::create_dir_all(&group).unwrap();
        fs::write(group.join(file), value).unwrap();
        Self(group)
    }

    fn join(&self) -> String {
        format!("echo $$ > {}/cgroup.procs", self.0.display())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // It stays busy for a moment after the last process has left.
        for _ in 0..1000 {
            if fs::remove_dir(&self.0).is_ok() {
                break;
            }
            std::thread::yield_now();
        }
    }
}

#[test]
fn the_containers_quota_and_memory_limit_are_seen_from_within() {
    if lacks(Need::Root) || lacks(Need::Quota) || lacks(Need::MemoryGroup) {
        return;
    }
    let memory = Group::new("memory", "memory.limit_in_bytes", "300M");
    let quota = Group::new("cpu", "cpu.cfs_quota_us", "100000");
    let launch = Launch::new(&["serve", "--limit-worker-memory", "50%"]);
    let launch = launch.after(&memory.join()).after(&quota.join());
    let brigade = contained(launch, &[]).ready();
    let starting = brigade.wait_for("supervisor.starting", |_| true);
    assert!(starting.is("workers", 1), "{}", starting.value);
    assert!(starting.is("memory", 300 << 20), "{}", starting.value);
    let reason = starting.text("workers_reason");
    assert!(
        reason.contains("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
        "{reason}"
    );
    let warned = |event: &Event| event.name() == "supervisor.overcommitted";
    assert!(!brigade.all_events().iter().any(warned), "it just fits");
    stop(brigade);
    drop((memory, quota));
}

#[test]
fn an_app_of_ones_own_serves_from_an_image_of_its_own() {
    if lacks(Need::Root) {
        return;
    }
    let brigade = contained_in(shop(), Launch::new(&["serve"]), &[]).ready();
    let starting = brigade.wait_for("supervisor.starting", |_| true);
    assert_eq!(starting.text("config"), "/etc/shop/brigade.toml");
    assert!(starting.is("workers", 2), "{}", starting.value);
    for _ in 0..2 {
        let answer = brigade.get("/price/bread");
        assert_eq!((answer.status, answer.text().as_str()), (200, "4"));
        tell(outside(&brigade), Signal::SIGHUP);
        brigade.wait_for("reload.done", |_| true);
    }
    stop(brigade);
}
