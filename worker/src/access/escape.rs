//! What a client sends, so that it can't end a line, a field or a string and begin another one.

use brigade_config::AccessStyle as Style;

use super::ink::Ink;

/// So many bytes are looked at in one step, which the compiler makes one of the machine's.
const STRIDE: usize = 16;

/// Whether a byte stands for itself in all styles, `least` being space or the first that is visible.
const fn is_plain(byte: u8, least: u8) -> bool {
    (byte >= least) & (byte <= b'~') & (byte != b'"') & (byte != b'\\')
}

/// How many bytes at the beginning stand for themselves.
fn plain(value: &[u8], least: u8) -> usize {
    let end = value.iter().position(|byte| !is_plain(*byte, least));
    end.unwrap_or(value.len())
}

/// Whether all of them do: nearly always.
#[inline]
fn are_plain(value: &[u8], least: u8) -> bool {
    let are = |stride: &[u8; STRIDE]| {
        let strange = stride.iter().map(|byte| u8::from(!is_plain(*byte, least)));
        strange.fold(0, |one, other| one | other) == 0
    };
    let (strides, _) = value.as_chunks::<STRIDE>();
    match value.last_chunk() {
        // What is left over is looked at together with some of the bytes before.
        Some(last) => strides.iter().all(are) && are(last),
        None => {
            let mut short = [b'x'; STRIDE];
            short[..value.len()].copy_from_slice(value);
            are(&short)
        }
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";
/// Stands behind a value that was cut.
const CUT: &str = "...";

/// Appends a value, at most about `most` bytes of it. Nothing at all is told as `-`, in JSON as
/// `null`.
pub(super) fn put(line: &mut Ink, value: Option<&[u8]>, style: Style, most: usize) {
    let value = value.filter(|value| !value.is_empty() || style == Style::Json);
    let Some(value) = value else {
        let nothing: &[u8] = if style == Style::Json { b"null" } else { b"-" };
        return line.put(nothing);
    };
    match style {
        Style::Bare | Style::Quoted => inside(line, value, style, most),
        Style::Json => {
            line.put_byte(b'"');
            inside(line, value, style, most);
            line.put_byte(b'"');
        }
    }
}

/// The same as a part of a value.
pub(super) fn inside(line: &mut Ink, value: &[u8], style: Style, most: usize) {
    match style {
        Style::Bare => text(line, value, most, b'!'),
        Style::Quoted => text(line, value, most, b' '),
        Style::Json => json(line, value, most),
    }
}

/// Whatever is not visible ASCII becomes `\xHH`.
#[inline]
fn text(line: &mut Ink, value: &[u8], most: usize, least: u8) {
    if value.len() <= most && are_plain(value, least) {
        line.put(value);
    } else {
        escaped(line, value, most, least);
    }
}

#[cold]
fn escaped(line: &mut Ink, value: &[u8], most: usize, least: u8) {
    let end = line.len() + most;
    let mut rest = value;
    loop {
        let plain = plain(rest, least);
        let room = end.saturating_sub(line.len());
        line.put(&rest[..plain.min(room)]);
        let (done, left) = (plain <= room, &rest[plain..]);
        let Some((byte, left)) = left.split_first().filter(|_| done) else {
            return if !done {
                line.put(CUT.as_bytes())
            };
        };
        if line.len() >= end {
            return line.put(CUT.as_bytes());
        }
        match byte {
            b'"' => line.put(b"\\\""),
            b'\\' => line.put(b"\\\\"),
            byte => line.put(&[b'\\', b'x', high(*byte), low(*byte)]),
        }
        rest = left;
    }
}

/// The inside of a string of JSON. Text stays as it is, but for what a terminal or a reader of
/// lines could take for something else; what is not UTF-8 becomes U+FFFD.
#[inline]
fn json(line: &mut Ink, value: &[u8], most: usize) {
    if value.len() <= most && are_plain(value, b' ') {
        line.put(value);
    } else {
        json_escaped(line, value, most);
    }
}

#[cold]
fn json_escaped(line: &mut Ink, value: &[u8], most: usize) {
    let end = line.len() + most;
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            if line.len() >= end {
                return line.put(CUT.as_bytes());
            }
            match character {
                '"' => line.put(b"\\\""),
                '\\' => line.put(b"\\\\"),
                _ if is_misleading(character) => {
                    let mut units = [0; 2];
                    for unit in character.encode_utf16(&mut units) {
                        let [first, last] = unit.to_be_bytes();
                        line.put(b"\\u");
                        line.put(&[high(first), low(first), high(last), low(last)]);
                    }
                }
                _ => line.put(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !chunk.invalid().is_empty() {
            line.put("\u{fffd}".as_bytes());
        }
    }
}

/// Controls, ends of lines, marks that turn the direction of text, and what has no width.
fn is_misleading(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

fn high(byte: u8) -> u8 {
    HEX[usize::from(byte >> 4)]
}

fn low(byte: u8) -> u8 {
    HEX[usize::from(byte & 15)]
}

#[cfg(test)]
mod tests {
    use super::put;
    use crate::access::ink::Ink;
    use brigade_config::AccessStyle as Style;

    #[test]
    fn a_byte_that_needs_an_escape_is_seen_wherever_it_stands() {
        for length in 1..=50 {
            for place in 0..length {
                let mut value = vec![b'x'; length];
                value[place] = b'"';
                let expected = [&value[..place], b"\\", &value[place..]].concat();
                for style in [Style::Bare, Style::Quoted] {
                    assert_eq!(shown(&value, style, 100).as_bytes(), expected);
                }
            }
        }
    }

    fn shown(value: &[u8], style: Style, most: usize) -> String {
        let mut line = Ink::default();
        line.put(b"before ");
        put(&mut line, Some(value), style, most);
        String::from_utf8(line.into_bytes()).unwrap().split_off(7)
    }

    #[test]
    fn every_byte_stays_in_its_field_and_can_be_told_from_every_other() {
        let mut seen = std::collections::BTreeSet::new();
        for byte in 0..=255_u8 {
            for style in [Style::Bare, Style::Quoted, Style::Json] {
                let text = shown(&[byte], style, 100);
                let inside = match style {
                    Style::Json => &text[1..text.len() - 1],
                    Style::Bare | Style::Quoted => &text[..],
                };
                assert!(inside.chars().all(|c| !c.is_control()), "{byte} {text:?}");
                let ends_field = |c: char| c == '"' || (style == Style::Bare && c == ' ');
                let unescaped = inside.strip_prefix('\\').unwrap_or(inside);
                assert!(
                    inside.len() == 2 || !unescaped.contains(ends_field),
                    "{byte} {text:?}"
                );
                if style == Style::Bare {
                    assert!(
                        text.is_ascii() && seen.insert(text),
                        "{byte} looks like another one"
                    );
                }
            }
        }
        assert_eq!(
            shown(b"a b\"\\\n\xff", Style::Bare, 100),
            r#"a\x20b\"\\\x0a\xff"#
        );
        assert_eq!(
            shown(b"a b\"\\\n\xff", Style::Quoted, 100),
            r#"a b\"\\\x0a\xff"#
        );
    }

    #[test]
    fn json_is_read_back_as_what_was_sent() {
        for value in [
            "plain",
            "a\"b\\c",
            "\0\x1b[2J\r\n\u{7f}\u{85}",
            "né\u{202e}\u{2028}",
            "😀\u{e0041}",
            "",
        ] {
            let text = shown(value.as_bytes(), Style::Json, 1000);
            let read: String = serde_json::from_str(&text).unwrap();
            assert_eq!(read, value, "{text}");
            assert!(
                !text.contains(['\u{202e}', '\u{2028}', '\u{85}', '\u{1b}']),
                "{text}"
            );
        }
        let text = shown(b"a\xff\xc3(b", Style::Json, 100);
        assert_eq!(
            serde_json::from_str::<String>(&text).unwrap(),
            "a\u{fffd}\u{fffd}(b"
        );
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        for style in [Style::Bare, Style::Quoted, Style::Json] {
            let text = shown(&[b'x'; 50], style, 10);
            assert_eq!(text.trim_matches('"'), "xxxxxxxxxx...");
            let text = shown(&[b'\n'; 5000], style, 100);
            assert!(
                text.len() < 112 && text.trim_matches('"').ends_with("..."),
                "{text}"
            );
            assert_eq!(
                shown(&[b'x'; 10], style, 10).trim_matches('"'),
                "xxxxxxxxxx"
            );
        }
    }

    #[test]
    fn nothing_is_told_as_such() {
        let mut line = Ink::default();
        put(&mut line, None, Style::Bare, 9);
        put(&mut line, Some(b""), Style::Quoted, 9);
        put(&mut line, None, Style::Json, 9);
        put(&mut line, Some(b""), Style::Json, 9);
        assert_eq!(line.bytes(), b"--null\"\"");
    }
}
