//! The units of `config/systemd` that others are made from.

/// `config/systemd/brigade@.service`.
pub const SERVICE_UNIT: &str = include_str!("../../systemd/brigade@.service");
