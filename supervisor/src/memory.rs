//! How much memory there is, and how much of it workers may use.

use brigade_config::{SupervisorConfig, WorkerCount, WorkerMemory};
use brigade_shared::sys::memory_limit::{MemoryLimit, in_words};
use tracing::warn;

use crate::settings;

/// A part of the memory becomes an amount. What a generation may use is decided once, when its
/// configuration is read, so that the plan and whoever measures go by the same number.
pub fn settle(config: &mut SupervisorConfig) {
    let limit = config.recycle.memory.and_then(bytes);
    config.recycle.memory = limit.map(WorkerMemory::Bytes);
}

/// So much may a worker use; none if nobody knows how much there is.
pub(crate) fn bytes(limit: WorkerMemory) -> Option<u64> {
    match limit {
        WorkerMemory::Bytes(bytes) => Some(bytes),
        WorkerMemory::Percent(percent) => MemoryLimit::now().map(|all| all.part(percent)),
    }
}

/// What a configuration means on this machine, or in the control group that this process is in: the
/// number of workers, the memory, and what does not fit into it.
#[must_use]
pub fn surroundings(config: &SupervisorConfig) -> Vec<String> {
    let (workers, why) = settings::workers(config);
    let all = MemoryLimit::now();
    let workers = format!("workers: {workers} ({why})");
    let mut told = vec![workers, in_sentence(all.as_ref())];
    told.extend(all.and_then(|all| too_much(config, &all)));
    told
}

/// The memory that there is, for the line of the start.
pub(crate) fn told() -> (Option<u64>, String) {
    let all = MemoryLimit::now();
    let bytes = all.as_ref().map(|all| all.bytes);
    (bytes, in_sentence(all.as_ref()))
}

/// Warns if all workers together may use more than their control group may.
pub(crate) fn warn_of_too_much(config: &SupervisorConfig) {
    let Some(all) = MemoryLimit::now() else {
        return;
    };
    if let Some(problem) = too_much(config, &all) {
        let limit = all.bytes;
        warn!(event = "supervisor.overcommitted", limit, "{problem}");
    }
}

fn in_sentence(all: Option<&MemoryLimit>) -> String {
    match all {
        Some(all) => format!("memory: {all}"),
        None => "memory: unknown, /proc/meminfo can't be read".to_owned(),
    }
}

/// What is wrong if the workers may use more together than the group that they are in: then the
/// kernel kills one before Brigade would have replaced it. Of a machine without groups nobody knows
/// what else it is for.
fn too_much(config: &SupervisorConfig, all: &MemoryLimit) -> Option<String> {
    let each = config.recycle.memory.and_then(bytes)?;
    let workers = match config.workers {
        WorkerCount::Between(_, most) => most,
        WorkerCount::Fixed(_) | WorkerCount::Auto => settings::workers(config).0,
    };
    let together = each.saturating_mul(workers.into());
    (all.is_of_group && together > all.bytes).then(|| {
        format!(
            "{workers} workers of up to {} each may use {} together, and there are {all}: the \
             kernel may kill one before it is replaced. Make limit-worker-memory at most {}%, or \
             run fewer workers",
            in_words(each),
            in_words(together),
            100 / workers.max(1),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::too_much;
    use brigade_config::{Config, SupervisorConfig, WorkerCount, WorkerMemory};
    use brigade_shared::sys::memory_limit::MemoryLimit;

    fn config(workers: WorkerCount, memory: Option<u64>) -> SupervisorConfig {
        let mut config = Config::default().supervisor;
        config.workers = workers;
        config.recycle.memory = memory.map(WorkerMemory::Bytes);
        config
    }

    fn all(bytes: u64, is_of_group: bool) -> MemoryLimit {
        MemoryLimit {
            bytes,
            file: "memory.max".into(),
            is_of_group,
        }
    }

    #[test]
    fn more_than_the_group_has_is_told_with_numbers_and_a_cure() {
        let group = all(1 << 30, true);
        let four = |memory| too_much(&config(WorkerCount::Fixed(4), memory), &group);
        assert_eq!(four(Some(256 << 20)), None, "it just fits");
        assert_eq!(four(None), None, "no limit, nothing to compare");
        let told = four(Some(512 << 20)).unwrap();
        for words in [
            "4 workers",
            "512 MiB",
            "2 GiB",
            "1 GiB",
            "memory.max",
            "25%",
        ] {
            assert!(told.contains(words), "{words:?} in {told}");
        }
        let most = config(WorkerCount::Between(1, 8), Some(256 << 20));
        assert!(too_much(&most, &group).is_some(), "the most count");
        let machine = all(1 << 30, false);
        assert_eq!(too_much(&most, &machine), None);
    }
}
