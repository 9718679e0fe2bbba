//! Ways to end a worker that no one asked to leave.

use nix::sys::signal::{Signal, raise};

use super::query::Query;

/// How to crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Crash {
    /// SIGABRT.
    Abort,
    /// SIGSEGV.
    Segv,
    /// Leave with this code.
    Exit(u8),
    /// A panic in the handler, which the worker survives.
    Panic,
}

impl Crash {
    /// Reads `how` and `code`.
    pub(super) fn of(query: &Query<'_>) -> Result<Self, String> {
        let code = query.number("code", 0..=255, 1)?;
        match query.words("how") {
            None | Some("abort") => Ok(Self::Abort),
            Some("segv") => Ok(Self::Segv),
            Some("exit") => Ok(Self::Exit(u8::try_from(code).unwrap_or(1))),
            Some("panic") => Ok(Self::Panic),
            Some(other) => Err(format!(
                "how has to be abort, segv, exit or panic, not {other:?}"
            )),
        }
    }

    /// Does it.
    pub(super) fn now(self) -> ! {
        match self {
            Self::Abort => std::process::abort(),
            Self::Segv => {
                // Rust's own handler, which looks for stack overflows, takes the first one and
                // restores the default.
                let _ = raise(Signal::SIGSEGV);
                let _ = raise(Signal::SIGSEGV);
                std::process::abort()
            }
            Self::Exit(code) => std::process::exit(code.into()),
            Self::Panic => panic!("asked to, by /crash?how=panic"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Crash;
    use crate::demo::query::Query;

    #[test]
    fn the_ways_are_told_apart() {
        let of = |text| Crash::of(&Query::new(Some(text)));
        assert_eq!(of(""), Ok(Crash::Abort));
        assert_eq!(of("how=segv"), Ok(Crash::Segv));
        assert_eq!(of("how=exit&code=78"), Ok(Crash::Exit(78)));
        assert_eq!(of("how=exit"), Ok(Crash::Exit(1)));
        assert_eq!(of("how=panic"), Ok(Crash::Panic));
        assert!(of("how=").is_err());
    }
}
