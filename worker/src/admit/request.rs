//! Whether a request may be served now.

use std::rc::Rc;
use std::sync::Arc;

use brigade_config::Limits;
use http::{Request, Version};
use http_body::Body;

use super::refusals;
use super::told::Limit;
use crate::body::RequestBody;
use crate::connections::Connection;
use crate::refusal::Refusal;
use crate::station::Station;
use crate::under_way::Watched;

/// Admits a request, or says why not. Returns how it is watched from now on, if it is.
pub(crate) fn admit(
    connection: &Rc<Connection>,
    request: &mut Request<RequestBody>,
) -> Result<Option<Watched>, Refusal> {
    let station = &connection.station;
    let limits = &station.config.limits;
    if line_length(request) > limits.request_line as usize {
        return Err(refusals::LINE_TOO_LONG);
    }
    if request.headers().len() > limits.headers.into()
        || (request.version() == Version::HTTP_2
            && list_size(request) > limits.header_size as usize)
    {
        return Err(refusals::HEAD_TOO_LARGE);
    }
    let most = limits.body.unwrap_or(u64::MAX);
    if request.body().size_hint().lower() > most {
        return Err(refusals::LENGTH_TOO_LARGE);
    }
    if is_crowded(limits, station, connection.pulse.requests()) {
        station.told.tell(station, Limit::Concurrency);
        return Err(refusals::CROWDED);
    }
    let has_body = !request.body().is_end_stream();
    let is_watched = has_body || limits.request.is_some() || request.version() == Version::HTTP_2;
    let watched = is_watched.then(|| Watched::new(connection, most));
    if let Some(watched) = &watched
        && has_body
    {
        let progress = Arc::clone(watched.progress());
        request.body_mut().watch(progress);
    }
    Ok(watched)
}

/// The first line as HTTP/1 would write it, without its end.
fn line_length<B>(request: &Request<B>) -> usize {
    let uri = request.uri();
    let scheme = uri
        .scheme_str()
        .map_or(0, |scheme| scheme.len() + "://".len());
    let authority = uri
        .authority()
        .map_or(0, |authority| authority.as_str().len());
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let version = " HTTP/1.1".len();
    request.method().as_str().len() + 1 + scheme + authority + path + version
}

/// The size of a head as HTTP/2 counts it: RFC 9113, 6.5.2. hyper looks at that of HTTP/1.
fn list_size<B>(request: &Request<B>) -> usize {
    const OF_EACH: usize = 32;
    let pseudo = ":method:scheme:authority:path".len() + 4 * OF_EACH;
    let fields = request.headers().iter();
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + OF_EACH);
    line_length(request) + pseudo + fields.sum::<usize>()
}

/// Whether there are too many requests already. Beyond three quarters of the limit a connection is
/// refused that has more of them than its share: one client with a hundred streams shall not keep
/// out a hundred with one.
pub(super) fn is_crowded(limits: &Limits, station: &Station, own: u32) -> bool {
    let Some(most) = limits.concurrency else {
        return false;
    };
    let now = station.admitted.get();
    if now < most / 4 * 3 {
        return false;
    }
    let connections = station.meter.open_connections() as u64;
    let share = (most / connections.max(1)).max(1);
    now >= most || u64::from(own) > share
}
