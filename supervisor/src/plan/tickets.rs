//! When the keys change with which TLS sessions are resumed. One deadline among the plan's others:
//! an idle fleet wakes for it, and for nothing beside it.

use super::fleet::Fleet;
use super::vocabulary::{Action, Moment};

impl Fleet {
    /// Orders new keys if it is time. The first last as long as any others.
    pub(super) fn rotate_tickets(&mut self, now: Moment, out: &mut Vec<Action>) {
        let Some(every) = self.settings.ticket_rotation else {
            self.tickets = None;
            return;
        };
        match self.tickets {
            Some(at) if at <= now => {
                out.push(Action::RotateTickets);
                self.tickets = Some(now + every);
            }
            // A reload may have made it shorter.
            Some(at) => self.tickets = Some(at.min(now + every)),
            None => self.tickets = Some(now + every),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Action, Event, Fleet};
    use crate::launch::Launch;
    use crate::settings;

    const HOUR: Duration = Duration::from_secs(3600);

    fn rotations(fleet: &mut Fleet, now: Duration) -> usize {
        let mut actions = Vec::new();
        fleet.handle(Event::Tick, now, &mut actions);
        let rotations = actions
            .iter()
            .filter(|action| **action == Action::RotateTickets);
        rotations.count()
    }

    fn begun(every: Option<Duration>) -> Fleet {
        let config = brigade_config::Config::default();
        let launch = Launch::Service(Box::new(|_, _| 0));
        let mut settings = settings::of(&config, &launch);
        settings.ticket_rotation = every;
        let mut fleet = Fleet::new(settings, 1);
        fleet.start(Duration::ZERO, &mut Vec::new());
        fleet
    }

    #[test]
    fn keys_change_at_their_time_and_not_between() {
        let mut fleet = begun(Some(12 * HOUR));
        assert_eq!(rotations(&mut fleet, 11 * HOUR), 0);
        assert_eq!(rotations(&mut fleet, 12 * HOUR), 1);
        assert_eq!(rotations(&mut fleet, 23 * HOUR), 0);
        assert_eq!(rotations(&mut fleet, 30 * HOUR), 1, "late, and once");
        assert_eq!(rotations(&mut fleet, 41 * HOUR), 0);
        assert_eq!(fleet.tickets, Some(42 * HOUR));
        fleet.settings.ticket_rotation = Some(HOUR / 2);
        assert_eq!(rotations(&mut fleet, 41 * HOUR), 0);
        assert_eq!(fleet.tickets, Some(41 * HOUR + HOUR / 2));
    }

    #[test]
    fn without_tls_nobody_wakes_for_it() {
        let mut fleet = begun(None);
        assert_eq!(rotations(&mut fleet, 100 * HOUR), 0);
        assert_eq!(fleet.tickets, None);
    }
}
