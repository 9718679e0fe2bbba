//! Bytes that nobody can foresee.

use std::io;

use nix::errno::Errno;

/// Fills the buffer from the kernel's generator, which has been seeded by then (getrandom(2)).
///
/// # Errors
/// The kernel's, and nothing may be used that was not filled.
pub fn fill(buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        let rest = &mut buffer[filled..];
        // SAFETY: the kernel writes at most `rest.len()` bytes to `rest`.
        let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match Errno::result(got) {
            Ok(count) => filled += count.cast_unsigned(),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn no_two_fillings_are_the_same() {
        let (mut one, mut other) = ([0; 300], [0; 300]);
        fill(&mut one).unwrap();
        fill(&mut other).unwrap();
        assert_ne!(one, other);
        assert_ne!(one[..150], one[150..]);
    }
}
