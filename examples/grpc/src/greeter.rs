//! What greeter.proto says.

/// Who is to be greeted.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Name {
    /// Any name.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// A greeting.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Greeting {
    /// Its words.
    #[prost(string, tag = "1")]
    pub words: String,
}

/// How far to count.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Limit {
    /// The last number.
    #[prost(uint32, tag = "1")]
    pub last: u32,
}

/// A number of those that are counted.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Number {
    /// It.
    #[prost(uint32, tag = "1")]
    pub number: u32,
}

include!(concat!(env!("OUT_DIR"), "/greeter.Greeter.rs"));
