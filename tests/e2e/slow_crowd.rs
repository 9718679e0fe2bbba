//! One worker under attack by two thousand slow connections still answers others at once, and
//! slowhttptest, which was made to bring servers down in this way, finds it available.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::gettid;

use crate::limits_http::single;
use crate::support::{Brigade, Connection, Need, Process, Trouble, lacks};

const ATTACKERS: usize = 2000;
/// In a round, in which every attacker goes on thirty times.
const ASKED: usize = 300;
/// What a client may have to wait that does nothing wrong.
const AT_ONCE: Duration = Duration::from_millis(50);

/// What an attacker begins with, and what it sends again and again.
const WAYS: [(&str, &str); 4] = [
    ("", ""),
    ("GET / HTTP/1.1\r\nhost: te", "x"),
    (
        "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 100000\r\n\r\n",
        "x",
    ),
    ("GET / HTTP/1.1\r\nhost: test\r\n\r\n", ""),
];

struct Attacker {
    way: usize,
    connection: Connection,
}

impl Attacker {
    fn new(brigade: &Brigade, number: usize) -> Self {
        let way = number % WAYS.len();
        let mut connection = brigade.connect();
        // Who is cut at once has lost nothing.
        let _ = connection.send(WAYS[way].0);
        Self { way, connection }
    }

    /// Goes on, or begins anew if it was cut.
    fn go_on(&mut self, brigade: &Brigade) {
        if self.connection.send(WAYS[self.way].1).is_err() {
            *self = Self::new(brigade, self.way);
        }
    }
}

/// How long somebody waits who asks on a connection of its own. The time does not count in which
/// one of both was ready to go on and had no processor: how a crowded machine shares them out is
/// not the worker's doing.
fn ask(brigade: &Brigade, worker: Process) -> Duration {
    let starved = || worker.starved() + Process(gettid().as_raw()).starved();
    let (before, begin) = (starved(), Instant::now());
    let answer = brigade.connect().get("/");
    let status = answer.map(|answer| answer.status);
    let took = begin.elapsed();
    assert!(matches!(status, Ok::<_, Trouble>(200)), "{status:?}");
    took.saturating_sub(starved() - before)
}

/// How long the slowest hundredth waited. Not fewer: who asks one after the other meets a loop that
/// is blocked now and then only once each time.
fn slowest(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() - times.len() / 100]
}

#[test]
fn one_worker_under_attack_by_two_thousand_slow_connections_answers_others_at_once() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let deadlines = [
        "--timeout-first-byte",
        "3s",
        "--timeout-header",
        "3s",
        "--timeout-body",
        "3s",
    ];
    let brigade = single(&deadlines);
    let worker = brigade.worker(0).process;
    let mut attackers: Vec<_> = (0..ATTACKERS)
        .map(|number| Attacker::new(&brigade, number))
        .collect();
    let mut times = Vec::new();
    let begin = Instant::now();
    // Long enough for every deadline to have fired, and for most attackers to have come again.
    while begin.elapsed() < Duration::from_secs(6) || times.is_empty() {
        for number in 0..ASKED {
            for attacker in attackers.iter_mut().skip(number % 10).step_by(10) {
                attacker.go_on(&brigade);
            }
            times.push(ask(&brigade, worker));
        }
    }
    let slowest = slowest(times);
    assert!(slowest <= AT_ONCE, "{slowest:?}");
    drop(attackers);
    brigade.stop_and_check();
}

#[test]
fn slowhttptest_finds_the_service_available_and_its_connections_closed() {
    if lacks(Need::SlowHttpTest) {
        return;
    }
    let deadlines = [
        "--timeout-header",
        "2s",
        "--timeout-body",
        "2s",
        "--min-rate-body",
        "1000",
    ];
    for way in ["-H", "-B", "-X"] {
        let brigade = single(&deadlines);
        let url = format!("http://127.0.0.1:{}/echo", brigade.address().port());
        // 500 connections, 250 of them a second, each with a word every second; probed all the time.
        let arguments = [
            way, "-c", "500", "-r", "250", "-i", "1", "-s", "100000", "-l", "8", "-p", "3", "-v",
            "1", "-u", &url,
        ];
        let attack = Command::new("slowhttptest")
            .args(arguments)
            .current_dir(brigade.dir())
            .env("TERM", "dumb")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&attack.stdout).into_owned();
        assert!(told.contains("service available:"), "{told}");
        assert!(!told.contains("NO"), "{told}");
        // Who reads slowly reads on from what the kernel holds of a small answer, after its
        // connection was closed.
        let are_closed = told.contains("No open connections left");
        assert!(are_closed || way == "-X", "{way}: {told}");
        assert_eq!(brigade.get("/").status, 200);
        brigade.stop_and_check();
    }
}
