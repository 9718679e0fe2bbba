//! The names under which the service manager keeps descriptors for the next supervisor (FDNAME in
//! sd_notify(3)): without colons, and each for one descriptor only, since the manager forgets all
//! of a name.
//!
//! ```text
//! brigade-kept-1-board                          the scoreboard
//! brigade-kept-1-listen.3.0.af63bd4c8601b7df    place 3, slot 0, and a mark
//!              ^ the format: another version may name other things, or differently
//! ```
//!
//! The mark says what the socket itself does not: for which words of the configuration a port was
//! chosen, or which file a Unix socket has.

use std::fmt;

use super::stage::PlaceId;

const OURS: &str = "brigade-kept-";
const FORMAT: &str = "1";
const BOARD: &str = "board";
const LISTEN: &str = "listen";

/// What a name says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum KeptName {
    /// A listening socket.
    Socket(SocketName),
    /// The scoreboard's memory.
    Board,
}

/// The name of a listening socket. It does not change as long as the socket lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct SocketName {
    /// The place whose socket it is.
    pub(super) place: PlaceId,
    /// Its index in the place's reuseport group; 0 if it is the only one.
    pub(super) slot: u16,
    /// The place's mark.
    pub(super) mark: u64,
}

/// How a name that is understood is spelled.
#[cfg(feature = "fuzzing")]
pub(crate) fn spelled_for_fuzzing(name: &str) -> Option<String> {
    KeptName::read(name).map(|name| name.to_string())
}

/// Whether a descriptor of this name was stored by a supervisor, of whatever version.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with(OURS)
}

impl KeptName {
    /// Understands a name; none if it is not ours, or another version's.
    pub(super) fn read(name: &str) -> Option<Self> {
        let (format, what) = name.strip_prefix(OURS)?.split_once('-')?;
        if format != FORMAT {
            return None;
        }
        let mut words = what.split('.');
        let kind = words.next()?;
        let found = match kind {
            BOARD => Self::Board,
            LISTEN => Self::Socket(SocketName {
                place: words.next()?.parse().ok()?,
                slot: words.next()?.parse().ok()?,
                mark: u64::from_str_radix(words.next()?, 16).ok()?,
            }),
            _ => return None,
        };
        // Spelled in the one way in which we spell it, or it could not be forgotten by it.
        (found.to_string() == name).then_some(found)
    }
}

impl fmt::Display for KeptName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OURS}{FORMAT}-")?;
        match self {
            Self::Board => write!(f, "{BOARD}"),
            Self::Socket(SocketName { place, slot, mark }) => {
                write!(f, "{LISTEN}.{place}.{slot}.{mark:016x}")
            }
        }
    }
}

/// A mark of these bytes (FNV-1a): the same in every version, unlike the standard library's hashes.
pub(super) fn mark(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::{KeptName, SocketName, is_ours, mark};

    #[test]
    fn a_name_is_understood_as_it_was_meant_and_systemd_takes_it() {
        let socket = KeptName::Socket(SocketName {
            place: u64::MAX,
            slot: 1023,
            mark: mark(b"localhost:0"),
        });
        for name in [socket, KeptName::Board] {
            let text = name.to_string();
            assert!(is_ours(&text));
            assert_eq!(KeptName::read(&text), Some(name), "{text}");
            assert!(text.len() < 255 && !text.contains(':') && text.is_ascii());
        }
    }

    #[test]
    fn what_another_version_stored_is_ours_and_not_understood() {
        for name in [
            "brigade-kept-2-listen.1.0.0000000000000000",
            "brigade-kept-1-listen.1.0",
            "brigade-kept-1-listen.1.0.0000000000000000.7",
            "brigade-kept-1-listen.01.0.0000000000000000",
            "brigade-kept-1-cellar",
            "brigade-kept-",
        ] {
            assert!(is_ours(name));
            assert_eq!(KeptName::read(name), None, "{name}");
        }
        assert!(!is_ours("web") && !is_ours("brigade-1-web"));
    }

    #[test]
    fn a_mark_is_the_same_in_every_version() {
        assert_eq!(mark(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
