//! What is made from the table for people and their editors.

mod sample;
mod schema;
mod unit;

pub use sample::sample_file;
pub use schema::schema;
pub use unit::SERVICE_UNIT;
