//! What the rest of Brigade reads: typed, checked, complete. No `Option` here means "default".

mod access;
mod http;
mod limits;
mod offload;
mod proxy;
mod tls;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use access::{AccessField, AccessFormat, AccessLog, AccessLogTo, AccessPart, AccessStyle};
pub use http::{Http, HttpVersions};
pub use limits::{Limits, Pace};
pub use offload::Offload;
pub use proxy::{AnswerHeaders, ForwardedFamily, Network, Proxy, Trusted};
pub use tls::{ClientCertificates, Tls, TlsFiles, TlsPair, TlsVersion};

/// A whole, valid configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// Read by the supervisor.
    pub supervisor: SupervisorConfig,
    /// Read by each worker of a Rust service.
    pub worker: WorkerConfig,
    /// Read once per process, when its log is set up.
    pub log: LogConfig,
}

/// What the supervisor reads.
#[derive(Clone, PartialEq, Debug)]
pub struct SupervisorConfig {
    /// Where to listen, in the order given; at least one.
    pub binds: Vec<Bind>,
    /// Where to listen without TLS although there is a certificate; addresses of TCP.
    pub insecure_binds: Vec<Bind>,
    /// Where probes and metrics are answered: TCP or a Unix socket, never an inherited one.
    pub admin: Option<Bind>,
    /// Connections that may wait in the kernel for each listening socket, 1 to 65535.
    pub backlog: u16,
    /// How many workers.
    pub workers: WorkerCount,
    /// How new connections are shared among workers.
    pub balance: Balance,
    /// A worker whose loop stands still for so long is taken for blocked; zero: never.
    pub stall_warn: Duration,
    /// A worker whose loop stands still for so long is ended; none: never.
    pub timeout_worker: Option<Duration>,
    /// How many processes more than wanted a reload may use.
    pub reload_surge: Share,
    /// How many slots may be without a serving worker while a reload runs.
    pub reload_max_unavailable: Share,
    /// How long the first new worker must stay well before the rest follows.
    pub reload_probation: Duration,
    /// How many older generations may still be leaving at a time; beyond that the oldest is cut.
    pub reload_max_lingering: u16,
    /// When a worker is replaced although nothing is wrong with it.
    pub recycle: Recycle,
    /// How many workers have to serve for the service to count as ready; not none.
    pub ready_when: Share,
    /// From spawn to ready, at most.
    pub timeout_start: Duration,
    /// From the order to drain until what is still open is cut.
    pub timeout_graceful_shutdown: Duration,
    /// From an order to leave at once until SIGKILL.
    pub timeout_kill: Duration,
    /// Failures to start per slot before the supervisor gives up, if nothing was ever ready.
    pub start_attempts: u32,
    /// The pause after the second crash in a row; doubles from there.
    pub restart_delay: Duration,
    /// The longest pause between restarts.
    pub restart_delay_max: Duration,
    /// Service time after which a crash counts as the first again.
    pub restart_calm: Duration,
    /// Give up after more crashes than this within the period.
    pub restart_intensity: Option<RestartIntensity>,
    /// Run workers as this user (name or number).
    pub user: Option<String>,
    /// Run workers as this group (name or number); without it the user's own.
    pub group: Option<String>,
    /// Bind worker n to the nth usable CPU.
    pub cpu_affinity: bool,
    /// Write the supervisor's pid here.
    pub pid_file: Option<PathBuf>,
    /// File mode creation mask of supervisor and workers.
    pub umask: Option<u32>,
    /// When a program of `brigade exec` counts as ready.
    pub ready: Readiness,
}

impl SupervisorConfig {
    /// Every place where the service listens.
    pub fn all_binds(&self) -> impl Iterator<Item = &Bind> {
        self.binds.iter().chain(&self.insecure_binds)
    }
}

