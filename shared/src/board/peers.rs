//! How many connections each peer address has open at all workers together, estimated.
//!
//! Each worker counts in a part of its own, so a crash leaves nothing behind: what counts is only
//! the parts of rows in use. A part has two tables of counters, and an address one counter in each,
//! by a keyed hash that no client can foresee. Others may share a counter, but hardly both: the
//! smaller of the two sums is never too low, and seldom too high.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::table::{MAX_ROWS, RowId};
use crate::sys::memory::SharedMemory;

/// The counters of a table.
const COUNTERS: usize = 8192;
/// Counters in a word: an upgraded connection may end on another thread than the worker's, so they
/// are added to with one instruction each.
const PER_WORD: usize = 2;
const TABLE: usize = COUNTERS / PER_WORD;
/// The words of a row's part.
const PART: usize = 2 * TABLE;

/// The counters of all workers. Made by a supervisor for its children; those that another one has
/// left count for themselves.
pub struct Peers {
    memory: SharedMemory,
    seed: RandomState,
}

/// Where an address is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerKey([u16; 2]);

impl Peers {
    /// Pages cost nothing until they are touched.
    pub(super) fn create() -> io::Result<Self> {
        let bytes = usize::from(MAX_ROWS) * PART * size_of::<u64>();
        Ok(Self {
            memory: SharedMemory::create(c"brigade-peers", bytes)?,
            seed: RandomState::new(),
        })
    }

    /// Where an address is counted. Of IPv6 the first half counts, since whoever has one address
    /// has all of these; an IPv4 address in IPv6 is what it is.
    #[must_use]
    pub fn key(&self, address: IpAddr) -> PeerKey {
        let network = match address.to_canonical() {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits() >> 64 << 64 | 1 << 63,
        };
        let hash = self.seed.hash_one(network);
        PeerKey([hash as u16, (hash >> 32) as u16].map(|part| part % COUNTERS as u16))
    }

    /// Forgets what an earlier worker has counted in this row.
    pub fn clear(&self, row: RowId) {
        for word in self.part(row) {
            if word.load(Relaxed) != 0 {
                word.store(0, Relaxed);
            }
        }
    }

    /// A connection of this peer is open at this row's worker.
    pub fn opened(&self, row: RowId, key: PeerKey) {
        for (word, shift) in self.places(row, key) {
            word.fetch_add(1 << shift, Relaxed);
        }
    }

    /// And is open no more. From any thread.
    pub fn closed(&self, row: RowId, key: PeerKey) {
        for (word, shift) in self.places(row, key) {
            word.fetch_sub(1 << shift, Relaxed);
        }
    }

    /// The peer's connections at the workers of these rows.
    pub fn count(&self, rows: impl Iterator<Item = RowId>, key: PeerKey) -> u64 {
        let sums = rows.fold([0, 0], |sums: [u64; 2], row| {
            let [one, other] = self
                .places(row, key)
                .map(|(word, shift)| u64::from((word.load(Relaxed) >> shift) as u32));
            [sums[0] + one, sums[1] + other]
        });
        sums[0].min(sums[1])
    }

    fn places(&self, row: RowId, PeerKey(counters): PeerKey) -> [(&AtomicU64, u32); 2] {
        let part = self.part(row);
        let place = |table: usize| {
            let counter = usize::from(counters[table]);
            let word = &part[table * TABLE + counter / PER_WORD];
            (
                word,
                if counter.is_multiple_of(PER_WORD) {
                    0
                } else {
                    32
                },
            )
        };
        [place(0), place(1)]
    }

    fn part(&self, row: RowId) -> &[AtomicU64] {
        let start = usize::from(row.0) * PART;
        &self.memory.words()[start..start + PART]
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{PeerKey, Peers};
    use crate::board::RowId;

    const ROWS: [RowId; 3] = [RowId(0), RowId(1), RowId(7)];

    fn key(peers: &Peers, address: &str) -> PeerKey {
        peers.key(address.parse().unwrap())
    }

    fn count(peers: &Peers, key: PeerKey) -> u64 {
        peers.count(ROWS.into_iter(), key)
    }

    #[test]
    fn what_all_workers_hold_of_a_peer_is_added_up() {
        let peers = Peers::create().unwrap();
        let (one, other) = (key(&peers, "192.0.2.1"), key(&peers, "192.0.2.2"));
        for row in ROWS {
            peers.opened(row, one);
            peers.opened(row, one);
        }
        peers.opened(RowId(5), one);
        assert_eq!(
            count(&peers, one),
            6,
            "a row that is not in use is not asked"
        );
        assert_eq!(count(&peers, other), 0);
        peers.closed(RowId(1), one);
        assert_eq!(count(&peers, one), 5);
        peers.clear(RowId(7));
        assert_eq!(count(&peers, one), 3);
    }

    #[test]
    fn a_network_of_ipv6_is_one_peer_and_an_ipv4_address_is_itself() {
        let peers = Peers::create().unwrap();
        let same = |one, other| key(&peers, one) == key(&peers, other);
        assert!(same("2001:db8::1", "2001:db8::ffff:ffff:0:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
    }

    #[test]
    fn ten_thousand_others_do_not_make_a_peer_look_much_larger() {
        let peers = Peers::create().unwrap();
        for n in 0..10_000_u32 {
            let other = peers.key(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into());
            peers.opened(RowId(0), other);
        }
        let mine = key(&peers, "192.0.2.1");
        assert!(count(&peers, mine) < 12, "{}", count(&peers, mine));
    }
}
