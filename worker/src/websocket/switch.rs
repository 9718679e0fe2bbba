//! What a connection speaks, and how those who drain it reach it once hyper has let go of it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16};
use std::task::Waker;

use http::header::{HeaderMap, UPGRADE};

/// What a connection speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spoken {
    /// HTTP/1.
    Http,
    /// Something that the app knows.
    Other,
    /// WebSocket.
    WebSocket,
}

/// Why a WebSocket is closed in the app's stead: the codes of RFC 6455, 7.4.1 and IANA.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum Reason {
    /// A message is too big.
    TooBig = 1009,
    /// The service restarts: come again.
    Restart = 1012,
}

/// Of one connection. Atomic, and with a lock around the waker, because an upgraded connection may
/// live on another thread.
#[derive(Default, Debug)]
pub(crate) struct Switch {
    /// 101 was answered: 1, for WebSocket: 2.
    answered: AtomicU8,
    /// hyper has let go.
    is_free: AtomicBool,
    /// The code to close with; 0: none.
    closing: AtomicU16,
    reader: Mutex<Option<Waker>>,
}

impl Switch {
    /// The answer is 101, with these headers.
    pub(crate) fn answer(&self, headers: &HeaderMap) {
        let protocol = headers.get(UPGRADE).map(|value| value.as_bytes());
        let is_websocket = protocol.is_some_and(|name| name.eq_ignore_ascii_case(b"websocket"));
        self.answered.store(1 + u8::from(is_websocket), Relaxed);
    }

    /// Whether 101 was answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.answered.load(Relaxed) != 0
    }

    /// hyper has let go of the connection; what is said now is not HTTP. Returns what it is.
    pub(crate) fn free(&self) -> Spoken {
        self.is_free.store(true, Relaxed);
        self.spoken()
    }

    /// Whether hyper has let go.
    pub(crate) fn is_free(&self) -> bool {
        self.is_free.load(Relaxed)
    }

    /// What is spoken now.
    pub(crate) fn spoken(&self) -> Spoken {
        match (self.is_free.load(Relaxed), self.answered.load(Relaxed)) {
            (false, _) => Spoken::Http,
            (true, 2) => Spoken::WebSocket,
            (true, _) => Spoken::Other,
        }
    }

    /// Has it closed as soon as no frame is under way. The first reason stays.
    pub(crate) fn close(&self, reason: Reason) {
        let _ = (self.closing).compare_exchange(0, reason as u16, Relaxed, Relaxed);
        self.wake();
    }

    /// Lets whoever reads look again.
    pub(crate) fn wake(&self) {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = &*reader {
            reader.wake_by_ref();
        }
    }

    /// Whom to wake.
    pub(crate) fn remember(&self, reader: &Waker) {
        let mut known = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *known {
            Some(known) => known.clone_from(reader),
            None => *known = Some(reader.clone()),
        }
    }

    /// The code to close with.
    pub(super) fn closing(&self) -> Option<u16> {
        let code = self.closing.load(Relaxed);
        (code != 0).then_some(code)
    }
}
