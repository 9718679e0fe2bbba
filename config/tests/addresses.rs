//! How addresses add up over the layers.

#[path = "common/said.rs"]
mod common;

use common::{binds, effective, row, said};

#[test]
fn host_and_port_are_amended_by_stronger_layers() {
    let file = "host = '0.0.0.0'\nport = 1\n";
    assert_eq!(binds(said(&["--port", "2"], &[], file)), "0.0.0.0:2");
    assert_eq!(
        binds(said(&["--host", "::1"], &[("BRIGADE_PORT", "3")], file)),
        "[::1]:3"
    );
    assert_eq!(
        binds(said(&["--host", "localhost"], &[], "")),
        "localhost:8000"
    );
    assert_eq!(
        effective(said(&["--port", "2"], &[], file), "host"),
        row("0.0.0.0", "brigade.toml:1")
    );
    assert_eq!(
        effective(said(&["--port", "2"], &[], file), "port"),
        row("2", "flag --port")
    );
}

#[test]
fn any_other_choice_of_a_stronger_layer_replaces_the_weaker_one_whole() {
    let file = "bind = ['0.0.0.0:80', 'unix:/a']";
    assert_eq!(binds(said(&[], &[], file)), "0.0.0.0:80 unix:/a");
    assert_eq!(
        binds(said(&["--port", "9000"], &[], file)),
        "127.0.0.1:9000"
    );
    assert_eq!(
        binds(said(&["--uds", "/b"], &[("HOST", "::")], file)),
        "unix:/b"
    );
    assert_eq!(
        binds(said(&["--fd", "3"], &[], "host = '::'\nport = 80\n")),
        "fd:3"
    );
    assert_eq!(
        binds(said(&[], &[("BRIGADE_BIND", "fd:3, [::]:80")], file)),
        "fd:3 [::]:80"
    );
    // Port 0 is another free port each time.
    let twice = ["--bind", "[::1]:0", "--bind", "[::1]:0"];
    assert_eq!(binds(said(&twice, &[], "")), "[::1]:0 [::1]:0");
}

#[test]
fn only_the_keys_that_spell_the_address_are_shown() {
    let uds = said(&["--uds", "/b"], &[], "bind = 'fd:3'");
    assert_eq!(effective(uds, "uds"), row("/b", "flag --uds"));
    assert_eq!(effective(uds, "bind").0, "absent");
    assert_eq!(effective(uds, "host").0, "absent");
    assert_eq!(
        effective(said(&["--fd", "3"], &[], ""), "fd"),
        row("3", "flag --fd")
    );
    let several = said(&["--bind", "fd:3", "--bind", "localhost:80"], &[], "");
    assert_eq!(
        effective(several, "bind"),
        row("fd:3, localhost:80", "flag --bind")
    );
}

#[test]
fn a_platforms_port_without_a_host_is_reachable_from_outside() {
    let platform = [("PORT", "3000")];
    assert_eq!(binds(said(&[], &platform, "")), "0.0.0.0:3000");
    assert_eq!(
        effective(said(&[], &platform, ""), "host"),
        row("0.0.0.0", "environment PORT")
    );
    assert_eq!(
        binds(said(&[], &platform, "host = '127.0.0.1'")),
        "127.0.0.1:3000"
    );
    assert_eq!(
        binds(said(&["--port", "80"], &platform, "")),
        "127.0.0.1:80"
    );
    assert_eq!(
        binds(said(&[], &[("UVICORN_PORT", "3000")], "")),
        "127.0.0.1:3000"
    );
}
