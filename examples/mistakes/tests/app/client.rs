//! A client over one connection that is kept.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::running::PATIENCE;

pub(super) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(super) fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// The body of an answer that has to be a 200.
    pub(super) fn get(&mut self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{path}: {line}");
        let mut length = None;
        while line != "\r\n" {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let lower = line.to_ascii_lowercase();
            if let Some(number) = lower.strip_prefix("content-length:") {
                length = Some(number.trim().parse().unwrap());
            }
        }
        match length {
            Some(length) => {
                let mut body = vec![0; length];
                self.stream.read_exact(&mut body).unwrap();
                String::from_utf8(body).unwrap()
            }
            // The admin address closes behind its answer.
            None => {
                let mut body = String::new();
                self.stream.read_to_string(&mut body).unwrap();
                body
            }
        }
    }
}
