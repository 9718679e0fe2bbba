//! What an event obliges the fleet to, written down before the fleet hears it.

use std::time::Duration;

use brigade_shared::exit::{Exit, worker};
use brigade_shared::id::{SlotId, WorkerId};
use brigade_supervisor::plan::{Change, Event, Haste, Moment, Request, Scaling};

use super::ledger::{Broken, Course, Due, Ledger, Promise, Rule, SCARCE, Told, hold};
use super::load::bounds;

impl Ledger {
    pub(crate) fn hear(&mut self, event: &Event, now: Moment) -> Result<(), Broken> {
        if self.finished.is_some() {
            return Ok(());
        }
        match event {
            Event::Tick | Event::Spawned(_) => {}
            Event::Ready(id) => self.hear_ready(*id, now),
            Event::Exited(id, exit) => self.hear_end(*id, Some(*exit), now)?,
            Event::SpawnFailed(id) => self.hear_end(*id, None, now)?,
            Event::Asked(request) => self.hear_request(*request, now),
            Event::ConfigLoaded(settings) => {
                if self.course == Course::Loading {
                    self.course = Course::Loaded(settings.as_ref().clone());
                }
            }
            Event::Looked(look) => {
                self.note_use(look);
                self.note_load(look, now);
                self.hear_looked(look, now);
            }
            Event::Stirred => self.stirred(now),
            Event::Leaving(id) => {
                let record = self.workers.get_mut(id).filter(|record| record.is_up());
                if let Some(record) = record {
                    record.asked.get_or_insert(now);
                }
            }
            Event::SentinelAnswered(agrees) => self.hear_sentinel(*agrees),
            Event::ExecFailed => self.hear_exec_failed(),
            Event::CertificatesLoaded => {
                if self.course == Course::Loading {
                    self.course = Course::Idle;
                    self.owe(Due::Say(Change::CertificatesRenewed(self.committed)));
                }
            }
            Event::ConfigRefused => {
                if self.course == Course::Loading {
                    self.course = Course::Idle;
                    self.owe(Due::Say(Change::ReloadRefused));
                }
            }
        }
        if self.stop.is_none() && !is_stop(event) {
            self.note_late_answers(now);
        }
        Ok(())
    }

    fn hear_ready(&mut self, id: WorkerId, now: Moment) {
        let Some(record) = self.workers.get_mut(&id) else {
            return;
        };
        if record.alive && record.ready.is_none() && record.told == Told::Nothing {
            record.ready = Some(now);
            let after = now - record.born;
            self.ever_ready = true;
            self.owe(Due::Say(Change::WorkerReady { worker: id, after }));
        }
    }

    /// A process ended (`exit`) or never was. It must be told as what it was.
    fn hear_end(&mut self, id: WorkerId, exit: Option<Exit>, now: Moment) -> Result<(), Broken> {
        let Some(record) = self.workers.get_mut(&id).filter(|record| record.alive) else {
            return Ok(());
        };
        record.alive = false;
        let record = record.clone();
        match exit {
            None => self.owe(Due::NotMade(record.slot, id)),
            Some(exit) if record.because.is_some() => {
                self.owe(Due::Say(Change::WorkerLeft { worker: id, exit }));
            }
            Some(exit) => self.owe(Due::Crashed(id, exit)),
        }
        if record.because.is_some() {
            return Ok(());
        }
        if self
            .staged()
            .is_some_and(|(generation, _)| generation == record.generation)
        {
            self.owe(Due::RolledBack(id));
            return Ok(());
        }
        if record.renews {
            return Ok(());
        }
        let failed = self.failed.contains(&record.generation);
        hold(
            record.generation == self.committed || failed || !self.is_wanted(record.slot),
            Rule::Leaving,
            || format!("worker {id} of a past generation was never told to leave"),
        )?;
        let served = record.ready.map(|since| now - since);
        if self.is_wanted(record.slot) && failed {
            if let Some(book) = self.book(record.slot) {
                book.promise = Promise::at(now);
            }
        } else if self.is_wanted(record.slot) {
            self.count_death(record.slot, exit, served, now);
        }
        if self.is_wanted(record.slot) && self.staged().is_none() && self.promote(record.slot) {
            self.promoted = Some(record.slot);
            if let Some(book) = self.book(record.slot) {
                book.promise = Promise::at(now);
            }
        }
        // One that a reload has passed by says nothing of those that serve now.
        let parked = exit == Some(Exit::Code(worker::DO_NOT_RESPAWN)) && self.promoted.is_none();
        if record.generation == self.committed && (!parked || !self.is_wanted(record.slot)) {
            self.crashes.push(now);
        }
        Ok(())
    }

