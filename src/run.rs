//! The composition root: the only place that names both supervisor and worker.

use std::process::ExitCode;

use brigade_shared::exit::supervisor as code;
use brigade_supervisor::{Arrival, Service};
use brigade_worker::Factory;

use crate::version::VERSION;
use crate::{cli, commands};

/// Runs a service with Brigade's whole command line, and returns when that is done: with `serve`,
/// when the service has stopped.
///
/// `factory` is called once in each worker, on the worker's own single-threaded runtime, so what
/// it builds need not be `Send`; connect pools and read secrets there. It runs again in every
/// replacement. This process itself becomes the supervisor and must have no other thread and no
/// async runtime when this is called.
///
/// # Exit codes
/// 0 stopped as asked; 1 gave up, since no worker ever became ready; 2 wrong usage; 71 the system
/// refused (an address in use, no memory); 78 bad configuration.
///
/// # Example
/// ```no_run
/// use std::convert::Infallible;
///
/// fn main() -> std::process::ExitCode {
///     brigade::run(|_context| async {
///         let routes = axum::Router::new().route("/", axum::routing::get(|| async { "hello" }));
///         Ok::<_, Infallible>(routes)
///     })
/// }
/// ```
pub fn run<F: Factory + 'static>(factory: F) -> ExitCode {
    let service = service(factory);
    // Before anything else: after an upgrade in place this process is in the middle of its life.
    let arrival = match Arrival::now(VERSION) {
        Ok(arrival) => arrival,
        Err(code) => return ExitCode::from(code),
    };
    let matches = match cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version are errors to clap, of exit code 0.
            let code = if error.use_stderr() {
                code::USAGE
            } else {
                code::STOPPED
            };
            let code = arrival.fail(&error.to_string(), code);
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match matches.subcommand() {
        Some(("serve", matches)) => commands::serve(matches, service, arrival),
        Some(("exec", matches)) => commands::exec(matches, arrival),
        Some(("static", matches)) => commands::serve_files(matches, arrival),
        Some(("check", matches)) => commands::check(matches),
        Some(("unit", matches)) => commands::unit(matches),
        Some(("schema", _)) => commands::schema(),
        Some(("completions", matches)) => commands::completions(matches),
        Some(("man", matches)) => commands::man(matches),
        _ => ExitCode::from(code::USAGE),
    }
}

/// What each worker runs.
pub(crate) fn service<F: Factory + 'static>(factory: F) -> Service {
    Box::new(move |seat, config| brigade_worker::run(seat, config, &factory))
}
