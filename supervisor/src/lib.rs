//! The supervisor: one thread around poll(2).

pub mod plan;
