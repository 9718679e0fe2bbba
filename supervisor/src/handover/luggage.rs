//! Descriptors that go along into another program. They keep their numbers: the document names a
//! descriptor by it ([`Carried`]), and whoever reads the document becomes its owner, once.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use brigade_shared::sys::fd;
use serde::{Deserialize, Serialize};

/// A descriptor in the document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Carried(RawFd);

impl Carried {
    /// A copy of it, close-on-exec.
    pub(super) fn copy(self) -> io::Result<OwnedFd> {
        fd::duplicate(self.0)
    }
}

/// Everything that goes along. Filled while the document is written.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Packing {
    numbers: BTreeSet<RawFd>,
}

impl Packing {
    /// Takes a descriptor along. It stays whose it is, in case nobody goes anywhere.
    pub(crate) fn pack(&mut self, descriptor: impl AsFd) -> Carried {
        let number = descriptor.as_fd().as_raw_fd();
        self.numbers.insert(number);
        Carried(number)
    }

    /// All of them, for the document.
    pub(crate) fn numbers(&self) -> Vec<RawFd> {
        self.numbers.iter().copied().collect()
    }
}

/// Lets all of these survive an exec.
pub(crate) fn make_inheritable(numbers: &[RawFd]) -> io::Result<()> {
    numbers
        .iter()
        .try_for_each(|number| fd::set_inheritable(*number, true))
}

/// After an exec that failed, or that has come to pass: none survives another. A number that is not
/// open has nothing to survive.
pub(crate) fn make_private(numbers: &[RawFd]) {
    for number in numbers {
        let _ = fd::set_inheritable(*number, false);
    }
}

/// What came along, each to be taken once.
#[derive(Debug)]
pub(crate) struct Unpacking {
    left: BTreeSet<RawFd>,
    copies: bool,
}

impl Unpacking {
    /// Of the numbers that the document announces.
    pub(crate) fn new(numbers: &[RawFd]) -> Self {
        Self {
            left: numbers.iter().copied().collect(),
            copies: false,
        }
    }

    /// To try whether everything fits: copies are given out, and what came stays as it is.
    pub(crate) fn rehearsing(numbers: &[RawFd]) -> Self {
        Self {
            copies: true,
            ..Self::new(numbers)
        }
    }

    /// Becomes the owner of a descriptor, which is close-on-exec from now on.
    ///
    /// # Errors
    /// If it was not announced, was taken already, or did not come.
    pub(crate) fn unpack(&mut self, Carried(number): Carried) -> Result<OwnedFd, String> {
        if !self.left.remove(&number) {
            return Err(format!(
                "descriptor {number} is not among those that were announced, or is named twice"
            ));
        }
        if !fd::is_inherited(number) {
            return Err(format!("descriptor {number} did not come along"));
        }
        let owned = match self.copies {
            true => fd::duplicate(number),
            false => fd::adopt(number),
        };
        owned.map_err(|error| format!("descriptor {number}: {error}"))
    }

    /// Closes what nobody has taken: it must not go on to workers, or to the next program.
    pub(crate) fn close_rest(self) {
        if !self.copies {
            for number in self.left {
                drop(fd::adopt(number));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Packing, Unpacking, make_inheritable, make_private};
    use brigade_shared::sys::fd;
    use std::os::fd::{AsRawFd, IntoRawFd};

    #[test]
    fn a_descriptor_comes_along_once_and_is_private_again() {
        let (reader, _writer) = std::io::pipe().unwrap();
        let mut packing = Packing::default();
        let carried = packing.pack(&reader);
        let numbers = packing.numbers();
        assert_eq!(numbers, [reader.as_raw_fd()]);
        let mut unpacking = Unpacking::new(&numbers);
        let refused = unpacking.unpack(carried).unwrap_err();
        assert!(refused.contains("did not come along"), "{refused}");

        make_inheritable(&numbers).unwrap();
        assert!(fd::is_inherited(numbers[0]));
        // As after an exec: nobody here owns it any more.
        let number = reader.into_raw_fd();
        let copy = Unpacking::rehearsing(&numbers).unpack(carried).unwrap();
        assert_ne!(copy.as_raw_fd(), number);
        assert!(fd::is_inherited(number), "as it was");
        let mut unpacking = Unpacking::new(&numbers);
        let owned = unpacking.unpack(carried).unwrap();
        assert_eq!(owned.as_raw_fd(), number);
        assert!(!fd::is_inherited(number), "close-on-exec again");
        assert!(unpacking.unpack(carried).is_err(), "once");
        unpacking.close_rest();
        drop(owned);
        make_private(&numbers);
    }

    #[test]
    fn what_was_not_announced_is_not_taken() {
        let (reader, _writer) = std::io::pipe().unwrap();
        let carried = Packing::default().pack(&reader);
        assert!(Unpacking::new(&[]).unpack(carried).is_err());
    }
}
