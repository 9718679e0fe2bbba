//! Who is compared.

use std::fmt;

use brigade_benches::contender::BODY;

use super::brigade::{Brigade, Program};
use super::running::Server;
use super::{Binaries, nginx};
use crate::measure::Cpus;
use crate::outcome::Outcome;

/// Names the binary `contender-brigade` of an earlier version, to be measured in the same run.
pub(super) const EARLIER: &str = "BENCH_EARLIER_BRIGADE";

/// Enough for every section but the crowd.
const USUAL_ROOM: usize = 1_000;

/// Who is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Peer {
    /// A bare epoll loop that answers a fixed string, level-triggered as is epoll's custom.
    Floor,
    /// The same, edge-triggered.
    EdgeFloor,
    /// hyper on one current_thread runtime, nothing around it.
    Hyper,
    /// Brigade with one worker and the contenders' hello.
    Brigade,
    /// The same, of an earlier version, if the variable [`EARLIER`] says where it is.
    Earlier,
    /// `brigade serve` with one worker and its demo app.
    Demo,
    /// `axum::serve` on the multi-thread runtime with so many threads.
    Axum(u8),
    /// actix-web with one worker.
    Actix,
    /// nginx with one worker and `return 200`.
    Nginx,
}

impl Peer {
    /// Everybody, the floor first, and an earlier Brigade if there is one.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Self::ALL.to_vec();
        if std::env::var_os(EARLIER).is_some() {
            all.insert(4, Self::Earlier);
        }
        all
    }

    const ALL: [Self; 9] = [
        Self::Floor,
        Self::EdgeFloor,
        Self::Hyper,
        Self::Brigade,
        Self::Demo,
        Self::Axum(1),
        Self::Axum(2),
        Self::Actix,
        Self::Nginx,
    ];

    /// Starts it on the server's CPU and sees it answer once.
    pub(crate) fn start(self, binaries: &Binaries, cpus: Cpus) -> Outcome<Server> {
        self.start_for(USUAL_ROOM, binaries, cpus)
    }

    /// The same, with room for at least so many connections.
    pub(crate) fn start_for(
        self,
        connections: usize,
        binaries: &Binaries,
        cpus: Cpus,
    ) -> Outcome<Server> {
        let contender = |name: &str| binaries.command(name);
        let server = match self {
            Self::Floor => Server::contender(&mut contender("contender-floor"), cpus),
            Self::EdgeFloor => Server::contender(contender("contender-floor").arg("edge"), cpus),
            Self::Hyper => Server::contender(&mut contender("contender-hyper"), cpus),
            Self::Brigade => Brigade::new(Program::Hello)
                .start(binaries, cpus)
                .map(|(it, _)| it),
            Self::Earlier => Brigade::new(Program::Earlier)
                .start(binaries, cpus)
                .map(|(it, _)| it),
            Self::Demo => Brigade::new(Program::Demo)
                .start(binaries, cpus)
                .map(|(it, _)| it),
            Self::Axum(threads) => {
                let mut command = contender("contender-axum");
                Server::contender(command.arg(threads.to_string()), cpus)
            }
            Self::Actix => Server::contender(&mut contender("contender-actix"), cpus),
            Self::Nginx => nginx::start(connections, binaries, cpus),
        };
        let server = server.map_err(|error| format!("{self}: {error}"))?;
        server.target(self.body()).ask_once()?;
        Ok(server)
    }

    /// The length of the body of its answer, where that is fixed.
    pub(crate) fn body(self) -> Option<usize> {
        match self {
            Self::Demo => None,
            Self::Earlier => Some(BODY.len()),
            Self::Floor | Self::EdgeFloor | Self::Hyper | Self::Brigade => Some(BODY.len()),
            Self::Axum(_) | Self::Actix | Self::Nginx => Some(BODY.len()),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Floor => f.write_str("floor: epoll loop"),
            Self::EdgeFloor => f.write_str("floor, edge-triggered"),
            Self::Hyper => f.write_str("bare hyper"),
            Self::Brigade => f.write_str("**Brigade**, hello"),
            Self::Earlier => f.write_str("an earlier Brigade, hello"),
            Self::Demo => f.write_str("**Brigade**, demo app"),
            Self::Axum(1) => f.write_str("axum, 1 thread"),
            Self::Axum(threads) => write!(f, "axum, {threads} threads"),
            Self::Actix => f.write_str("actix-web"),
            Self::Nginx => write!(f, "nginx {}", nginx::version()),
        }
    }
}
