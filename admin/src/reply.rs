//! From a request to its answer.

use std::rc::Rc;
use std::sync::Arc;

use brigade_shared::board::Board;
use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;

use crate::metrics::{Form, Metrics};
use crate::probe::Probe;
use crate::pulse::Pulse;

/// Where the metrics are.
const METRICS: &str = "/metrics";
const TEXT: &str = "text/plain; charset=utf-8";

/// Who answers.
#[derive(Debug)]
pub(crate) struct Clerk {
    board: Arc<Board>,
    pulse: Rc<Pulse>,
    metrics: Metrics,
}

impl Clerk {
    /// Reads this board and asks over this link.
    pub(crate) fn new(board: Arc<Board>, pulse: Rc<Pulse>, metrics: Metrics) -> Self {
        Self {
            board,
            pulse,
            metrics,
        }
    }

    /// The answer to a request. Its body, if it has one, is not looked at.
    pub(crate) async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        let probe = Probe::ALL.into_iter().find(|probe| probe.path() == path);
        if probe.is_none() && path != METRICS {
            let paths = Probe::ALL.map(Probe::path).join(", ");
            let words = format!("nothing is here; there is {paths} and {METRICS}\n");
            return reply(StatusCode::NOT_FOUND, TEXT, words);
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let words = "only GET and HEAD\n".to_owned();
            let mut refused = reply(StatusCode::METHOD_NOT_ALLOWED, TEXT, words);
            let allowed = HeaderValue::from_static("GET, HEAD");
            refused.headers_mut().insert(ALLOW, allowed);
            return refused;
        }
        match probe {
            Some(probe) => {
                let query = request.uri().query().unwrap_or_default();
                self.probe(probe, is_verbose(query)).await
            }
            None => {
                let form = wanted(request.headers());
                reply(StatusCode::OK, form.content_type(), self.metrics.text(form))
            }
        }
    }

    async fn probe(&self, probe: Probe, is_verbose: bool) -> Response<Full<Bytes>> {
        let turns = match probe {
            Probe::Live => Some(self.pulse.beats().await),
            // The workers start and serve without the supervisor: whether it turns does not count.
            Probe::Startup | Probe::Ready => None,
        };
        let verdict = probe.judge(self.board.overview().condition(), turns);
        let status = match verdict.is_well() {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        let words = match is_verbose {
            true => verdict.list(),
            false => verdict.sentence(),
        };
        reply(status, TEXT, words)
    }
}

fn is_verbose(query: &str) -> bool {
    let mut parts = query.split('&');
    parts.any(|part| part.split('=').next() == Some("verbose"))
}

/// OpenMetrics for who names it, with or without others; Prometheus' own text for everybody else.
fn wanted(headers: &HeaderMap) -> Form {
    let mut accepted = headers.get_all(ACCEPT).iter();
    let names_it = accepted.any(|value| {
        let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
        text.contains("application/openmetrics-text")
    });
    if names_it {
        Form::OpenMetrics
    } else {
        Form::Prometheus
    }
}

fn reply(status: StatusCode, kind: &'static str, words: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(words)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::{is_verbose, wanted};
    use crate::metrics::Form;
    use http::header::ACCEPT;
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn verbose_is_a_word_of_the_query() {
        for yes in ["verbose", "verbose=1", "a=b&verbose", "verbose&exclude=x"] {
            assert!(is_verbose(yes), "{yes}");
        }
        for no in ["", "verboser", "a=verbose"] {
            assert!(!is_verbose(no), "{no}");
        }
    }

    #[test]
    fn openmetrics_is_for_who_asks_for_it() {
        let ask = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            wanted(&headers)
        };
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(ask(prometheus), Form::OpenMetrics);
        assert_eq!(ask("text/plain;version=0.0.4"), Form::Prometheus);
        assert_eq!(ask("*/*"), Form::Prometheus);
        assert_eq!(wanted(&HeaderMap::new()), Form::Prometheus);
    }
}
