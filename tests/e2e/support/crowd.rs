//! All kinds of clients at once, at every address: what a loss budget of zero is measured with.

use std::env;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use super::account::{Account, Kill};
use super::brigade::Brigade;
use super::http::Address;
use super::load::{Load, Running};
use super::timing::Timing;

/// Whether the tests run in their full form, by hand: `BRIGADE_TESTS_FULL=1`.
pub(crate) fn full() -> bool {
    env::var_os("BRIGADE_TESTS_FULL").is_some_and(|value| value != "0")
}

/// The first number, or the second in the full form.
pub(crate) fn sized(usual: u32, in_full: u32) -> u32 {
    if full() { in_full } else { usual }
}

/// Clients of all kinds that run.
#[derive(Debug)]
pub(crate) struct Crowd {
    begin: Instant,
    name: &'static str,
    loads: Vec<Running>,
}

impl Crowd {
    /// At every address: clients at full speed and at a moderate one, on kept connections and on
    /// new ones, uploads and downloads that take a second each.
    pub(crate) fn gather(name: &'static str, brigade: &Brigade) -> Self {
        let kinds = |address: &Address| {
            let moderate = Duration::from_millis(20);
            [
                Load::keep_alive(brigade, 2).full_speed(),
                Load::connections(brigade, 2).full_speed(),
                Load::keep_alive(brigade, 3).think(moderate),
                Load::connections(brigade, 3).think(moderate),
                Load::uploads(brigade, 2),
                Load::downloads(brigade, 2),
            ]
            .map(|load| load.at(address.clone()).begin())
        };
        let loads: Vec<_> = brigade.addresses().iter().flat_map(kinds).collect();
        let crowd = Self {
            begin: Instant::now(),
            name,
            loads,
        };
        crowd.flow();
        crowd
    }

    /// Waits until every kind of client has been answered again.
    pub(crate) fn flow(&self) {
        let ended: Vec<_> = self.loads.iter().map(Running::ended).collect();
        for (load, before) in self.loads.iter().zip(ended) {
            load.reach(before + 1);
        }
    }

    /// Does something to the server so many times; in the full form so many, and until there have
    /// been enough requests: 100,000, or a minute of them. Tells how often it was done.
    pub(crate) fn while_they_ask(&self, usual: u32, in_full: u32, mut what: impl FnMut()) -> u32 {
        let is_enough = || {
            let ended: u64 = self.loads.iter().map(Running::ended).sum();
            !full() || ended >= 100_000 || self.begin.elapsed() >= Duration::from_secs(60)
        };
        let mut times = 0;
        while times < sized(usual, in_full) || !is_enough() {
            what();
            self.flow();
            times += 1;
        }
        times
    }

    /// Sends everybody home, and proves that nobody was disappointed but by these kills.
    pub(crate) fn go_home(self, kills: &[Kill]) -> Account {
        let seconds = self.begin.elapsed().as_secs_f64();
        let mut sum = Account::default();
        for load in self.loads {
            let account = load.stop();
            if account.answered > 0 || !account.losses.is_empty() {
                account.assert_lost_only(kills);
            }
            sum.add(account);
        }
        let timing = Timing::of(sum.first_bytes.iter().map(|first| first.took));
        say(&format!(
            "{}: {} answered, {} lost, in {seconds:.1} s; first bytes {timing}",
            self.name,
            sum.answered,
            sum.losses.len(),
        ));
        sum
    }
}

/// A figure for the reader of a full run.
pub(crate) fn say(words: &str) {
    if full() {
        // Not eprintln: the test harness would swallow it.
        io::stderr()
            .write_all(format!("{words}\n").as_bytes())
            .unwrap();
    }
}
