//! Ids of requests: taken from a trusted peer, or made here.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use brigade_config::Proxy;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The header in which an id travels.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer one is nobody's id.
const LONGEST: usize = 128;

thread_local! {
    /// What this worker's ids begin with, and how many it has made. Seeded in the worker's own
    /// process: seeded before the fork, all workers would make the same ids.
    static SERIES: Cell<(u64, u64)> = Cell::new((RandomState::new().hash_one(std::process::id()), 0));
}

/// Gives a request its id, if requests shall have one: that of a believed peer, or a new one.
pub(crate) fn identify(
    proxy: &Proxy,
    is_believed: bool,
    headers: &mut HeaderMap,
) -> Option<HeaderValue> {
    if !proxy.request_id {
        return None;
    }
    let given = headers.get(REQUEST_ID).filter(|_| is_believed);
    if let Some(id) = given.filter(|id| is_id(id.as_bytes())) {
        return Some(id.clone());
    }
    let id = HeaderValue::from_maybe_shared(bytes::Bytes::from(make())).ok()?;
    headers.insert(REQUEST_ID, id.clone());
    Some(id)
}

/// Whether it can stand in a log, a URL or a file's name.
pub(crate) fn is_id(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:+/=@".contains(byte);
    !id.is_empty() && id.len() <= LONGEST && id.iter().all(is_plain)
}

/// 32 hexadecimal digits: the worker's random number and this one's, mixed so that neighbours
/// look different. Unique, and no secret.
fn make() -> Vec<u8> {
    let (seed, count) = SERIES.get();
    SERIES.set((seed, count.wrapping_add(1)));
    // Multiplication by an odd number maps no two counts to one.
    let mixed = count.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed.rotate_left(32);
    let both = (u128::from(seed) << 64) | u128::from(mixed);
    let digit = |place: u32| b"0123456789abcdef"[(both >> (124 - 4 * place)) as usize & 15];
    (0..32).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::{REQUEST_ID, identify, is_id};
    use brigade_config::Proxy;
    use http::{HeaderMap, HeaderValue};
    use std::collections::BTreeSet;

    #[test]
    fn a_trusted_peers_id_is_kept_and_any_other_replaced() {
        let proxy = Proxy {
            request_id: true,
            ..Proxy::default()
        };
        let with = |id: &'static [u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(id).unwrap());
            headers
        };
        let mut good = with(b"Root=1-67a:x/y+z_0@a");
        assert_eq!(
            identify(&proxy, true, &mut good).unwrap(),
            "Root=1-67a:x/y+z_0@a"
        );
        for (believed, mut headers) in [
            (false, with(b"mine")),
            (true, with(b"a b")),
            (true, with(b"\xff")),
            (true, HeaderMap::new()),
        ] {
            let id = identify(&proxy, believed, &mut headers).unwrap();
            assert_eq!(id.len(), 32);
            assert_eq!(
                headers.get_all(REQUEST_ID).iter().collect::<Vec<_>>(),
                [&id]
            );
        }
        assert_eq!(identify(&Proxy::default(), true, &mut good), None);
        assert!(!is_id(&[b'a'; 129]) && is_id(&[b'a'; 128]) && !is_id(b""));
    }

    #[test]
    fn no_id_is_made_twice() {
        let ids: BTreeSet<_> = (0..10_000).map(|_| super::make()).collect();
        assert_eq!(ids.len(), 10_000);
        let other = std::thread::spawn(super::make).join().unwrap();
        assert!(!ids.contains(&other));
    }
}
