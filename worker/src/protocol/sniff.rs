//! Which version of HTTP a client speaks that has not said so beforehand. It is told by its first
//! bytes, which it has to send before the deadline for its first head.

use std::io;

use super::PREFACE;
use crate::transport::{Metered, Transport};

/// A version of HTTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Waits for bytes that tell, and leaves them to be read again. Nothing if the client ends before.
pub(crate) async fn sniff<T: Transport>(
    transport: &mut Metered<T>,
) -> io::Result<Option<Protocol>> {
    let mut seen = 0;
    loop {
        let ahead = transport.look_ahead(seen).await?;
        if let Some(protocol) = tell(ahead) {
            return Ok(Some(protocol));
        }
        if ahead.len() == seen {
            return Ok(None);
        }
        seen = ahead.len();
    }
}

/// Nothing as long as it may be either.
fn tell(ahead: &[u8]) -> Option<Protocol> {
    if ahead.starts_with(PREFACE) {
        Some(Protocol::Http2)
    } else if PREFACE.starts_with(ahead) {
        None
    } else {
        Some(Protocol::Http1)
    }
}

#[cfg(test)]
mod tests {
    use super::{PREFACE, Protocol, tell};

    #[test]
    fn only_the_whole_preface_is_http2_and_the_first_byte_that_differs_is_http1() {
        for length in 0..PREFACE.len() {
            assert_eq!(tell(&PREFACE[..length]), None);
            let mut other = PREFACE[..=length].to_vec();
            other[length] ^= 1;
            assert_eq!(tell(&other), Some(Protocol::Http1));
        }
        assert_eq!(tell(PREFACE), Some(Protocol::Http2));
        let more = [PREFACE, &b"\0\0\0"[..]].concat();
        assert_eq!(tell(&more), Some(Protocol::Http2));
        assert_eq!(tell(b"GET / HTTP/1.1\r\n"), Some(Protocol::Http1));
    }
}
