//! What the contenders share, so that they differ in nothing but the server: the answer, the
//! listening socket, and how they tell their address.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use nix::sys::prctl;
use nix::sys::signal::Signal;
use socket2::{Domain, Socket, Type};

/// The body of every contender's answer.
pub const BODY: &str = "Hello, world";

/// The answer's media type; its charset is left out everywhere, as nginx does.
pub const CONTENT_TYPE: &str = "text/plain";

/// Connections that may wait for `accept`, the same for everybody.
pub const BACKLOG: i32 = 4096;

/// Binds an ephemeral port of the loopback, tells its address on standard output as one line
/// `http://127.0.0.1:PORT`, and returns the socket, listening and non-blocking. From then on the
/// process dies with its parent, so that an interrupted run leaves nobody behind.
///
/// # Errors
/// What the system answered.
pub fn listen() -> io::Result<TcpListener> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let listener = TcpListener::from(socket);
    let mut out = io::stdout().lock();
    writeln!(out, "http://{}", listener.local_addr()?)?;
    out.flush()?;
    Ok(listener)
}
