//! Requests are admitted as far as the limits allow.

mod request;

pub(crate) use request::{Admitted, admit};
