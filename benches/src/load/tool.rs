//! Load by tools that speak what our own does not: h2load for HTTP/2, TLS and bodies, wrk for a TLS
//! connection per request.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::outcome::Outcome;

/// One kind of request, many times.
pub(crate) struct H2load {
    /// What to ask for.
    pub(crate) url: String,
    /// Connections.
    pub(crate) connections: usize,
    /// Requests in flight on each, by HTTP/2; none: HTTP/1.1.
    pub(crate) streams: Option<usize>,
    /// What to send, as JSON.
    pub(crate) body: Option<PathBuf>,
}

/// What a tool tells.
#[derive(Clone, Copy, Default)]
pub(crate) struct Told {
    /// Answered as they should be.
    pub(crate) answered: u64,
    /// Anything else.
    pub(crate) faults: u64,
    /// As long as it took.
    pub(crate) wall: Duration,
}

impl H2load {
    /// So many of them.
    pub(crate) fn run(&self, requests: u64) -> Outcome<Told> {
        let mut command = Command::new("h2load");
        command.args(["-t1", "-c", &self.connections.to_string()]);
        command.args(["-n", &requests.max(self.connections as u64).to_string()]);
        match self.streams {
            Some(streams) => command.args(["-m", &streams.to_string()]),
            None => command.arg("--h1"),
        };
        if let Some(body) = &self.body {
            command.arg("-d").arg(body);
            command.args(["-H", "content-type: application/json"]);
        }
        let began = std::time::Instant::now();
        let words = words_of(command.arg(&self.url))?;
        let wall = began.elapsed();
        let number = |after: &str| number_before(&words, after);
        // "requests: 9 total, 9 started, 9 done, 9 succeeded, 0 failed, 0 errored, 0 timeout"
        let (total, answered) = match (number(" total,"), number(" succeeded,")) {
            (Some(total), Some(answered)) => (total, answered),
            _ => return Err(format!("h2load says something else than it used to: {words}").into()),
        };
        Ok(Told {
            answered,
            faults: total - answered,
            wall,
        })
    }
}

/// A new TLS connection for each request, so many at once.
pub(crate) fn handshakes(url: &str, at_once: usize, time: Duration) -> Outcome<Told> {
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c", &at_once.to_string()]);
    command.args(["-d", &format!("{}s", time.as_secs().max(1))]);
    let began = std::time::Instant::now();
    let words = words_of(command.args(["-H", "Connection: close", url]))?;
    // "  12345 requests in 3.00s, 1.2MB read", then perhaps "Socket errors" and "Non-2xx".
    let answered = number_before(&words, " requests in")
        .ok_or_else(|| format!("wrk says something else than it used to: {words}"))?;
    let other = words
        .lines()
        .find_map(|line| line.split_once("Non-2xx or 3xx responses: "));
    let other = other.and_then(|(_, number)| number.trim().parse().ok());
    Ok(Told {
        answered,
        faults: other.unwrap_or(0),
        wall: began.elapsed(),
    })
}

fn words_of(command: &mut Command) -> Outcome<String> {
    let name = command.get_program().display().to_string();
    let told = command.output();
    let told = told.map_err(|error| format!("{name}: {error}: run benches/install"))?;
    let words = String::from_utf8_lossy(&told.stdout).into_owned();
    if told.status.success() {
        Ok(words)
    } else {
        let errors = String::from_utf8_lossy(&told.stderr);
        Err(format!("{name}: {}: {words}{errors}", told.status).into())
    }
}

/// The number that stands before these words.
fn number_before(text: &str, words: &str) -> Option<u64> {
    let (before, _) = text.split_once(words)?;
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::number_before;

    #[test]
    fn numbers_are_found_before_their_words() {
        let words = "requests: 100 total, 100 started, 100 done, 98 succeeded, 2 failed";
        assert_eq!(number_before(words, " total,"), Some(100));
        assert_eq!(number_before(words, " succeeded,"), Some(98));
        assert_eq!(number_before(words, " lost,"), None);
    }
}
