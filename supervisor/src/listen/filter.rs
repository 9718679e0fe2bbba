//! A listening TCP socket that takes no new connections and still completes those under way.
//!
//! Closing a listening socket resets what waits in its queue and every handshake whose last packet
//! is still on the road. So a socket that is to go first gets a filter that drops SYNs and lets
//! everything else pass: a client that comes now repeats its SYN a second later, and by then meets
//! a closed port or whoever has taken it.

use std::io;
use std::os::fd::AsFd;

use nix::libc;
use socket2::{SockFilter, SockRef};

/// The byte of a TCP header that holds its flags, and the flag that opens a connection.
const FLAGS: u32 = 13;
const SYN: u32 = 0x02;

/// Drops every SYN that comes for this socket from now on.
pub(super) fn refuse(socket: impl AsFd) -> io::Result<()> {
    SockRef::from(&socket).attach_filter(&program())
}

/// Takes new connections again.
pub(super) fn admit(socket: impl AsFd) -> io::Result<()> {
    match SockRef::from(&socket).detach_filter() {
        // There was none.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Classic BPF over the TCP header (Linux Documentation/networking/filter.rst). What it returns is
/// how much of the packet is kept.
fn program() -> [SockFilter; 4] {
    let instruction =
        |code: u32, jt, jf, k| SockFilter::new(u16::try_from(code).unwrap_or_default(), jt, jf, k);
    [
        instruction(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, 0, 0, FLAGS),
        instruction(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 0, 1, SYN),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, 0),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, u32::MAX),
    ]
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::{admit, refuse};

    #[test]
    fn who_has_connected_is_served_and_nobody_else_can_until_it_is_taken_off() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut early = TcpStream::connect(address).unwrap();
        refuse(&listener).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        early.write_all(b"hello").unwrap();
        let mut heard = [0; 5];
        accepted.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
        let late = TcpStream::connect_timeout(&address, Duration::from_millis(50));
        assert_eq!(late.unwrap_err().kind(), ErrorKind::TimedOut);
        admit(&listener).unwrap();
        admit(&listener).unwrap();
        TcpStream::connect_timeout(&address, Duration::from_secs(5)).unwrap();
    }
}
