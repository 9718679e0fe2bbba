//! The format of the access log: `common`, `combined`, `json`, `json:FIELD,FIELD`, or text with
//! fields in braces.

use super::fault::{Fault, quoted};
use super::header::is_token;
use super::nearest::nearest;
use crate::types::{AccessField as Field, AccessFormat, AccessPart as Part, AccessStyle as Style};

const COMMON: &str = r#"{remote} - - [{clf_time}] "{request}" {status} {bytes}"#;
const COMBINED: &str =
    r#"{remote} - - [{clf_time}] "{request}" {status} {bytes} "{referer}" "{agent}""#;
const JSON: &str = "time,remote,host,method,path,query,protocol,status,bytes,duration,ttfb,queue,\
                    end,worker,pid,id,tls,referer,agent";
/// The formats that have a name.
const NAMES: [&str; 3] = ["common", "combined", "json"];
/// The longest format: a line without values.
const LONGEST: usize = 2000;

/// Every field without an argument.
const FIELDS: [(&str, Field); 25] = [
    ("remote", Field::Remote),
    ("peer", Field::Peer),
    ("host", Field::Host),
    ("scheme", Field::Scheme),
    ("method", Field::Method),
    ("path", Field::Path),
    ("query", Field::Query),
    ("target", Field::Target),
    ("protocol", Field::Protocol),
    ("request", Field::Request),
    ("status", Field::Status),
    ("bytes", Field::Bytes),
    ("time", Field::Time),
    ("clf_time", Field::ClfTime),
    ("epoch", Field::Epoch),
    ("ttfb", Field::Ttfb),
    ("duration", Field::Duration),
    ("queue", Field::Queue),
    ("end", Field::End),
    ("worker", Field::Worker),
    ("pid", Field::Pid),
    ("id", Field::Id),
    ("tls", Field::Tls),
    ("referer", Field::Referer),
    ("agent", Field::Agent),
];

/// What a format's words mean.
pub(crate) fn access_format(text: &str) -> Result<AccessFormat, Fault> {
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        let what = format!(
            "{} is not one line of text",
            quoted(&text.replace(char::is_control, "?"))
        );
        return Err(Fault::new(
            what,
            format!("write one line of at most {LONGEST} bytes"),
        ));
    }
    let parts = match text.trim() {
        "common" => line(COMMON)?,
        "combined" => line(COMBINED)?,
        "json" => json(JSON)?,
        word => match word.strip_prefix("json:") {
            Some(fields) => json(fields)?,
            None => line(text)?,
        },
    };
    let words = text.to_owned();
    Ok(AccessFormat { words, parts })
}

/// Text with fields in braces; two braces stand for one.
fn line(text: &str) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut is_quoted = false;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, found) = rest.split_at(at);
        is_quoted ^= before.matches('"').count() % 2 == 1;
        plain.push_str(before);
        if let Some(after) = found
            .strip_prefix("{{")
            .or_else(|| found.strip_prefix("}}"))
        {
            plain.push_str(&found[..1]);
            rest = after;
            continue;
        }
        let (name, after) = found
            .strip_prefix('{')
            .and_then(|inside| inside.split_once('}'))
            .ok_or_else(|| unpaired(found))?;
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        let style = if is_quoted {
            Style::Quoted
        } else {
            Style::Bare
        };
        parts.push(Part::Field(field(name)?, style));
        rest = after;
    }
    plain.push_str(rest);
    if parts.is_empty() {
        return Err(without_fields(text));
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

/// An object with these fields, in this order.
fn json(fields: &str) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    let mut before = "{";
    for name in fields.split(',').map(str::trim) {
        let field = field(name)?;
        // Names of fields are tokens without quotation marks or backslashes.
        parts.push(Part::Text(format!("{before}\"{name}\":")));
        parts.push(Part::Field(field, Style::Json));
        before = ",";
    }
    parts.push(Part::Text("}".to_owned()));
    Ok(parts)
}

