//! `brigade::Server` as a program of its own: this test is that program, too, when it is told so by
//! the environment. It makes processes, so libtest and its threads are not wanted.

use std::cell::Cell;
use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::rc::Rc;

use brigade::{App, Context, RequestBody, Server, service_fn};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Says which part to play, and for the first one where hooks leave their word. Not `BRIGADE_...`:
/// such variables are keys, and unknown ones refused.
const ROLE: &str = "SERVER_TEST_ROLE";
const FILE: &str = "SERVER_TEST_FILE";

fn main() -> ExitCode {
    let server = Server::new()
        .bind("127.0.0.1:0")
        .workers(1)
        .set("log-format", "json")
        .set("cpu-affinity", false);
    match std::env::var(ROLE).as_deref() {
        Ok("good") => server.run(app),
        Ok("no such key") => server.set("worker", 1).run(app),
        Ok("wrong value") => server.workers(0).offload_threads(0).run(app),
        _ => {
            serves_reloads_and_flushes();
            what_is_wrong_is_told_at_once();
            ExitCode::SUCCESS
        }
    }
}

/// Counts without a lock, and leaves a word at the end.
async fn app(context: Context) -> Result<impl App, Infallible> {
    let answered = Rc::new(Cell::new(0));
    let (last, generation) = (Rc::clone(&answered), context.generation());
    context.at_stop(move || async move {
        tokio::task::yield_now().await;
        let path = std::env::var_os(FILE).unwrap();
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        writeln!(file, "generation {generation} answered {}", last.get()).unwrap();
    });
    Ok(service_fn(move |_: Request<RequestBody>| {
        answered.set(answered.get() + 1);
        let words = format!("request {} of generation {generation}", answered.get());
        async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(words))) }
    }))
}

/// A program that does not outlive the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(role: &str, file: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        // Whoever runs the tests may have keys of his own.
        .env_clear()
        .env(ROLE, role)
        .env(FILE, file)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads the log until this event.
fn await_event(log: &mut impl BufRead, name: &str) -> Value {
    let mut line = String::new();
    loop {
        line.clear();
        assert!(
            log.read_line(&mut line).unwrap() > 0,
            "no {name} in the log"
        );
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["event"] == name {
            return event;
        }
    }
}

fn get(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.rsplit("\r\n").next().unwrap().to_owned()
}

fn serves_reloads_and_flushes() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut server = Running(start("good", file.path()));
    let mut log = BufReader::new(server.0.stderr.take().unwrap());
    let listening = await_event(&mut log, "supervisor.listening");
    let address = listening["address"].as_str().unwrap();
    let address = address.strip_prefix("http://").unwrap();
    await_event(&mut log, "fleet.ready");
    assert_eq!(get(address), "request 1 of generation 1");
    assert_eq!(get(address), "request 2 of generation 1");
    let pid = Pid::from_raw(server.0.id() as i32);
    kill(pid, Signal::SIGHUP).unwrap();
    await_event(&mut log, "reload.done");
    // Until it has left, the old worker takes from the queue that it shares with the new one.
    await_event(&mut log, "worker.left");
    assert_eq!(get(address), "request 1 of generation 2");
    kill(pid, Signal::SIGTERM).unwrap();
    await_event(&mut log, "supervisor.stopped");
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
    let words = std::fs::read_to_string(file.path()).unwrap();
    assert_eq!(words, "generation 1 answered 2\ngeneration 2 answered 1\n");
}

fn what_is_wrong_is_told_at_once() {
    let nowhere = std::path::Path::new("/dev/null");
    for (role, words) in [
        ("no such key", &["--worker", "--workers"][..]),
        ("wrong value", &["with 0 workers", "offload-threads"][..]),
    ] {
        let output = start(role, nowhere).wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        for word in words {
            assert!(told.contains(word), "{word}: {told}");
        }
    }
}
