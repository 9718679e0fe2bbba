//! Several workers and nothing that looks after them, in the two layouts that servers have:
//! `reuseport` gives every worker a listening socket of its own (SO_REUSEPORT), `shared` one
//! socket to all. hyper on one current_thread runtime each, and the same app as the others:
//! `/blocking?ms=N` blocks the event loop, everything else tells who answers.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use brigade_benches::contender::{BACKLOG, CONTENT_TYPE};
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use socket2::{Domain, Socket, Type};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        [layout @ ("reuseport" | "shared"), count] => lead(layout, count),
        ["worker", "shared"] => inherited().and_then(serve),
        ["worker", address] => own(address).and_then(serve),
        _ => Err(io::Error::other(
            "usage: contender-many reuseport|shared COUNT",
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("contender-many: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts the workers, tells the address when all of them listen, and waits for ever.
fn lead(layout: &str, count: &str) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    let count: usize = count.parse().map_err(io::Error::other)?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    if layout == "shared" {
        socket.listen(BACKLOG)?;
    }
    let socket = TcpListener::from(socket);
    let address = socket.local_addr()?;
    let mut workers = Vec::new();
    for _ in 0..count {
        let mut command = Command::new(std::env::current_exe()?);
        if layout == "shared" {
            let socket = socket.as_fd().try_clone_to_owned()?;
            command.args(["worker", "shared"]).stdin(socket);
        } else {
            command.arg("worker").arg(address.to_string());
        }
        let mut worker = command.stdout(Stdio::piped()).spawn()?;
        let out = worker.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        BufReader::new(out).read_line(&mut String::new())?;
        workers.push(worker);
    }
    println!("http://{address}");
    io::stdout().flush()?;
    for mut worker in workers {
        worker.wait()?;
    }
    Ok(())
}

fn inherited() -> io::Result<TcpListener> {
    let socket: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
    Ok(TcpListener::from(socket))
}

fn own(address: &str) -> io::Result<TcpListener> {
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from(socket))
}

fn serve(listener: TcpListener) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        println!("listening");
        io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            // A connection's end is the load's to judge.
            tokio::spawn(async { connection.await.ok() });
        }
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let pause = request
        .uri()
        .query()
        .and_then(|query| query.strip_prefix("ms="))
        .and_then(|number| number.parse().ok());
    if let Some(pause) = pause {
        std::thread::sleep(Duration::from_millis(pause));
    }
    let words = format!("Hello from pid {}\n", std::process::id());
    let mut response = Response::new(Full::new(words.into()));
    let media_type = HeaderValue::from_static(CONTENT_TYPE);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    Ok(response)
}
