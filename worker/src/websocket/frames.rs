//! Where the frames of a WebSocket begin and end (RFC 6455, 5.2), whatever is in them.

/// What a frame's head says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    /// Whether it ends its message.
    pub(super) is_last: bool,
    pub(super) opcode: u8,
    /// Of what follows, in bytes.
    pub(super) length: u64,
}

impl Frame {
    pub(super) const CLOSE: u8 = 8;

    /// Whether it stands between the frames of messages.
    pub(super) const fn is_control(self) -> bool {
        self.opcode >= 8
    }

    /// The head that these bytes begin with, and its length, if it is complete.
    fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let [first, second, rest @ ..] = bytes else {
            return None;
        };
        let (length, long) = match second & 0x7f {
            126 => (u16::from_be_bytes(*rest.first_chunk()?).into(), 2),
            127 => (u64::from_be_bytes(*rest.first_chunk()?), 8),
            short => (short.into(), 0),
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let whole = 2 + long + mask;
        let frame = Self {
            is_last: first & 0x80 != 0,
            opcode: first & 0x0f,
            length,
        };
        (bytes.len() >= whole).then_some((frame, whole))
    }
}

/// One direction of a WebSocket.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Frames {
    head: [u8; 14],
    /// So much of the head has come.
    have: usize,
    /// So much of the frame is still to come after its head.
    left: u64,
}

impl Frames {
    /// Whether no frame has begun that is not complete.
    pub(super) const fn is_between(&self) -> bool {
        self.have == 0 && self.left == 0
    }

    /// Follows bytes up to the end of the next frame's head, or of a frame. Returns how many that
    /// were, and the head, if it is complete with them.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> (usize, Option<Frame>) {
        if self.left > 0 {
            let taken =
                usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
            self.left -= taken as u64;
            return (taken, None);
        }
        // Nearly always a head comes whole.
        if self.have == 0
            && let Some((frame, length)) = Frame::read(bytes)
        {
            self.left = frame.length;
            return (length, Some(frame));
        }
        for (index, byte) in bytes.iter().enumerate() {
            self.head[self.have] = *byte;
            self.have += 1;
            if let Some((frame, _)) = Frame::read(&self.head[..self.have]) {
                (self.have, self.left) = (0, frame.length);
                return (index + 1, Some(frame));
            }
        }
        (bytes.len(), None)
    }

    /// How many of these bytes it takes to the end of the frame that has begun.
    pub(super) fn to_its_end(mut self, bytes: &[u8]) -> usize {
        let mut position = 0;
        while position < bytes.len() && !self.is_between() {
            position += self.follow(&bytes[position..]).0;
        }
        position
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, Frames};

    /// All heads in `bytes`, fed in pieces of this size.
    fn heads(bytes: &[u8], size: usize) -> (Vec<Frame>, bool) {
        let (mut frames, mut found) = (Frames::default(), Vec::new());
        for mut piece in bytes.chunks(size) {
            while !piece.is_empty() {
                let (used, frame) = frames.follow(piece);
                found.extend(frame);
                piece = &piece[used..];
            }
        }
        (found, frames.is_between())
    }

    #[test]
    fn frames_of_every_length_are_followed_in_pieces_of_any_size() {
        let mut bytes = Vec::new();
        bytes.extend([0x81, 0x02, b'h', b'i']);
        bytes.extend([0x89, 0x80, 1, 2, 3, 4]);
        bytes.extend([0x02, 126, 0x01, 0x00]);
        bytes.extend([0x88; 256]);
        bytes.extend([0x80, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 9, 9, 9, 9]);
        bytes.extend([0x81; 65_536]);
        bytes.extend([0x88, 0x02, 0x03, 0xe8]);
        let frame = |is_last, opcode, length| Frame {
            is_last,
            opcode,
            length,
        };
        let expected = vec![
            frame(true, 1, 2),
            frame(true, 9, 0),
            frame(false, 2, 256),
            frame(true, 0, 65_536),
            frame(true, 8, 2),
        ];
        for size in [1, 2, 3, 7, 100, 4096, bytes.len()] {
            assert_eq!(heads(&bytes, size), (expected.clone(), true), "{size}");
        }
        assert!(!heads(&bytes[..bytes.len() - 1], 5).1);
    }

    #[test]
    fn the_end_of_a_begun_frame_is_found_without_moving() {
        let mut frames = Frames::default();
        assert_eq!(frames.to_its_end(&[0x81, 0x01]), 0);
        frames.follow(&[0x81]);
        let rest = [0x03, 1, 2, 3, 0x81, 0x01, 5];
        assert_eq!(frames.to_its_end(&rest), 4);
        assert_eq!(frames.to_its_end(&rest[..2]), 2);
    }
}
