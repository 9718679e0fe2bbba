//! Where to listen: the one choice that five keys spell together.
//!
//! `host` and `port` spell one TCP address between them; `uds`, `fd` and `bind` are other ways to
//! say where. From the weakest layer to the strongest, each layer that says anything about it
//! replaces the choice so far; only where both are `host` and `port` does it amend it:
//!
//! ```text
//! file: host = "0.0.0.0"      environment: PORT=9000     -> 0.0.0.0:9000
//! file: bind = ["unix:/a"]    flag: --port 9000          -> 127.0.0.1:9000
//! file: port = 80             flag: --uds /a             -> unix:/a
//! ```
//!
//! One layer that says it in two ways contradicts itself.

use std::net::{IpAddr, Ipv4Addr};

use crate::keys::{Key, Meaning, Spelling, key};
use crate::layers::{Given, Layer};
use crate::problem::{Origin, Place, Problem};
use crate::resolve::Effective;
use crate::types::Bind;
use crate::words::{Fault, Host, bind, descriptor, host, port, quoted, unix};

const LAYERS: [Layer; 5] = [
    Layer::File,
    Layer::Platform,
    Layer::Uvicorn,
    Layer::Environment,
    Layer::Flags,
];

/// The choice where to listen: what was given for it and counts. Empty: the defaults.
#[derive(Debug)]
pub(crate) struct Choice<'a> {
    parts: Vec<(Spelling, &'a Given)>,
}

/// What some words of an address turn out to be.
enum Piece {
    Host(Host),
    Port(u16),
    Whole(Bind),
}

impl<'a> Choice<'a> {
    /// Folds the layers. A layer that contradicts itself is a problem; if it holds variables of
    /// others, only when nothing stronger replaces it.
    pub(crate) fn of(givens: &'a [Given], problems: &mut Vec<Problem>) -> Self {
        let mut parts: Vec<(Spelling, &Given)> = Vec::new();
        let mut foreign = None;
        for layer in LAYERS {
            let of_layer = givens.iter().filter(|given| given.layer == layer);
            let here: Vec<_> = of_layer
                .filter_map(|given| Some((spelling(given.key)?, given)))
                .collect();
            if here.is_empty() {
                continue;
            }
            if is_host_and_port(&parts) && is_host_and_port(&here) {
                parts.retain(|(old, _)| here.iter().all(|(new, _)| new != old));
                parts.extend(here);
                continue;
            }
            foreign = contradiction(&here);
            if layer.is_ours() {
                problems.extend(foreign.take());
            }
            parts = here;
        }
        problems.extend(foreign);
        Self { parts }
    }

    /// Whether this counts.
    pub(crate) fn holds(&self, given: &Given) -> bool {
        self.parts
            .iter()
            .any(|(_, part)| std::ptr::eq(*part, given))
    }

    /// The places to listen, in the order given; the words were found to be right before.
    pub(crate) fn binds(&self, problems: &mut Vec<Problem>) -> Vec<Bind> {
        let (mut address, mut number) = (self.usual_host(), usual_port());
        let mut places: Vec<(Bind, &Place)> = Vec::new();
        for (spelling, given) in &self.parts {
            for words in &given.words {
                match piece(*spelling, &words.text) {
                    Ok(Piece::Host(host)) => address = host,
                    Ok(Piece::Port(port)) => number = port,
                    Ok(Piece::Whole(bind)) => places.push((bind, &words.place)),
                    Err(_) => {}
                }
            }
        }
        if is_host_and_port(&self.parts) {
            return vec![address.at(number)];
        }
        problems.extend(doubles(&places));
        places.into_iter().map(|(bind, _)| bind).collect()
    }

    /// What `brigade check` says of the choice: only the keys that spell it.
    pub(crate) fn effective(&self, binds: &[Bind]) -> Vec<Effective> {
        let row = |name, value, origin| Effective {
            name,
            value,
            origin,
        };
        let origin = |wanted: Spelling| {
            let part = self.parts.iter().find(|(spelling, _)| *spelling == wanted);
            part.map_or(Origin::Default, |(_, given)| given.place().origin())
        };
        match (self.parts.first(), binds) {
            (Some((spelling, given)), _) if !is_tcp(*spelling) => {
                let all: Vec<String> = binds.iter().map(ToString::to_string).collect();
                let all = all.join(", ");
                let value = match spelling {
                    Spelling::Uds => all.trim_start_matches("unix:"),
                    Spelling::Fd => all.trim_start_matches("fd:"),
                    _ => &all,
                };
                vec![row(
                    given.key.name,
                    value.to_owned(),
                    given.place().origin(),
                )]
            }
            (_, [Bind::Tcp(address, port)]) => vec![
                row("host", address.to_string(), self.host_origin()),
                row("port", port.to_string(), origin(Spelling::Port)),
            ],
            (_, [Bind::Name(name, port)]) => vec![
                row("host", name.clone(), self.host_origin()),
                row("port", port.to_string(), origin(Spelling::Port)),
            ],
            _ => Vec::new(),
        }
    }

