//! What is made from the table for people and their editors.

mod sample;
mod schema;

pub use sample::sample_file;
pub use schema::schema;