fn field(name: &str) -> Result<Field, Fault> {
    if let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) {
        return Ok(field.clone());
    }
    let of = |header: &str| {
        let is_name = !header.is_empty() && header.bytes().all(is_token);
        is_name.then(|| header.to_ascii_lowercase())
    };
    let header = match name.split_once(':') {
        Some(("header", header)) => of(header).map(Field::Header),
        Some(("response", header)) => of(header).map(Field::Response),
        _ => None,
    };
    header.ok_or_else(|| {
        let all = FIELDS.map(|(name, _)| name).join("`, `");
        let cure = format!("write one of `{all}`, `header:NAME`, `response:NAME`");
        let near = nearest(name, FIELDS.iter().map(|(known, _)| *known));
        let near = near.or_else(|| habit(name));
        Fault::new(format!("there is no field {}", quoted(name)), cure).meaning(near)
    })
}

/// What others call our fields.
fn habit(name: &str) -> Option<&'static str> {
    Some(match name {
        "remote_addr" | "client" | "client_ip" | "ip" => "remote",
        "request_time" | "response_time" | "latency" | "elapsed" => "duration",
        "body_bytes_sent" | "size" | "length" => "bytes",
        "user_agent" | "user-agent" | "http_user_agent" => "agent",
        "http_referer" | "referrer" => "referer",
        "request_id" | "x-request-id" => "id",
        "uri" | "url" | "request_uri" => "target",
        "time_local" | "timestamp" => "clf_time",
        "slot" => "worker",
        _ => return None,
    })
}

fn unpaired(found: &str) -> Fault {
    let what = format!("{} has a brace without its other half", quoted(found));
    Fault::new(
        what,
        "write fields as `{name}`, and `{{` or `}}` for a brace itself",
    )
}

fn without_fields(text: &str) -> Fault {
    let cure = if text.contains(['%', '$']) {
        "write fields in braces: `{remote} {method} {path} {status} {duration}`"
    } else {
        "write `common`, `combined`, `json`, or text with fields in braces, like `{method} {path}`"
    };
    Fault::new(format!("{} names no field", quoted(text)), cure).meaning(nearest(text, NAMES))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FIELDS, access_format};
    use crate::types::{AccessField as Field, AccessPart as Part, AccessStyle as Style};

    #[test]
    fn text_and_fields_alternate_and_quotation_marks_are_minded() {
        let format =
            access_format(r#"{remote} "{request}" {header:X-A} {{{response:b}}}"#).unwrap();
        let text = |text: &str| Part::Text(text.to_owned());
        assert_eq!(
            format.parts,
            [
                Part::Field(Field::Remote, Style::Bare),
                text(" \""),
                Part::Field(Field::Request, Style::Quoted),
                text("\" "),
                Part::Field(Field::Header("x-a".into()), Style::Bare),
                text(" {"),
                Part::Field(Field::Response("b".into()), Style::Bare),
                text("}"),
            ]
        );
    }

    #[test]
    fn formats_with_names_are_there_and_every_field_has_one_name() {
        for name in ["common", "combined", "json", "json:status,header:x-y"] {
            let format = access_format(name).unwrap();
            assert!(format.parts.len() > 2 && format.words == name);
        }
        for (index, (name, field)) in FIELDS.iter().enumerate() {
            let format = access_format(&format!("{{{name}}}")).unwrap();
            assert_eq!(format.parts, [Part::Field(field.clone(), Style::Bare)]);
            assert!(
                FIELDS[index + 1..]
                    .iter()
                    .all(|(other, same)| other != name && same != field)
            );
        }
    }

    #[test]
    fn a_slip_is_told_with_what_was_meant() {
        for (wrong, meant) in [
            ("{metod}", Some("method")),
            ("{remote_addr}", Some("remote")),
            ("json:statuss", Some("status")),
            ("combind", Some("combined")),
            ("{header:}", None),
            ("{header:a b}", None),
            ("{status", None),
            ("status}", None),
            ("", None),
            ("plain", None),
            ("{status}\n{method}", None),
            ("%h %l", None),
        ] {
            let fault = access_format(wrong).unwrap_err();
            assert_eq!(fault.nearest.as_deref(), meant, "{wrong}: {fault:?}");
        }
        assert!(
            access_format("$remote_addr")
                .unwrap_err()
                .cure
                .contains("braces")
        );
    }

    proptest! {
        #[test]
        fn no_words_panic(text in r"\PC*|[{}a-z:, ]*|json:[a-z,:]*") {
            let _ = access_format(&text);
        }
    }
}