    /// The part that gives the port, if a hosting platform does and nobody names a host. Such a
    /// platform connects from outside the container, where the usual host cannot be reached.
    fn platform_port(&self) -> Option<&Given> {
        match self.parts.as_slice() {
            [(Spelling::Port, given)] if given.layer == Layer::Platform => Some(given),
            _ => None,
        }
    }

    fn usual_host(&self) -> Host {
        match (
            self.platform_port(),
            key("host").and_then(|key| key.default).map(host),
        ) {
            (None, Some(Ok(host))) => host,
            _ => Host::Address(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        }
    }

    fn host_origin(&self) -> Origin {
        let part = self
            .parts
            .iter()
            .find(|(spelling, _)| *spelling == Spelling::Host);
        let given = part
            .map(|(_, given)| *given)
            .or_else(|| self.platform_port());
        given.map_or(Origin::Default, |given| given.place().origin())
    }
}

/// Whether these words are right for a key that spells an address.
pub(crate) fn inspect(spelling: Spelling, text: &str) -> Result<(), Fault> {
    piece(spelling, text).map(drop)
}

fn piece(spelling: Spelling, text: &str) -> Result<Piece, Fault> {
    match spelling {
        Spelling::Host => host(text).map(Piece::Host),
        Spelling::Port => port(text).map(Piece::Port),
        Spelling::Uds => unix(text.strip_prefix("unix:").unwrap_or(text)).map(Piece::Whole),
        Spelling::Fd => descriptor(text).map(Bind::Fd).map(Piece::Whole),
        Spelling::Bind => bind(text).map(Piece::Whole),
    }
}

fn usual_port() -> u16 {
    key("port")
        .and_then(|key| key.default)
        .and_then(|text| port(text).ok())
        .unwrap_or(0)
}

fn spelling(key: &Key) -> Option<Spelling> {
    match key.meaning {
        Meaning::Place(spelling) => Some(spelling),
        Meaning::Value { .. } | Meaning::Values { .. } => None,
    }
}

fn is_tcp(spelling: Spelling) -> bool {
    matches!(spelling, Spelling::Host | Spelling::Port)
}

fn is_host_and_port(parts: &[(Spelling, &Given)]) -> bool {
    parts.iter().all(|(spelling, _)| is_tcp(*spelling))
}

/// Two ways of saying where, in one layer.
fn contradiction(parts: &[(Spelling, &Given)]) -> Option<Problem> {
    let (first, one) = parts.first()?;
    let fits = |spelling: Spelling| is_tcp(*first) && is_tcp(spelling);
    let (_, other) = parts[1..].iter().find(|(spelling, _)| !fits(*spelling))?;
    let what = format!(
        "`{}` and `{}` both say where to listen",
        one.key.name, other.key.name
    );
    let cure =
        "keep one of them; `bind` takes several places: `127.0.0.1:8000`, `unix:/run/a.sock`";
    Some(Problem::new(what, one.place().clone(), cure).against(other.place().clone()))
}

/// Places that would be listened at twice.
fn doubles(places: &[(Bind, &Place)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, (bind, place)) in places.iter().enumerate() {
        let before = places[..index]
            .iter()
            .find(|(other, _)| overlap(other, bind));
        if let Some((other, at)) = before {
            let what = match other == bind {
                true => format!("{} is listed twice", quoted(&bind.to_string())),
                false => format!("`{bind}` and `{other}` overlap: `systemd:` takes all"),
            };
            let problem = Problem::new(what, (*place).clone(), "keep one of the two");
            problems.push(problem.against((*at).clone()));
        }
    }
    problems
}

fn overlap(one: &Bind, other: &Bind) -> bool {
    match (one, other) {
        // Port 0 is another free port each time.
        (Bind::Tcp(_, 0), _) | (Bind::Name(_, 0), _) => false,
        (Bind::Systemd(a), Bind::Systemd(b)) => a == b || a.is_empty() || b.is_empty(),
        _ => one == other,
    }
}
