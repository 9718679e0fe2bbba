//! Connections and requests are admitted as far as the limits allow.

#[cfg(test)]
mod body_tests;
mod connection;
pub(crate) mod refusals;
mod request;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;
mod told;

pub(crate) use connection::{Guest, enter, turn_away};
pub(crate) use request::admit;
pub(crate) use told::{Limit, Told};
