//! The stories, by theme.

mod elastic;
mod health;
mod recycle;
mod reload;
mod restart;
mod scale;
mod stop;
mod story;
mod upgrade;
mod watch;
mod waves;
