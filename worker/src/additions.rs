//! Headers that every answer gets, beside the app's own.

use brigade_config::AnswerHeaders;
use http::header::{HeaderMap, HeaderName, HeaderValue, SERVER};

/// Made once, when the worker starts.
#[derive(Debug)]
pub(crate) struct Additions(Vec<(HeaderName, Vec<HeaderValue>)>);

impl Additions {
    pub(crate) fn new(answers: &AnswerHeaders) -> Self {
        let mut all: Vec<(HeaderName, Vec<HeaderValue>)> = Vec::new();
        for (name, value) in &answers.more {
            // The configuration takes none that could not be sent.
            let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            else {
                continue;
            };
            match all.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value),
                None => all.push((name, vec![value])),
            }
        }
        if answers.server && all.iter().all(|(name, _)| name != SERVER) {
            all.push((SERVER, vec![HeaderValue::from_static("brigade")]));
        }
        Self(all)
    }

    /// Adds each that the app has not named itself.
    pub(crate) fn add(&self, headers: &mut HeaderMap) {
        for (name, values) in &self.0 {
            if !headers.contains_key(name) {
                for value in values {
                    headers.append(name, value.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Additions;
    use brigade_config::AnswerHeaders;
    use http::HeaderMap;
    use http::header::{HeaderValue, SERVER};

    fn added(server: bool, more: &[(&str, &str)], headers: &mut HeaderMap) -> Vec<String> {
        let more = more
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let answers = AnswerHeaders {
            server,
            date: true,
            more: more.collect(),
        };
        Additions::new(&answers).add(headers);
        let lines = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        lines.collect()
    }

    #[test]
    fn what_the_operator_names_is_added_where_the_app_is_silent() {
        let more = [("x-a", "1"), ("x-b", "2"), ("x-a", "3")];
        let lines = added(true, &more, &mut HeaderMap::new());
        assert_eq!(lines, ["x-a: 1", "x-a: 3", "x-b: 2", "server: brigade"]);
        let mut apps = HeaderMap::new();
        apps.insert("x-a", HeaderValue::from_static("app"));
        apps.insert(SERVER, HeaderValue::from_static("app/1"));
        assert_eq!(
            added(true, &more, &mut apps),
            ["x-a: app", "server: app/1", "x-b: 2"]
        );
        assert_eq!(
            added(true, &[("server", "mine")], &mut HeaderMap::new()),
            ["server: mine"]
        );
        assert!(added(false, &[], &mut HeaderMap::new()).is_empty());
    }
}
