//! Handshakes under way: clients that have been answered and whose last packet is still on the
//! road. Closing the listening socket would reset them, and the socket itself does not tell of
//! them; the kernel's sock_diag(7) does.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

/// From linux/sock_diag.h, linux/netlink.h and the kernel's tcp_states.h.
const BY_FAMILY: u16 = 20;
const REQUEST_AND_DUMP: u16 = 0x0001 | 0x0300;
const DONE: u16 = 3;
const ERROR: u16 = 2;
const SYN_RECEIVED: u32 = 1 << 3;

/// A header, and one with the request behind it (`struct inet_diag_req_v2`).
const HEADER: usize = 16;
const REQUEST: usize = HEADER + 56;

/// Where an answer (`struct inet_diag_msg`) has our address.
const OUR_ADDRESS: usize = HEADER + 8;

/// Whether there are any at this listening address. Where the kernel does not tell: no.
pub(super) fn are_under_way(at: SocketAddr) -> bool {
    look(at).unwrap_or(false)
}

fn look(at: SocketAddr) -> nix::Result<bool> {
    let link = socket(
        AddressFamily::Netlink,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkSockDiag,
    )?;
    send(link.as_raw_fd(), &request(at), MsgFlags::empty())?;
    let mut found = false;
    let mut packet = vec![0; 32 * 1024];
    loop {
        // The kernel has the answer ready before the request returns: this does not wait.
        let length = recv(link.as_raw_fd(), &mut packet, MsgFlags::MSG_DONTWAIT)?;
        let mut rest = &packet[..length];
        while let Some((kind, message, after)) = first(rest) {
            match kind {
                DONE => return Ok(found),
                ERROR => return Err(Errno::EOPNOTSUPP),
                _ => found |= is_at(message, at.ip()),
            }
            rest = after;
        }
    }
}

fn request(at: SocketAddr) -> [u8; REQUEST] {
    let mut bytes = [0; REQUEST];
    let mut put = |place: usize, value: &[u8]| {
        bytes[place..place + value.len()].copy_from_slice(value);
    };
    put(0, &u32::try_from(REQUEST).unwrap_or_default().to_ne_bytes());
    put(4, &BY_FAMILY.to_ne_bytes());
    put(6, &REQUEST_AND_DUMP.to_ne_bytes());
    put(HEADER, &[family(at), 6]);
    put(HEADER + 4, &SYN_RECEIVED.to_ne_bytes());
    put(HEADER + 8, &at.port().to_be_bytes());
    bytes
}

fn family(at: SocketAddr) -> u8 {
    let family = match at {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    u8::try_from(family as i32).unwrap_or_default()
}

/// The first message's type, itself, and what comes behind it.
fn first(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?);
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    let length = usize::try_from(length)
        .ok()
        .filter(|length| *length >= HEADER)?;
    let message = bytes.get(..length)?;
    let after = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, message, after))
}

/// Whether a message tells of a handshake with this address of ours.
fn is_at(message: &[u8], ip: IpAddr) -> bool {
    let wanted = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let found = message.get(OUR_ADDRESS..OUR_ADDRESS + wanted.len());
    ip.is_unspecified() || found == Some(&wanted)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::are_under_way;
    use crate::listen::tests::Shy;

    #[test]
    fn a_client_that_has_not_heard_the_answer_is_told_of_where_it_is_and_nowhere_else() {
        for host in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(host).unwrap();
            let other = TcpListener::bind(host).unwrap();
            let (at, elsewhere) = (listener.local_addr().unwrap(), other.local_addr().unwrap());
            assert!(!are_under_way(at), "{at}");
            let mut shy = Shy::connect(at);
            assert!(are_under_way(at), "{at}");
            assert!(!are_under_way(elsewhere), "{elsewhere}");
            shy.finish();
            assert!(!are_under_way(at), "{at}");
        }
    }
}
