//! What the service manager has not been told yet, in the order in which it has to hear it. Bounded
//! also if nobody listens for days: whatever a later word makes idle is forgotten.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use sd_notify::NotifyState;
use serde::{Deserialize, Serialize};

use crate::handover::{Carried, Packing, Unpacking};

/// Room for so many stored sockets, those that are to be forgotten included.
const MOST: usize = 8192;
/// systemd refuses datagrams from 4096 bytes on.
const LONGEST: usize = 2048;

/// One datagram.
#[derive(Debug)]
pub(super) struct Message {
    about: About,
    words: String,
    descriptor: Option<OwnedFd>,
}

/// What a message is about: which later ones make it idle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum About {
    /// `READY=1`
    Ready,
    /// `RELOADING=1`
    Reloading,
    /// Only `STATUS=`
    Status,
    /// Only `EXTEND_TIMEOUT_USEC=`
    Extension,
    /// Only `WATCHDOG=1`
    Watchdog,
    /// `FDSTORE=1`, and the name.
    Store(String),
    /// `FDSTOREREMOVE=1`, and the name.
    Forget(String),
    /// What must be heard in any case.
    Other,
}

/// One message, for another program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct MessageState {
    about: About,
    words: String,
    descriptor: Option<Carried>,
}

/// The messages that wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    messages: VecDeque<Message>,
}

impl Message {
    /// The words of these states.
    pub(super) fn of(states: &[NotifyState<'_>]) -> Self {
        let mut about = None;
        let mut words = String::new();
        for state in states {
            let this = match state {
                NotifyState::Ready => About::Ready,
                NotifyState::Reloading => About::Reloading,
                NotifyState::Status(_) => About::Status,
                NotifyState::ExtendTimeoutUsec(_) => About::Extension,
                NotifyState::Watchdog => About::Watchdog,
                _ => About::Other,
            };
            about = Some(heavier(about, this));
            words.push_str(&one_line(state));
            words.push('\n');
        }
        Self {
            about: about.unwrap_or(About::Other),
            words,
            descriptor: None,
        }
    }

    /// A descriptor for the store. The manager is not to watch it: a listening socket on which
    /// nobody waits any more would be thrown out.
    pub(super) fn store(name: &str, descriptor: OwnedFd) -> Self {
        Self {
            about: About::Store(name.to_owned()),
            words: format!("FDSTORE=1\nFDNAME={name}\nFDPOLL=0\n"),
            descriptor: Some(descriptor),
        }
    }

    /// All of this name leave the store.
    pub(super) fn forget(name: &str) -> Self {
        Self {
            about: About::Forget(name.to_owned()),
            words: format!("FDSTOREREMOVE=1\nFDNAME={name}\n"),
            descriptor: None,
        }
    }

    pub(super) fn words(&self) -> &str {
        &self.words
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.descriptor.as_ref().map(AsFd::as_fd)
    }
}

impl Queue {
    /// Appends a message, and drops those that it makes idle. False if there is no room.
    pub(super) fn push(&mut self, message: Message) -> bool {
        match &message.about {
            About::Ready => {
                if self.last_phase() == Some(&About::Ready) {
                    self.drop_last_phase();
                }
            }
            About::Reloading => {
                if self.last_phase() == Some(&About::Reloading) {
                    self.drop_last_phase();
                } else if self.ends_with_reload() {
                    // One that began and ended unheard. What came before it is still to be heard.
                    self.drop_last_phase();
                    self.drop_last_phase();
                }
            }
            About::Watchdog if self.has(&About::Watchdog) => return true,
            about @ (About::Status | About::Extension) => {
                self.messages.retain(|one| one.about != *about);
            }
            About::Store(name) => {
                self.messages
                    .retain(|one| one.about != About::Store(name.clone()));
            }
            About::Forget(name) => {
                let (stored, forgotten) = (About::Store(name.clone()), About::Forget(name.clone()));
                self.messages
                    .retain(|one| one.about != stored && one.about != forgotten);
            }
            About::Watchdog | About::Other => {}
        }
        if self.messages.len() >= MOST && !self.drop_one_forgotten() {
            return false;
        }
        self.messages.push_back(message);
        true
    }

    pub(super) fn pack(&self, packing: &mut Packing) -> Vec<MessageState> {
        let pack = |message: &Message| MessageState {
            about: message.about.clone(),
            words: message.words.clone(),
            descriptor: message.descriptor.as_ref().map(|one| packing.pack(one)),
        };
        self.messages.iter().map(pack).collect()
    }

    pub(super) fn unpack(
        waiting: Vec<MessageState>,
        luggage: &mut Unpacking,
    ) -> Result<Self, String> {
        let mut messages = VecDeque::new();
        for message in waiting {
            let descriptor = message.descriptor.map(|one| luggage.unpack(one));
            messages.push_back(Message {
                about: message.about,
                words: message.words,
                descriptor: descriptor.transpose()?,
            });
        }
        Ok(Self { messages })
    }

    pub(super) fn front(&self) -> Option<&Message> {
        self.messages.front()
    }

