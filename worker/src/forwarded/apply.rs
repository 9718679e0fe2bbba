//! From a connection's peer to a request's.

use std::net::IpAddr;

use http::Request;

use crate::body::RequestBody;
use crate::peer::Peer;
use crate::station::Station;

/// What a trusted proxy has said of one request.
#[derive(Clone, Default, Debug)]
pub(crate) struct Forwarded {
    pub(crate) client: Option<IpAddr>,
    pub(crate) scheme: Option<&'static str>,
    pub(crate) host: Option<String>,
    pub(crate) root_path: String,
}

/// Who sent this request, as far as those in between are trusted.
pub(crate) fn apply(_station: &Station, peer: &Peer, _request: &mut Request<RequestBody>) -> Peer {
    peer.clone()
}
