//! From given words to the configuration: every word is checked, the strongest counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::address::{Choice, inspect};
use crate::check::{self, SPELLINGS};
use crate::keys::{Key, Meaning, OnReload, joined, keys, listed};
use crate::layers::Given;
use crate::problem::{Origin, Place, Problem};
use crate::types::{
    AccessLog, Balance, Config, Http, Limits, LogConfig, LogFormat, LogLevel, Offload, Proxy,
    Readiness, Recycle, Share, SupervisorConfig, Tls, WorkerConfig, WorkerCount,
};

/// One value that holds, and who said so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effective {
    /// The key.
    pub name: &'static str,
    /// The value in the words that one would write, or `unset`.
    pub value: String,
    /// Where it was said.
    pub origin: Origin,
}

/// Where the value of a key was said; keys that nobody gave are absent.
pub(crate) type Places<'a> = BTreeMap<&'static str, &'a Place>;

/// Keys whose value nobody knows, since its words can't be read.
pub(crate) type Unread = BTreeSet<&'static str>;

/// Reads all words into a configuration. It is to be used only if no problem was found.
pub(crate) fn resolve(givens: &[Given], problems: &mut Vec<Problem>) -> (Config, Vec<Effective>) {
    let mut config = Config::default();
    let (mut places, mut unread) = (Places::new(), Unread::new());
    let before = problems.len();
    let choice = Choice::of(givens, problems);
    if problems.len() > before {
        unread.extend(SPELLINGS);
    }
    for key in keys() {
        let mut of_key: Vec<&Given> = givens.iter().filter(|g| g.key.name == key.name).collect();
        of_key.sort_by_key(|given| given.layer);
        let strongest = of_key.last().copied();
        for given in of_key {
            let counts = match key.meaning {
                Meaning::Place(_) => choice.holds(given),
                Meaning::Value { .. } | Meaning::Values { .. } => {
                    strongest.is_some_and(|best| std::ptr::eq(best, given))
                }
            };
            // The strongest comes last and so is the one that stays.
            if counts || given.layer.is_ours() {
                let before = problems.len();
                read(given, &mut config, problems);
                if problems.len() > before {
                    unread.insert(key.name);
                }
            }
        }
        if let Some(given) = strongest {
            places.insert(key.name, given.place());
        }
    }
    if SPELLINGS.iter().all(|spelling| !unread.contains(spelling)) {
        let before = problems.len();
        config.supervisor.binds = choice.binds(problems);
        if problems.len() > before {
            unread.extend(SPELLINGS);
        }
    }
    check::together(&mut config, &places, &unread, problems);
    let effective = effective(&config, &choice, &places);
    (config, effective)
}

/// The names of the keys whose change from `old` to `new` a reload cannot apply, in the order of
/// the table.
#[must_use]
pub fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    keys()
        .filter(|key| key.on_reload == OnReload::NeedsRestart)
        .filter(|key| key.shown(old) != key.shown(new))
        .map(|key| key.name)
        .collect()
}

/// The names of the keys with other values than their defaults that only workers of `brigade serve`
/// heed: a program of `brigade exec` speaks with its clients itself. In the order of the table.
#[must_use]
pub fn unheeded_by_programs(config: &Config) -> Vec<&'static str> {
    let default = Config::default();
    let is_for_workers = |key: &&'static Key| {
        let mut with = default.clone();
        // Its words have been read before.
        let read = match key.meaning {
            Meaning::Value { set, show } => show(config).map(|words| set(&mut with, &words)),
            Meaning::Values { clear, add, all } => {
                clear(&mut with);
                all(config).iter().map(|words| add(&mut with, words)).last()
            }
            Meaning::Place(_) => None,
        };
        let is_alone = with.supervisor == default.supervisor && with.log == default.log;
        read.is_some_and(|read| read.is_ok()) && is_alone && with.worker != default.worker
    };
    keys().filter(is_for_workers).map(|key| key.name).collect()
}

fn read(given: &Given, config: &mut Config, problems: &mut Vec<Problem>) {
    if let Meaning::Values { clear, .. } = given.key.meaning {
        clear(config);
    }
    for words in &given.words {
        let result = match given.key.meaning {
            Meaning::Value { set, .. } => set(config, &words.text),
            Meaning::Values { add, .. } => add(config, &words.text),
            Meaning::Place(spelling) => inspect(spelling, &words.text),
        };
        if let Err(fault) = result {
            problems.push(Problem::fault(fault, words.place.clone()));
        }
    }
}

fn effective(config: &Config, choice: &Choice<'_>, places: &Places<'_>) -> Vec<Effective> {
    let mut all = choice.effective(&config.supervisor.binds);
    all.extend(keys().filter_map(|key| {
        let value = match key.meaning {
            Meaning::Place(_) => return None,
            Meaning::Value { show, .. } => show(config),
            Meaning::Values { all, .. } => joined(&all(config)),
        };
        Some(Effective {
            name: key.name,
            value: value.unwrap_or_else(|| "unset".to_owned()),
            origin: places
                .get(key.name)
                .map_or(Origin::Default, |place| place.origin()),
        })
    }));
    all
}

impl Default for Config {
    /// What holds if nobody says anything: the defaults of the table.
    fn default() -> Self {
        let mut config = blank();
        for key in keys() {
            let Some(default) = key.default else { continue };
            // A test proves that every default is one of its key's values.
            let _ = match key.meaning {
                Meaning::Value { set, .. } => set(&mut config, default),
                Meaning::Values { add, .. } => {
                    listed(default).try_for_each(|text| add(&mut config, text))
                }
                Meaning::Place(_) => Ok(()),
            };
        }
        config.supervisor.binds = Choice::of(&[], &mut Vec::new()).binds(&mut Vec::new());
        config
    }
}

/// A configuration to be filled in by the defaults of the table.
fn blank() -> Config {
    Config {
        supervisor: SupervisorConfig {
            binds: Vec::new(),
            insecure_binds: Vec::new(),
            admin: None,
            backlog: 0,
            workers: WorkerCount::Auto,
            balance: Balance::Slots,
            stall_warn: Duration::ZERO,
            timeout_worker: None,
            reload_surge: Share::Count(0),
            reload_max_unavailable: Share::Count(0),
            reload_probation: Duration::ZERO,
            reload_max_lingering: 0,
            ready_when: Share::Count(0),
            recycle: Recycle {
                max_requests: None,
                max_requests_jitter: 0,
                lifetime: None,
                memory: None,
                at_most: 0,
            },
            timeout_start: Duration::ZERO,
            timeout_graceful_shutdown: Duration::ZERO,
            timeout_kill: Duration::ZERO,
            start_attempts: 0,
            restart_delay: Duration::ZERO,
            restart_delay_max: Duration::ZERO,
            restart_calm: Duration::ZERO,
            restart_intensity: None,
            user: None,
            group: None,
            cpu_affinity: false,
            pid_file: None,
            umask: None,
            ready: Readiness::Auto,
        },
        worker: WorkerConfig {
            timeout_header: Duration::ZERO,
            timeout_keep_alive: Duration::ZERO,
            timeout_lame_duck: Duration::ZERO,
            timeout_hooks: Duration::ZERO,
            tls: Tls::off(),
            limits: Limits::default(),
            http: Http::default(),
            proxy: Proxy::default(),
            access_log: AccessLog::default(),
            offload: Offload::default(),
        },
        log: LogConfig {
            level: LogLevel::Info,
            format: LogFormat::Auto,
        },
    }
}
