//! Making workers: everything between the decision and the first instruction of a worker's own.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, PipeWriter};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brigade_config::{Config, Readiness};
use brigade_shared::board::Ledger;
use brigade_shared::channel::Channel;
use brigade_shared::exit::worker as code;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_shared::log;
use brigade_shared::seat::{Address, Listener, Seat};
use brigade_shared::sys::privileges::Identity;
use brigade_shared::sys::process::OpenFiles;
use brigade_shared::sys::signal::Signals;
use brigade_shared::sys::{exec, fd, fork, process, title};
use brigade_shared::tickets::TicketKeys;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, geteuid, setpgid};

use crate::access;
use crate::launch::{Launch, Program};
use crate::listen::Offer;
use crate::notify::NotifySocket;
use crate::output::Output;
use crate::roster::{Member, Probe, Proof, Standing, Tie};
use crate::settings;

/// The first pause between two looks at a program that starts.
const FIRST_PROBE: Duration = Duration::from_millis(5);

/// What the service manager says to the supervisor and to nobody else: a worker that believed it
/// would speak for the supervisor, or take descriptors that it does not have.
pub(crate) const MANAGERS: [&str; 9] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDNAMES",
    "FDSTORE",
    "MAINPID",
];

/// What all workers have in common.
#[derive(Debug)]
pub(crate) struct Nursery {
    /// What they become.
    pub(crate) launch: Launch,
    /// Whom they run as; none: as the supervisor.
    pub(crate) identity: Option<Identity>,
    /// The usable processors, for those that are to be bound to one each.
    pub(crate) cpus: Vec<usize>,
    /// The scoreboard's rows.
    pub(crate) ledger: Ledger,
    /// The null device, for standard input.
    pub(crate) null: File,
    /// The limit of open files as it was found, for programs.
    pub(crate) open_files: OpenFiles,
}

/// Who is to be born.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth {
    /// The worker's number.
    pub(crate) worker: WorkerId,
    /// Its slot.
    pub(crate) slot: SlotId,
    /// Its generation.
    pub(crate) generation: Generation,
    /// Whether it takes no connections before it is told to begin.
    pub(crate) holds: bool,
}

/// What a child needs of the supervisor in the moment of its birth.
pub(crate) struct Surroundings<'a> {
    /// What it listens on.
    pub(crate) sockets: Vec<Offer<'a>>,
    /// The configuration of its generation.
    pub(crate) config: &'a Config,
    /// With what it resumes TLS sessions, if it speaks TLS.
    pub(crate) tickets: Option<&'a TicketKeys>,
    /// The supervisor's handlers, for the child to take off.
    pub(crate) signals: &'a Signals,
}

/// The two streams of a child that the supervisor reads.
struct Streams {
    out: PipeWriter,
    err: PipeWriter,
}

impl Nursery {
    /// Makes a worker.
    ///
    /// # Errors
    /// The kernel's: out of processes, memory or descriptors. Nothing is left behind then.
    pub(crate) fn spawn(&mut self, birth: Birth, around: &Surroundings<'_>) -> io::Result<Member> {
        let row = self
            .ledger
            .claim(birth.slot, birth.generation, birth.worker)
            .ok_or_else(|| io::Error::other("every row of the scoreboard is taken"))?;
        let born = Instant::now();
        let made = self.fork(birth, around, row);
        let (pid, out, err, tie) = made.inspect_err(|_| self.ledger.release(row))?;
        let Birth {
            slot, generation, ..
        } = birth;
        Ok(Member {
            worker: birth.worker,
            pid,
            slot,
            generation,
            places: Some(around.sockets.iter().map(|offer| offer.place).collect()),
            born,
            standing: Standing::Starting,
            handed: 0,
            measured: None,
            failed: None,
            missed: None,
            has_ended: false,
            row,
            out,
            err,
            tie,
        })
    }

