//! What a worker writes to standard output and error: whole lines, with the last ones kept for the
//! report of its death.

use std::collections::VecDeque;
use std::io::{PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

/// A longer line is passed on in pieces, so that a flood without line feeds needs no memory.
const LONGEST_LINE: usize = 16 * 1024;
/// How much is read in one turn from one pipe, in bytes and in lines: enough that a child seldom
/// waits, and little enough that a flooding one does not keep the supervisor from its other work.
/// The rest waits in the pipe, and the child with it.
const MOST_BYTES: usize = 128 * 1024;
const MOST_LINES: usize = 256;
/// So much at a time: what is read has to be passed on, line by line, however many that are.
const PIECE: usize = 2048;
/// What can be left in a pipe whose writer is dead (pipe(7): its capacity, by default).
const CAPACITY: usize = 64 * 1024;
/// How many of the last lines are kept, and how many bytes of each.
const KEPT_LINES: usize = 20;
const KEPT_BYTES: usize = 400;

/// The reading end of one stream of a worker.
#[derive(Debug)]
pub(crate) struct Output {
    pipe: PipeReader,
    unfinished: Vec<u8>,
    last: VecDeque<String>,
    is_open: bool,
}

impl Output {
    /// Takes a pipe that was made non-blocking.
    pub(crate) fn new(pipe: PipeReader) -> Self {
        Self {
            pipe,
            unfinished: Vec::new(),
            last: VecDeque::new(),
            is_open: true,
        }
    }

    /// Takes a pipe that another program has read from before.
    pub(crate) fn resume(
        pipe: PipeReader,
        is_open: bool,
        unfinished: Vec<u8>,
        last: Vec<String>,
    ) -> Self {
        let last = VecDeque::from(last);
        Self {
            pipe,
            unfinished,
            last,
            is_open,
        }
    }

    /// The line that was begun, so far.
    pub(crate) fn unfinished(&self) -> &[u8] {
        &self.unfinished
    }

    /// Whether more may come.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Reads what is there, within bounds, and calls `each` with every whole line.
    pub(crate) fn read(&mut self, mut each: impl FnMut(&str)) {
        let mut lines = 0;
        let mut bytes = 0;
        while self.is_open && bytes < MOST_BYTES && lines < MOST_LINES {
            let read = self.read_piece(&mut |line| {
                lines += 1;
                each(line);
            });
            if read == 0 {
                return;
            }
            bytes += read;
        }
    }

    /// Reads what is left after the worker's death, its unfinished line too.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(&str)) {
        let mut bytes = 0;
        while self.is_open && bytes <= CAPACITY {
            match self.read_piece(&mut each) {
                0 => break,
                read => bytes += read,
            }
        }
        if !self.unfinished.is_empty() {
            let rest = std::mem::take(&mut self.unfinished);
            self.tell(&rest, &mut each);
        }
    }

    /// How many bytes were read; none if there are none now, or no more will come.
    fn read_piece(&mut self, each: &mut impl FnMut(&str)) -> usize {
        let mut buffer = [0; PIECE];
        loop {
            match self.pipe.read(&mut buffer) {
                Ok(0) => self.is_open = false,
                Ok(count) => {
                    self.split(&buffer[..count], each);
                    return count;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => self.is_open = false,
            }
            return 0;
        }
    }

    /// The last lines, oldest first.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }

    fn split(&mut self, mut bytes: &[u8], each: &mut impl FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            if self.unfinished.is_empty() {
                self.tell(line, each);
            } else {
                let mut whole = std::mem::take(&mut self.unfinished);
                whole.extend_from_slice(line);
                self.tell(&whole, each);
            }
            bytes = rest;
        }
        self.unfinished.extend_from_slice(bytes);
        if self.unfinished.len() >= LONGEST_LINE {
            let piece = std::mem::take(&mut self.unfinished);
            self.tell(&piece, each);
        }
    }

    fn tell(&mut self, line: &[u8], each: &mut impl FnMut(&str)) {
        for piece in pieces(line) {
            let text = String::from_utf8_lossy(piece);
            let text = text.trim_end_matches('\r');
            each(text);
            if self.last.len() == KEPT_LINES {
                self.last.pop_front();
            }
            self.last.push_back(text.chars().take(KEPT_BYTES).collect());
        }
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

/// A line in pieces of bearable length; an empty line is one piece.
fn pieces(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let only = line.is_empty().then_some(line);
    only.into_iter().chain(line.chunks(LONGEST_LINE))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_LINE, MOST_LINES, Output, PIECE};
    use std::io::Write;

    fn lines_of(chunks: &[&[u8]]) -> Vec<String> {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let mut output = Output::new(reader);
        let mut lines = Vec::new();
        for chunk in chunks {
            writer.write_all(chunk).unwrap();
        }
        drop(writer);
        output.finish(|line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn lines_are_whole_however_they_are_written() {
        assert_eq!(
            lines_of(&[b"one\ntw", b"o\r\n", b"\n", b"three"]),
            ["one", "two", "", "three"]
        );
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let lines = lines_of(&[&[b'x'; LONGEST_LINE * 2 + 1]]);
        assert_eq!(
            lines.iter().map(String::len).sum::<usize>(),
            LONGEST_LINE * 2 + 1
        );
        assert!(lines.iter().all(|line| line.len() <= LONGEST_LINE));
    }

    #[test]
    fn a_flood_of_short_lines_is_taken_in_turns() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(&[b'\n'; 60_000]).unwrap();
        let mut output = Output::new(reader);
        let mut lines = 0;
        output.read(|_| lines += 1);
        assert!(
            (1..MOST_LINES + PIECE).contains(&lines),
            "{lines} in one turn"
        );
        drop(writer);
        output.finish(|_| lines += 1);
        assert_eq!(lines, 60_000, "none is lost");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_such() {
        assert_eq!(lines_of(&[b"a\xffb\n"]), ["a\u{fffd}b"]);
    }
}