/// One place to listen.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Bind {
    /// `HOST:PORT`, `[v6]:PORT`; the host is a literal address.
    Tcp(IpAddr, u16),
    /// `NAME:PORT`: a host name, resolved when the socket is bound.
    Name(String, u16),
    /// `unix:PATH`.
    Unix(PathBuf),
    /// `unix:@NAME`, Linux's abstract namespace.
    Abstract(String),
    /// `fd:N`: a listening socket that the parent process left open.
    Fd(u32),
    /// `systemd:NAME`: a socket of this name passed by systemd (`FileDescriptorName=`);
    /// `systemd:` alone takes all of them.
    Systemd(String),
}

/// How many workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkerCount {
    /// As many as the process may use CPUs.
    Auto,
    /// 1 to [`MAX_WORKERS`].
    Fixed(u16),
    /// As many as the load needs, from the first number to the second.
    Between(u16, u16),
}

/// How new connections are shared among workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Balance {
    /// A queue per slot; the kernel is told which slots can serve.
    Slots,
    /// One queue per address; workers take from it by turns.
    Shared,
}

/// A number of workers, or a part of all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Share {
    /// So many.
    Count(u16),
    /// So many of a hundred, rounded up; 0 to 100.
    Percent(u8),
}

/// When a worker is replaced although nothing is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recycle {
    /// After so many requests; none: never.
    pub max_requests: Option<u64>,
    /// And up to so many more, by chance, so that not all are replaced at once.
    pub max_requests_jitter: u64,
    /// After so much time; none: never.
    pub lifetime: Option<Duration>,
    /// When it uses so much memory; none: never.
    pub memory: Option<WorkerMemory>,
    /// At most so many slots at a time; at least 1.
    pub at_most: u16,
}

/// An amount of memory for one worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkerMemory {
    /// So many bytes.
    Bytes(u64),
    /// So many of a hundred, 1 to 100, of what the control group allows for all, or the machine has.
    Percent(u8),
}

/// The most workers that one supervisor runs.
pub const MAX_WORKERS: u16 = 1024;

/// More crashes of the whole fleet within the period than this: give up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RestartIntensity {
    /// Crashes still allowed.
    pub crashes: u32,
    /// Within this time.
    pub period: Duration,
}

/// When a program of `brigade exec` counts as ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readiness {
    /// When it says `READY=1`, or is seen to wait for connections on one of its sockets.
    Auto,
    /// Only when it says `READY=1`.
    Notify,
    /// When it has been alive for this long.
    Alive(Duration),
}

/// What each worker of a Rust service reads.
#[derive(Clone, PartialEq, Debug)]
pub struct WorkerConfig {
    /// From the first byte of a request (or the accept) to the end of its head.
    pub timeout_header: Duration,
    /// How long a connection may be idle between requests.
    pub timeout_keep_alive: Duration,
    /// While draining: how long idle keep-alive connections are still served before they are
    /// closed. A request that comes meanwhile is answered with `connection: close`.
    pub timeout_lame_duck: Duration,
    /// How long all that the app runs at the end of a worker may take together.
    pub timeout_hooks: Duration,
    /// Encryption of TCP connections.
    pub tls: Tls,
    /// What clients are allowed.
    pub limits: Limits,
    /// Which protocols are spoken.
    pub http: Http,
    /// Proxies in front.
    pub proxy: Proxy,
    /// The access log.
    pub access_log: AccessLog,
    /// Work off the event loop.
    pub offload: Offload,
}

/// How and what to log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogConfig {
    /// The least important level that is written.
    pub level: LogLevel,
    /// In which form.
    pub format: LogFormat,
}

/// Levels, uvicorn's names (`critical` is taken as `error`, `trace` is uvicorn's own).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LogLevel {
    /// Only what needs somebody.
    Error,
    /// And what may.
    Warning,
    /// And what happened.
    Info,
    /// And why.
    Debug,
    /// Everything.
    Trace,
}

/// Forms of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// `Journal` if standard error is systemd's journal, otherwise `Human`.
    Auto,
    /// A line for people.
    Human,
    /// A JSON object per line, see docs/events.md.
    Json,
    /// A line for people behind systemd's `<N>` priority.
    Journal,
}
