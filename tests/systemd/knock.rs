//! Clients that come all the time, whether or not anybody answers: those of a load wait for their
//! answers, and so nobody would come to a service that is away.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::{Address, Connection, Trouble};

/// One comes every five milliseconds.
#[derive(Debug)]
pub(crate) struct Knocking {
    over: Sender<()>,
    coming: JoinHandle<()>,
    /// How many were answered, and what became of the others.
    waiting: JoinHandle<(usize, Vec<Trouble>)>,
}

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";

impl Knocking {
    pub(crate) fn at(address: Address) -> Self {
        let (over, is_over) = mpsc::channel();
        let (enter, entered) = mpsc::channel();
        let coming = thread::spawn(move || {
            let pace = Duration::from_millis(5);
            while is_over.recv_timeout(pace) == Err(RecvTimeoutError::Timeout) {
                let opened = Connection::open(&address);
                let asked = opened.and_then(|mut one| one.send(REQUEST).map(|()| one));
                enter.send(asked).unwrap();
            }
        });
        let waiting = thread::spawn(move || {
            let (mut answered, mut troubles) = (0, Vec::new());
            for asked in entered {
                match asked.and_then(|mut one| one.receive()) {
                    Ok(answer) if answer.status == 200 => answered += 1,
                    Ok(answer) => troubles.push(Trouble::Wrong(answer.text())),
                    Err(trouble) => troubles.push(trouble),
                }
            }
            (answered, troubles)
        });
        Self {
            over,
            coming,
            waiting,
        }
    }

    /// Nobody comes any more, and all were answered.
    pub(crate) fn assert_lost_none(self) {
        drop(self.over);
        self.coming.join().unwrap();
        let (answered, troubles) = self.waiting.join().unwrap();
        let all = answered + troubles.len();
        assert!(troubles.is_empty(), "of {all} were lost: {troubles:?}");
        assert!(answered > 20, "only {answered} came");
    }
}
