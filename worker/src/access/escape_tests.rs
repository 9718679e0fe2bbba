//! What stands for itself in a line, and what must not; of requests and of what is none.

use brigade_config::{AccessField as Field, AccessStyle as Style};

use super::escape::put;
use super::ink::Ink;
use super::unread::FirstLine;

const STYLES: [Style; 3] = [Style::Bare, Style::Quoted, Style::Json];

fn shown(value: &str, style: Style) -> String {
    let mut line = Ink::default();
    put(&mut line, Some(value.as_bytes()), style, 1000);
    let text = String::from_utf8(line.into_bytes()).unwrap();
    match style {
        Style::Json => text[1..text.len() - 1].to_owned(),
        Style::Bare | Style::Quoted => text,
    }
}

#[test]
fn visible_ascii_stands_for_itself_and_nothing_else_does() {
    for style in STYLES {
        for length in [1, 15, 16, 17, 40] {
            for byte in 0..=255_u8 {
                let mut value = vec![b'x'; length];
                value[length - 1] = byte;
                let mut line = Ink::default();
                put(&mut line, Some(&value), style, 1000);
                let text = line.into_bytes();
                let quotes = if style == Style::Json { 1 } else { 0 };
                let inside = &text[quotes..text.len() - quotes];
                let is_plain = match byte {
                    b'"' | b'\\' => false,
                    b' ' => style != Style::Bare,
                    _ => byte.is_ascii_graphic(),
                };
                assert_eq!(inside == value, is_plain, "{byte:#x} {style:?} {length}");
                assert!(
                    inside.iter().all(|byte| !byte.is_ascii_control()),
                    "{byte:#x} {style:?} {length}"
                );
            }
        }
    }
}

#[test]
fn what_misleads_a_reader_of_json_is_told_by_its_number() {
    for range in [
        0..=0x1f,
        0x7f..=0x9f,
        0x61c..=0x61c,
        0x200b..=0x200f,
        0x2028..=0x202e,
        0x2060..=0x206f,
        0xfeff..=0xfeff,
        0xfff9..=0xfffb,
        0xe0000..=0xe007f,
    ] {
        for number in range {
            let character = char::from_u32(number).unwrap();
            let text = shown(&format!("a{character}b"), Style::Json);
            let mut units = [0; 2];
            let units = character.encode_utf16(&mut units).iter();
            let numbers: String = units.map(|unit| format!("\\u{unit:04x}")).collect();
            assert_eq!(text, format!("a{numbers}b"), "{number:#x}");
        }
    }
    // Their neighbours are text.
    for text in [
        "\u{a0}", "é", "\u{61b}", "\u{200a}", "\u{2010}", "\u{2027}", "\u{202f}", "\u{205f}", "😀",
    ] {
        assert_eq!(shown(text, Style::Json), text);
    }
}

/// Request, method, path, query and protocol, as they are told of a head that was refused.
fn told(head: &[u8], style: Style) -> [String; 5] {
    let fields = [
        Field::Request,
        Field::Method,
        Field::Path,
        Field::Query,
        Field::Protocol,
    ];
    fields.map(|field| {
        let mut line = Ink::default();
        assert!(FirstLine::of(head).put(&mut line, &field, style));
        String::from_utf8(line.into_bytes()).unwrap()
    })
}

#[test]
fn of_a_refused_head_the_first_line_is_told_and_nothing_behind_it() {
    for end in ["\r\n", "\n", "\r", "\0"] {
        let head = format!("GET /a?b HTTP/1.1{end}host: forged");
        let line = ["GET /a?b HTTP/1.1", "GET", "/a", "b", "HTTP/1.1"];
        assert_eq!(told(head.as_bytes(), Style::Quoted), line, "{end:?}");
        // Empty lines before it are none.
        let late = format!("{end}{end}{head}");
        assert_eq!(told(late.as_bytes(), Style::Quoted), line, "{end:?}");
    }
}

#[test]
fn of_a_first_line_only_what_is_there_is_told() {
    for (head, expected) in [
        ("", ["-", "-", "-", "-", "-"]),
        ("GARBAGE", ["GARBAGE", "-", "-", "-", "-"]),
        ("GET /a", ["GET /a", "GET", "/a", "-", "-"]),
        ("GET /a?", ["GET /a?", "GET", "/a", "-", "-"]),
        (
            "GET  HTTP/1.1",
            ["GET  HTTP/1.1", "GET", "-", "-", "HTTP/1.1"],
        ),
        ("GET /a b c", ["GET /a b c", "GET", "/a b c", "-", "-"]),
        ("G\u{1}T /a", [r"G\x01T /a", "-", "-", "-", "-"]),
        (
            "\" \\ \u{7f}\u{e9}",
            [
                r#"\" \\ \x7f\xc3\xa9"#,
                r#"\""#,
                r"\\ \x7f\xc3\xa9",
                "-",
                "-",
            ],
        ),
    ] {
        assert_eq!(told(head.as_bytes(), Style::Quoted), expected, "{head:?}");
    }
    let nothing = told(b"GET ? HTTP/1.1", Style::Json);
    assert_eq!(nothing[2..4], ["null", "null"], "not an empty string");
}
