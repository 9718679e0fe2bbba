//! Why a job has no result, and which answer that makes.

use std::fmt;
use std::time::Duration;

use http::{Response, StatusCode};

use crate::app::BoxError;
use crate::refusal::Refusal;

/// So many seconds later a client may try again: by then what was full has had time to empty.
const RETRY_SECONDS: u32 = 1;

/// Why a job has no result.
///
/// As the error of a handler it becomes an answer without further ado: [`Response`] is made from it
/// by `?`, whatever its body, and an app that fails with it, or with an error that was caused by it
/// ([`source`](std::error::Error::source)), gets the same answer from Brigade. That is 503 with
/// `retry-after: 1`, and 500 for [`Error::Panicked`].
///
/// ```
/// use brigade_worker::offload;
/// use http::Response;
///
/// async fn handler() -> Result<Response<String>, Response<String>> {
///     let sum: u64 = offload::cpu(|| (1..=1000).sum()).await?;
///     Ok(Response::new(format!("{sum}\n")))
/// }
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # assert_eq!(runtime.block_on(handler()).unwrap().body(), "500500\n");
/// ```
///
/// In an axum handler the two types are `Result<String, axum::response::Response>`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Error {
    /// Every thread is at work, and as many jobs wait as may (`--offload-queue`).
    Full,
    /// It waited for a thread for so long and was then taken out of the queue: it was never begun.
    Late(Duration),
    /// It was begun, and not done after so long. It goes on, and its result will be dropped: a
    /// thread can't be stopped from outside.
    Overran(Duration),
    /// The system has no thread for it, for this reason.
    NoThread(String),
    /// It panicked, with these words. The thread lives on.
    Panicked(String),
    /// The worker is leaving.
    Stopped,
}

impl Error {
    /// The status that it makes: 500 for a panic, otherwise 503.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Panicked(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Full | Self::Late(_) | Self::Overran(_) | Self::NoThread(_) | Self::Stopped => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Whether the same request may be answered a little later.
    #[must_use]
    pub fn is_overload(&self) -> bool {
        self.status() == StatusCode::SERVICE_UNAVAILABLE
    }

    /// The one that an app's error is, or was caused by.
    pub(crate) fn within(error: &BoxError) -> Option<&Self> {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&**error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// The answer that it makes: nothing of the inside.
    pub(crate) fn refusal(&self) -> Refusal {
        if !self.is_overload() {
            return Refusal::SORRY;
        }
        let mut refusal = Refusal::new(self.status(), "Service Unavailable\n");
        refusal.retry_after = Some(RETRY_SECONDS);
        refusal
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("all threads are at work and the queue is full"),
            Self::Late(after) => write!(f, "no thread was free within {after:?}"),
            Self::Overran(after) => write!(f, "not done within {after:?}"),
            Self::NoThread(why) => write!(f, "no thread could be started: {why}"),
            Self::Panicked(words) => write!(f, "panicked: {words}"),
            Self::Stopped => f.write_str("the worker is leaving"),
        }
    }
}

impl std::error::Error for Error {}

/// The answer: a status, `retry-after` if it makes sense, and a word or two.
impl<B: From<&'static str>> From<Error> for Response<B> {
    fn from(error: Error) -> Self {
        let refusal = error.refusal();
        Response::from_parts(refusal.head(), refusal.text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Error;
    use crate::app::BoxError;
    use bytes::Bytes;
    use http::Response;
    use http_body_util::Full;
    use std::fmt;
    use std::time::Duration;

    #[derive(Debug)]
    struct NoPage(Error);

    impl fmt::Display for NoPage {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no page")
        }
    }

    impl std::error::Error for NoPage {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn it_is_found_as_the_cause_of_another() {
        let outer: BoxError = Box::new(NoPage(Error::Full));
        assert_eq!(Error::within(&outer), Some(&Error::Full));
        let plain: BoxError = Box::new(Error::Stopped);
        assert_eq!(Error::within(&plain), Some(&Error::Stopped));
        let other: BoxError = "no salt".into();
        assert_eq!(Error::within(&other), None);
    }

    #[test]
    fn what_may_pass_is_503_with_a_time_and_a_panic_is_500() {
        let second = Duration::from_secs(1);
        let passing = [
            Error::Full,
            Error::Late(second),
            Error::Overran(second),
            Error::NoThread("no memory".to_owned()),
            Error::Stopped,
        ];
        for error in passing {
            let answer: Response<Full<Bytes>> = error.into();
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["retry-after"]),
                (503, &"1".parse().unwrap())
            );
        }
        let answer: Response<Full<Bytes>> = Error::Panicked("secret".to_owned()).into();
        assert_eq!(answer.status(), 500);
        assert!(!answer.headers().contains_key("retry-after"));
    }
}
