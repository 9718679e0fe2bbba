//! Which requests are written, and the batch that their lines gather in.

use std::cell::RefCell;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::time::Duration;

use brigade_config::AccessLog;
use brigade_shared::board::{Counter, Row};
use http::{Request, response};
use tokio::sync::Notify;

use super::ink::Ink;
use super::plan::Plan;
use super::sheet::{Blank, Scene, Sheet};
use super::stamp::Stamps;
use super::unread::{FirstLine, Unread};
use super::writer::Writer;
use crate::forwarded;
use crate::peer::Peer;
use crate::station::Station;

/// A batch of so many bytes is handed over at once: with one more line it is 64 KiB, some 700 of
/// the usual lines. On a machine whose processors are all busy each costs a change of threads.
const FULL: usize = 60 << 10;
/// Beyond this a line is lost: the writer has not come for long.
const MOST_HELD: usize = 256 << 10;
/// So many sheets are kept for requests that come.
const MOST_SHEETS: usize = 128;
/// A loss is told at most so often.
const QUIET: Duration = Duration::from_secs(10);

/// A worker's access log; nothing at all if there is none.
#[derive(Default, Debug)]
pub(crate) struct Access(Option<Box<On>>);

#[derive(Debug)]
struct On {
    plan: Plan,
    sample: Option<u32>,
    slower_ns: Option<u64>,
    desk: RefCell<Desk>,
    /// There is something to do for `tend`.
    begun: Notify,
}

#[derive(Debug)]
struct Desk {
    stamps: Stamps,
    batch: Ink,
    lines: u64,
    sheets: Vec<Blank>,
    random: u64,
    writer: Option<Writer>,
    /// To be written into when the writer takes it.
    next: Option<File>,
    /// Lines that are lost and not told yet.
    untold: u64,
    reason: String,
    told_ns: Option<u64>,
}

impl Access {
    /// As the configuration says, into this file, for the worker of this slot.
    pub(crate) fn new(
        config: &AccessLog,
        file: Option<File>,
        slot: u16,
        pid: u32,
    ) -> io::Result<Self> {
        if config.to.is_none() {
            return Ok(Self(None));
        }
        let desk = Desk {
            stamps: Stamps::new(),
            batch: Ink::default(),
            lines: 0,
            sheets: Vec::new(),
            random: RandomState::new().hash_one(pid) | 1,
            writer: Some(Writer::start(file)?),
            next: None,
            untold: 0,
            reason: String::new(),
            told_ns: None,
        };
        let slower = config.slower_than;
        Ok(Self(Some(Box::new(On {
            plan: Plan::of(&config.format, slot, pid),
            sample: config.sample,
            slower_ns: slower.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
            desk: RefCell::new(desk),
            begun: Notify::new(),
        }))))
    }

    /// A request begins that may be written.
    #[inline]
    pub(crate) fn begin<B>(
        &self,
        station: &Station,
        request: &Request<B>,
        peer: &Peer,
        started_ns: u64,
    ) -> Option<Box<Sheet>> {
        let on = self.0.as_deref()?;
        on.begin(station, request, peer, started_ns)
    }

    /// Its answer has this head.
    pub(crate) fn answered(
        &self,
        sheet: &mut Sheet,
        head: &response::Parts,
        length: Option<u64>,
        station: &Station,
    ) {
        if let Some(on) = &self.0 {
            let now = if on.plan.needs_ttfb {
                station.meter.clock.read()
            } else {
                0
            };
            sheet.answered(&on.plan, head.status.as_u16(), &head.headers, length, now);
        }
    }

    /// Something came that was refused before it was a request.
    #[cold]
    pub(crate) fn refused(&self, station: &Station, peer: &Peer, unread: &Unread<'_>) {
        if let Some(on) = &self.0 {
            on.refused(station, peer, unread);
        }
    }

    /// It has ended, and is written if it is one of those.
    pub(crate) fn end(&self, sheet: Box<Sheet>, row: Row<'_>, now_ns: u64) {
        if let Some(on) = &self.0 {
            on.end(sheet, row, now_ns);
        }
    }

    /// Goes on in another file: the old one was moved away.
    pub(crate) fn turn(&self, file: File) {
        if let Some(on) = &self.0 {
            let mut desk = on.desk.borrow_mut();
            // What came before the order belongs into the old file.
            desk.hand_over();
            desk.next = Some(file);
            desk.turn();
            on.begun.notify_one();
        }
    }

