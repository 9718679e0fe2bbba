//! Windows of measurement that somebody else may disturb.

use std::time::{Duration, Instant};

use nix::unistd::Pid;

use crate::bench::Bench;
use crate::measure::{CpuTime, Noise, Spread};
use crate::outcome::Outcome;
use crate::report::figure;

/// A window in which others kept more of a CPU busy than this is measured again.
pub(super) const DISTURBED: f64 = 0.15;
/// Before that, whoever it is may come to an end.
const PAUSE: Duration = Duration::from_secs(2);

/// What was measured in one.
pub(super) trait Window {
    /// How much of a CPU others kept busy.
    fn others(&self) -> f64;
    /// Answers that were not as they should be.
    fn faults(&mut self) -> &mut u64;
}

/// A window with little else going on, or the last one if that is not to be had. Faults count also
/// where times do not.
pub(super) fn undisturbed<W: Window>(
    bench: &Bench,
    discarded: &mut usize,
    measure: impl Fn() -> Outcome<W>,
) -> Outcome<W> {
    let mut window = measure()?;
    for _ in 0..bench.effort.again {
        if window.others() <= DISTURBED {
            break;
        }
        *discarded += 1;
        std::thread::sleep(PAUSE);
        let faults = *window.faults();
        window = measure()?;
        *window.faults() += faults;
    }
    Ok(window)
}

/// What a request cost in one window.
pub(super) struct Cost {
    pub(super) cpu_micros: f64,
    pub(super) pace: f64,
    pub(super) faults: u64,
    others: f64,
}

impl Window for Cost {
    fn others(&self) -> f64 {
        self.others
    }

    fn faults(&mut self) -> &mut u64 {
        &mut self.faults
    }
}

impl Cost {
    /// Of this server while `load` runs, which tells how many requests were answered as they should
    /// be, and how many were not.
    pub(super) fn of(root: Pid, load: impl FnOnce() -> Outcome<(u64, u64)>) -> Outcome<Self> {
        let (before, quiet_before) = (CpuTime::of_family(root)?, Noise::now(&[root])?);
        let began = Instant::now();
        let (answered, faults) = load()?;
        let wall = began.elapsed().as_secs_f64();
        let cpu = CpuTime::of_family(root)?.since(before);
        let others = quiet_before.others_until(&Noise::now(&[root])?);
        if answered == 0 {
            return Err("nothing was answered as it should be".into());
        }
        Ok(Self {
            cpu_micros: cpu.total.as_secs_f64() * 1e6 / answered as f64,
            pace: answered as f64 / wall,
            faults,
            others,
        })
    }

    /// Of all rounds, for a table: the median with the least and the most, and the pace.
    pub(super) fn cells(rounds: &[Self]) -> [String; 2] {
        let cpu = Spread::of(rounds.iter().map(|round| round.cpu_micros));
        let pace = Spread::of(rounds.iter().map(|round| round.pace));
        let [median, least, most] = [cpu.median(), cpu.least(), cpu.most()].map(figure);
        [
            format!("{median} ({least}–{most})"),
            format!("{:.0}", pace.median()),
        ]
    }

    /// The median of the rounds' ratios: what slows a whole round down cancels out.
    pub(super) fn ratio(ours: &[Self], theirs: &[Self]) -> f64 {
        let pairs = ours.iter().zip(theirs);
        Spread::of(pairs.map(|(own, other)| own.cpu_micros / other.cpu_micros)).median()
    }
}
