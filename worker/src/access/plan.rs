//! A format, in the order in which its parts become known: the request's at its beginning, the
//! answer's at its end.
//!
//! ```text
//! {remote} "{request}" {status} {bytes}      the format
//! 192.0.2.1 "GET / HTTP/1.1" ||              a sheet: what is known at the beginning, and the cuts
//!                            200 5           what is put in at the end, and the words behind it
//! ```

use brigade_config::{
    AccessField as Field, AccessFormat, AccessPart as Part, AccessStyle as Style,
};
use http::HeaderName;
use http::header::{HOST, REFERER, USER_AGENT};

use super::ink::Words;
use crate::forwarded::REQUEST_ID;

/// See the module.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// The headers of the request that matter, each once.
    pub(super) asked: Vec<HeaderName>,
    /// What is put in at the cuts, in their order.
    pub(super) late: Vec<Put>,
    /// The headers of the answer that are wanted, in the order of their cuts.
    pub(super) replies: Vec<(HeaderName, Style)>,
    /// Whether the moment of the answer's head matters.
    pub(super) needs_ttfb: bool,
    /// Whether the wait for the loop matters.
    pub(super) needs_queue: bool,
}

/// What is done when a request begins.
#[derive(Debug)]
pub(super) enum Step {
    /// These words.
    Text(Words),
    /// What is known of the request.
    Early(Field, Style),
    /// A header of it, by its place in `asked`.
    Header(usize, Style),
    /// Its host, which its target may tell, or this header.
    Host(usize, Style),
    /// What this header says, if it is an id.
    Id(usize, Style),
    /// A place for what is known at the end.
    Cut,
}

/// What is put in at a cut.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) what: Late,
    pub(super) style: Style,
    /// The words behind it: they would be copied twice on the sheet.
    pub(super) after: Words,
}

/// What is known when an answer has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Late {
    Status,
    Bytes,
    Ttfb,
    Duration,
    End,
    /// The next of `replies`.
    Reply,
}

impl Plan {
    /// A format, for the lines of this worker.
    pub(super) fn of(format: &AccessFormat, slot: u16, pid: u32) -> Self {
        let mut plan = Self {
            steps: Vec::with_capacity(format.parts.len()),
            asked: Vec::new(),
            late: Vec::new(),
            replies: Vec::new(),
            needs_ttfb: false,
            needs_queue: false,
        };
        for part in &format.parts {
            match part {
                Part::Text(text) => plan.text(text),
                Part::Field(Field::Worker, _) => plan.text(&slot.to_string()),
                Part::Field(Field::Pid, _) => plan.text(&pid.to_string()),
                Part::Field(field, style) => plan.field(field, *style),
            }
        }
        plan
    }

    /// What is the same in every line, in one piece with the words before.
    fn text(&mut self, text: &str) {
        match (self.steps.last_mut(), self.late.last_mut()) {
            (Some(Step::Text(words)), _) => words.append(text.as_bytes()),
            (Some(Step::Cut), Some(put)) => put.after.append(text.as_bytes()),
            _ => self.steps.push(Step::Text(Words::of(text.as_bytes()))),
        }
    }

    fn field(&mut self, field: &Field, style: Style) {
        let late = match field {
            Field::Status => Late::Status,
            Field::Bytes => Late::Bytes,
            Field::Ttfb => Late::Ttfb,
            Field::Duration => Late::Duration,
            Field::End => Late::End,
            Field::Response(name) => {
                self.replies.push((header(name), style));
                Late::Reply
            }
            Field::Header(name) => return self.asked(header(name), style, Step::Header),
            Field::Referer => return self.asked(REFERER, style, Step::Header),
            Field::Agent => return self.asked(USER_AGENT, style, Step::Header),
            Field::Host => return self.asked(HOST, style, Step::Host),
            Field::Id => return self.asked(REQUEST_ID, style, Step::Id),
            early @ (Field::Remote
            | Field::Peer
            | Field::Scheme
            | Field::Method
            | Field::Path
            | Field::Query
            | Field::Target
            | Field::Protocol
            | Field::Request
            | Field::Time
            | Field::ClfTime
            | Field::Epoch
            | Field::Queue
            | Field::Worker
            | Field::Pid
            | Field::Tls) => {
                self.needs_queue |= *early == Field::Queue;
                return self.steps.push(Step::Early(early.clone(), style));
            }
        };
        self.needs_ttfb |= late == Late::Ttfb;
        self.late.push(Put {
            what: late,
            style,
            after: Words::of(b""),
        });
        self.steps.push(Step::Cut);
    }

    /// A step with the place of a header.
    fn asked(&mut self, name: HeaderName, style: Style, step: fn(usize, Style) -> Step) {
        let known = self.asked.iter().position(|asked| *asked == name);
        let place = known.unwrap_or(self.asked.len());
        if known.is_none() {
            self.asked.push(name);
        }
        self.steps.push(step(place, style));
    }
}

/// The configuration takes only names that a header can have.
fn header(name: &str) -> HeaderName {
    HeaderName::try_from(name).unwrap_or(http::header::WARNING)
}
