//! The stories, by theme.

mod elastic;
mod reload;
mod restart;
mod scale;
mod stop;
mod story;
mod watch;
