//! The text of a scrape.

use std::sync::Arc;

use brigade_shared::board::Board;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::classic::classic;
use super::collect::Collected;

/// The forms of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4.
    Prometheus,
}

impl Form {
    /// Its media type.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// What there is to scrape.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Of this board.
    pub(crate) fn of(board: Arc<Board>, supervisor: u32, version: &str) -> Self {
        let mut registry = Registry::with_prefix("brigade");
        let collected = Collected::of(board, supervisor, version.to_owned());
        registry.register_collector(Box::new(collected));
        Self { registry }
    }

    /// All of it, as it is now.
    pub(crate) fn text(&self, form: Form) -> String {
        let mut text = String::new();
        // A String takes everything.
        let _ = encode(&mut text, &self.registry);
        match form {
            Form::OpenMetrics => text,
            Form::Prometheus => classic(&text),
        }
    }
}
