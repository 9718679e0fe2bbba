//! From the running supervisor to the document, and the orders that need one.

use std::os::fd::OwnedFd;
use std::time::Instant;

use brigade_shared::log;
use brigade_shared::sys::clock::ns_of;
use brigade_shared::sys::exec;
use serde_json::Value;

use super::document::{Document, State};
use super::luggage::Packing;
use super::upgrade::Leap;
use super::{adrift, members};
use crate::act::Hands;
use crate::plan::{Event, Fleet};

/// Carries out what needs the whole state, at the end of a turn. Whatever comes of it is an event
/// of the next; an exec that succeeds does not return.
pub(crate) fn take(leap: Leap, fleet: &Fleet, hands: &mut Hands, began: Instant) {
    // Fewer lines to take along.
    log::flush();
    hands.passing.flush();
    if leap != Leap::Ask {
        hands.gather();
    }
    // Held until the exec: the document names it.
    let own = match leap {
        Leap::Ask | Leap::New => exec::keep_own().map(Some),
        Leap::Old => Ok(None),
    };
    let own = own.map_err(|error| format!("this program's own file: {error}"));
    let written = own.and_then(|own| Ok((write(leap, fleet, hands, began, own.as_ref())?, own)));
    let (document, _own) = match written {
        Ok(written) => written,
        Err(why) => return failed(leap, format!("the state can't be written: {why}"), hands),
    };
    let (upgrade, signals) = (&mut hands.upgrade, &hands.signals);
    let why = match leap {
        Leap::Ask => match upgrade.ask(&document, signals, hands.configs.patience()) {
            Ok(()) => return,
            Err(why) => why,
        },
        Leap::New => upgrade.become_new(&document, signals),
        Leap::Old => upgrade.become_old(&document, signals),
    };
    failed(leap, why, hands);
}

fn failed(leap: Leap, why: String, hands: &mut Hands) {
    hands.reason = why;
    hands.events.push_back(match leap {
        Leap::Ask => Event::SentinelAnswered(false),
        Leap::New | Leap::Old => Event::ExecFailed,
    });
}

fn write(
    leap: Leap,
    fleet: &Fleet,
    hands: &Hands,
    began: Instant,
    own: Option<&OwnedFd>,
) -> Result<Document, String> {
    let mut packing = Packing::default();
    let value = |found: serde_json::Result<Value>| found.map_err(|error| error.to_string());
    let state = State {
        start: hands.upgrade.start.clone(),
        began_ns: ns_of(began),
        now: began.elapsed(),
        fleet: value(serde_json::to_value(fleet))?,
        listeners: value(serde_json::to_value(hands.listeners.pack(&mut packing)))?,
        members: members::pack(&hands.roster, &mut packing),
        relieving: match leap {
            Leap::Ask => adrift::pack_relief(&hands.attention.relieving),
            Leap::New | Leap::Old => adrift::pack(&hands.attention.relieving, &mut packing),
        },
        processors: hands.attention.processors.told(),
        board: packing.pack(hands.nursery.ledger.board().as_ref()),
        configs: hands.configs.records(),
        certificates: hands.configs.certificates(),
        tickets: hands.secrets.tickets().cloned(),
        activated: hands.upgrade.activated,
        admin: hands.admin.as_ref().map(|admin| admin.pack(&mut packing)),
        pid_file: hands.pid_file.as_ref().map(|file| file.path().into()),
        open_files: hands.nursery.open_files,
        log: log::pending(),
        output: hands.passing.pending(),
        last_words: hands.last_words.clone(),
        store: Some(hands.store.pack(&hands.line)),
        line: hands.line.pack(&mut packing),
        voice: hands.voice.pack(),
    };
    let head = match own {
        Some(own) => hands.upgrade.head_for_new(&mut packing, own),
        None => hands.upgrade.head_for_old(&packing),
    };
    Ok(Document::new(head, state))
}
