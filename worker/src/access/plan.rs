//! A format, in the order in which its parts become known: the request's at its beginning, the
//! answer's at its end.
//!
//! ```text
//! {remote} "{request}" {status} {bytes}      the format
//! 192.0.2.1 "GET / HTTP/1.1" | |             a sheet: what is known at the beginning, and the cuts
//!                             200 5          what is put in at the end
//! ```

use brigade_config::{
    AccessField as Field, AccessFormat, AccessPart as Part, AccessStyle as Style,
};
use http::HeaderName;

use super::ink::Words;

/// See the module.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// What is put in at the cuts, in their order.
    pub(super) late: Vec<(Late, Style)>,
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
    /// A header of it.
    Header(HeaderName, Style),
    /// A place for what is known at the end.
    Cut,
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
    pub(super) fn of(format: &AccessFormat) -> Self {
        let mut plan = Self {
            steps: Vec::with_capacity(format.parts.len()),
            late: Vec::new(),
            replies: Vec::new(),
            needs_ttfb: false,
            needs_queue: false,
        };
        for part in &format.parts {
            match part {
                Part::Text(text) => plan.steps.push(Step::Text(Words::of(text.as_bytes()))),
                Part::Field(field, style) => plan.field(field, *style),
            }
        }
        plan
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
            Field::Header(name) => return self.steps.push(Step::Header(header(name), style)),
            Field::Referer => return self.steps.push(Step::Header(http::header::REFERER, style)),
            Field::Agent => {
                return self
                    .steps
                    .push(Step::Header(http::header::USER_AGENT, style));
            }
            early @ (Field::Remote
            | Field::Peer
            | Field::Host
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
            | Field::Id
            | Field::Tls) => {
                self.needs_queue |= *early == Field::Queue;
                return self.steps.push(Step::Early(early.clone(), style));
            }
        };
        self.needs_ttfb |= late == Late::Ttfb;
        self.late.push((late, style));
        self.steps.push(Step::Cut);
    }
}

/// The configuration takes only names that a header can have.
fn header(name: &str) -> HeaderName {
    HeaderName::try_from(name).unwrap_or(http::header::WARNING)
}
