//! A worker's life: runtime, app, listeners, ready; then what it is told.

use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use brigade_config::{HttpVersions, WorkerConfig};
use brigade_shared::board::{Board, RowState};
use brigade_shared::channel::Channel;
use brigade_shared::exit::worker;
use brigade_shared::message::{Fact, Order};
use brigade_shared::seat::{Listener, Seat};
use brigade_shared::sys::signal::unblock_all;
use socket2::SockRef;
use tokio::runtime::{Builder, LocalRuntime};
use tokio::task::JoinHandle;

use crate::accept;
use crate::access;
use crate::app::{App, Context, Factory};
use crate::drain::{cut, drain};
use crate::exchange::{Exchange, give_back, take};
use crate::failure::StartError;
use crate::meter::Meter;
use crate::offload::Pools;
use crate::orders::{Instruction, Orders};
use crate::panic;
use crate::station::Station;
use crate::sweep::sweep;
use crate::tls::{Addresses, Tls};

/// At the end, threads of the app (`spawn_blocking`) are waited for at most this long: without a
/// limit, one that sleeps would hold up the whole stop.
const PARTING: Duration = Duration::from_millis(100);
/// At the end, a file or pipe that takes no more lines of the access log is waited for so long.
const LAST_LINES: Duration = Duration::from_millis(500);
/// The most threads that the app's `spawn_blocking` gets. tokio's own default is 512, in each
/// worker.
const BLOCKING_THREADS: usize = 64;
/// A loop that always has something to do looks for orders and new connections after so many polls
/// of tasks. tokio's own number is 61: with handlers that take a millisecond, an order would wait
/// for most of the time after which a loop counts as blocked.
const LOOK_EVERY: u32 = 32;
/// The memory of facts that the supervisor has not heard, in bytes; the kernel counts some 400 for one.
const MOST_UNHEARD: usize = 16 << 10;
/// What the supervisor hears of a failure is cut to so much; the log has all of it.
const REASON_CHARS: usize = 1000;

/// Runs a worker in this process until it is told to leave, and returns the exit code to leave
/// with. Called with all signals blocked, in a process of one thread that never had a tokio
/// runtime; it unblocks them once it can hear them.
pub fn run<F: Factory>(seat: Seat, config: &WorkerConfig, factory: &F) -> i32 {
    let Seat {
        slot,
        generation,
        listeners,
        holds,
        tickets,
        link,
        board,
        row,
        access_log,
    } = seat;
    let tcp = Addresses::of(&listeners);
    let gate = Gate {
        listeners,
        is_open: !holds,
    };
    // The mapping lives as long as the process, so that everything can point into it.
    let board: &'static Arc<Board> = Box::leak(Box::new(board));
    let meter = Meter::leak(board.row(row));
    meter.row.set_pid(std::process::id());
    panic::listen();
    // If the supervisor does not turn, connections stay here after a few dozen passed on in vain.
    let _ = SockRef::from(&link).set_send_buffer_size(MOST_UNHEARD);
    let link = Arc::new(link);
    let exchange = Exchange::new(board, Arc::clone(&link));
    let tls = Tls::new(&config.tls, tickets, alpn(config), tcp, (meter, slot.0));
    let (tls, refused) = match tls {
        Ok(tls) => (tls, None),
        Err(why) => (Tls::default(), Some(StartError::permanent(why))),
    };
    let mut station = Station::new(meter, slot.0, config.clone(), exchange, row, tls);
    station.open_access_log(access_log);
    let station = Rc::new(station);
    let pools = Pools::install(meter.row, slot.0, &config.offload);
    let context = Context::new(slot, generation);
    let outcome = match (refused, runtime(meter, board, &link)) {
        (Some(refused), _) => Err(refused),
        (None, Ok(runtime)) => {
            let hooks = context.hooks();
            let life = async {
                let outcome = live(&station, context, gate, &link, factory).await;
                hooks.run(config.timeout_hooks, station.slot).await;
                outcome
            };
            // The runtime tells only of its second turn and later ones.
            meter.row.unpark(meter.clock.read());
            let outcome = runtime.block_on(life);
            runtime.shutdown_timeout(PARTING);
            pools.stop(PARTING);
            outcome
        }
        (None, Err(error)) => Err(StartError::system("no event loop", &error)),
    };
    // Whatever was cut has ended with the runtime, and has its line.
    station.access.finish(&station, LAST_LINES);
    match outcome {
        Ok(()) => worker::RETIRED,
        Err(error) => report(&station, &link, &error),
    }
}

/// What clients can ask for over TLS, by preference.
fn alpn(config: &WorkerConfig) -> &'static [&'static str] {
    match config.http.versions {
        HttpVersions::Both => &["h2", "http/1.1"],
        HttpVersions::Http1 => &["http/1.1"],
        HttpVersions::Http2 => &["h2"],
    }
}

