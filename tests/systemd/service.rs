//! A service under the systemd of a [`Machine`]: orders, properties, processes, journal.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use crate::machine::{Machine, texts};
use crate::support::log::Log;
use crate::support::{Address, Event, Mark};

/// A unit, with what its main process logs as events.
#[derive(Debug)]
pub(crate) struct Service<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) unit: String,
    log: Arc<Log>,
    begin: Instant,
}

/// The log as events that tests can wait for.
const EVENTS: &str = "log-format = \"json\"\nlog-level = \"debug\"\nreload-probation = \"50ms\"\n";

impl<'a> Service<'a> {
    /// `brigade@shop.service` with this configuration, which is not started yet.
    pub(crate) fn shop(machine: &'a Machine, config: &str) -> Self {
        let service = Self::of(machine, "brigade@shop.service");
        service.configure(config);
        service
    }

    /// The same, started and with all its workers.
    pub(crate) fn serving(machine: &'a Machine, config: &str) -> Self {
        let shop = Self::shop(machine, config);
        shop.order("start");
        shop.wait_for("fleet.ready");
        shop
    }

    /// Any unit.
    pub(crate) fn of(machine: &'a Machine, unit: &str) -> Self {
        let name = format!("--unit={unit}");
        let words = [
            "journalctl",
            "--follow",
            "--lines=all",
            "--output=cat",
            &name,
        ];
        let mut follow = machine.command(&words);
        let mut follow = follow
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stream = follow.stdout.take();
        Self {
            machine,
            unit: unit.to_owned(),
            log: Log::follow(stream, follow),
            begin: Instant::now(),
        }
    }

    /// Writes what is to hold from the next start or reload on.
    pub(crate) fn configure(&self, config: &str) {
        let text = format!("{EVENTS}{config}");
        self.machine.write("/etc/brigade/shop.toml", &text);
    }

    /// Changes the unit as `systemctl edit` would.
    pub(crate) fn edit(&self, name: &str, text: &str) {
        let path = format!("/etc/systemd/system/{}.d/{name}.conf", self.unit);
        self.machine.write(&path, text);
        self.machine.systemctl(&["daemon-reload"]);
    }

    /// `systemctl VERB` of this unit, which must succeed.
    pub(crate) fn order(&self, verb: &str) {
        let output = self.try_order(verb);
        let (out, err) = texts(&output);
        assert!(output.status.success(), "systemctl {verb}: {out}{err}");
    }

    /// The same, whatever comes of it.
    pub(crate) fn try_order(&self, verb: &str) -> Output {
        self.machine.run(&["systemctl", verb, &self.unit])
    }

    /// Sends a signal to the main process.
    pub(crate) fn signal(&self, name: &str) {
        let signal = format!("--signal={name}");
        let words = ["kill", "--kill-whom=main", &signal, &self.unit];
        self.machine.systemctl(&words);
    }

    /// A property as `systemctl show` tells it.
    pub(crate) fn property(&self, name: &str) -> String {
        self.machine.ask(&[
            "systemctl",
            "show",
            "--value",
            "--property",
            name,
            &self.unit,
        ])
    }

    /// Waits until a property is this.
    pub(crate) fn until_property(&self, name: &str, value: &str) {
        let is_so = || self.property(name) == value;
        self.machine.until(&format!("{name} is {value}"), is_so);
    }

    /// The main process, as numbered inside.
    pub(crate) fn main_pid(&self) -> i64 {
        self.property("MainPID").parse().unwrap()
    }

    /// All processes of its control group, as numbered out here.
    pub(crate) fn processes(&self) -> BTreeSet<i32> {
        let group = self.property("ControlGroup");
        let folder = format!("/sys/fs/cgroup{group}");
        let mut found = BTreeSet::new();
        if !group.is_empty() {
            collect(&self.machine.path(&folder), &mut found);
        }
        found
    }

    /// Where it listens, in the order of `bind`.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        self.events("supervisor.listening")
            .iter()
            .map(|event| match Address::parse(event.text("address")) {
                Address::Unix(path) => {
                    Address::Unix(self.machine.path(&path.display().to_string()))
                }
                other => other,
            })
            .collect()
    }

    /// From here on.
    pub(crate) fn mark(&self) -> Mark {
        self.log.mark()
    }

    /// The first event of this name from `mark` on that `wanted` accepts.
    pub(crate) fn wait_after(
        &self,
        mark: Mark,
        name: &str,
        wanted: impl Fn(&Event) -> bool,
    ) -> Event {
        let found = self.log.wait_for(mark, &[name], wanted);
        found.unwrap_or_else(|why| panic!("{why}"))
    }

    /// The first event of this name, since the beginning or in future.
    pub(crate) fn wait_for(&self, name: &str) -> Event {
        self.wait_after(Log::START, name, |_| true)
    }

    /// All events of this name so far.
    pub(crate) fn events(&self, name: &str) -> Vec<Event> {
        self.catch_up();
        self.log.events(|event| event.name() == name)
    }

    /// Waits until what was logged up to now has arrived here.
    fn catch_up(&self) {
        self.machine.ask(&["journalctl", "--sync"]);
        let unit = format!("--unit={}", self.unit);
        let words = ["journalctl", "--output=cat", "--quiet", &unit];
        let lines = self.machine.ask(&words).lines().count();
        let have = || self.log.events(|_| true).len() + self.log.strays().len();
        self.machine
            .until("the journal has arrived", || have() >= lines);
    }

    /// What the journal has of it, every entry with its fields.
    pub(crate) fn journal(&self) -> Vec<Value> {
        self.machine.ask(&["journalctl", "--sync"]);
        let unit = format!("--unit={}", self.unit);
        let text = self.machine.ask(&["journalctl", "--output=json", &unit]);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// All of its journal, for the reader of a failed test.
    pub(crate) fn tell(&self) -> String {
        self.log.tell(self.begin)
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("--- the journal of {}\n{}", self.unit, self.tell());
        }
    }
}

fn collect(folder: &Path, found: &mut BTreeSet<i32>) {
    let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    found.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()));
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.path().is_dir() {
            collect(&entry.path(), found);
        }
    }
}
