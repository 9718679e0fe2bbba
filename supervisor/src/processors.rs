//! How many processors there are, for fleets that have as many workers.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use brigade_config::{SupervisorConfig, WorkerCount};
use brigade_shared::sys::quota_watch::QuotaWatch;

use crate::plan::{Event, Request};
use crate::settings;

/// What the plan was told of them last, and how a change is noticed.
#[derive(Debug, Default)]
pub(crate) struct Processors {
    told: Option<u16>,
    /// The count that the staged generation was read with: the plan goes by it from the commit on.
    staged: Option<u16>,
    watch: Option<QuotaWatch>,
}

impl Processors {
    /// Goes on where another program was. What has changed meanwhile shows at the next
    /// [`Self::recount`].
    pub(crate) fn resume(told: Option<u16>) -> Self {
        Self {
            told,
            ..Self::default()
        }
    }

    /// What the plan was told last, for another program.
    pub(crate) fn told(&self) -> Option<u16> {
        self.told
    }

    /// The plan gets a configuration with so many workers. Quotas are watched from the first one
    /// on that says `auto`; without a watch (there may be nothing to watch) a reload counts anew.
    pub(crate) fn tell(&mut self, config: &SupervisorConfig, workers: u16) {
        if config.workers == WorkerCount::Auto {
            self.told = Some(workers);
            self.watch_for(config);
        }
    }

    /// The plan gets a configuration with so many workers for a generation to come.
    pub(crate) fn stage(&mut self, config: &SupervisorConfig, workers: u16) {
        self.staged = (config.workers == WorkerCount::Auto).then_some(workers);
        self.watch_for(config);
    }

    /// That generation has taken over. What was told meanwhile was about the one before.
    pub(crate) fn commit(&mut self) {
        self.told = self.staged.take().or(self.told);
    }

    /// Watches quotas from now on, if this configuration says `auto`.
    pub(crate) fn watch_for(&mut self, config: &SupervisorConfig) {
        if config.workers == WorkerCount::Auto && self.watch.is_none() {
            self.watch = QuotaWatch::begin(Path::new("/")).ok();
        }
    }

    /// Readable when quotas may have changed.
    pub(crate) fn changes(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(QuotaWatch::as_fd)
    }

    /// Counts again; what the plan has to hear if the number of workers follows from it.
    pub(crate) fn recount(&mut self, config: Option<&SupervisorConfig>) -> Option<Event> {
        if let Some(watch) = &self.watch {
            // What was written, the count tells.
            let _ = watch.take();
        }
        let config = config.filter(|config| config.workers == WorkerCount::Auto)?;
        self.compare(settings::workers(config).0)
    }

    fn compare(&mut self, now: u16) -> Option<Event> {
        let before = self.told.replace(now);
        (before != Some(now)).then_some(Event::Asked(Request::ScaleTo(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::Processors;
    use crate::plan::{Event, Request};

    #[test]
    fn the_plan_hears_of_another_count_once() {
        let mut processors = Processors {
            told: Some(2),
            ..Processors::default()
        };
        assert_eq!(processors.compare(2), None, "written, and the same");
        let three = Event::Asked(Request::ScaleTo(3));
        assert_eq!(processors.compare(3), Some(three));
        assert_eq!(processors.compare(3), None);
    }

    #[test]
    fn a_change_during_a_reload_is_told_to_the_new_generation_again() {
        let mut processors = Processors {
            told: Some(4),
            staged: Some(4),
            ..Processors::default()
        };
        let two = Some(Event::Asked(Request::ScaleTo(2)));
        assert_eq!(processors.compare(2), two, "the one that serves follows");
        processors.commit();
        assert_eq!(processors.compare(2), two, "the new one was read with four");
        assert_eq!(processors.compare(2), None);
    }
}
