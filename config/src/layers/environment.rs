//! The environment: Brigade's own variables, uvicorn's, and those that hosting platforms set. An
//! empty variable counts as unset.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::given::{Given, Layer, Words};
use crate::keys::{Key, Kind, keys};
use crate::problem::{Place, Problem};
use crate::words::{nearest, quoted};

/// The variable that names the configuration file.
pub(super) const CONFIG_VARIABLE: &str = "BRIGADE_CONFIG";

/// What Brigade itself puts into the environment of its workers. A supervisor that was started by
/// a worker's program must not take them for its own configuration.
pub const CHILD_VARIABLES: [&str; 3] = ["BRIGADE_SLOT", "BRIGADE_GENERATION", "BRIGADE_WORKER"];

const OURS: &str = "BRIGADE_";

/// The variables that may matter, by name.
#[derive(Debug)]
pub(crate) struct Environment {
    variables: BTreeMap<String, OsString>,
}

impl Environment {
    /// Keeps what is Brigade's or known to it, and is not empty.
    pub(crate) fn new(all: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let known = |name: &str| keys().any(|key| key.environment.contains(&name));
        let variables = all
            .into_iter()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
            .filter(|(name, value)| !value.is_empty() && (name.starts_with(OURS) || known(name)))
            .filter(|(name, value)| !is_service_link(name, &value.to_string_lossy()))
            .collect();
        Self { variables }
    }

    /// The configuration file that it names, and where it does.
    pub(crate) fn config(&self) -> Option<(&OsString, Place)> {
        let path = self.variables.get(CONFIG_VARIABLE)?;
        Some((path, whole(CONFIG_VARIABLE, path)))
    }

    /// What the environment gives. Variables that begin like Brigade's but are none are problems.
    pub(crate) fn givens(&self, problems: &mut Vec<Problem>) -> Vec<Given> {
        for (name, value) in &self.variables {
            if !is_known(name) {
                problems.push(unknown(name, value));
            }
        }
        let of_key = |key: &'static Key| key.environment.iter().map(move |name| (key, *name));
        keys()
            .flat_map(of_key)
            .filter_map(|(key, name)| {
                let value = self.variables.get(name)?;
                let words = words(key, name, value, problems);
                (!words.is_empty()).then_some(Given {
                    key,
                    layer: layer(name),
                    words,
                })
            })
            .collect()
    }
}

fn layer(name: &str) -> Layer {
    match name {
        _ if name.starts_with(OURS) => Layer::Environment,
        _ if name.starts_with("UVICORN_") => Layer::Uvicorn,
        _ => Layer::Platform,
    }
}

/// The place of a whole value.
fn whole(name: &str, value: &OsString) -> Place {
    let value = value.to_string_lossy().into_owned();
    Place::Environment {
        name: name.to_owned(),
        at: 0..value.len(),
        value,
    }
}

fn words(key: &Key, name: &str, value: &OsString, problems: &mut Vec<Problem>) -> Vec<Words> {
    let Some(text) = value.to_str() else {
        // Somebody else's variable in another encoding is not Brigade's business.
        if layer(name).is_ours() {
            let what = "the value is not text in UTF-8";
            let cure = "write it in UTF-8, or unset the variable";
            problems.push(Problem::new(what, whole(name, value), cure));
        }
        return Vec::new();
    };
    match key.kind {
        Kind::List { .. } => parts(name, text),
        _ => vec![Words {
            text: text.to_owned(),
            place: whole(name, value),
        }],
    }
}

/// What stands between commas, each with its own place.
fn parts(name: &str, value: &str) -> Vec<Words> {
    let mut words = Vec::new();
    let mut start = 0;
    for part in value.split(',') {
        let text = part.trim();
        let from = start + part.len() - part.trim_start().len();
        if !text.is_empty() {
            let at = from..from + text.len();
            let place = Place::Environment {
                name: name.to_owned(),
                value: value.to_owned(),
                at,
            };
            words.push(Words {
                text: text.to_owned(),
                place,
            });
        }
        start += part.len() + 1;
    }
    words
}

fn is_known(name: &str) -> bool {
    name == CONFIG_VARIABLE
        || CHILD_VARIABLES.contains(&name)
        || keys().any(|key| key.environment.contains(&name))
}

fn unknown(name: &str, value: &OsString) -> Problem {
    let names = keys()
        .flat_map(|key| key.environment)
        .copied()
        .chain([CONFIG_VARIABLE]);
    // Compared without the common beginning, which would make all of them look alike.
    let meant = nearest(
        name.trim_start_matches(OURS),
        names.filter_map(|n| n.strip_prefix(OURS)),
    );
    let value = value.to_string_lossy().into_owned();
    Problem::new(
        format!("Brigade does not know the variable {}", quoted(name)),
        Place::Variable {
            name: name.to_owned(),
            value,
        },
        "unset it, or see `brigade help serve` for the variable of each flag",
    )
    .meaning(meant.map(|rest| format!("{OURS}{rest}")).as_deref())
}

/// Whether Kubernetes made this variable for a Service that happens to be called `brigade`,
/// `brigade-api` or `uvicorn`: `BRIGADE_PORT=tcp://10.0.0.1:80`, `BRIGADE_SERVICE_HOST`,
/// `BRIGADE_PORT_80_TCP_ADDR` (kubernetes.io, "Accessing the Service", environment variables).
fn is_service_link(name: &str, value: &str) -> bool {
    let is_url = || value.starts_with("tcp://") || value.starts_with("udp://");
    let names_port = |rest: &str| {
        let mut parts = rest.split('_');
        parts.next().is_some_and(|port| port.parse::<u16>().is_ok())
            && parts
                .next()
                .is_some_and(|protocol| ["TCP", "UDP", "SCTP"].contains(&protocol))
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && is_url())
        || name
            .split_once("_PORT_")
            .is_some_and(|(_, rest)| names_port(rest))
}

#[cfg(test)]
mod tests {
    use super::is_service_link;

    #[test]
    fn what_kubernetes_makes_for_a_service_is_told_apart() {
        for (name, value) in [
            ("BRIGADE_PORT", "tcp://10.0.0.1:80"),
            ("BRIGADE_SERVICE_HOST", "10.0.0.1"),
            ("BRIGADE_SERVICE_PORT", "80"),
            ("BRIGADE_SERVICE_PORT_HTTP", "80"),
            ("BRIGADE_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("BRIGADE_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("BRIGADE_API_PORT", "tcp://10.0.0.1:80"),
        ] {
            assert!(is_service_link(name, value), "{name}");
        }
        for (name, value) in [
            ("BRIGADE_PORT", "80"),
            ("BRIGADE_HOST", "10.0.0.1"),
            ("PORT", "1"),
        ] {
            assert!(!is_service_link(name, value), "{name}");
        }
    }
}