    pub(super) fn pop(&mut self) -> Option<Message> {
        self.messages.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    fn has(&self, about: &About) -> bool {
        self.messages.iter().any(|one| one.about == *about)
    }

    /// The places of the messages about readiness, from the last.
    fn phases(&self) -> impl Iterator<Item = usize> {
        let is_phase =
            |place: &usize| matches!(self.messages[*place].about, About::Ready | About::Reloading);
        (0..self.messages.len()).rev().filter(is_phase)
    }

    fn last_phase(&self) -> Option<&About> {
        let place = self.phases().next()?;
        Some(&self.messages[place].about)
    }

    fn ends_with_reload(&self) -> bool {
        let about = |place: usize| &self.messages[place].about;
        let mut phases = self.phases().map(about);
        phases.next() == Some(&About::Ready) && phases.next() == Some(&About::Reloading)
    }

    fn drop_last_phase(&mut self) {
        let place = self.phases().next();
        if let Some(place) = place {
            self.messages.remove(place);
        }
    }

    /// An entry that stays in the store against the supervisor's will is found and removed by the
    /// next one.
    fn drop_one_forgotten(&mut self) -> bool {
        let place = self
            .messages
            .iter()
            .position(|one| matches!(one.about, About::Forget(_)));
        place
            .and_then(|place| self.messages.remove(place))
            .is_some()
    }
}

/// What a message is about if it says both. Readiness weighs most: it must not be lost for the
/// sake of a status that comes with it.
fn heavier(one: Option<About>, other: About) -> About {
    let weight = |about: &About| match about {
        About::Ready | About::Reloading => 2,
        About::Status | About::Extension | About::Watchdog => 0,
        About::Store(_) | About::Forget(_) | About::Other => 1,
    };
    match one {
        // Two that could each be replaced by others: together they can't.
        Some(one) if weight(&one) == 0 && weight(&other) == 0 => About::Other,
        Some(one) if weight(&one) >= weight(&other) => one,
        Some(_) | None => other,
    }
}

/// A line break within would begin another assignment.
fn one_line(state: &NotifyState<'_>) -> String {
    let mut line = state.to_string().replace(['\n', '\r', '\0'], " ");
    let mut places = (0..=LONGEST.min(line.len())).rev();
    let cut = places.find(|place| line.is_char_boundary(*place));
    line.truncate(cut.unwrap_or_default());
    line
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::OwnedFd;

    use sd_notify::NotifyState;
    use sd_notify::NotifyState::{Ready, Reloading, Status, Stopping, Watchdog};

    use super::{MOST, Message, Queue};

    fn said(all: &[&[NotifyState<'_>]]) -> Vec<String> {
        let mut queue = Queue::default();
        for states in all {
            assert!(queue.push(Message::of(states)));
        }
        words(&mut queue)
    }

    fn words(queue: &mut Queue) -> Vec<String> {
        let next = || queue.pop().map(|message| message.words().trim().to_owned());
        std::iter::from_fn(next).collect()
    }

    fn descriptor() -> OwnedFd {
        File::open("/dev/null").unwrap().into()
    }

    #[test]
    fn a_newer_status_replaces_one_that_was_not_heard() {
        let left = said(&[&[Status("1 of 4")], &[Ready], &[Status("2 of 4")]]);
        assert_eq!(left, ["READY=1", "STATUS=2 of 4"]);
    }

    #[test]
    fn a_sign_of_life_is_not_given_twice() {
        assert_eq!(said(&[&[Watchdog], &[Watchdog]]), ["WATCHDOG=1"]);
    }

    #[test]
    fn reloads_that_began_and_ended_unheard_are_not_told_and_the_order_stays() {
        let (begin, end): (&[_], &[_]) = (&[Reloading, Status("x")], &[Ready]);
        let left = said(&[&[Ready], begin, end, begin, begin, end, begin]);
        assert_eq!(left, ["READY=1", "RELOADING=1\nSTATUS=x"]);
        let left = said(&[begin, end, end, &[Stopping]]);
        assert_eq!(left, ["RELOADING=1\nSTATUS=x", "READY=1", "STOPPING=1"]);
        let left = said(&[end, begin, begin]);
        assert_eq!(left, ["READY=1", "RELOADING=1\nSTATUS=x"]);
    }

    #[test]
    fn what_is_forgotten_before_it_was_stored_never_comes_to_the_store() {
        let mut queue = Queue::default();
        assert!(queue.push(Message::store("a", descriptor())));
        assert!(queue.push(Message::store("b", descriptor())));
        assert!(queue.push(Message::store("a", descriptor())));
        assert!(queue.push(Message::forget("b")));
        let left = words(&mut queue);
        assert_eq!(
            left,
            ["FDSTORE=1\nFDNAME=a\nFDPOLL=0", "FDSTOREREMOVE=1\nFDNAME=b"]
        );
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let mut queue = Queue::default();
        for number in 0..MOST + 3 {
            assert!(queue.push(Message::forget(&number.to_string())));
        }
        assert_eq!(words(&mut queue).len(), MOST);
    }

    #[test]
    fn a_line_break_in_a_status_begins_no_other_assignment_and_no_status_is_too_long() {
        let left = said(&[&[Status("worker exited\nMAINPID=1")]]);
        assert_eq!(left, ["STATUS=worker exited MAINPID=1"]);
        let long = "ü".repeat(5000);
        assert!(said(&[&[Status(&long)]])[0].len() <= 2048);
    }
}
