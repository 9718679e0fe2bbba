//! The stories, by theme.

mod reload;
mod restart;
mod scale;
mod stop;
mod story;
