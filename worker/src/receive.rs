//! A request's way from hyper to the app: what must not reach the app is refused here.

use std::rc::Rc;

use http::Request;
use hyper::body::Incoming;

use crate::admit;
use crate::answer::{Answering, answer, refuse};
use crate::app::App;
use crate::body::RequestBody;
use crate::connections::Connection;
use crate::forwarded;
use crate::refusal::Refusal;
use crate::strict;
use crate::ticket::Ticket;
use crate::under_way::Watched;

/// Begins to answer a request. It is counted whatever becomes of it.
pub(crate) fn receive<A: App>(
    connection: &Rc<Connection>,
    app: &A,
    request: Request<Incoming>,
) -> Answering<A> {
    let mut request = request.map(|incoming| RequestBody::new(incoming, connection.peer().clone()));
    let mut ticket = Ticket::new(Rc::clone(connection), &request);
    let examined = examine(connection, &mut request, &mut ticket);
    ticket.write_down(&request);
    match examined {
        Ok(watched) => {
            ticket.admitted(watched);
            answer(app, request, ticket)
        }
        Err(refusal) => refuse(refusal, ticket),
    }
}

/// Whether the request is right, and may be served now; then it is told who sent it.
fn examine(
    connection: &Rc<Connection>,
    request: &mut Request<RequestBody>,
    ticket: &mut Ticket,
) -> Result<Option<Watched>, Refusal> {
    strict::check(request)?;
    let watched = admit::admit(connection, request)?;
    let (station, peer) = (&connection.station, connection.peer());
    let is_believed = forwarded::is_believed(&station.config.proxy, peer);
    if let Some(said) = forwarded::apply(station, is_believed, request.headers()) {
        request.body_mut().introduce(peer.with(said));
    }
    let headers = request.headers_mut();
    ticket.identified(forwarded::identify(
        &station.config.proxy,
        is_believed,
        headers,
    ));
    Ok(watched)
}
