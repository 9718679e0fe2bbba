//! Whether a request may be served now.

use http::Request;

use crate::body::RequestBody;
use crate::refusal::Refusal;
use crate::station::Station;

/// What a request takes of the limits; given back on drop, when its answer is complete.
#[derive(Debug)]
pub(crate) struct Admitted {}

/// Admits a request, or says why not.
pub(crate) fn admit(
    _station: &Station,
    _request: &mut Request<RequestBody>,
) -> Result<Admitted, Refusal> {
    Ok(Admitted {})
}
