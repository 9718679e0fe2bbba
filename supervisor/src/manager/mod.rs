//! systemd's sd_notify(3), spoken upwards: how this service is, for the manager that started it.
//! docs/systemd.md.

mod line;
mod queue;

pub(crate) use line::Line;