    fn fork(
        &self,
        birth: Birth,
        around: &Surroundings<'_>,
        row: brigade_shared::board::RowId,
    ) -> io::Result<(Pid, Output, Output, Tie)> {
        let (out, child_out) = io::pipe()?;
        let (err, child_err) = io::pipe()?;
        fd::set_nonblocking(&out)?;
        fd::set_nonblocking(&err)?;
        let streams = Streams {
            out: child_out,
            err: child_err,
        };
        let parent = Pid::this();
        let (pid, tie) = match &self.launch {
            Launch::Service(service) => {
                let (link, child_link) = Channel::pair()?;
                let pid = fork::fork_child(|| {
                    // While standard output and the rights are still the supervisor's.
                    let log = access::open(&around.config.worker.access_log);
                    let born = self.enter(birth, around, &streams, parent);
                    let seated = born.and_then(|()| self.seat(birth, around, child_link, row, log));
                    match seated {
                        Ok(seat) => service(seat, &around.config.worker),
                        Err(error) => stillborn(&error),
                    }
                })?;
                (pid, Tie::Service { link: Some(link) })
            }
            Launch::Program(program) => {
                let notify = NotifySocket::open(birth.worker, self.user())?;
                let pid = fork::fork_child(|| {
                    let born = self.enter(birth, around, &streams, parent);
                    match born.and_then(|()| become_program(program, birth, around, &notify)) {
                        Ok(never) => match never {},
                        Err(error) => stillborn(&error),
                    }
                })?;
                // A program knows nothing of its row.
                let number = u32::try_from(pid.as_raw()).unwrap_or(0);
                self.ledger.board().row(row).set_pid(number);
                // The child does the same: whoever comes first, `orders::kill_group` finds the group.
                let _ = setpgid(pid, pid);
                (
                    pid,
                    Tie::Program {
                        notify,
                        watchdogs: 0,
                        spoke: Instant::now(),
                        probe: first_probe(around.config.supervisor.ready),
                    },
                )
            }
        };
        Ok((pid, Output::new(out), Output::new(err), tie))
    }

    /// The user that workers run as.
    fn user(&self) -> u32 {
        let own = || geteuid().as_raw();
        self.identity.as_ref().map_or_else(own, Identity::uid)
    }

    /// In the child: sheds what is the supervisor's and becomes who it is to be.
    fn enter(
        &self,
        birth: Birth,
        around: &Surroundings<'_>,
        streams: &Streams,
        parent: Pid,
    ) -> io::Result<()> {
        around.signals.forget();
        exec::forget_variables(&MANAGERS);
        log::begin_child();
        fd::replace(self.null.as_raw_fd(), 0)?;
        fd::replace(streams.out.as_raw_fd(), 1)?;
        fd::replace(streams.err.as_raw_fd(), 2)?;
        title::set(&format!(
            "brigade: worker {} (generation {})",
            birth.slot, birth.generation
        ));
        process::set_name(&format!("brigade-w{}", birth.slot));
        if let Launch::Program(_) = self.launch {
            // Its own group: the terminal's Ctrl-C is for the supervisor, and what the program
            // leaves behind can be ended with it.
            setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
            // Programs that use select(2), or close all descriptors there may be, count on it.
            self.open_files.restore()?;
        }
        let cpu = self
            .cpus
            .get(usize::from(birth.slot.0) % self.cpus.len().max(1));
        if let Some(cpu) = cpu.filter(|_| around.config.supervisor.cpu_affinity) {
            // It serves as well elsewhere, only a little slower.
            if let Err(error) = process::pin(*cpu) {
                let words = format!(
                    "brigade: cannot bind worker {} to CPU {cpu} (cpu-affinity): {error}; it serves on any CPU\n",
                    birth.slot
                );
                let _ = io::Write::write_all(&mut io::stderr(), words.as_bytes());
            }
        }
        if let Some(identity) = &self.identity {
            identity
                .assume()
                .map_err(|error| context("cannot change to the user", &error))?;
        }
        process::follow_parent(parent, Signal::SIGTERM)
    }

