//! Descriptors that travel through Unix sockets (`SCM_RIGHTS`, unix(7)).

use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

/// Receives one packet and the descriptor that came with it, close-on-exec; of several the first,
/// the others are closed.
///
/// # Errors
/// The kernel's; `EAGAIN` if nothing has come.
pub fn receive(
    socket: BorrowedFd<'_>,
    packet: &mut [u8],
) -> Result<(usize, Option<OwnedFd>), Errno> {
    let mut room = [IoSliceMut::new(packet)];
    let mut control = nix::cmsg_space!(std::os::fd::RawFd);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let found = recvmsg::<()>(socket.as_raw_fd(), &mut room, Some(&mut control), flags)?;
    let mut first = None;
    // Truncated control messages are an error to nix: the kernel has closed what found no room.
    for message in found.cmsgs().into_iter().flatten() {
        if let ControlMessageOwned::ScmRights(numbers) = message {
            for number in numbers {
                // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
                let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
                first.get_or_insert(descriptor);
            }
        }
    }
    Ok((found.bytes, first))
}
