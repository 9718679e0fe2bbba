//! From a configuration to a running supervisor, and to its exit code. The only part in which it
//! may fail for good.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use brigade_config::Config;
use brigade_shared::board::{Board, Ledger, MAX_SLOTS};
use brigade_shared::exit::supervisor as code;
use brigade_shared::id::SlotId;
use brigade_shared::log;
use brigade_shared::sys::cpu::Usable;
use brigade_shared::sys::privileges::Identity;
use brigade_shared::sys::process::{self, OpenFiles};
use brigade_shared::sys::signal::Signals;
use brigade_shared::sys::title;
use nix::errno::Errno;
use nix::sys::stat::{Mode, umask};
use tracing::{error, info, warn};

use crate::access;
use crate::act::{Configs, Hands};
use crate::admin::Admin;
use crate::attend::Attention;
use crate::handover::{self, Arrival, Purpose};
use crate::launch::{AdminService, Launch};
use crate::listen::{Inherited, KeptName, Listeners};
use crate::look::Observer;
use crate::manager::{self, Line, Voice};
use crate::memory;
use crate::passing::Passing;
use crate::pid_file::PidFile;
use crate::plan::{Action, Fleet, Verdict};
use crate::random;
use crate::roster::Roster;
use crate::secrets::Secrets;
use crate::settings;
use crate::spawn::Nursery;
use crate::store::Store;
use crate::watch::{SIGNALS, Watch};

/// How long the last lines of the log may wait for whoever reads it.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Reads the configuration again, for a reload: whole and valid, or the problems in words.
pub type LoadConfig = Box<dyn FnMut() -> Result<Config, String>>;

/// What a supervisor starts from.
pub struct Boot {
    /// Whole and valid.
    pub config: Config,
    /// The file it came from, if one.
    pub config_file: Option<PathBuf>,
    /// How it is read again.
    pub load_config: LoadConfig,
    /// What the workers are.
    pub launch: Launch,
    /// What answers at the admin address.
    pub admin: AdminService,
    /// The version to tell.
    pub version: &'static str,
    /// Whether a service manager has passed sockets to this process.
    pub is_activated: bool,
    /// How this process came to be.
    pub arrival: Arrival,
}

/// Binds, forks, serves, replaces; returns the exit code when it is over. The log must have begun
/// and the process must have one thread; it gets the title `brigade: supervisor`.
#[must_use]
pub fn run(boot: Boot) -> u8 {
    title::set("brigade: supervisor");
    let begun = match boot.arrival.purpose() {
        Purpose::Start => start(boot),
        Purpose::Rehearse => return handover::rehearse(boot.arrival, &boot.config),
        Purpose::GoOn => handover::take_over(boot)
            .map(Watch::go_on)
            .map_err(|problem| Refusal::System(vec![problem])),
    };
    let (mut watch, first) = match begun {
        Ok(begun) => begun,
        Err(refusal) => return refusal.tell(),
    };
    let verdict = watch.run(first);
    let mut hands = watch.into_hands();
    let pid_file = hands.pid_file.take();
    close(hands);
    if let Some(file) = pid_file {
        file.remove();
    }
    let code = match verdict {
        Verdict::Stopped => code::STOPPED,
        Verdict::GaveUp(_) => code::GAVE_UP,
    };
    info!(
        event = "supervisor.stopped",
        code, "stopped with exit code {code}"
    );
    log::finish(LAST_WORDS);
    code
}

/// Why a supervisor can't start.
enum Refusal {
    Config(String),
    System(Vec<String>),
}

impl Refusal {
    /// Says so and gives the exit code.
    fn tell(self) -> u8 {
        let (problems, code) = match self {
            Self::Config(problem) => (vec![problem], code::CONFIG),
            Self::System(problems) => (problems, code::SYSTEM),
        };
        if let Some(first) = problems.first() {
            manager::refused(first, code);
        }
        for problem in problems {
            error!(event = "supervisor.refused", problem, code, "{problem}");
        }
        log::finish(LAST_WORDS);
        code
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        let cure = match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EMFILE) => ": raise the limit of open files (ulimit -n, LimitNOFILE=)",
            _ => "",
        };
        Self::System(vec![format!("the system refused: {error}{cure}")])
    }
}

/// Binds and takes the pid file; the first workers are ordered.
fn start(boot: Boot) -> Result<(Watch, Vec<Action>), Refusal> {
    let pid_file = boot.config.supervisor.pid_file.clone();
    let (told, config_file) = (boot.version, boot.config_file.clone());
    let (fleet, mut hands) = prepare(boot)?;
    // Until here nothing has changed of what a service manager has kept for this start.
    match pid_file.as_deref().map(PidFile::write).transpose() {
        Ok(pid_file) => hands.pid_file = pid_file,
        Err(problem) => {
            close(hands);
            return Err(Refusal::System(vec![problem]));
        }
    }
    let overview = hands.nursery.ledger.board().overview();
    let started = UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
    overview.set_started_ms(u64::try_from(started).unwrap_or(u64::MAX));
    hands.begin_to_listen();
    announce(&hands, told, config_file, &fleet);
    let mut watch = Watch::new(fleet, hands);
    let first = watch.first_orders();
    Ok((watch, first))
}

