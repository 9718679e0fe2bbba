//! Why a worker could not start.

use std::fmt;

use brigade_shared::exit::worker;

use crate::app::BoxError;

/// Why an app could not be built, and whether trying again makes sense.
///
/// Made by `?` from any error, or from a string, it means: crashed, try again with the usual pauses.
pub struct StartError {
    reason: BoxError,
    code: i32,
}

/// The exit code of a worker that could not start for a reason that may pass.
const CRASHED: i32 = 1;

impl StartError {
    /// Trying again won't help: the worker asks not to be respawned (exit code 78).
    pub fn permanent(reason: impl Into<BoxError>) -> Self {
        Self {
            reason: reason.into(),
            code: worker::DO_NOT_RESPAWN,
        }
    }

    /// Something is short that others use up too: the worker asks to be respawned slowly (exit
    /// code 75).
    pub fn busy(reason: impl Into<BoxError>) -> Self {
        Self {
            reason: reason.into(),
            code: worker::SHORT_OF_RESOURCES,
        }
    }

    /// The system refused something that every worker needs (exit code 71).
    pub(crate) fn system(what: &str, error: &std::io::Error) -> Self {
        Self {
            reason: format!("{what}: {error}").into(),
            code: worker::SYSTEM,
        }
    }

    /// The worker's exit code.
    pub(crate) fn code(&self) -> i32 {
        self.code
    }
}

// Not an `Error` itself, like `anyhow::Error`: otherwise this would collide with `From<T> for T`.
impl<E: Into<BoxError>> From<E> for StartError {
    fn from(reason: E) -> Self {
        Self {
            reason: reason.into(),
            code: CRASHED,
        }
    }
}

impl fmt::Display for StartError {
    /// The reason and what caused it, outermost first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        let mut cause = self.reason.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StartError({self}, exit code {})", self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::StartError;
    use std::fmt;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("PORT is not a number")
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_reason_is_told_with_its_causes() {
        let outer = Outer("x".parse::<u16>().unwrap_err());
        let words = "PORT is not a number: invalid digit found in string";
        assert_eq!(StartError::from(outer).to_string(), words);
    }

    #[test]
    fn each_kind_has_its_exit_code() {
        assert_eq!(StartError::from("no").code(), 1);
        assert_eq!(StartError::permanent("no").code(), 78);
        assert_eq!(StartError::busy("no").code(), 75);
    }
}
