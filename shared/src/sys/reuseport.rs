//! Which sockets of a SO_REUSEPORT group get new connections.

use std::io;
use std::os::fd::BorrowedFd;

use nix::libc::{self, sock_filter, sock_fprog};
use nix::sys::socket::{setsockopt, sockopt};

/// Lets the kernel choose, for each new connection, one of the group's sockets with these indexes
/// (0 is the first that listened), each as likely as the others. Takes effect at once and for the
/// whole group, whichever of its sockets is given; replaces what was chosen before. Connections
/// whose handshake has begun stay where they are. Needs no privilege.
///
/// # Errors
/// `InvalidInput` for no index or more than 2,000, otherwise the kernel's.
pub fn choose_among(socket: BorrowedFd<'_>, indexes: &[u16]) -> io::Result<()> {
    if indexes.is_empty() || indexes.len() > 2000 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let mut program = program(indexes);
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let filter = sock_fprog {
        len: length,
        filter: program.as_mut_ptr(),
    };
    // The kernel copies the program during the call, and `program` outlives it.
    setsockopt(&socket, sockopt::AttachReusePortCbpf, &filter)?;
    Ok(())
}

/// Classic BPF (Linux Documentation/networking/filter.rst): a random number modulo the count,
/// translated to an index by comparing. Linear in the count, a few nanoseconds per socket, once a
/// connection.
fn program(indexes: &[u16]) -> Vec<sock_filter> {
    let count = u32::try_from(indexes.len()).unwrap_or(u32::MAX);
    let random = (libc::SKF_AD_OFF + libc::SKF_AD_RANDOM).cast_unsigned();
    let mut program = vec![
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, random),
        instruction(libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K, 0, 0, count),
    ];
    for (number, index) in (0..).zip(indexes) {
        program.push(instruction(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            0,
            1,
            number,
        ));
        program.push(instruction(
            libc::BPF_RET | libc::BPF_K,
            0,
            0,
            u32::from(*index),
        ));
    }
    // Never reached: a remainder is smaller than its divisor. The kernel wants a program to end.
    program.push(instruction(
        libc::BPF_RET | libc::BPF_K,
        0,
        0,
        u32::from(indexes[0]),
    ));
    program
}

fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter {
        code: u16::try_from(code).unwrap_or(0),
        jt,
        jf,
        k,
    }
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn a_program_fits_the_kernels_limit_for_every_number_of_slots() {
        let all: Vec<u16> = (0..1024).collect();
        for count in [1, 2, 17, 1024] {
            assert!(program(&all[..count]).len() <= 4096);
        }
    }
}
