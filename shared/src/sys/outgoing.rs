//! How much of what was written to a connection is still under way.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::libc;

/// The bytes that the kernel holds for the other side of a connected stream socket: not sent yet,
/// or sent and not confirmed. Of a Unix socket it is the memory that they take, which is more.
///
/// # Errors
/// The kernel's, if it is no such socket.
pub fn unconfirmed(connection: BorrowedFd<'_>) -> io::Result<u64> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: this request (SIOCOUTQ has the same number) writes one int to the place, which is
    // one and lives until the call returns.
    let result = unsafe { libc::ioctl(connection.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::try_from(bytes).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::unconfirmed;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn what_a_client_does_not_read_stays_under_way() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        assert_eq!(unconfirmed(server.as_fd()).unwrap(), 0);
        server.set_nonblocking(true).unwrap();
        let mut sent = 0_u64;
        while let Ok(count) = server.write(&[0; 1 << 16]) {
            sent += count as u64;
        }
        let before = unconfirmed(server.as_fd()).unwrap();
        assert!(before > 0 && before <= sent, "{before} of {sent}");
        let mut taken = vec![0; usize::try_from(sent).unwrap() / 2];
        client.read_exact(&mut taken).unwrap();
        let after = unconfirmed(server.as_fd()).unwrap();
        assert!(after < before, "{after} of {before}");
    }

    #[test]
    fn a_unix_socket_tells_too_and_a_file_does_not() {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        one.write_all(b"hello").unwrap();
        assert!(unconfirmed(one.as_fd()).unwrap() >= 5);
        other.read_exact(&mut [0; 5]).unwrap();
        assert_eq!(unconfirmed(one.as_fd()).unwrap(), 0);
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        assert!(unconfirmed(file.as_fd()).is_err());
    }
}
