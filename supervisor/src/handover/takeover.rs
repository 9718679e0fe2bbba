//! From the document to a running supervisor: the new program's, or the old one's again. Everything
//! is tried with copies first, while the way back is open; only then is anything owned.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use brigade_config::Config;
use brigade_shared::board::{Board, Ledger};
use brigade_shared::log;
use brigade_shared::sys::clock::instant_of;
use brigade_shared::sys::cpu::Usable;
use brigade_shared::sys::privileges::Identity;
use brigade_shared::sys::process;
use brigade_shared::sys::signal::{self, Signals};

use super::arrival::{Arrival, Role, go_back};
use super::document::{Letter, State};
use super::luggage::Unpacking;
use super::sentinel::{Answer, say};
use super::upgrade::{Old, Upgrade};
use super::{adrift, members, told};
use crate::act::{Configs, Hands};
use crate::admin::AdminLuggage;
use crate::attend::Attention;
use crate::boot::{Boot, LoadConfig};
use crate::launch::{AdminService, Launch};
use crate::listen::Listeners;
use crate::manager::{Line, Unsent, Voice};
use crate::passing::Passing;
use crate::pid_file::PidFile;
use crate::plan::{Action, Event, Fleet, Moment};
use crate::processors::Processors;
use crate::relief::Relieving;
use crate::roster::Roster;
use crate::secrets::Secrets;
use crate::settings;
use crate::spawn::Nursery;
use crate::store::Store;
use crate::watch::SIGNALS;

/// What was taken over, and what the plan ordered in the same breath.
pub(crate) struct Takeover {
    pub(crate) fleet: Fleet,
    pub(crate) hands: Hands,
    pub(crate) began: Instant,
    pub(crate) actions: Vec<Action>,
}

/// What the document describes, in this program's own types.
struct Belongings {
    fleet: Fleet,
    listeners: Listeners,
    roster: Roster,
    relieving: Relieving,
    board: Board,
    admin: Option<AdminLuggage>,
    configs: Configs,
    old: Option<Old>,
    unsent: Unsent,
}

impl Belongings {
    fn unpack(letter: &Letter, state: &State, luggage: &mut Unpacking) -> Result<Self, String> {
        let understood = |what: &str, error: serde_json::Error| format!("{what}: {error}");
        let listeners = serde_json::from_value(state.listeners.clone())
            .map_err(|error| understood("the listening sockets", error))?;
        let board = luggage.unpack(state.board)?;
        let admin = state.admin.clone();
        let admin = admin.map(|admin| AdminLuggage::unpack(admin, luggage));
        let old = letter.head.old.as_ref().map(|old| -> Result<Old, String> {
            Ok(Old {
                binary: luggage.unpack(old.binary)?,
                version: old.version.clone(),
                reads: old.reads.clone(),
            })
        });
        Ok(Self {
            fleet: serde_json::from_value(state.fleet.clone())
                .map_err(|error| understood("the fleet", error))?,
            listeners: Listeners::unpack(listeners, luggage)?,
            roster: members::unpack(state.members.clone(), luggage)?,
            relieving: adrift::unpack(state.relieving.clone(), luggage)?,
            board: Board::adopt(board).map_err(|error| format!("the scoreboard: {error}"))?,
            admin: admin.transpose()?,
            configs: Configs::recall(state.configs.clone(), &state.certificates),
            old: old.transpose()?,
            unsent: state.line.clone().unpack(luggage)?,
        })
    }
}

/// In the sentinel: whether this program could go on with all this and this configuration. Binds
/// what it does not find and lets go of it again; changes nothing that belongs to the supervisor.
pub(crate) fn rehearse(arrival: Arrival, config: &Config) -> u8 {
    let Role::Sentinel {
        letter,
        state,
        answer,
    } = &arrival.role
    else {
        return 1;
    };
    match try_all(letter, state, config) {
        Ok(()) => {
            let version = arrival.version.to_owned();
            say(answer, &Answer::Yes { version });
            0
        }
        Err(why) => arrival.fail(&why, 1),
    }
}

fn try_all(letter: &Letter, state: &State, config: &Config) -> Result<(), String> {
    let mut copies = Unpacking::rehearsing(&letter.head.descriptors);
    let mut belongings = Belongings::unpack(letter, state, &mut copies)?;
    let supervisor = &config.supervisor;
    Identity::resolve(supervisor.user.as_deref(), supervisor.group.as_deref())?;
    let listeners = &mut belongings.listeners;
    listeners
        .rehearse(supervisor)
        .map_err(|problems| problems.join("\n"))
}

