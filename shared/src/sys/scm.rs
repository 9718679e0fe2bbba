//! Descriptors that travel through Unix sockets (`SCM_RIGHTS`, unix(7)).

use std::mem::zeroed;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

/// Room for control messages; for more than a dozen descriptors there is none, and the kernel
/// closes them. Aligned like the kernel's headers.
#[repr(C, align(8))]
struct Control([u8; 64]);

/// Receives one packet and the descriptor that came with it, close-on-exec; of several the first,
/// the others are closed.
///
/// # Errors
/// The kernel's; `EAGAIN` if nothing has come.
pub fn receive(
    socket: BorrowedFd<'_>,
    packet: &mut [u8],
) -> Result<(usize, Option<OwnedFd>), Errno> {
    let mut control = Control([0; 64]);
    let mut room = libc::iovec {
        iov_base: packet.as_mut_ptr().cast(),
        iov_len: packet.len(),
    };
    // SAFETY: plain numbers and pointers, for which zero and null are valid.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_iov = &raw mut room;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = control.0.len() as _;
    // SAFETY: the header points to `packet` and `control`, with their lengths; both outlive the call.
    let received =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_CMSG_CLOEXEC) };
    let length = Errno::result(received)?.cast_unsigned();
    Ok((length, first_descriptor(&header)))
}

/// Takes ownership of all descriptors that a received header carries and keeps the first. Also of
/// a truncated one (more were sent than there was room for, or this process may not have more):
/// what the kernel has installed would leak.
fn first_descriptor(header: &libc::msghdr) -> Option<OwnedFd> {
    let mut first = None;
    // SAFETY: the kernel has filled the header in, control messages and their length included.
    let mut message = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: not null as seen here, so a whole control header inside the buffer.
    while let Some(head) = unsafe { message.as_ref() } {
        if head.cmsg_level == libc::SOL_SOCKET && head.cmsg_type == libc::SCM_RIGHTS {
            // SAFETY: only computes a length.
            let before = unsafe { libc::CMSG_LEN(0) };
            // SAFETY: only computes a pointer to what follows the control header.
            let data = unsafe { libc::CMSG_DATA(message) }.cast::<RawFd>();
            // The C libraries do not agree on the type of the length.
            let length = (head.cmsg_len as u32).saturating_sub(before);
            for index in 0..length as usize / size_of::<RawFd>() {
                // SAFETY: the kernel says that the message has so many numbers.
                let place = unsafe { data.add(index) };
                // SAFETY: as above; their place need not be aligned.
                let number = unsafe { place.read_unaligned() };
                // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
                let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
                first.get_or_insert(descriptor);
            }
        }
        // SAFETY: the kernel has filled in header and control messages, and `message` is one of them.
        message = unsafe { libc::CMSG_NXTHDR(header, message) };
    }
    first
}

#[cfg(test)]
mod tests {
    use super::receive;
    use nix::sys::socket::{
        AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
    };
    use std::io::{IoSlice, Read};
    use std::os::fd::{AsFd, AsRawFd};

    /// Sends so many copies of a pipe's end, receives, and returns whether one came and whether
    /// all the others are closed.
    fn send_many(count: usize) -> (bool, bool) {
        let flags = SockFlag::SOCK_CLOEXEC;
        let (here, there) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let numbers = vec![writer.as_raw_fd(); count];
        let control = [ControlMessage::ScmRights(&numbers)];
        let words = [IoSlice::new(b"words")];
        sendmsg::<()>(here.as_raw_fd(), &words, &control, MsgFlags::empty(), None).unwrap();
        drop(writer);
        let mut packet = [0; 16];
        let (length, first) = receive(there.as_fd(), &mut packet).unwrap();
        assert_eq!(&packet[..length], b"words");
        let came = first.is_some();
        drop(first);
        // With a copy left anywhere, this would wait for ever.
        nix::fcntl::fcntl(
            &reader,
            nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK),
        )
        .unwrap();
        (came, matches!(reader.read(&mut [0]), Ok(0)))
    }

    #[test]
    fn of_several_descriptors_the_first_is_kept_and_no_other_leaks_however_many_there_are() {
        for count in [1, 2, 3, 12, 13, 253] {
            assert_eq!(send_many(count), (true, true), "{count} descriptors");
        }
    }
}