/// One thread; its loop tells the scoreboard when it waits and when it works.
fn runtime(
    meter: &'static Meter,
    board: &'static Board,
    link: &Arc<Channel<Fact, Order>>,
) -> io::Result<LocalRuntime> {
    let link = Arc::clone(link);
    Builder::new_current_thread()
        .enable_all()
        .event_interval(LOOK_EVERY)
        .max_blocking_threads(BLOCKING_THREADS)
        .on_thread_park(|| meter.row.park(meter.clock.read()))
        .on_thread_unpark(move || {
            meter.row.unpark(meter.clock.read());
            if board.stir() {
                // If nobody hears it, nobody has to be woken.
                let _ = link.send(&Fact::Stirred);
            }
        })
        .build_local(Default::default())
}

async fn live<F: Factory>(
    station: &Rc<Station>,
    context: Context,
    mut gate: Gate,
    link: &Channel<Fact, Order>,
    factory: &F,
) -> Result<(), StartError> {
    let system = |what| move |error: io::Error| StartError::system(what, &error);
    let row = station.meter.row;
    let mut orders = Orders::listen(link, row).map_err(system("can't listen for orders"))?;
    unblock_all().map_err(system("can't unblock signals"))?;
    let mut early = Vec::new();
    let built = build(
        station,
        factory,
        context,
        &mut orders,
        &mut gate,
        &mut early,
    );
    let app = match built.await {
        Ok(Some(app)) => app,
        outcome => {
            early.extend(orders.close());
            give_back(link, early);
            return outcome.map(|_| ());
        }
    };
    let mut acceptors = gate.pass(&app, station)?;
    tokio::task::spawn_local(sweep(Rc::clone(station)));
    tokio::task::spawn_local(access::tend(Rc::clone(station)));
    early
        .into_iter()
        .for_each(|connection| take(connection, &app, station));
    // If nobody hears it, the link's end is the next thing that `orders` tells.
    let _ = link.send(&Fact::Ready);
    loop {
        match orders.next().await {
            Instruction::Drain(within) => {
                drain(station, &app, acceptors, &mut orders, within).await;
                return Ok(());
            }
            Instruction::Cut => {
                cut(station);
                return Ok(());
            }
            Instruction::Begin => {
                gate.is_open = true;
                acceptors.extend(gate.pass(&app, station)?);
            }
            Instruction::ReopenLogs(file) => station.reopen(file),
            Instruction::Serve(connection) => take(connection, &app, station),
            Instruction::TicketKeys(keys) => station.tls.use_tickets(keys),
            Instruction::Certificates(files) => station.tls.use_files(files),
        }
    }
}

/// The listening sockets, which wait for the order to begin if the worker has to hold still.
struct Gate {
    listeners: Vec<Listener>,
    is_open: bool,
}

impl Gate {
    /// Accepts from now on, if it may; otherwise nothing is started.
    fn pass<A: App>(
        &mut self,
        app: &A,
        station: &Rc<Station>,
    ) -> Result<Vec<JoinHandle<()>>, StartError> {
        if !self.is_open {
            return Ok(Vec::new());
        }
        // Only who serves counts when others ask for their share.
        station.meter.row.set_state(RowState::Ready);
        self.listeners
            .drain(..)
            .map(|listener| accept::start(listener, app.clone(), Rc::clone(station)))
            .collect::<Result<_, _>>()
            .map_err(|error| StartError::system("can't watch a listening socket", &error))
    }
}

/// Builds the app. Nothing if the worker is told to leave before that is done. Connections that
/// come too early are kept.
async fn build<F: Factory>(
    station: &Station,
    factory: &F,
    context: Context,
    orders: &mut Orders<'_>,
    gate: &mut Gate,
    early: &mut Vec<OwnedFd>,
) -> Result<Option<F::App>, StartError> {
    let mut building = pin!(panic::catch(|| factory(context))?);
    let built = poll_fn(|task| match panic::catch(|| building.as_mut().poll(task)) {
        Ok(poll) => poll.map(|outcome| outcome.map_err(Into::into)),
        Err(words) => Poll::Ready(Err(format!("panicked: {words}").into())),
    });
    let mut built = pin!(built);
    loop {
        tokio::select! {
            biased;
            outcome = &mut built => return outcome.map(Some),
            instruction = orders.next() => match instruction {
                Instruction::Drain(_) | Instruction::Cut => return Ok(None),
                Instruction::Begin => gate.is_open = true,
                Instruction::ReopenLogs(file) => station.reopen(file),
                Instruction::Serve(connection) => early.push(connection),
                Instruction::TicketKeys(keys) => station.tls.use_tickets(keys),
                Instruction::Certificates(files) => station.tls.use_files(files),
            }
        }
    }
}

/// Says why the worker could not start, to the log and to the supervisor.
fn report(station: &Station, link: &Channel<Fact, Order>, error: &StartError) -> i32 {
    let (slot, pid) = (station.slot, station.pid);
    let reason = error.to_string();
    tracing::error!(
        event = "app.failed",
        slot,
        pid,
        reason,
        "worker {slot} could not start: {reason}"
    );
    let reason = reason.chars().take(REASON_CHARS).collect();
    let _ = link.send(&Fact::Failed { reason });
    error.code()
}
