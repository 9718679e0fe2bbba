//! TCP: one socket per address, or a SO_REUSEPORT group of one per slot.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Binds the first socket of an address; with `grouped`, others may join it. Nobody else may
/// listen there: with SO_REUSEPORT set from the start a second supervisor of the same user would
/// silently share the port, so the option is set after the bind and before the listen.
pub(super) fn first(address: SocketAddr, backlog: u16, grouped: bool) -> io::Result<OwnedFd> {
    let socket = prepare(address)?;
    socket.bind(&address.into())?;
    socket.set_reuse_port(grouped)?;
    socket.listen(i32::from(backlog))?;
    Ok(socket.into())
}

/// Adds a socket to the group that listens on `address`.
pub(super) fn another(address: SocketAddr, backlog: u16) -> io::Result<OwnedFd> {
    let socket = prepare(address)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::from(backlog))?;
    Ok(socket.into())
}

/// Binds the first socket of an address that overlaps one of our own (`127.0.0.1:80` beside
/// `0.0.0.0:80`), which only SO_REUSEPORT on both allows: on `ours` it is set for the moment of
/// the bind, and in the end on those of a group only.
pub(super) fn beside(
    ours: &[&OwnedFd],
    address: SocketAddr,
    backlog: u16,
    grouped: bool,
) -> io::Result<OwnedFd> {
    let set = |wanted: bool| {
        ours.iter()
            .try_for_each(|socket| SockRef::from(*socket).set_reuse_port(wanted))
    };
    set(true)?;
    let bound = another(address, backlog);
    set(grouped)?;
    let socket = bound?;
    SockRef::from(&socket).set_reuse_port(grouped)?;
    Ok(socket)
}

/// Whether these can't be bound without SO_REUSEPORT although they are not the same.
pub(super) fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let takes_all = one.ip().is_unspecified() || other.ip().is_unspecified();
    one != other && one.port() == other.port() && one.is_ipv4() == other.is_ipv4() && takes_all
}

fn prepare(address: SocketAddr) -> io::Result<Socket> {
    let kind = Type::STREAM.nonblocking().cloexec();
    let socket = Socket::new(Domain::for_address(address), kind, Some(Protocol::TCP))?;
    // A restart must not wait for connections of the last run in TIME_WAIT.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // So that 0.0.0.0 and [::] can be bound side by side, on every machine alike.
        socket.set_only_v6(true)?;
    }
    // Accepted sockets inherit it: no system call per connection.
    socket.set_tcp_nodelay(true)?;
    Ok(socket)
}

/// The address that a socket was given, with the port that the kernel chose for port 0.
pub(super) fn actual(socket: &OwnedFd) -> io::Result<SocketAddr> {
    let address = SockRef::from(socket).local_addr()?;
    address
        .as_socket()
        .ok_or_else(|| io::Error::other("not a TCP address"))
}

/// All addresses of a host name, each once.
pub(super) fn resolve(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in (name, port).to_socket_addrs()? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// Why a TCP address could not be bound and what to do, in a sentence.
pub(super) fn explain(address: SocketAddr, error: &io::Error) -> String {
    let cure = match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another process listens there: stop it (`ss -ltnp 'sport = :{port}'` shows it) or choose another port",
            port = address.port()
        ),
        io::ErrorKind::PermissionDenied if address.port() < 1024 => {
            "ports below 1024 need root or CAP_NET_BIND_SERVICE: choose a higher port, or let systemd bind it and pass it on".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => match address.ip() {
            IpAddr::V4(_) => "no network interface of this machine has that address: `ip address` lists them, 0.0.0.0 takes all".to_owned(),
            IpAddr::V6(_) => "no network interface of this machine has that address: `ip address` lists them, [::] takes all".to_owned(),
        },
        _ => return format!("cannot listen on {address}: {error}"),
    };
    format!("cannot listen on {address}: {cure} ({error})")
}

/// Whether this machine speaks the address's family at all.
pub(super) fn has_family(address: SocketAddr) -> bool {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => ([127, 0, 0, 1], 0).into(),
        SocketAddr::V6(_) => ([0, 0, 0, 0, 0, 0, 0, 1], 0).into(),
    };
    std::net::UdpSocket::bind(any).is_ok()
}
