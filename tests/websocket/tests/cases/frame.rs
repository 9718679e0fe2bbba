//! Frames as they go over the wire (RFC 6455, section 5.2), also those that must not.

use std::io::{self, Read};

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Any mask will do; this one leaves no byte as it is.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) is_last: bool,
    pub(crate) reserved: u8,
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        Self {
            is_last: true,
            reserved: 0,
            opcode,
            payload: payload.as_ref().to_vec(),
        }
    }

    /// More of the message follows.
    pub(crate) fn unfinished(mut self) -> Self {
        self.is_last = false;
        self
    }

    /// With these of the three reserved bits.
    pub(crate) fn reserved(mut self, bits: u8) -> Self {
        self.reserved = bits;
        self
    }

    /// A close frame with a code.
    pub(crate) fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend(reason.as_ref());
        Self::new(CLOSE, payload)
    }

    /// The code of a close frame, if it has one.
    pub(crate) fn code(&self) -> Option<u16> {
        let code = self.payload.first_chunk::<2>()?;
        Some(u16::from_be_bytes(*code))
    }

    /// As a client sends it.
    pub(crate) fn masked(&self) -> Vec<u8> {
        let mut bytes = self.head(true);
        bytes.extend(MASK);
        let masked = self.payload.iter().zip(MASK.iter().cycle());
        bytes.extend(masked.map(|(byte, mask)| byte ^ mask));
        bytes
    }

    /// As a client must not send it.
    pub(crate) fn unmasked(&self) -> Vec<u8> {
        let mut bytes = self.head(false);
        bytes.extend(&self.payload);
        bytes
    }

    fn head(&self, is_masked: bool) -> Vec<u8> {
        let first = u8::from(self.is_last) << 7 | self.reserved << 4 | self.opcode;
        let mask = u8::from(is_masked) << 7;
        let length = self.payload.len();
        let mut head = vec![first];
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short), _) if short < 126 => head.push(mask | short),
            (_, Ok(middle)) => {
                head.push(mask | 126);
                head.extend(middle.to_be_bytes());
            }
            _ => {
                head.push(mask | 127);
                head.extend((length as u64).to_be_bytes());
            }
        }
        head
    }

    /// Reads one that a server sent; its length must be told in the shortest way.
    pub(crate) fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut head = [0; 2];
        from.read_exact(&mut head)?;
        let wrong = |words: &str| io::Error::new(io::ErrorKind::InvalidData, words.to_owned());
        if head[1] & 0x80 != 0 {
            return Err(wrong("a server must not mask"));
        }
        let length = match head[1] {
            126 => {
                let mut bytes = [0; 2];
                from.read_exact(&mut bytes)?;
                usize::from(u16::from_be_bytes(bytes))
            }
            127 => {
                let mut bytes = [0; 8];
                from.read_exact(&mut bytes)?;
                usize::try_from(u64::from_be_bytes(bytes)).map_err(|_| wrong("too long"))?
            }
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        from.read_exact(&mut payload)?;
        Ok(Self {
            is_last: head[0] & 0x80 != 0,
            reserved: head[0] >> 4 & 0b111,
            opcode: head[0] & 0x0f,
            payload,
        })
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = String::from_utf8_lossy(&self.payload[..self.payload.len().min(40)]);
        let length = self.payload.len();
        let (last, opcode) = (self.is_last, self.opcode);
        write!(f, "opcode {opcode}, last {last}, {length} bytes {shown:?}")
    }
}
