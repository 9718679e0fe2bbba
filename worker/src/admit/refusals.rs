//! What is said to requests that go beyond a limit.

use brigade_shared::board::Counter;
use http::StatusCode;

use crate::refusal::Refusal;

/// When to come again, in seconds: by then a request of usual length has ended.
const SOON: u32 = 1;

const fn closing(status: StatusCode, text: &'static str, counter: Option<Counter>) -> Refusal {
    Refusal {
        status,
        text,
        closes: true,
        retry_after: None,
        counter,
    }
}

/// Its first line is longer than `limit-request-line`.
pub(crate) const LINE_TOO_LONG: Refusal = closing(
    StatusCode::URI_TOO_LONG,
    "The request line is too long\n",
    Some(Counter::LinesTooLong),
);

/// It has more than `limit-headers` fields, or more than `limit-header-size` bytes of them.
pub(crate) const HEAD_TOO_LARGE: Refusal = closing(
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "The request's header is too large\n",
    Some(Counter::HeadsTooLarge),
);

/// It says that its body is larger than `limit-body`.
pub(crate) const LENGTH_TOO_LARGE: Refusal = closing(
    StatusCode::PAYLOAD_TOO_LARGE,
    "The request's body is too large\n",
    Some(Counter::BodiesTooLarge),
);

/// Its body became larger than `limit-body`; who watches it counts it.
pub(crate) const BODY_TOO_LARGE: Refusal = Refusal {
    counter: None,
    ..LENGTH_TOO_LARGE
};

/// Its body does not keep `min-rate-body`.
pub(crate) const BODY_TOO_SLOW: Refusal = closing(
    StatusCode::REQUEST_TIMEOUT,
    "The request's body came too slowly\n",
    None,
);

/// `timeout-request` has passed.
pub(crate) const TOO_LONG: Refusal = Refusal {
    retry_after: Some(SOON),
    ..closing(
        StatusCode::SERVICE_UNAVAILABLE,
        "The answer took too long\n",
        None,
    )
};

/// As many are being answered as `limit-concurrency` allows.
pub(crate) const CROWDED: Refusal = Refusal {
    retry_after: Some(SOON),
    counter: Some(Counter::RequestsCrowded),
    ..Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "Too many requests at a time\n",
    )
};
