//! What can be wrong with a message, each named once.

use std::fmt;

/// Why bytes are no message that everybody would read alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Fault {
    /// A line of a head, of a chunk or of trailers ends with LF alone.
    BareLineFeed = 1,
    /// CR without LF.
    BareReturn,
    /// More than one empty line before a request.
    EmptyLines,
    /// The request line is no method, target and version 1.0 or 1.1.
    RequestLine,
    /// A `#` in the target.
    Fragment,
    /// A line continues the one before.
    Folded,
    /// No colon, or no name before it, or a character in it that no name has.
    FieldName,
    /// More than one `content-length`.
    Lengths,
    /// A `content-length` that is no decimal number below 2^63.
    Length,
    /// A `transfer-encoding` that is not "chunked" once.
    Coding,
    /// Both `content-length` and `transfer-encoding`.
    LengthAndCoding,
    /// `transfer-encoding` in HTTP/1.0.
    OldCoding,
    /// CONNECT with a body.
    TunnelBody,
    /// An underscore where others see a hyphen, in the name of a field that is trusted.
    Underscore,
    /// A chunk's size is no hexadecimal number below 2^60.
    ChunkSize,
    /// What follows a chunk's size is no list of extensions.
    ChunkExtension,
    /// A chunk is longer than its size.
    ChunkEnd,
    /// A trailer that may only stand in a head.
    Trailer,
    /// A line that is longer than any that is let in.
    LongLine,
    /// More chunk extensions, or trailers, than anybody needs.
    Endless,
}

impl Fault {
    const ALL: [Self; 20] = [
        Self::BareLineFeed,
        Self::BareReturn,
        Self::EmptyLines,
        Self::RequestLine,
        Self::Fragment,
        Self::Folded,
        Self::FieldName,
        Self::Lengths,
        Self::Length,
        Self::Coding,
        Self::LengthAndCoding,
        Self::OldCoding,
        Self::TunnelBody,
        Self::Underscore,
        Self::ChunkSize,
        Self::ChunkExtension,
        Self::ChunkEnd,
        Self::Trailer,
        Self::LongLine,
        Self::Endless,
    ];

    /// The fault with this number.
    pub(super) fn numbered(number: u8) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|fault| *fault as u8 == number)
    }

    /// In words, for the log.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::BareLineFeed => "a line ends with LF alone",
            Self::BareReturn => "CR without LF",
            Self::EmptyLines => "several empty lines before a request",
            Self::RequestLine => "no request line of HTTP/1.0 or HTTP/1.1",
            Self::Fragment => "a fragment in the target",
            Self::Folded => "a folded line",
            Self::FieldName => "a line that is no header field",
            Self::Lengths => "more than one content-length",
            Self::Length => "a content-length that is no number",
            Self::Coding => "a transfer-encoding that is not chunked, once",
            Self::LengthAndCoding => "both content-length and transfer-encoding",
            Self::OldCoding => "transfer-encoding in HTTP/1.0",
            Self::TunnelBody => "CONNECT with a body",
            Self::Underscore => "a header name with an underscore for a hyphen",
            Self::ChunkSize => "a chunk size that is no number",
            Self::ChunkExtension => "a malformed chunk extension",
            Self::ChunkEnd => "a chunk longer than its size",
            Self::Trailer => "a trailer that may only stand in a head",
            Self::LongLine => "a line without end",
            Self::Endless => "chunk extensions or trailers without end",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn every_fault_has_a_number_of_its_own() {
        for fault in Fault::ALL {
            assert_eq!(Fault::numbered(fault as u8), Some(fault));
        }
        assert_eq!(Fault::numbered(0), None);
        assert_eq!(Fault::numbered(Fault::ALL.len() as u8 + 1), None);
    }
}
