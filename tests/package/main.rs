//! What is installed: the version that it tells, the files that come with it, `cargo install`, and the
//! Debian package. That package is installed, run and removed in `tests/systemd`.

#[expect(
    dead_code,
    unused_imports,
    reason = "the harness of the end-to-end tests, of which these need a part"
)]
#[path = "../e2e/support/mod.rs"]
mod support;

mod deb;
mod debian;
mod generated;
mod install;
mod version;