    /// Ends when there is something to do.
    pub(crate) async fn begun(&self) {
        match &self.0 {
            Some(on) => on.begun.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Hands over what there is and tells what is lost; whether something is left to look after.
    pub(crate) fn tend(&self, station: &Station) -> bool {
        let Some(on) = &self.0 else { return false };
        let now = station.meter.clock.read();
        on.desk.borrow_mut().tend(station, now)
    }

    /// Before the worker leaves: what is written then is in the file, if it takes it in time.
    pub(crate) fn finish(&self, station: &Station, patience: Duration) {
        let Some(on) = &self.0 else { return };
        let mut desk = on.desk.borrow_mut();
        let Some(mut writer) = desk.writer.take() else {
            return;
        };
        if let Some(file) = desk.next.take() {
            let _ = writer.turn(file);
        }
        let (earlier, why) = writer.take_lost();
        desk.lose(station.meter.row, earlier, &why);
        let batch = std::mem::take(&mut desk.batch);
        let lines = std::mem::take(&mut desk.lines);
        let (lost, why) = writer.finish(batch, lines, patience);
        desk.lose(station.meter.row, lost, &why);
        desk.tell(station);
    }
}

impl On {
    fn begin<B>(
        &self,
        station: &Station,
        request: &Request<B>,
        peer: &Peer,
        started_ns: u64,
    ) -> Option<Box<Sheet>> {
        let mut desk = self.desk.borrow_mut();
        let is_picked = self.picks(&mut desk)?;
        let scene = Scene {
            is_believed: self.plan.needs_queue
                && forwarded::is_believed(&station.config.proxy, peer),
            started_ns,
            now_ns: if self.plan.needs_queue {
                station.meter.clock.read()
            } else {
                0
            },
            ..Scene::of(request, peer)
        };
        Some(self.write_down(&mut desk, &scene, is_picked))
    }

    /// Whether the next request is written however quick the answer is; none: not even if it is
    /// slow.
    fn picks(&self, desk: &mut Desk) -> Option<bool> {
        let is_picked = match (self.sample, self.slower_ns) {
            (None, slower) => slower.is_none(),
            (Some(of), _) => desk.chance(of),
        };
        (is_picked || self.slower_ns.is_some()).then_some(is_picked)
    }

    fn write_down(&self, desk: &mut Desk, scene: &Scene<'_>, is_picked: bool) -> Box<Sheet> {
        let mut sheet = desk.sheets.pop().map(|blank| blank.0).unwrap_or_default();
        desk.stamps.look(scene.started_ns);
        sheet.is_picked = is_picked;
        sheet.begin(&self.plan, scene, &mut desk.stamps);
        sheet
    }

    fn refused(&self, station: &Station, peer: &Peer, unread: &Unread<'_>) {
        let mut desk = self.desk.borrow_mut();
        let Some(is_picked) = self.picks(&mut desk) else {
            return;
        };
        // In place of what nobody could read.
        let nothing = Request::new(());
        let scene = Scene {
            started_ns: unread.began_ns,
            unread: Some(FirstLine::of(unread.head)),
            ..Scene::of(&nothing, peer)
        };
        let mut sheet = self.write_down(&mut desk, &scene, is_picked);
        drop(desk);
        sheet.refused(unread.status, unread.answer);
        self.end(sheet, station.meter.row, unread.began_ns + unread.took_ns);
    }

    fn end(&self, sheet: Box<Sheet>, row: Row<'_>, now_ns: u64) {
        let mut desk = self.desk.borrow_mut();
        let desk = &mut *desk;
        let took = now_ns.saturating_sub(sheet.started_ns);
        if sheet.is_picked || self.slower_ns.is_some_and(|limit| took > limit) {
            if desk.batch.len() >= FULL {
                desk.hand_over();
            }
            if desk.batch.len() < MOST_HELD {
                if desk.lines == 0 {
                    self.begun.notify_one();
                }
                sheet.end(&self.plan, &mut desk.batch, now_ns);
                desk.lines += 1;
            } else {
                desk.lose(row, 1, &io::ErrorKind::WouldBlock.into());
            }
        }
        if desk.sheets.len() < MOST_SHEETS && sheet.is_small() {
            desk.sheets.push(Blank(sheet));
        }
    }
}

impl Desk {
    /// One of so many, by chance (xorshift).
    fn chance(&mut self, of: u32) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        // The upper half, scaled: as good as a remainder, without the division.
        ((self.random >> 32) * u64::from(of)) >> 32 == 0
    }

    fn hand_over(&mut self) {
        let Some(writer) = &mut self.writer else {
            return;
        };
        if self.lines > 0 && writer.hand_over(&mut self.batch, self.lines) {
            self.lines = 0;
        }
    }

    /// Turns to the next file, if there is one and everything before it is handed over.
    fn turn(&mut self) {
        if self.lines == 0
            && let (Some(writer), Some(file)) = (&mut self.writer, self.next.take())
        {
            self.next = writer.turn(file);
        }
    }

    fn tend(&mut self, station: &Station, now_ns: u64) -> bool {
        self.hand_over();
        self.turn();
        let Some(writer) = &mut self.writer else {
            return false;
        };
        let is_done = writer.is_done();
        let (lost, why) = writer.take_lost();
        self.lose(station.meter.row, lost, &why);
        let quiet = u64::try_from(QUIET.as_nanos()).unwrap_or(u64::MAX);
        if self
            .told_ns
            .is_none_or(|told| now_ns.saturating_sub(told) >= quiet)
            && self.untold > 0
        {
            self.told_ns = Some(now_ns);
            self.tell(station);
        }
        !is_done || self.lines > 0 || self.next.is_some() || self.untold > 0
    }

    fn lose(&mut self, row: Row<'_>, lines: u64, why: &io::Error) {
        if lines > 0 {
            row.count(Counter::AccessLogLost, lines);
            self.untold += lines;
            self.reason = match why.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                    "it takes nothing".to_owned()
                }
                io::ErrorKind::NotFound => "there is no file".to_owned(),
                _ => why.to_string(),
            };
        }
    }

    fn tell(&mut self, station: &Station) {
        let (slot, pid, lines) = (station.slot, station.pid, std::mem::take(&mut self.untold));
        if lines > 0 {
            let reason = &*self.reason;
            tracing::warn!(
                event = "access_log.lost",
                slot,
                pid,
                lines,
                reason,
                "worker {slot} could not write {lines} lines of the access log ({reason}); requests are served all the same"
            );
        }
    }
}
