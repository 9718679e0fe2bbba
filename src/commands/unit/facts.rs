//! What a configuration needs of the manager.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use brigade_config::{
    AccessLogTo, Balance, Bind, Config, Loaded, SupervisorConfig, WorkerConfig, WorkerCount,
};
use brigade_shared::sys::cpu::Usable;

/// What the unit depends on.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// The longest that a start may take before the first attempts are used up.
    pub(super) start: Duration,
    /// The longest that a stop may take.
    pub(super) stop: Duration,
    /// How long the supervisor may be silent: until it has ended a worker that is blocked.
    pub(super) silence: Duration,
    /// Descriptors that may lie in the manager's store.
    pub(super) stored: usize,
    /// Whether a port is one for the privileged.
    pub(super) has_low_port: bool,
    /// The user and the group that the configuration names.
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    /// Directories below /run in which it makes files, without `/run/`.
    pub(super) runtime: Vec<String>,
    /// Directories elsewhere in which it makes files.
    pub(super) writes: Vec<PathBuf>,
    /// Whether one of these files is a socket, which others want to reach.
    pub(super) has_socket_file: bool,
}

/// What the kernel may take to end a process after SIGKILL, and some breath.
const AFTERMATH: Duration = Duration::from_secs(15);

impl Facts {
    pub(super) fn of(loaded: &Loaded) -> Self {
        let supervisor = &loaded.config.supervisor;
        let (runtime, writes) = directories(&loaded.config);
        let attempts = supervisor.start_attempts.max(1);
        Self {
            start: supervisor.timeout_start.saturating_mul(attempts) + 2 * AFTERMATH,
            stop: supervisor.timeout_graceful_shutdown + supervisor.timeout_kill + AFTERMATH,
            silence: supervisor.timeout_worker.unwrap_or_default() + 2 * AFTERMATH,
            stored: stored(supervisor),
            has_low_port: supervisor.all_binds().chain(&supervisor.admin).any(is_low),
            user: supervisor.user.clone(),
            group: supervisor.group.clone(),
            runtime,
            writes,
            has_socket_file: socket_files(supervisor).next().is_some(),
        }
    }
}

/// A listening socket per slot and address, the scoreboard, and as much again for addresses that
/// a reload changes and workers that somebody adds.
fn stored(supervisor: &SupervisorConfig) -> usize {
    let slots = match supervisor.workers {
        WorkerCount::Auto => Usable::now().count(),
        WorkerCount::Fixed(count) | WorkerCount::Between(_, count) => count.into(),
    };
    let queues = |bind: &Bind| match (bind, supervisor.balance) {
        (Bind::Tcp(..), Balance::Slots) => slots,
        (Bind::Tcp(..), Balance::Shared) => 1,
        // Usually one address of each family.
        (Bind::Name(..), Balance::Slots) => 2 * slots,
        (Bind::Name(..), Balance::Shared) => 2,
        (Bind::Unix(_) | Bind::Abstract(_), _) => 1,
        (Bind::Fd(_) | Bind::Systemd(_), _) => 0,
    };
    let sockets: usize = supervisor.all_binds().map(queues).sum();
    (2 * sockets + 1).max(16)
}

fn is_low(bind: &Bind) -> bool {
    match bind {
        Bind::Tcp(_, port) | Bind::Name(_, port) => (1..1024).contains(port),
        Bind::Unix(_) | Bind::Abstract(_) | Bind::Fd(_) | Bind::Systemd(_) => false,
    }
}

fn socket_files(supervisor: &SupervisorConfig) -> impl Iterator<Item = &PathBuf> {
    let binds = supervisor.all_binds().chain(&supervisor.admin);
    binds.filter_map(|bind| match bind {
        Bind::Unix(path) => Some(path),
        Bind::Tcp(..) | Bind::Name(..) | Bind::Abstract(_) | Bind::Fd(_) | Bind::Systemd(_) => None,
    })
}

/// The file of the access log, unless it is a device.
pub(super) fn access_log(worker: &WorkerConfig) -> Option<&PathBuf> {
    match &worker.access_log.to {
        Some(AccessLogTo::File(path)) if !path.starts_with("/dev") => Some(path),
        Some(AccessLogTo::File(_) | AccessLogTo::Output) | None => None,
    }
}

/// Where files are made: below /run, which the manager can make and clear away, and elsewhere.
fn directories(config: &Config) -> (Vec<String>, Vec<PathBuf>) {
    let supervisor = &config.supervisor;
    let (mut runtime, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
    let files = socket_files(supervisor).chain(&supervisor.pid_file);
    for path in files.chain(access_log(&config.worker)) {
        let folder = path.parent().unwrap_or(Path::new("/"));
        match folder.strip_prefix("/run") {
            Ok(below) if below.components().next().is_some() => {
                runtime.insert(below.to_string_lossy().into_owned());
            }
            // Relative ones are the working directory's.
            _ if folder.is_relative() => {
                let here = std::env::current_dir().unwrap_or_default();
                elsewhere.insert(here.join(folder));
            }
            _ => {
                elsewhere.insert(folder.to_owned());
            }
        }
    }
    (
        runtime.into_iter().collect(),
        elsewhere.into_iter().collect(),
    )
}