    /// In the child: its place, and nothing open that does not belong to it.
    fn seat(
        &self,
        birth: Birth,
        around: &Surroundings<'_>,
        link: Channel<brigade_shared::message::Fact, brigade_shared::message::Order>,
        row: brigade_shared::board::RowId,
        access_log: io::Result<Option<OwnedFd>>,
    ) -> io::Result<Seat> {
        let mut listeners = Vec::with_capacity(around.sockets.len());
        for offer in &around.sockets {
            listeners.push(Listener {
                socket: offer.socket.try_clone_to_owned()?,
                address: offer.address.clone(),
                is_shared: offer.is_shared,
                may_encrypt: !offer.is_insecure,
            });
        }
        let mut keep: Vec<_> = listeners.iter().map(|one| one.socket.as_raw_fd()).collect();
        keep.push(link.as_raw_fd());
        keep.extend(access_log.iter().flatten().map(AsRawFd::as_raw_fd));
        keep.extend(log::descriptor());
        log::set_level(settings::level(around.config.log.level));
        fd::close_all_but(&mut keep)?;
        let Birth {
            slot,
            generation,
            holds,
            ..
        } = birth;
        Ok(Seat {
            slot,
            generation,
            listeners,
            holds,
            tickets: around.tickets.cloned(),
            link,
            board: Arc::clone(self.ledger.board()),
            row,
            access_log,
        })
    }
}

/// When to look first whether a program is ready.
fn first_probe(ready: Readiness) -> Option<Probe> {
    let (pause, proof) = match ready {
        Readiness::Auto => (FIRST_PROBE, Proof::Waits),
        Readiness::Alive(time) => (time, Proof::Lives),
        Readiness::Notify => return None,
    };
    let at = Instant::now() + pause;
    Some(Probe { at, pause, proof })
}

/// In the child: hands over the sockets and runs the program.
fn become_program(
    program: &Program,
    birth: Birth,
    around: &Surroundings<'_>,
    notify: &NotifySocket,
) -> io::Result<std::convert::Infallible> {
    let sockets: Vec<_> = around
        .sockets
        .iter()
        .map(|offer| offer.socket.as_raw_fd())
        .collect();
    let environment = environment(birth, around, &notify.name());
    fd::place_from_three(&sockets)?;
    let name = program
        .arguments
        .first()
        .map(|name| name.to_string_lossy().into_owned());
    exec::become_program(&program.arguments, &environment)
        .map_err(|error| context(&format!("cannot run {}", name.unwrap_or_default()), &error))
}

/// The supervisor's environment with the protocol's variables (sd_listen_fds(3), sd_notify(3))
/// meant for this child and nobody else.
fn environment(birth: Birth, around: &Surroundings<'_>, notify: &str) -> Vec<CString> {
    const OURS: [&str; 3] = ["BRIGADE_SLOT", "BRIGADE_GENERATION", "BRIGADE_WORKER"];
    let names: Vec<String> = around
        .sockets
        .iter()
        .map(|offer| descriptor_name(offer.address))
        .collect();
    let set = [
        ("LISTEN_FDS", around.sockets.len().to_string()),
        ("LISTEN_PID", std::process::id().to_string()),
        ("LISTEN_FDNAMES", names.join(":")),
        ("NOTIFY_SOCKET", notify.to_owned()),
        ("BRIGADE_SLOT", birth.slot.to_string()),
        ("BRIGADE_GENERATION", birth.generation.to_string()),
        ("BRIGADE_WORKER", birth.worker.to_string()),
    ];
    let watchdog = around.config.supervisor.timeout_worker.map(|limit| {
        let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        [
            ("WATCHDOG_USEC", limit.to_string()),
            ("WATCHDOG_PID", std::process::id().to_string()),
        ]
    });
    let inherited = std::env::vars_os().filter(|(name, _)| !OURS.iter().any(|ours| name == *ours));
    let set = set
        .into_iter()
        .chain(watchdog.into_iter().flatten())
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let line = |(name, value): (OsString, OsString)| {
        let mut bytes = name.into_vec();
        bytes.push(b'=');
        bytes.extend(value.into_vec());
        CString::new(bytes).ok()
    };
    inherited.chain(set).filter_map(line).collect()
}

/// A name for `LISTEN_FDNAMES`, in which a colon separates.
fn descriptor_name(address: &Address) -> String {
    let text = match address {
        Address::Tcp(address) => address.to_string(),
        other => other.to_string(),
    };
    text.replace(':', "-")
}

/// In the child: says why it can't be a worker, where the supervisor reads it, and leaves.
fn stillborn(error: &io::Error) -> i32 {
    if error.kind() == io::ErrorKind::NotFound && error.get_ref().is_none() {
        // The supervisor died in the moment of this birth: nobody is there to be told.
        return code::RETIRED;
    }
    let _ = io::Write::write_all(&mut io::stderr(), format!("brigade: {error}\n").as_bytes());
    code::SYSTEM
}

fn context(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
