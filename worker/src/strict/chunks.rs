//! The chunked coding, byte by byte (RFC 9112, 7.1), as far as its last chunk.

use super::fault::Fault;
use super::lines::is_token;

/// The most digits of a size: 2^60 bytes.
const DIGITS: u8 = 15;
/// The most bytes of extensions in all chunks of a body. hyper has no room for 16 KiB, and would break
/// off the connection without an answer.
const EXTENSIONS: u16 = 15 << 10;

/// Where in a chunk a stream is.
///
/// ```text
/// First -> Size -> [Space | Extension...] -> Feed -> Data -> Return -> DataFeed -> First
///                                             | size 0
///                                             +-----> the trailers
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    First,
    Size,
    /// After the size or an extension: only another one may follow.
    Space,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Value,
    Quoted,
    Escaped,
    Unquoted,
    AfterValue,
    Feed,
    Data,
    Return,
    DataFeed,
}

/// A chunked body that is being read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Chunks {
    at: At,
    /// Of the chunk; then what is left of it.
    size: u64,
    digits: u8,
    /// Bytes of extensions so far, in all chunks.
    extended: u16,
}

/// What came of some bytes: how many are used up, and whether the trailers follow.
pub(super) type Progress = Result<(usize, bool), (usize, Fault)>;

impl Chunks {
    pub(super) const fn new() -> Self {
        Self {
            at: At::First,
            size: 0,
            digits: 0,
            extended: 0,
        }
    }

    /// Reads on.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Progress {
        let mut position = 0;
        while let Some(&byte) = bytes.get(position) {
            if self.at == At::Data {
                let there = bytes.len() - position;
                let taken = usize::try_from(self.size).map_or(there, |size| size.min(there));
                self.size -= taken as u64;
                position += taken;
                if self.size == 0 {
                    self.at = At::Return;
                }
                continue;
            }
            self.at = self.step(byte).map_err(|fault| (position, fault))?;
            position += 1;
            if self.at == At::Data && self.size == 0 {
                return Ok((position, true));
            }
        }
        Ok((position, false))
    }

    fn step(&mut self, byte: u8) -> Result<At, Fault> {
        if byte == b'\n' && !matches!(self.at, At::Feed | At::DataFeed) {
            return Err(match self.at {
                At::Return => Fault::ChunkEnd,
                _ => Fault::BareLineFeed,
            });
        }
        if (At::Space as u8..=At::AfterValue as u8).contains(&(self.at as u8)) {
            self.extended += 1;
            if self.extended > EXTENSIONS {
                return Err(Fault::Endless);
            }
        }
        match self.at {
            At::First | At::Size => self.size_digit(byte),
            At::Space | At::AfterValue => between(byte, self.at),
            At::BeforeName => match byte {
                b' ' | b'\t' => Ok(At::BeforeName),
                _ if is_token(byte) => Ok(At::Name),
                _ => Err(Fault::ChunkExtension),
            },
            At::Name if is_token(byte) => Ok(At::Name),
            At::Name | At::AfterName if byte == b'=' => Ok(At::BeforeValue),
            At::Name => after(byte, At::AfterName),
            At::AfterName => between(byte, At::AfterName),
            At::BeforeValue => match byte {
                b' ' | b'\t' => Ok(At::BeforeValue),
                b'"' => Ok(At::Quoted),
                _ if is_token(byte) => Ok(At::Value),
                _ => Err(Fault::ChunkExtension),
            },
            At::Value if is_token(byte) => Ok(At::Value),
            At::Value | At::Unquoted => after(byte, At::AfterValue),
            At::Quoted => match byte {
                b'"' => Ok(At::Unquoted),
                b'\\' => Ok(At::Escaped),
                _ => quoted(byte),
            },
            At::Escaped => quoted(byte),
            At::Feed if byte == b'\n' => Ok(At::Data),
            At::Return if byte == b'\r' => Ok(At::DataFeed),
            At::DataFeed if byte == b'\n' => {
                let extended = self.extended;
                *self = Self {
                    extended,
                    ..Self::new()
                };
                Ok(At::First)
            }
            At::Feed | At::DataFeed => Err(Fault::BareReturn),
            At::Return | At::Data => Err(Fault::ChunkEnd),
        }
    }

    fn size_digit(&mut self, byte: u8) -> Result<At, Fault> {
        let Some(digit) = (byte as char).to_digit(16) else {
            return match self.at {
                At::Size => after(byte, At::Space),
                _ => Err(Fault::ChunkSize),
            };
        };
        self.digits += 1;
        if self.digits > DIGITS {
            return Err(Fault::ChunkSize);
        }
        self.size = self.size << 4 | u64::from(digit);
        Ok(At::Size)
    }
}

/// After a size, a name or a value: the end of the line, or space before another extension.
fn after(byte: u8, space: At) -> Result<At, Fault> {
    match byte {
        b'\r' => Ok(At::Feed),
        _ => between(byte, space),
    }
}

/// Within such space, which may stand before an extension but not before the end of the line.
fn between(byte: u8, space: At) -> Result<At, Fault> {
    match byte {
        b' ' | b'\t' => Ok(space),
        b';' => Ok(At::BeforeName),
        _ if space == At::Space => Err(Fault::ChunkSize),
        _ => Err(Fault::ChunkExtension),
    }
}

