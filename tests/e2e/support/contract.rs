//! The log's stable interface as docs/events.md gives it, held against every log of every test.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::log::Event;

static EVENTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/events.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut levels = BTreeMap::new();
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let (names, level) = (
            cells.next().unwrap_or_default(),
            cells.next().unwrap_or_default(),
        );
        for name in names.split(',') {
            levels.insert(
                name.trim().trim_matches('`').to_owned(),
                level.to_uppercase(),
            );
        }
    }
    assert!(
        levels.len() > 20,
        "docs/events.md has no table of events any more"
    );
    levels
});

/// What is wrong with this line, if anything.
pub(crate) fn fault(event: &Event) -> Option<String> {
    let Some(level) = EVENTS.get(event.name()) else {
        return Some(format!(
            "`{}` does not stand in docs/events.md",
            event.name()
        ));
    };
    let spoken = event.text("level");
    if spoken != level {
        return Some(format!(
            "`{}` is {level} in docs/events.md, not {spoken}",
            event.name()
        ));
    }
    let name = event.name();
    let mut wanted = vec!["timestamp", "message"];
    if name == "worker.spawn_failed" {
        wanted.push("slot");
    } else if name.starts_with("worker.") {
        wanted.extend(["slot", "pid", "generation", "worker"]);
    }
    let missing = wanted
        .into_iter()
        .find(|key| event.value.get(key).is_none());
    missing.map(|key| format!("`{name}` lacks `{key}`: {}", event.value))
}
