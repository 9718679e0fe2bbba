//! Is it the answer that we asked for? Status 200, and as many bytes as it promised.

use memchr::memmem;

use super::tally::Fault;

/// What stands in the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// More must come.
    Partial,
    /// All of it and nothing else, with a body of so many bytes.
    Whole {
        /// The body's length in bytes.
        body: usize,
    },
    /// Not what was asked for.
    Wrong(Fault),
}

const LENGTH: &[u8] = b"content-length:";

/// Judges the bytes received for one request; `body` is the length that the body must have, if
/// that is known.
pub(crate) fn judge(received: &[u8], body: Option<usize>) -> Answer {
    let Some(end) = memmem::find(received, b"\r\n\r\n") else {
        return Answer::Partial;
    };
    let (head, rest) = (&received[..end + 2], &received[end + 4..]);
    if !head.starts_with(b"HTTP/1.1 200 ") {
        return Answer::Wrong(Fault::Status);
    }
    let Some(promised) = content_length(head) else {
        return Answer::Wrong(Fault::Body);
    };
    if body.is_some_and(|expected| expected != promised) || rest.len() > promised {
        return Answer::Wrong(Fault::Body);
    }
    if rest.len() < promised {
        Answer::Partial
    } else {
        Answer::Whole { body: promised }
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    for line_end in memchr::memchr_iter(b'\n', head) {
        let line = &head[line_end + 1..];
        if line.len() < LENGTH.len() || !line[..LENGTH.len()].eq_ignore_ascii_case(LENGTH) {
            continue;
        }
        let value = &line[LENGTH.len()..];
        let value = &value[..memchr::memchr(b'\r', value)?];
        return std::str::from_utf8(value).ok()?.trim().parse().ok();
    }
    None
}

/// The process that an answer names: `... pid 4711 ...`.
pub(crate) fn worker(answer: &[u8]) -> Option<u32> {
    let at = memmem::find(answer, b"pid ")? + 4;
    let digits = answer[at..].iter().take_while(|byte| byte.is_ascii_digit());
    let number: Vec<u8> = digits.copied().collect();
    std::str::from_utf8(&number).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\n";

    #[test]
    fn an_answer_is_whole_only_at_its_last_byte() {
        let whole = format!("{HEAD}ok");
        for cut in 0..whole.len() {
            assert_eq!(
                judge(&whole.as_bytes()[..cut], Some(2)),
                Answer::Partial,
                "at {cut}"
            );
        }
        assert_eq!(judge(whole.as_bytes(), Some(2)), Answer::Whole { body: 2 });
        assert_eq!(judge(whole.as_bytes(), None), Answer::Whole { body: 2 });
    }

    #[test]
    fn another_length_than_expected_promised_or_countable_is_wrong() {
        let wrong = Answer::Wrong(Fault::Body);
        assert_eq!(judge(format!("{HEAD}ok").as_bytes(), Some(3)), wrong);
        assert_eq!(judge(format!("{HEAD}okk").as_bytes(), None), wrong);
        assert_eq!(
            judge(b"HTTP/1.1 200 OK\r\nserver: x\r\n\r\nok", None),
            wrong
        );
    }

    #[test]
    fn an_answer_names_its_process() {
        let words = b"HTTP/1.1 200 OK\r\n\r\nHello from slot 3, pid 4711, generation 1";
        assert_eq!(worker(words), Some(4711));
        assert_eq!(worker(b"Hello"), None);
    }

    #[test]
    fn another_status_is_wrong() {
        let sorry = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(judge(sorry, None), Answer::Wrong(Fault::Status));
    }
}
