//! What a head must not say.

use http::Request;

use crate::body::RequestBody;
use crate::refusal::Refusal;

/// Refuses a request that is ambiguous.
pub(crate) fn check(_request: &Request<RequestBody>) -> Result<(), Refusal> {
    Ok(())
}
