//! Brigade under a real systemd: the units of config/systemd, installed and handled as an
//! administrator would, on a machine of its own for each test; with the clients of the end-to-end
//! tests, which count every request.

#[expect(
    dead_code,
    unused_imports,
    reason = "the harness of the end-to-end tests, of which these need a part"
)]
#[path = "../e2e/support/mod.rs"]
mod support;

#[path = "../package/debian.rs"]
mod debian;
mod knock;
mod machine;
mod service;

mod activation;
mod examples;
mod hardening;
mod install;
mod journal;
mod limits;
mod package;
mod ready;
mod refused;
mod reload;
mod stop;
mod store;
mod unit_command;
mod upgrade;
mod watchdog;