/// In the new program, or in the old one again. On failure the new program becomes the old one
/// again; that it returns means that this failed too.
pub(crate) fn take_over(boot: Boot) -> Result<Takeover, String> {
    let began = Instant::now();
    let Boot {
        arrival,
        config,
        load_config,
        launch,
        admin,
        version,
        ..
    } = boot;
    let (letter, state, is_new) = match arrival.role {
        Role::New { letter, state } => (letter, *state, true),
        Role::Old { letter, state } => (letter, *state, false),
        Role::Started | Role::Sentinel { .. } => return Err("nothing was handed over".to_owned()),
    };
    let own = Own::had(&letter, &state, &config, is_new);
    let mut own = own.inspect_err(|why| go_back(&letter, why))?;
    let supervisor_began = instant_of(state.began_ns);
    // Never before the moment of the document, however inexact the clocks were read.
    let now = supervisor_began.elapsed().max(state.now);
    let mut upgrade = Upgrade::new(arrival.start, version, state.activated);
    if !is_new {
        upgrade.set_other_version(letter.head.version.clone());
    }
    let (pending, output) = (state.log.clone(), state.output.clone());
    if is_new {
        upgrade.may_return_to(own.belongings.old.take());
    }
    let (mut fleet, mut hands) = assemble(state, own, upgrade, load_config, (launch, admin));
    let mut actions = Vec::new();
    if is_new {
        let went = go_on(&mut fleet, &mut hands, config, now, &mut actions);
        // Everything is still held, and survives this exec as it did the last.
        went.inspect_err(|why| go_back(&letter, why))?;
    }
    // Not before this program is sure to go on: whoever goes on writes them, once.
    log::resume(pending);
    hands.passing.resume(output);
    if is_new {
        let took = began.elapsed().as_millis();
        told::resumed(&hands.upgrade, u64::try_from(took).unwrap_or(u64::MAX));
    } else {
        come_back(
            &mut fleet,
            &mut hands,
            letter.head.failed,
            now,
            &mut actions,
        );
    }
    // Who dozed is told by nobody that this program does not know of the doze.
    hands.rouse();
    // Nor is it told of quotas that have changed since the program before looked.
    if let Some(committed) = hands.configs.committed() {
        hands.attention.processors.watch_for(committed);
    }
    hands.recount();
    // What came meanwhile has waited, and is heard now.
    signal::unblock_all().map_err(|error| error.to_string())?;
    Ok(Takeover {
        fleet,
        hands,
        began: supervisor_began,
        actions,
    })
}

/// What a supervisor has of its own, and what came along: had whole, or not at all.
struct Own {
    identity: Option<Identity>,
    null: File,
    signals: Signals,
    belongings: Belongings,
}

impl Own {
    fn had(letter: &Letter, state: &State, config: &Config, is_new: bool) -> Result<Self, String> {
        if is_new {
            try_all(letter, state, config)?;
        }
        let supervisor = &config.supervisor;
        let identity = Identity::resolve(supervisor.user.as_deref(), supervisor.group.as_deref())?;
        let null = File::open("/dev/null").map_err(|error| format!("/dev/null: {error}"))?;
        let signals = Signals::prepare(&SIGNALS).map_err(|error| format!("signals: {error}"))?;
        let mut luggage = Unpacking::new(&letter.head.descriptors);
        let belongings = Belongings::unpack(letter, state, &mut luggage)?;
        luggage.close_rest();
        Ok(Self {
            identity,
            null,
            signals,
            belongings,
        })
    }
}

/// The plan and the acting half as they were when the document was written.
fn assemble(
    state: State,
    own: Own,
    upgrade: Upgrade,
    load_config: LoadConfig,
    (launch, admin): (Launch, AdminService),
) -> (Fleet, Hands) {
    let found = own.belongings;
    if let Some(name) = upgrade.start.path().file_name() {
        // An exec by descriptor names the process after the descriptor's number.
        process::set_name(&name.to_string_lossy());
    }
    let processors = Processors::resume(state.processors);
    let open = found.listeners.queues().filter_map(|queue| queue.slot);
    let attention = Attention::resume(found.relieving, processors, open.collect());
    let line = Line::resume(found.unsent);
    let store = Store::resume(state.store, &line);
    let hands = Hands {
        listeners: found.listeners,
        nursery: Nursery {
            launch,
            identity: own.identity,
            cpus: Usable::now().cpus,
            ledger: Ledger::new(Arc::new(found.board)),
            null: own.null,
            open_files: state.open_files,
        },
        roster: found.roster,
        signals: own.signals,
        configs: found.configs,
        secrets: Secrets::resume(state.tickets),
        load_config,
        passing: Passing::new(),
        attention,
        events: VecDeque::new(),
        verdict: None,
        last_words: state.last_words,
        reason: String::new(),
        pid_file: state.pid_file.map(|path| PidFile::adopt(path.into())),
        upgrade,
        line,
        store,
        voice: Voice::resume(state.voice),
        admin: found.admin.map(|luggage| luggage.resume(admin)),
    };
    if let Some(running) = hands.configs.running() {
        log::set_level(settings::level(running.log.level));
    }
    (found.fleet, hands)
}

/// The new program stages a generation of its own beside the one that serves.
fn go_on(
    fleet: &mut Fleet,
    hands: &mut Hands,
    config: Config,
    now: Moment,
    actions: &mut Vec<Action>,
) -> Result<(), String> {
    let staged = hands.listeners.stage(&config.supervisor);
    staged.map_err(|problems| problems.join("\n"))?;
    let settings = settings::of(&config, &hands.nursery.launch);
    let processors = &mut hands.attention.processors;
    processors.stage(&config.supervisor, settings.workers);
    hands.configs.loaded = Some(config);
    fleet.go_on(settings, now, actions);
    Ok(())
}

/// The old program goes on as if it had never left, or has its new generation fail.
fn come_back(
    fleet: &mut Fleet,
    hands: &mut Hands,
    failed: Option<String>,
    now: Moment,
    actions: &mut Vec<Action>,
) {
    if let Some(why) = failed {
        hands.reason = why;
        hands.events.push_back(Event::ExecFailed);
    } else {
        fleet.come_back(now, actions);
    }
}
