//! The service manager's store (systemd's `FileDescriptorStoreMax=`): it keeps descriptors for the
//! next supervisor, however this one ends. Given to it are every listening socket that was bound
//! here, and the scoreboard. What it has is compared with what it should have whenever that may
//! have changed.
//!
//! What is left out is first forgotten, and then what is new is stored: the manager drops a
//! descriptor that it has already, under whatever name.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use nix::sys::stat::fstat;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::manager::Line;

/// How many descriptors the store takes, says the manager (systemd from version 254 on).
const VARIABLE: &str = "FDSTORE";

/// What the manager keeps.
#[derive(Debug)]
pub(crate) struct Store {
    held: Held,
    /// No more than so many; none: nobody has said.
    most: Option<usize>,
    /// What it has, or will have as soon as it listens: by name, and by number of inode.
    names: BTreeMap<String, u64>,
    /// How many there should have been when that was too many last.
    told: usize,
    /// This supervisor has ended listening.
    is_left: bool,
}

/// Whether the manager keeps anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Held {
    /// There is no manager, or it has no store.
    No,
    /// There may be a store: managers before systemd 254 do not say.
    Perhaps,
    /// There is.
    Surely,
}

/// What another program has to know of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct StoreState {
    held: Held,
    names: BTreeMap<String, u64>,
}

/// What has come from the store: a name, and the number of the inode.
pub(crate) type Stored = (String, u64);

impl Store {
    /// At the start; `names` is what has come from the store.
    pub(crate) fn find(line: &Line, names: &[Stored]) -> Self {
        let said = std::env::var(VARIABLE).ok();
        Self::told(line.is_open(), said.as_deref(), names)
    }

    fn told(has_manager: bool, said: Option<&str>, names: &[Stored]) -> Self {
        let most = said.and_then(|said| said.parse::<usize>().ok());
        let held = match (has_manager, most) {
            (false, _) | (true, Some(0)) => Held::No,
            (true, Some(_)) => Held::Surely,
            // What has come was kept.
            (true, None) if !names.is_empty() => Held::Surely,
            (true, None) => Held::Perhaps,
        };
        Self {
            held,
            most,
            names: by_name(names),
            told: 0,
            is_left: false,
        }
    }

    /// Says once if a restart may refuse somebody.
    pub(crate) fn announce(&self) {
        match self.held {
            Held::Perhaps => info!(
                event = "store.unknown",
                "the service manager does not say whether it keeps sockets: if FileDescriptorStoreMax= of the unit is 0, a restart refuses connections for a moment"
            ),
            Held::No | Held::Surely => {}
        }
    }

    /// What it is, for another program. What the manager has not heard yet is lost with this one:
    /// then everything is stored again, which changes nothing where it was.
    pub(crate) fn pack(&self, line: &Line) -> StoreState {
        let all_heard = line.deadline().is_none();
        let names = all_heard.then(|| self.names.clone());
        StoreState {
            held: self.held,
            names: names.unwrap_or_default(),
        }
    }

    /// Goes on where another program was; without its words (it knew no store) as at a start.
    pub(crate) fn resume(state: Option<StoreState>, line: &Line) -> Self {
        let mut store = Self::find(line, &[]);
        if let Some(StoreState { held, names }) = state {
            store.held = held;
            store.names = names;
        }
        store
    }

    /// Whether it is certain that this is kept.
    pub(crate) fn surely_has(&self, name: &str) -> bool {
        self.held == Held::Surely && self.names.contains_key(name)
    }

    /// Whether it is certain that there is something.
    pub(crate) fn is_sure(&self) -> bool {
        self.held == Held::Surely && !self.names.is_empty()
    }

    /// What it has stays as it is, for the next supervisor.
    pub(crate) fn leave(&mut self) {
        self.is_left = true;
    }

