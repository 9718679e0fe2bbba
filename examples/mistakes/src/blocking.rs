//! A client that knows nothing of async: a database driver, a file, a lookup of a name.

use std::thread;
use std::time::Duration;

use axum::response::Response;
use brigade::offload;

/// Asks a database that answers after 300 ms, and keeps its thread until then.
#[inline(never)]
fn ask_the_database() -> &'static str {
    thread::sleep(Duration::from_millis(300));
    "forty-two\n"
}

/// The event loop stands still: nobody on this worker is served meanwhile.
pub(crate) async fn wrong() -> &'static str {
    ask_the_database()
}

/// A thread waits instead. If too many wait already, `?` answers with 503.
pub(crate) async fn right() -> Result<&'static str, Response> {
    Ok(offload::blocking(ask_the_database).await?)
}