fn prepare(boot: Boot) -> Result<(Fleet, Hands), Refusal> {
    let config = &boot.config.supervisor;
    let identity = Identity::resolve(config.user.as_deref(), config.group.as_deref())
        .map_err(Refusal::Config)?;
    if let Some(mask) = config.umask {
        umask(Mode::from_bits_truncate(mask));
    }
    let open_files = OpenFiles::raise()?;
    access::check(&boot.launch, &boot.config.worker.access_log)
        .map_err(|problem| Refusal::System(vec![problem]))?;
    // Before the first fork and before anything is announced: whoever reads that we run may send
    // a signal the next moment.
    let signals = Signals::listen(&SIGNALS)?;
    let settings = settings::of(&boot.config, &boot.launch);
    let mut inherited = Inherited::take();
    let line = Line::open();
    let store = Store::find(&line, inherited.stored());
    let (ledger, waited) = scoreboard(inherited.take_board())?;
    let nursery = nursery(identity, boot.launch, open_files, ledger)?;
    // Before the others: what a service manager has kept is touched only when all else is had.
    let mut admin = Admin::open(config, boot.admin).map_err(Refusal::System)?;
    let listeners = Listeners::open(config, inherited).map_err(|problems| {
        admin.iter_mut().for_each(Admin::close);
        Refusal::System(problems)
    })?;
    let mut attention = Attention::default();
    attention.observer = Observer::resume(waited);
    attention.processors.tell(config, settings.workers);
    let hands = Hands {
        listeners,
        nursery,
        roster: Roster::default(),
        signals,
        configs: Configs::new(boot.config.clone()),
        secrets: Secrets::default(),
        load_config: boot.load_config,
        passing: Passing::new(),
        attention,
        events: std::collections::VecDeque::new(),
        verdict: None,
        last_words: Vec::new(),
        reason: String::new(),
        pid_file: None,
        upgrade: boot.arrival.upgrade(boot.is_activated),
        admin,
        line,
        store,
        voice: Voice::begin(),
    };
    Ok((Fleet::new(settings, random::number()), hands))
}

fn nursery(
    identity: Option<Identity>,
    launch: Launch,
    open_files: OpenFiles,
    ledger: Ledger,
) -> io::Result<Nursery> {
    Ok(Nursery {
        launch,
        identity,
        cpus: Usable::now().cpus,
        ledger,
        null: File::open("/dev/null")?,
        open_files,
    })
}

/// The scoreboard that was kept, or a new one; and the slots for which it says that somebody waits.
fn scoreboard(kept: Option<OwnedFd>) -> io::Result<(Ledger, Vec<SlotId>)> {
    match kept.map(Board::adopt) {
        Some(Ok(board)) => {
            let waits = |slot: &SlotId| board.waiting(*slot) > 0;
            let waited = (0..MAX_SLOTS).map(SlotId).filter(waits).collect();
            // Nobody dozes any more.
            let _ = board.stir();
            let mut ledger = Ledger::inherit(Arc::new(board));
            ledger.release_orphaned(|pid| pid != 0 && process::has_ended(pid));
            return Ok((ledger, waited));
        }
        Some(Err(error)) => {
            let name = KeptName::Board.to_string();
            warn!(event = "store.stale", name, problem = %error,
                "the scoreboard that the service manager kept can't be used ({error}): the counters begin anew");
        }
        None => {}
    }
    Ok((Ledger::new(Arc::new(Board::create()?)), Vec::new()))
}

/// One line says everything that a tired operator needs.
fn announce(hands: &Hands, version: &str, config_file: Option<PathBuf>, fleet: &Fleet) {
    let mut addresses = Vec::new();
    let running = hands.configs.running();
    let encrypts = running.is_some_and(|config| config.worker.tls.is_on());
    for place in hands.listeners.shown() {
        let (bind, queue) = (place.bind, place.queue);
        let address = match encrypts && !place.is_insecure {
            true => place.address.replace("http://", "https://"),
            false => place.address,
        };
        info!(
            event = "supervisor.listening",
            address, bind, queue, "listening on {address}"
        );
        addresses.push(address);
    }
    for address in hands.admin.iter().flat_map(Admin::addresses) {
        info!(
            event = "admin.listening",
            address, "probes and metrics at {address}: /startupz, /livez, /readyz, /metrics"
        );
    }
    let addresses = addresses.join(", ");
    let workers = fleet.wanted();
    let workers_reason = hands.configs.first_workers_reason();
    let config = config_file.map_or_else(|| "none".to_owned(), |file| file.display().to_string());
    let (memory, memory_told) = memory::told();
    let pid = std::process::id();
    info!(
        event = "supervisor.starting",
        version,
        pid,
        addresses,
        workers,
        workers_reason,
        memory,
        config,
        "brigade {version} (pid {pid}) on {addresses}; workers: {workers} ({workers_reason}); {memory_told}; config file: {config}"
    );
    if let Some(config) = hands.configs.committed() {
        memory::warn_of_too_much(config);
    }
}

fn close(mut hands: Hands) {
    hands.listeners.close();
    hands.admin.iter_mut().for_each(Admin::close);
    hands.passing.finish_all(LAST_WORDS);
    hands.line.finish(LAST_WORDS);
}