    /// Lets the manager keep these, the most important first, and nothing else of ours.
    pub(crate) fn keep(&mut self, wanted: &[(String, BorrowedFd<'_>)], line: &mut Line) {
        if self.held == Held::No || self.is_left {
            return;
        }
        let room = self.most.unwrap_or(usize::MAX);
        self.tell_room(wanted.len());
        let kept = &wanted[..wanted.len().min(room)];
        let kept: BTreeMap<&str, (u64, BorrowedFd<'_>)> = kept
            .iter()
            .map(|(name, descriptor)| (name.as_str(), (inode(*descriptor), *descriptor)))
            .collect();
        self.names.retain(|name, inode| {
            let stays = kept.get(name.as_str()).is_some_and(|(own, _)| own == inode);
            if !stays {
                line.forget(name);
            }
            stays
        });
        for (name, _) in wanted {
            let Some((inode, descriptor)) = kept.get(name.as_str()) else {
                break;
            };
            if self.names.contains_key(name) {
                continue;
            }
            if let Err(error) = line.store(name, descriptor) {
                warn!(
                    event = "store.failed",
                    error = %error,
                    "the service manager can't be given a socket to keep: {error}; it is tried again when the next one comes or goes"
                );
                // Not the next one either: of each address there must be the first ones.
                return;
            }
            self.names.insert(name.clone(), *inode);
        }
    }

    fn tell_room(&mut self, wanted: usize) {
        let Some(most) = self.most else { return };
        if wanted > most && wanted > self.told {
            self.told = wanted;
            warn!(
                event = "store.full",
                most,
                wanted,
                "the service manager keeps {most} descriptors and this service has {wanted}: a restart loses connections that wait in the others; set FileDescriptorStoreMax={wanted} in the unit"
            );
        }
    }
}

/// One name may have come more than once, by mistake: then it stands for none.
fn by_name(names: &[Stored]) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for (name, inode) in names {
        let inode = if found.contains_key(name) { 0 } else { *inode };
        found.insert(name.clone(), inode);
    }
    found
}

/// What tells a descriptor from another that has had the same name before.
pub(crate) fn inode(descriptor: BorrowedFd<'_>) -> u64 {
    fstat(descriptor).map_or(0, |found| found.st_ino)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsFd;

    use super::{Held, Line, Store, inode};

    fn held(has_manager: bool, said: Option<&str>, came: bool) -> Held {
        let names = [("brigade-kept-1-board".to_owned(), 7)];
        Store::told(has_manager, said, if came { &names } else { &[] }).held
    }

    #[test]
    fn a_store_is_believed_in_if_the_manager_says_so_or_something_came_from_it() {
        assert_eq!(held(false, Some("16"), true), Held::No);
        assert_eq!(held(true, Some("0"), true), Held::No);
        assert_eq!(held(true, Some("16"), false), Held::Surely);
        assert_eq!(held(true, None, true), Held::Surely);
        assert_eq!(held(true, None, false), Held::Perhaps);
        assert_eq!(held(true, Some("many"), false), Held::Perhaps);
    }

    #[test]
    fn what_is_not_wanted_any_more_leaves_and_another_socket_of_a_name_takes_its_place() {
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [first, second, other] = listeners.each_ref().map(AsFd::as_fd);
        let name = |name: &str| name.to_owned();
        let came = [(name("a"), inode(first)), (name("z"), 1)];
        let mut store = Store::told(true, Some("2"), &came);
        let mut line = Line::default();
        store.keep(&[(name("a"), first), (name("b"), second)], &mut line);
        let has = |store: &Store, name: &str| store.names.get(name).copied();
        assert_eq!(has(&store, "a"), Some(inode(first)));
        assert_eq!(has(&store, "b"), Some(inode(second)));
        assert_eq!(has(&store, "z"), None);
        let wanted = [(name("a"), other), (name("c"), first), (name("b"), second)];
        store.keep(&wanted, &mut line);
        assert_eq!(has(&store, "a"), Some(inode(other)));
        assert_eq!(has(&store, "c"), Some(inode(first)));
        assert_eq!(has(&store, "b"), None, "there is no room for it");
        store.leave();
        store.keep(&[], &mut line);
        assert!(store.surely_has("a") && store.is_sure(), "as it was");
    }

    #[test]
    fn a_name_that_came_twice_is_stored_anew() {
        let names = [("a".to_owned(), 5), ("a".to_owned(), 5)];
        assert_eq!(super::by_name(&names).get("a"), Some(&0));
    }
}
