//! One element of `Forwarded` (RFC 7239, section 4): `for=192.0.2.1;proto=https;host=a.example`.

use std::borrow::Cow;

use super::list::trim;

/// What an element says; each parameter at most once.
#[derive(PartialEq, Eq, Default, Debug)]
pub(super) struct Element<'a> {
    pub(super) of: Option<Cow<'a, str>>,
    pub(super) proto: Option<Cow<'a, str>>,
    pub(super) host: Option<Cow<'a, str>>,
}

/// Reads an element; none if any of it is malformed: half an element is nobody's word.
pub(super) fn element(text: &str) -> Option<Element<'_>> {
    let mut element = Element::default();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = value(after)?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        let place = match name.to_ascii_lowercase().as_str() {
            "for" => Some(&mut element.of),
            "proto" => Some(&mut element.proto),
            "host" => Some(&mut element.host),
            _ => None,
        };
        if let Some(place) = place
            && place.replace(value).is_some()
        {
            return None;
        }
        rest = trim(after);
        if rest.is_empty() {
            return Some(element);
        }
        rest = trim(rest.strip_prefix(';')?);
        if rest.is_empty() {
            return Some(element);
        }
    }
}

/// A value, and what stands behind it.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text
            .bytes()
            .position(|byte| !is_token(byte))
            .unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return (!value.is_empty()).then_some((Cow::Borrowed(value), after));
    };
    let mut plain = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let value = match inside[..at].contains('\\') {
                    true => Cow::Owned(plain),
                    false => Cow::Borrowed(&inside[..at]),
                };
                return Some((value, &inside[at + 1..]));
            }
            '\\' => plain.push(characters.next()?.1),
            _ => plain.push(character),
        }
    }
    None
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{Element, element};

    #[test]
    fn tokens_and_quoted_strings_are_values() {
        let read = element(r#"For="[2001:db8::1]:80" ; proto=https;by=x;HOST="a\.example""#);
        let expected = Element {
            of: Some("[2001:db8::1]:80".into()),
            proto: Some("https".into()),
            host: Some("a.example".into()),
        };
        assert_eq!(read, Some(expected));
        assert!(element("for=a;").is_some() && element("ext=1").is_some());
    }

    #[test]
    fn what_is_malformed_anywhere_says_nothing() {
        for bad in [
            "",
            "for",
            "for=",
            "=a",
            "for=a b",
            "for=\"a",
            "for=\"a\\",
            "for=a;;proto=b",
            "for=a;for=b",
            "for =a",
            "for= a",
            "for=[::1]",
            "for=a,",
            "fo\"r=a",
            "for=\"a\"b",
        ] {
            assert_eq!(element(bad), None, "{bad:?}");
        }
    }
}
