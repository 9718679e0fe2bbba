//! systemd's sd_notify(3), spoken downwards: a socket on which a program tells how it is.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use brigade_shared::id::WorkerId;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, UnixCredentials, recvmsg, setsockopt, sockopt,
};

use crate::random;

/// The socket of one worker. One each, so that a word is known to be this worker's also if the
/// helper process that sent it has already gone; in the abstract namespace, so that no file is
/// left behind and a worker of another user reaches it.
#[derive(Debug)]
pub(crate) struct NotifySocket {
    socket: UnixDatagram,
    name: String,
    user: u32,
}

/// What a program said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// `READY=1`
    Ready,
    /// `STOPPING=1`
    Stopping,
    /// `STATUS=...`
    Status(String),
    /// `WATCHDOG=1`
    Watchdog,
}

impl NotifySocket {
    /// A socket for a worker that is about to be made, and that will run as `user`.
    pub(crate) fn open(worker: WorkerId, user: u32) -> io::Result<Self> {
        // The random part keeps others from taking the name first.
        let random = random::number();
        let name = format!("brigade/{}/{worker}/{random:016x}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::PassCred, &true)?;
        Ok(Self { socket, name, user })
    }

    /// The socket of a worker that another program has made.
    pub(crate) fn adopt(socket: UnixDatagram, name: String, user: u32) -> Self {
        Self { socket, name, user }
    }

    /// The name without its leading `@`.
    pub(crate) fn bare_name(&self) -> &str {
        &self.name
    }

    /// Who is listened to, besides root.
    pub(crate) fn user(&self) -> u32 {
        self.user
    }

    /// For `NOTIFY_SOCKET`.
    pub(crate) fn name(&self) -> String {
        format!("@{}", self.name)
    }

    /// Everything that was said since the last call, by the worker's user or by root: the names of
    /// abstract sockets are public, so that anybody might speak.
    pub(crate) fn read(&self) -> Vec<Word> {
        let mut words = Vec::new();
        // Bounded: a program that talks without end must not keep the supervisor.
        for _ in 0..64 {
            match self.receive() {
                Ok((said, speaker)) if speaker == Some(self.user) || speaker == Some(0) => {
                    words.extend(said);
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        words
    }

    /// One packet, and the user that the kernel says has sent it. Descriptors that came along
    /// find no room and are closed by the kernel.
    fn receive(&self) -> nix::Result<(Vec<Word>, Option<u32>)> {
        let mut packet = [0; 4096];
        let mut room = [IoSliceMut::new(&mut packet)];
        let mut control = nix::cmsg_space!(UnixCredentials);
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let raw = self.socket.as_raw_fd();
        let found = recvmsg::<()>(raw, &mut room, Some(&mut control), flags)?;
        let speaker = found.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::ScmCredentials(credentials) => Some(credentials.uid()),
            _ => None,
        });
        let length = found.bytes;
        Ok((parse(&packet[..length]), speaker))
    }
}

impl AsFd for NotifySocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Total: what is not understood is passed over, as systemd does.
pub(crate) fn parse(packet: &[u8]) -> Vec<Word> {
    let text = String::from_utf8_lossy(packet);
    let word = |line: &str| match line.split_once('=')? {
        ("READY", "1") => Some(Word::Ready),
        ("STOPPING", "1") => Some(Word::Stopping),
        ("WATCHDOG", "1") => Some(Word::Watchdog),
        ("STATUS", status) => Some(Word::Status(status.to_owned())),
        _ => None,
    };
    text.lines().filter_map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::{Word, parse};

    #[test]
    fn known_words_are_heard_and_others_passed_over() {
        let words = parse(b"READY=1\nSTATUS=3 of 4\nMAINPID=7\nnonsense\n\xff=\nWATCHDOG=1");
        assert_eq!(
            words,
            [Word::Ready, Word::Status("3 of 4".into()), Word::Watchdog]
        );
    }
}
