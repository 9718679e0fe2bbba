//! Handshakes under way: clients that have been answered and whose last packet is still on the
//! road. Closing the listening socket would reset them, and the socket itself does not tell of
//! them; the kernel's sock_diag(7) does.

use std::io;
use std::net::{IpAddr, SocketAddr};

use brigade_shared::sys::diag::{Answer, Diag, Scope, answers};
use nix::sys::socket::AddressFamily;

/// The state of such a connection, as a bit (the kernel's tcp_states.h).
const SYN_RECEIVED: u32 = 1 << 3;
/// Where an answer (`struct inet_diag_msg`) has our address.
const OUR_ADDRESS: usize = 8;

/// Whether there are any at this listening address. Where the kernel does not tell: no.
pub(super) fn are_under_way(at: SocketAddr) -> bool {
    look(at).unwrap_or(false)
}

fn look(at: SocketAddr) -> io::Result<bool> {
    let diag = Diag::open()?;
    diag.ask(0, Scope::All, &question(at))?;
    let mut found = false;
    let mut packet = vec![0; 32 * 1024];
    loop {
        let length = diag.receive(&mut packet)?;
        for (_, answer) in answers(&packet[..length]) {
            match answer {
                Answer::Socket(socket) => found |= is_at(socket, at.ip()),
                Answer::Refused(why) => return Err(why),
                Answer::Done => return Ok(found),
            }
        }
    }
}

/// `struct inet_diag_req_v2`.
fn question(at: SocketAddr) -> [u8; 56] {
    let mut question = [0; 56];
    let mut put = |place: usize, value: &[u8]| {
        question[place..place + value.len()].copy_from_slice(value);
    };
    put(0, &[family(at), 6]);
    put(4, &SYN_RECEIVED.to_ne_bytes());
    put(8, &at.port().to_be_bytes());
    question
}

fn family(at: SocketAddr) -> u8 {
    let family = match at {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    u8::try_from(family as i32).unwrap_or_default()
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
