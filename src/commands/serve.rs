//! `serve`: workers that run this binary's own app.

use std::process::ExitCode;

use brigade_shared::exit::supervisor as code;
use brigade_supervisor::{Arrival, Launch, Service};
use clap::ArgMatches;

use super::configuration;

/// Serves until it is told to stop.
pub(crate) fn serve(matches: &ArgMatches, service: Service, arrival: Arrival) -> ExitCode {
    if let Some(app) = matches.get_one::<String>("app") {
        eprintln!(
            "error: cannot serve {app}: Python apps are not part of this version\n\n  Run their server as a program instead: brigade exec -- uvicorn --fd 3 {app}"
        );
        return ExitCode::from(arrival.fail("it was asked to serve a Python app", code::USAGE));
    }
    serve_service(matches, service, arrival)
}

/// The same for whoever has no command line.
pub(crate) fn serve_service(matches: &ArgMatches, service: Service, arrival: Arrival) -> ExitCode {
    configuration::supervise(matches, Launch::Service(service), arrival)
}
