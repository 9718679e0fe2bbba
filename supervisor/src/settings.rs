//! From the configuration to what the plan and the log want to know.

use std::time::Duration;

use brigade_config::{Config, LogLevel, MAX_WORKERS, Share, SupervisorConfig, WorkerCount};
use brigade_shared::sys::cpu::Usable;
use tracing::level_filters::LevelFilter;

use crate::launch::Launch;
use crate::memory;
use crate::plan::{Elastic, Intensity, Quorum, Recycle, Settings};

/// How long handshakes may still arrive at a slot that new connections are kept from: a round trip
/// and a retransmission on a near network, measured without loss in scale-downs under load.
const SETTLE: Duration = Duration::from_millis(100);

/// How long a slot's sockets stay open for handshakes on slow networks that have lost a packet or
/// two: to close them resets such a connection, to wait costs nothing.
const CLOSE_AFTER: Duration = Duration::from_secs(3);

/// The plan's share of a configuration, at this moment's number of usable processors.
pub(crate) fn of(config: &Config, launch: &Launch) -> Settings {
    let tls = &config.worker.tls;
    let config = &config.supervisor;
    let count = workers(config).0;
    // A share of an elastic number is one of the most that it can be: how many there are when the
    // reload comes is known only to the plan, and all must stay all.
    let most = match config.workers {
        WorkerCount::Between(_, most) => most,
        WorkerCount::Auto | WorkerCount::Fixed(_) => count,
    };
    Settings {
        workers: count,
        start_timeout: config.timeout_start,
        drain_timeout: config.timeout_graceful_shutdown,
        kill_timeout: config.timeout_kill,
        settle: SETTLE,
        close_after: CLOSE_AFTER,
        start_attempts: config.start_attempts,
        backoff_first: config.restart_delay,
        backoff_most: config.restart_delay_max,
        calm_after: config.restart_calm,
        intensity: config.restart_intensity.map(|limit| Intensity {
            crashes: limit.crashes,
            period: limit.period,
        }),
        elastic: match config.workers {
            WorkerCount::Between(least, most) => Some(Elastic { least, most }),
            WorkerCount::Auto | WorkerCount::Fixed(_) => None,
        },
        stall_warn: config.stall_warn,
        stall_limit: config.timeout_worker,
        surge: part(config.reload_surge, most),
        unavailable: part(config.reload_max_unavailable, most),
        can_hold: match launch {
            Launch::Service(_) => true,
            Launch::Program(_) => false,
        },
        probation: config.reload_probation,
        lingering: config.reload_max_lingering,
        recycle: Recycle {
            requests: config.recycle.max_requests,
            requests_jitter: config.recycle.max_requests_jitter,
            lifetime: config.recycle.lifetime,
            memory: config.recycle.memory.and_then(memory::bytes),
            at_most: config.recycle.at_most,
        },
        ready_when: match config.ready_when {
            Share::Count(count) => Quorum::Count(count),
            Share::Percent(percent) => Quorum::Percent(percent),
        },
        ticket_rotation: tls.is_on().then_some(tls.ticket_rotation),
    }
}

/// So many of `workers`; a percentage is rounded up.
fn part(share: Share, workers: u16) -> u16 {
    match share {
        Share::Count(count) => count,
        Share::Percent(percent) => {
            let hundredths = u32::from(workers) * u32::from(percent);
            u16::try_from(hundredths.div_ceil(100)).unwrap_or(u16::MAX)
        }
    }
}

/// How many workers, and why so many.
pub(crate) fn workers(config: &SupervisorConfig) -> (u16, String) {
    match config.workers {
        WorkerCount::Fixed(count) => (count, "as configured".to_owned()),
        WorkerCount::Between(least, most) => (least, format!("between {least} and {most}")),
        WorkerCount::Auto => {
            let usable = Usable::now();
            let count = u16::try_from(usable.count())
                .unwrap_or(MAX_WORKERS)
                .min(MAX_WORKERS);
            (count, format!("auto: {usable}"))
        }
    }
}

/// A level in the log's own words.
#[must_use]
pub fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warning => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use brigade_config::Share;

    use super::part;

    #[test]
    fn a_share_is_rounded_up() {
        assert_eq!(part(Share::Percent(100), 16), 16);
        assert_eq!(part(Share::Percent(25), 5), 2);
        assert_eq!(part(Share::Count(3), 16), 3);
    }
}