fn quoted(byte: u8) -> Result<At, Fault> {
    match byte {
        b'\t' | b' '..=b'~' | 0x80.. => Ok(At::Quoted),
        b'\r' => Err(Fault::BareReturn),
        _ => Err(Fault::ChunkExtension),
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunks, Fault, Progress};

    /// Reads all of it, in two pieces at every place: the outcome is the same.
    fn read(text: &str) -> Progress {
        let whole = Chunks::new().read(text.as_bytes());
        for at in 0..text.len() {
            let mut chunks = Chunks::new();
            let (first, second) = text.as_bytes().split_at(at);
            let outcome = match chunks.read(first) {
                Ok((used, false)) => chunks.read(second).map(|(more, end)| (used + more, end)),
                ended => ended,
            };
            let outcome = outcome.map_err(|(place, fault)| (place % text.len(), fault));
            match (whole, outcome) {
                (Ok(whole), Ok(split)) => assert_eq!(whole, split, "{text:?} cut at {at}"),
                (Err((_, whole)), Err((_, split))) => {
                    assert_eq!(whole, split, "{text:?} cut at {at}");
                }
                _ => panic!("{text:?} cut at {at}: {whole:?} and {outcome:?}"),
            }
        }
        whole
    }

    #[test]
    fn chunks_end_with_the_empty_one() {
        assert_eq!(read("5\r\nhello\r\n0\r\nmore"), Ok((13, true)));
        assert_eq!(read("00a\r\n0123456789\r\nF\r\n0"), Ok((21, false)));
        assert_eq!(read("A;name\r\n0123456789\r\n00\r\n\r\n"), Ok((24, true)));
    }

    #[test]
    fn extensions_are_read_and_forgotten() {
        for extension in [
            ";a",
            "; a",
            ";\ta",
            " ;a=b",
            "\t;a\t=\tb",
            ";a=b \t;c",
            ";a = \"q\\\"; \u{e9}\t\"",
            ";a;b=c;d",
        ] {
            let text = format!("1{extension}\r\nx\r\n0\r\n");
            assert_eq!(read(&text), Ok((text.len(), true)), "{extension}");
        }
    }

    #[test]
    fn a_quoted_value_holds_text_and_tabs() {
        for byte in 0..=255_u8 {
            let is_text = !byte.is_ascii_control() || byte == b'\t';
            for value in [&[byte][..], b"\\a", &[b'\\', byte]] {
                // By itself, either of these would end the value.
                let is_bare = value == [b'"'] || value == [b'\\'];
                let text = [b"1;a=\"", value, b"\"\r\nx\r\n0\r\n"].concat();
                let outcome = Chunks::new().read(&text);
                let is_whole = outcome == Ok((text.len(), true));
                let expected = value == b"\\a" || is_text && !is_bare;
                assert_eq!(is_whole, expected, "{value:?} {outcome:?}");
            }
        }
    }

    #[test]
    fn a_size_has_at_most_fifteen_digits() {
        assert_eq!(read("000000000000001\r\nx\r\n0\r\n"), Ok((23, true)));
        assert_eq!(read("fffffffffffffff\r\nx"), Ok((18, false)));
    }

    #[test]
    fn extensions_of_all_chunks_together_have_an_end() {
        let chunk = format!("1;a={}\r\nx\r\n", "b".repeat(1000));
        let mut chunks = Chunks::new();
        let read = |_| chunks.read(chunk.as_bytes());
        let outcomes: Vec<Progress> = (0..16).map(read).collect();
        let (last, before) = outcomes.split_last().unwrap();
        assert!(before.iter().all(Result::is_ok), "{before:?}");
        assert!(matches!(last, Err((_, Fault::Endless))), "{last:?}");
    }

    #[test]
    fn what_is_no_chunk_is_named() {
        let faults = [
            ("\r\n", Fault::ChunkSize),
            ("x\r\n", Fault::ChunkSize),
            ("+5\r\n", Fault::ChunkSize),
            ("-1\r\n", Fault::ChunkSize),
            ("0x5\r\n", Fault::ChunkSize),
            (" 5\r\n", Fault::ChunkSize),
            ("5_0\r\n", Fault::ChunkSize),
            ("5 5\r\n", Fault::ChunkSize),
            ("5 \r\n", Fault::ChunkSize),
            ("5;a \r\n", Fault::ChunkExtension),
            ("5;a=\"b\" \r\n", Fault::ChunkExtension),
            ("0000000000000001\r\n", Fault::ChunkSize),
            ("FFFFFFFFFFFFFFFFF\r\n", Fault::ChunkSize),
            ("5\nhello", Fault::BareLineFeed),
            ("5\rhello", Fault::BareReturn),
            ("5;\r\n", Fault::ChunkExtension),
            ("5;;a\r\n", Fault::ChunkExtension),
            ("5;a=\r\n", Fault::ChunkExtension),
            ("5;=b\r\n", Fault::ChunkExtension),
            ("5;a\n", Fault::BareLineFeed),
            ("5;a=\"\n\"\r\n", Fault::BareLineFeed),
            ("5;a=\"\r\n", Fault::BareReturn),
            ("5;a=\"\0\"\r\n", Fault::ChunkExtension),
            ("5;a\0\r\n", Fault::ChunkExtension),
            ("5;a\rX", Fault::BareReturn),
            ("5\r\nhelloX\r\n", Fault::ChunkEnd),
            ("5\r\nhello\n", Fault::ChunkEnd),
            ("5\r\nhello\rX", Fault::BareReturn),
        ];
        for (text, fault) in faults {
            assert_eq!(read(text).unwrap_err().1, fault, "{text:?}");
        }
    }
}
