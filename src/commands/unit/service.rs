//! The service: the unit that the project ships, with what this configuration needs.

use std::path::Path;
use std::time::Duration;

use brigade_config::SERVICE_UNIT;

use super::command::Start;
use super::facts::Facts;
use super::template::Template;
use super::words::word;

/// The settings of the shipped unit that are filled in.
#[cfg(test)]
pub(super) const FILLED_IN: [&str; 13] = [
    "Description",
    "ExecStart",
    "TimeoutStartSec",
    "TimeoutStopSec",
    "WatchdogSec",
    "FileDescriptorStoreMax",
    "DynamicUser",
    "RuntimeDirectory",
    "CapabilityBoundingSet",
    "PrivateUsers",
    "ProtectSystem",
    "ProtectHome",
    "MemoryDenyWriteExecute",
];

const HEAD: &str = "\
Printed by `brigade unit`: a service for this configuration. As /etc/systemd/system/NAME.service:

  systemctl daemon-reload
  systemctl enable --now NAME.service

Needs systemd 254 or newer. docs/systemd.md explains what is not obvious. Print it again when the
configuration names other addresses, files, users or deadlines.";

/// The whole unit.
pub(super) fn text(facts: &Facts, start: &Start) -> String {
    let mut unit = Template::new(SERVICE_UNIT, HEAD);
    unit.set(
        "Description",
        word(&format!("Brigade, {}", start.name), false).trim_matches('"'),
    );
    begin(&mut unit, start);
    unit.set("TimeoutStartSec", seconds(facts.start));
    unit.set("TimeoutStopSec", seconds(facts.stop));
    unit.comment(
        "TimeoutStopSec",
        &["Longer than a drain: timeout-graceful-shutdown, timeout-kill, and 10 s for the kernel."],
    );
    unit.set("WatchdogSec", seconds(facts.silence));
    unit.comment(
        "WatchdogSec",
        &[
            "A supervisor that stands still, or whose workers all do, is replaced: by SIGTERM, so that workers which are well",
            "finish what they are at. Longer than timeout-worker, by which Brigade itself ends single workers.",
        ],
    );
    unit.set("FileDescriptorStoreMax", facts.stored);
    identity(&mut unit, facts);
    files(&mut unit, facts);
    if let Some(reads) = &start.reads {
        shows(&mut unit, reads, facts);
    }
    if facts.has_low_port {
        let capability = "CAP_NET_BIND_SERVICE";
        unit.insert(
            "CapabilityBoundingSet",
            &[
                "# For ports below 1024; in a user namespace it would be worth nothing.".to_owned(),
                format!("AmbientCapabilities={capability}"),
            ],
        );
        unit.set("CapabilityBoundingSet", capability);
        unit.set("PrivateUsers", "no");
    }
    if start.is_exec {
        unit.comment(
            "MemoryDenyWriteExecute",
            &["Not for programs that compile while they run: node, java, PyPy, anything with a JIT."],
        );
    }
    unit.text()
}

fn begin(unit: &mut Template, start: &Start) {
    let environment = start
        .environment
        .iter()
        .map(|line| format!("Environment={line}"));
    let directory = start
        .directory
        .iter()
        .map(|path| format!("WorkingDirectory={path}"));
    let lines: Vec<String> = directory.chain(environment).collect();
    unit.insert("ExecStart", &lines);
    unit.set("ExecStart", &start.command);
}

/// A user of the configuration is the unit's: the whole service runs as that.
fn identity(unit: &mut Template, facts: &Facts) {
    let Some(user) = &facts.user else { return };
    unit.insert("DynamicUser", &[format!("User={}", word(user, false))]);
    if let Some(group) = &facts.group {
        unit.insert("DynamicUser", &[format!("Group={}", word(group, false))]);
    }
    unit.set("DynamicUser", "no");
}

fn files(unit: &mut Template, facts: &Facts) {
    let runtime: Vec<String> = facts.runtime.iter().map(|path| word(path, false)).collect();
    let is_private = facts.user.is_none();
    let words: &[&str] = if facts.has_socket_file && is_private && !runtime.is_empty() {
        &[
            "The directory of a dynamic user is closed to others. A proxy of another user can reach the socket if",
            "the configuration names a `user`, or if systemd holds the socket (`brigade unit --socket`).",
        ]
    } else {
        &["For files of the service. Gone when it is stopped."]
    };
    unit.comment("RuntimeDirectory", words);
    let default = || "brigade/%N".to_owned();
    let value = if runtime.is_empty() {
        default()
    } else {
        runtime.join(" ")
    };
    unit.set("RuntimeDirectory", value);
    if facts.writes.is_empty() {
        return;
    }
    let mut lines: Vec<String> = Vec::new();
    if is_private {
        lines.push("# The dynamic user must be let in there by other means, or be replaced by one of yours.".to_owned());
    }
    let paths: Vec<String> = facts
        .writes
        .iter()
        .map(|path| word(&path.to_string_lossy(), false))
        .collect();
    lines.push(format!("ReadWritePaths={}", paths.join(" ")));
    unit.insert("ProtectSystem", &lines);
    if facts.writes.iter().any(|path| is_home(path)) {
        unit.set("ProtectHome", "no");
    }
}

/// The workers have to see what they are to show, also where the unit hides the rest.
fn shows(unit: &mut Template, directory: &Path, facts: &Facts) {
    let is_home = is_home(directory);
    if is_home && !facts.writes.iter().any(|path| self::is_home(path)) {
        unit.set("ProtectHome", "tmpfs");
    }
    if is_home || directory.starts_with("/tmp") || directory.starts_with("/var/tmp") {
        let directory = word(&directory.to_string_lossy(), false);
        unit.insert("ProtectHome", &[format!("BindReadOnlyPaths={directory}")]);
    }
}

fn is_home(path: &Path) -> bool {
    ["/home", "/root", "/run/user"]
        .iter()
        .any(|place| path.starts_with(place))
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
