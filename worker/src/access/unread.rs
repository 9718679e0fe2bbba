//! Requests that nobody could read: refused before there was one, with a line all the same.

use brigade_config::{AccessField as Field, AccessStyle as Style};

use super::escape::put;
use super::ink::Ink;
use super::sheet::{MOST_OF_OTHERS, MOST_OF_PATH, MOST_OF_TARGET};

/// What became of a head that is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unread<'a> {
    /// What came, from its beginning.
    pub(crate) head: &'a [u8],
    pub(crate) status: u16,
    /// Bytes of the answer's body; none: the connection ended without an answer.
    pub(crate) answer: Option<u64>,
    pub(crate) began_ns: u64,
    /// How long it took.
    pub(crate) took_ns: u64,
}

/// Its first line, as far as it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct FirstLine<'a>(&'a [u8]);

impl<'a> FirstLine<'a> {
    pub(super) fn of(head: &'a [u8]) -> Self {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n' | b'\0');
        let begins = head.iter().position(|byte| !is_end(byte));
        let line = &head[begins.unwrap_or(head.len())..];
        let ends = line.iter().position(is_end).unwrap_or(line.len());
        Self(&line[..ends])
    }

    /// Appends this field; whether it is one of a first line's.
    pub(super) fn put(self, line: &mut Ink, field: &Field, style: Style) -> bool {
        let (value, most) = match field {
            Field::Request => (Some(self.0), MOST_OF_TARGET),
            Field::Method => (self.method(), MOST_OF_OTHERS),
            Field::Target => (self.target(), MOST_OF_TARGET),
            Field::Path => (self.path_and_query().map(|both| both.0), MOST_OF_PATH),
            Field::Query => (self.path_and_query().and_then(|both| both.1), MOST_OF_PATH),
            Field::Protocol => (self.protocol(), MOST_OF_OTHERS),
            // Nobody waited for its work to begin.
            Field::Queue => (None, 0),
            _ => return false,
        };
        put(line, value.filter(|value| !value.is_empty()), style, most);
        true
    }

    fn method(self) -> Option<&'a [u8]> {
        let space = memchr::memchr(b' ', self.0)?;
        let method = &self.0[..space];
        method.iter().all(u8::is_ascii_graphic).then_some(method)
    }

    /// Everything between the method and the version, if there is one.
    fn target(self) -> Option<&'a [u8]> {
        let rest = &self.0[self.method()?.len() + 1..];
        let end = self.protocol().map_or(0, |protocol| protocol.len() + 1);
        Some(&rest[..rest.len().saturating_sub(end)])
    }

    fn path_and_query(self) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        let target = self.target()?;
        Some(match memchr::memchr(b'?', target) {
            Some(mark) => (&target[..mark], Some(&target[mark + 1..])),
            None => (target, None),
        })
    }

    fn protocol(self) -> Option<&'a [u8]> {
        let space = memchr::memrchr(b' ', self.0)?;
        let last = &self.0[space + 1..];
        last.starts_with(b"HTTP/").then_some(last)
    }
}
