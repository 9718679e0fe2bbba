//! Who sent a request, when a proxy stands between.

mod apply;

pub(crate) use apply::{Forwarded, apply};
