//! What a worker writes to standard output and error: whole lines, with the last ones kept for the
//! report of its death.

use std::collections::VecDeque;
use std::io::{PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

/// A longer line is passed on in pieces, so that a flood without line feeds needs no memory.
const LONGEST_LINE: usize = 16 * 1024;
/// How much is read in one turn from one pipe: enough that a child seldom waits, and little enough
/// that a flooding one does not keep the supervisor from its other work.
const MOST_PER_TURN: usize = 256 * 1024;
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

    /// Whether more may come.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Reads what is there and calls `each` with every whole line.
    pub(crate) fn read(&mut self, mut each: impl FnMut(&str)) {
        let mut buffer = [0; 64 * 1024];
        let mut total = 0;
        while self.is_open && total < MOST_PER_TURN {
            match self.pipe.read(&mut buffer) {
                Ok(0) => self.is_open = false,
                Ok(count) => {
                    total += count;
                    self.split(&buffer[..count], &mut each);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.is_open = false,
            }
        }
    }

    /// Reads what is left after the worker's death, its unfinished line too.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(&str)) {
        self.read(&mut each);
        if !self.unfinished.is_empty() {
            let rest = std::mem::take(&mut self.unfinished);
            self.tell(&rest, &mut each);
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
    use super::{LONGEST_LINE, Output};
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
    fn bytes_that_are_no_text_are_shown_as_such() {
        assert_eq!(lines_of(&[b"a\xffb\n"]), ["a\u{fffd}b"]);
    }
}
