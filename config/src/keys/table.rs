//! The whole table, heading by heading. Adding a key means adding a row to one of these, its field
//! in `types.rs`, and running the tests with `UPDATE=1`.

use super::key::Key;
use super::{
    access, deadlines, http, limits, listening, log, offload, proxy, proxy_protocol, replacing,
    restarts, tls, workers,
};

static ALL: [&[Key]; 13] = [
    listening::KEYS,
    workers::KEYS,
    deadlines::KEYS,
    replacing::KEYS,
    restarts::KEYS,
    tls::KEYS,
    limits::KEYS,
    http::KEYS,
    proxy::KEYS,
    proxy_protocol::KEYS,
    access::KEYS,
    offload::KEYS,
    log::KEYS,
];

/// Every key, in the order of help, file and `brigade check`.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    ALL.iter().copied().flatten()
}

/// The key of this name.
pub(crate) fn key(name: &str) -> Option<&'static Key> {
    keys().find(|key| key.name == name)
}