    /// The policy, retold: how soon the slot's next worker may start at the earliest.
    fn count_death(
        &mut self,
        slot: SlotId,
        exit: Option<Exit>,
        served: Option<Duration>,
        now: Moment,
    ) {
        let policy = self.settings.clone();
        let Some(book) = self.book(slot) else { return };
        if served.is_some_and(|served| served >= policy.calm_after) {
            (book.deaths, book.before_ready) = (0, 0);
        }
        book.deaths += 1;
        book.before_ready += u32::from(served.is_none());
        let doubled = |first: Duration, times: u32| {
            (0..times).fold(first, |pause, _| (pause * 2).min(policy.backoff_most))
        };
        let pause = match exit {
            Some(Exit::Code(worker::DO_NOT_RESPAWN)) => {
                book.promise = Promise::Never;
                return;
            }
            Some(Exit::Code(worker::SHORT_OF_RESOURCES)) => doubled(SCARCE, book.deaths - 1),
            Some(_) if book.deaths == 1 => Duration::ZERO,
            Some(_) | None => doubled(policy.backoff_first, book.deaths.max(2) - 2),
        };
        let pause = pause.min(policy.backoff_most);
        let longest = (pause + pause / 4).min(policy.backoff_most);
        book.promise = Promise::Within {
            from: now + pause,
            by: now + longest,
        };
    }

    fn hear_request(&mut self, request: Request, now: Moment) {
        if let Some(stop) = self.stop {
            match (request, stop.how) {
                (Request::Stop | Request::StopNow, Haste::Drain) => {
                    self.owe(stopping(Haste::Cut));
                }
                (Request::Stop | Request::StopNow, Haste::Cut) => {
                    self.owe(stopping(Haste::Kill));
                }
                (Request::Stop | Request::StopNow, Haste::Kill) => {}
                (Request::Reload | Request::ScaleBy(_), _) => {}
                (Request::ScaleTo(_) | Request::Upgrade, _) => {}
            }
            return;
        }
        match request {
            Request::Stop => self.owe(stopping(Haste::Drain)),
            Request::StopNow => self.owe(stopping(Haste::Cut)),
            Request::Reload if self.course == Course::Idle => self.owe(Due::Load),
            Request::Reload if self.queued => {}
            Request::Reload => {
                self.queued = true;
                self.owe(Due::Say(Change::ReloadQueued));
            }
            Request::ScaleTo(to) if self.staged().is_some() => self.processors = Some(to),
            Request::ScaleTo(to) => {
                self.owe_processors(to);
            }
            Request::Upgrade => self.hear_upgrade(now),
            Request::ScaleBy(0) => {}
            Request::ScaleBy(by) => self.hear_scale(by),
        }
    }

    fn hear_scale(&mut self, by: i32) {
        let staged = self.staged().map(|(_, settings)| settings);
        let (least, most) = bounds(staged.unwrap_or(&self.settings));
        let (least, most) = (i64::from(least), i64::from(most));
        let base = staged.map_or(i64::from(self.wanted), |staged| i64::from(staged.workers));
        let is_staged = staged.is_some();
        let asked = (base + self.postponed).clamp(least, most) + i64::from(by);
        if !(least..=most).contains(&asked) {
            self.owe(Due::Say(Change::ScaleRefused { asked: by }));
        } else if is_staged {
            self.postponed += i64::from(by);
        } else {
            let to = u16::try_from(asked).expect("checked");
            self.owe(Due::Say(Change::Scaled {
                from: self.wanted,
                to,
                because: Scaling::Asked,
            }));
        }
    }
}

fn stopping(how: Haste) -> Due {
    Due::Say(Change::Stopping { how })
}

fn is_stop(event: &Event) -> bool {
    matches!(event, Event::Asked(Request::Stop | Request::StopNow))
}
