//! `brigade-bench`: measures Brigade side by side with its peers and prints Markdown.

#![forbid(unsafe_code)]

mod arguments;
mod bench;
mod load;
mod measure;
mod outcome;
mod report;
mod section;
mod server;

use std::process::ExitCode;
use std::time::Instant;

use crate::arguments::Arguments;
use crate::bench::{Bench, Effort};
use crate::measure::{Cpus, machine, pin_to, raise_open_files};
use crate::outcome::Outcome;
use crate::server::Binaries;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("brigade-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let binaries = Binaries::prepare(arguments.build)?;
    let mut effort = if arguments.smoke {
        Effort::smoke()
    } else {
        Effort::full()
    };
    effort.rounds = arguments.rounds.unwrap_or(effort.rounds);
    let cpus = Cpus::choose()?;
    raise_open_files(effort.crowd as u64 + 1_000)?;
    let bench = Bench {
        cpus,
        binaries,
        effort,
        works: arguments.works.clone(),
    };
    preamble(&bench);
    pin_to(&[cpus.load])?;
    for section in &arguments.sections {
        let began = Instant::now();
        eprintln!("brigade-bench: {section} ...");
        let report = section
            .run(&bench)
            .map_err(|error| format!("{section}: {error}"))?;
        eprintln!(
            "brigade-bench: {section}: {:.1} s",
            began.elapsed().as_secs_f64()
        );
        println!("\n{report}");
    }
    Ok(())
}

fn preamble(bench: &Bench) {
    let Effort {
        rounds,
        window,
        warm_up,
        ..
    } = &bench.effort;
    println!("Machine: {}.", machine());
    println!(
        "Servers on CPU {}, load on CPU {}; {rounds} rounds in rotating order, a fresh process in \
         each, {warm_up:?} of load before a window of {window:?}; medians of the rounds.",
        bench.cpus.server, bench.cpus.load,
    );
    if !bench.binaries.optimised() {
        println!("\n**These binaries are not release builds: the figures mean nothing.**");
    }
}
