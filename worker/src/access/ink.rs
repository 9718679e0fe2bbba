//! Memory that lines are written into. It is there before it is needed, and short pieces are
//! written as whole words of the machine: a line is made of dozens of them.

/// So many bytes a short piece has at most.
pub(super) const SHORT: usize = 32;

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Ink {
    room: Vec<u8>,
    end: usize,
}

impl Ink {
    pub(super) fn len(&self) -> usize {
        self.end
    }

    /// How much memory it holds.
    pub(super) fn capacity(&self) -> usize {
        self.room.capacity()
    }

    pub(super) fn clear(&mut self) {
        self.end = 0;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.room[..self.end]
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes().to_vec()
    }

    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let end = self.end + bytes.len();
        match self.room.get_mut(self.end..end) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.end = end;
            }
            None => self.grow(bytes),
        }
    }

    #[inline]
    pub(super) fn put_byte(&mut self, byte: u8) {
        self.put_short(&[byte], 1);
    }

    /// Writes the first `length` of these bytes, by copying all of them.
    #[inline]
    pub(super) fn put_short<const COUNT: usize>(&mut self, bytes: &[u8; COUNT], length: usize) {
        match self.room.get_mut(self.end..self.end + COUNT) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.end += length;
            }
            None => self.grow(&bytes[..length]),
        }
    }

    /// Takes the last bytes back.
    pub(super) fn take_back(&mut self, count: usize) {
        self.end -= count;
    }

    #[cold]
    fn grow(&mut self, bytes: &[u8]) {
        self.room.truncate(self.end);
        self.room.extend_from_slice(bytes);
        self.end = self.room.len();
        self.room.reserve(SHORT);
        self.room.resize(self.room.capacity(), 0);
    }
}

/// Words that are the same in every line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Words {
    Short([u8; SHORT], usize),
    Long(Box<[u8]>),
}

impl Words {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut short = [0; SHORT];
        match short.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text);
                Self::Short(short, text.len())
            }
            None => Self::Long(text.into()),
        }
    }

    /// Makes them longer.
    pub(super) fn append(&mut self, text: &[u8]) {
        let before = match self {
            Self::Short(text, length) => &text[..*length],
            Self::Long(text) => text,
        };
        *self = Self::of(&[before, text].concat());
    }

    #[inline]
    pub(super) fn put(&self, line: &mut Ink) {
        match self {
            Self::Short(text, length) => line.put_short(text, *length),
            Self::Long(text) => line.put(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ink, Words};

    #[test]
    fn what_is_written_is_there_however_it_was_written_and_nothing_else() {
        for before in 0..40 {
            let mut ink = Ink::default();
            ink.put(&vec![b'x'; before]);
            ink.clear();
            let mut expected = Vec::new();
            for length in 0..40 {
                let text = &b"0123456789abcdefghijklmnopqrstuvwxyzABCD"[..length];
                let (first, rest) = text.split_at(length / 3);
                let mut words = Words::of(first);
                words.append(rest);
                assert_eq!(words, Words::of(text));
                words.put(&mut ink);
                ink.put(text);
                ink.put_short(b"wxyz", length % 4);
                ink.put_byte(b'.');
                expected.extend_from_slice(text);
                expected.extend_from_slice(text);
                expected.extend_from_slice(&b"wxyz"[..length % 4]);
                expected.push(b'.');
            }
            assert_eq!((ink.bytes(), ink.len()), (&*expected, expected.len()));
            ink.take_back(1);
            expected.pop();
            assert_eq!(ink.into_bytes(), expected);
        }
    }
}
