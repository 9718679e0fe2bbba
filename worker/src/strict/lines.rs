//! What one line of a head says about where the message ends.

use super::bytes::letters_and;
use super::fault::Fault;

/// What a head has said so far of its body and of the time after it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Framing {
    /// HTTP/1.0.
    pub(super) is_old: bool,
    pub(super) is_connect: bool,
    pub(super) asks_to_switch: bool,
    pub(super) length: Option<u64>,
    pub(super) is_chunked: bool,
}

impl Framing {
    /// What a request line says.
    pub(super) fn begin(line: &[u8]) -> Result<Self, Fault> {
        let Some((rest, version)) = line.split_last_chunk::<9>() else {
            return Err(Fault::RequestLine);
        };
        let is_old = match version {
            b" HTTP/1.1" => false,
            b" HTTP/1.0" => true,
            _ => return Err(Fault::RequestLine),
        };
        let space = rest.iter().position(|byte| !is_token(*byte)).unwrap_or(0);
        let (method, target) = rest.split_at(space);
        let Some((b' ', target)) = target.split_first() else {
            return Err(Fault::RequestLine);
        };
        let odd = target.iter().find(|byte| !TARGET[usize::from(**byte)]);
        match odd {
            None if method.is_empty() || target.is_empty() => return Err(Fault::RequestLine),
            None => {}
            // What it cannot say is worse than where it goes.
            Some(b'#') if target.iter().all(|byte| is_target(*byte)) => {
                return Err(Fault::Fragment);
            }
            Some(_) => return Err(Fault::RequestLine),
        }
        Ok(Self {
            is_old,
            is_connect: method == b"CONNECT",
            ..Self::default()
        })
    }

    /// What a field adds. Only names that begin like one that matters are looked at; hyper checks
    /// the rest of the grammar of all of them.
    pub(super) fn field(&mut self, line: &[u8]) -> Result<(), Fault> {
        match line[0] {
            b'c' | b'C' | b't' | b'T' | b'u' | b'U' | b'x' | b'X' => {}
            b' ' | b'\t' => return Err(Fault::Folded),
            _ => return Ok(()),
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.ok_or(Fault::FieldName)?);
        match what(name) {
            Meaning::Other => Ok(()),
            Meaning::Disguised => Err(Fault::Underscore),
            Meaning::Upgrade => {
                self.asks_to_switch = true;
                Ok(())
            }
            Meaning::Length => {
                let length = number(value[1..].trim_ascii()).ok_or(Fault::Length)?;
                match self.length.replace(length) {
                    Some(_) => Err(Fault::Lengths),
                    None => Ok(()),
                }
            }
            Meaning::Coding => {
                let is_chunked = value[1..].trim_ascii().eq_ignore_ascii_case(b"chunked");
                if is_chunked && !std::mem::replace(&mut self.is_chunked, true) {
                    Ok(())
                } else {
                    Err(Fault::Coding)
                }
            }
        }
    }

    /// Whether all of it together makes sense.
    pub(super) fn end(&self) -> Result<(), Fault> {
        if self.is_chunked && self.length.is_some() {
            return Err(Fault::LengthAndCoding);
        }
        if self.is_chunked && self.is_old {
            return Err(Fault::OldCoding);
        }
        let has_body = self.is_chunked || self.length.is_some_and(|length| length > 0);
        if self.is_connect && has_body {
            return Err(Fault::TunnelBody);
        }
        Ok(())
    }
}

/// Whether a trailer may stand where it stands: not if it says how to read the message, nor
/// where it goes, nor on whose behalf it came.
pub(super) fn trailer(line: &[u8]) -> Result<(), Fault> {
    if matches!(line[0], b' ' | b'\t') {
        return Err(Fault::Folded);
    }
    let (name, _) = split(line)?;
    let is_forbidden = [
        b"host".as_slice(),
        b"connection",
        b"te",
        b"trailer",
        b"authorization",
        b"content-type",
        b"content-encoding",
        b"content-range",
        b"expect",
        b"forwarded",
        b"cookie",
    ]
    .iter()
    .any(|forbidden| name.eq_ignore_ascii_case(forbidden));
    if is_forbidden || what(name) != Meaning::Other || is_forwarded(name) {
        return Err(Fault::Trailer);
    }
    Ok(())
}

/// Name and value of a field.
fn split(line: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let colon = memchr::memchr(b':', line).ok_or(Fault::FieldName)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return Err(Fault::FieldName);
    }
    Ok((name, value.trim_ascii()))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meaning {
    Length,
    Coding,
    Upgrade,
    /// A name that others take for one with hyphens.
    Disguised,
    Other,
}

fn what(name: &[u8]) -> Meaning {
    match name.len() {
        7 if name.eq_ignore_ascii_case(b"upgrade") => Meaning::Upgrade,
        14 if name.eq_ignore_ascii_case(b"content-length") => Meaning::Length,
        17 if name.eq_ignore_ascii_case(b"transfer-encoding") => Meaning::Coding,
        _ if is_disguised(name) => Meaning::Disguised,
        _ => Meaning::Other,
    }
}

/// Whether a name has an underscore where a name that is trusted has a hyphen: CGI, WSGI and many
/// frameworks make one variable of both.
pub(super) fn is_disguised(name: &[u8]) -> bool {
    if memchr::memchr(b'_', name).is_none() {
        return false;
    }
    let mut plain = [0; 32];
    let Some(plain) = plain.get_mut(..name.len()) else {
        // Longer than all of them but a forwarded one that nobody knows.
        return is_forwarded(name);
    };
    for (to, from) in plain.iter_mut().zip(name) {
        *to = if *from == b'_' {
            b'-'
        } else {
            from.to_ascii_lowercase()
        };
    }
    let plain = &*plain;
    is_forwarded(plain)
        || [
            b"content-length".as_slice(),
            b"content-type",
            b"transfer-encoding",
            b"x-real-ip",
            b"x-request-id",
            b"x-client-ip",
            b"x-scheme",
            b"true-client-ip",
            b"cf-connecting-ip",
            b"x-cluster-client-ip",
            b"x-original-url",
            b"x-rewrite-url",
        ]
        .contains(&plain)
}

fn is_forwarded(name: &[u8]) -> bool {
    let begins = |with: &[u8]| {
        name.get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    begins(b"x-forwarded-")
        || begins(b"x_forwarded_")
        || begins(b"x-forwarded_")
        || begins(b"x_forwarded-")
}

/// A decimal number, of digits alone, below 2^63: so that nobody who calculates with it goes wrong.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let value = digits.iter().try_fold(0_u64, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })?;
    (value < 1 << 63).then_some(value)
}

/// A character of a method or of a field's name: RFC 9110, 5.6.2.
pub(super) const fn is_token(byte: u8) -> bool {
    TOKEN[byte as usize]
}

/// Whether hyper takes it in a target.
const fn is_target(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}

/// The same, without the beginning of a fragment, which it would take away.
const TARGET: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_target(byte as u8) && byte as u8 != b'#';
        byte += 1;
    }
    table
};

const TOKEN: [bool; 256] = letters_and(b"!#$%&'*+-.^_`|~");
