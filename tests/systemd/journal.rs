//! The journal: who reads it with `journalctl --priority` must find what matters, whole.

use serde_json::Value;

use crate::machine::Machine;
use crate::service::Service;
use crate::support::{Address, Connection};

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn the_journal_has_priorities_and_reports_of_several_lines() {
    let Some(machine) = Machine::boot() else {
        return;
    };
    let shop = Service::shop(&machine, "");
    // As an administrator's file: nothing about the log, so it goes by what systemd has connected.
    machine.write("/etc/brigade/shop.toml", "workers = 1\n");
    shop.order("start");
    let address = Address::parse("http://127.0.0.1:8000");
    let get = |path: &str| Connection::open(&address).and_then(|mut one| one.get(path));
    machine.until("it serves", || get("/").is_ok());
    assert_eq!(get("/crash?how=panic").unwrap().status, 500);
    assert_eq!(get("/blocking?ms=1000").unwrap().status, 200);
    assert!(get("/crash?how=abort").is_err());
    machine.until("it serves again", || get("/").is_ok());
    let mut entries = Vec::new();
    machine.until("the crash is told", || {
        entries = shop.journal();
        entries
            .iter()
            .any(|entry| text(entry, "MESSAGE").contains("SIGABRT"))
    });
    let ours = |entry: &&Value| text(entry, "SYSLOG_IDENTIFIER") == "brigade";
    let ours: Vec<_> = entries.iter().filter(ours).collect();
    let of = |words: &str| {
        let found = ours
            .iter()
            .position(|entry| text(entry, "MESSAGE").contains(words));
        found.unwrap_or_else(|| panic!("{words:?} in {ours:#?}"))
    };
    for (words, priority) in [("listening on", "6"), ("panicked", "3"), ("SIGABRT", "3")] {
        assert_eq!(text(ours[of(words)], "PRIORITY"), priority, "{words}");
    }
    // A report of several lines stands together, each line as important as the first.
    let first = of("has made no progress");
    let is_within = |entry: &&&Value| text(entry, "MESSAGE").starts_with("  ");
    let below: Vec<_> = ours[first + 1..].iter().take_while(is_within).collect();
    assert!(below.len() > 2, "{:#?}", &ours[first..]);
    assert_eq!(text(ours[first], "PRIORITY"), "4");
    assert!(below.iter().all(|entry| text(entry, "PRIORITY") == "4"));
    for entry in &ours {
        let message = text(entry, "MESSAGE");
        assert!(!message.starts_with('<'), "a bare priority: {message:?}");
        assert!(!message.contains('\x1b'), "colour: {message:?}");
        assert_eq!(text(entry, "_SYSTEMD_UNIT"), shop.unit);
    }
    shop.order("stop");
}
