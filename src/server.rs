//! Brigade without its command line: options set in code.

mod clients;
mod limits;
mod work;

use std::ffi::OsString;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use brigade_config::keys;
use brigade_shared::exit::supervisor as code;
use brigade_supervisor::Arrival;
use brigade_worker::Factory;
use clap::Command;

use crate::commands;
use crate::run::service;
use crate::version::VERSION;

/// A service whose options are set in code, for programs that have a command line of their own or
/// none.
///
/// Every key of `brigade.toml` can be set: the usual ones by methods with their names, all by
/// [`set`](Self::set). What is set in code holds; what is left open is looked for in the environment
/// (`BRIGADE_WORKERS`) and in the configuration file, as with the command line. Problems are
/// told at [`run`](Self::run), all at once, in the words of flags: `--workers` for
/// [`workers`](Self::workers). A reload (HUP) reads file and environment again.
///
/// ```no_run
/// use std::convert::Infallible;
/// use std::process::ExitCode;
/// use std::time::Duration;
///
/// use axum::{Router, routing::get};
/// use brigade::Server;
///
/// fn main() -> ExitCode {
///     Server::new()
///         .bind("0.0.0.0:8080")
///         .bind("unix:/run/shop.sock")
///         .workers(4)
///         .timeout_graceful_shutdown(Duration::from_secs(20))
///         .set("log-format", "json")
///         .run(|_context| async {
///             Ok::<_, Infallible>(Router::new().route("/", get(|| async { "Hello, world" })))
///         })
/// }
/// ```
#[derive(Clone, Default, Debug)]
#[must_use = "nothing is served before `run`"]
pub struct Server {
    said: Vec<Said>,
}

/// One option.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Said {
    key: &'static str,
    value: OsString,
}

impl Server {
    /// Nothing set: one worker per usable CPU at 127.0.0.1:8000, unless environment or file say
    /// otherwise.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets any key of `brigade.toml`, in the words that one would write there. A key that takes a
    /// list may be set again and again; for any other, the last time holds. `brigade help serve`
    /// and the commented `brigade.toml` list them all.
    ///
    /// ```
    /// # let server = brigade::Server::new();
    /// server.set("workers", "2..8").set("limit-worker-memory", "512MiB").set("cpu-affinity", true)
    /// # ;
    /// ```
    pub fn set(mut self, key: &'static str, value: impl Display) -> Self {
        let value = value.to_string().into();
        self.said.push(Said { key, value });
        self
    }

    fn time(self, key: &'static str, time: Duration) -> Self {
        self.set(key, format_args!("{}ms", time.as_millis()))
    }

    fn path(mut self, key: &'static str, path: &Path) -> Self {
        let value = path.into();
        self.said.push(Said { key, value });
        self
    }

    /// Listens at `HOST:PORT`, `[v6]:PORT`, `unix:PATH`, `unix:@abstract`, `fd:N` or
    /// `systemd:NAME`; once more with each call.
    pub fn bind(self, address: impl Display) -> Self {
        self.set("bind", address)
    }

    /// So many pending connections may wait in the kernel for each listening socket, 1 to 65535.
    pub fn backlog(self, connections: u16) -> Self {
        self.set("backlog", connections)
    }

    /// Answers probes and metrics at `HOST:PORT` or `unix:PATH`.
    pub fn admin(self, address: impl Display) -> Self {
        self.set("admin", address)
    }

    /// Runs so many workers, 1 to 1024.
    pub fn workers(self, count: u16) -> Self {
        self.set("workers", count)
    }

    /// Runs as many workers as the load needs, within these bounds.
    pub fn workers_by_load(self, bounds: RangeInclusive<u16>) -> Self {
        let (least, most) = (bounds.start(), bounds.end());
        self.set("workers", format_args!("{least}..{most}"))
    }

    /// Runs workers as this user, by name or number.
    pub fn user(self, user: impl Display) -> Self {
        self.set("user", user)
    }

    /// Runs workers as this group, by name or number.
    pub fn group(self, group: impl Display) -> Self {
        self.set("group", group)
    }

    /// How long a worker may take to become ready: 1 ms to 24 h, to the millisecond, like every
    /// time here.
    pub fn timeout_start(self, time: Duration) -> Self {
        self.time("timeout-start", time)
    }

    /// How long a request's head may take to arrive.
    pub fn timeout_header(self, time: Duration) -> Self {
        self.time("timeout-header", time)
    }

    /// How long a connection may be idle between two requests.
    pub fn timeout_keep_alive(self, time: Duration) -> Self {
        self.time("timeout-keep-alive", time)
    }

    /// How long a leaving worker may finish open requests.
    pub fn timeout_graceful_shutdown(self, time: Duration) -> Self {
        self.time("timeout-graceful-shutdown", time)
    }

    /// How long all hooks of [`Context::at_stop`](crate::Context::at_stop) may take together.
    pub fn timeout_hooks(self, time: Duration) -> Self {
        self.time("timeout-hooks", time)
    }

    /// How long a worker may stand still before others serve for it; zero: nobody watches.
    pub fn stall_warn(self, time: Duration) -> Self {
        self.time("stall-warn", time)
    }

    /// Replaces a worker after so many requests, at least 1.
    pub fn limit_max_requests(self, requests: u32) -> Self {
        self.set("limit-max-requests", requests)
    }

    /// How long a worker may stand still before it is ended; zero: for ever.
    pub fn timeout_worker(self, time: Duration) -> Self {
        self.time("timeout-worker", time)
    }

    /// How long a leaving worker still serves idle connections.
    pub fn timeout_lame_duck(self, time: Duration) -> Self {
        self.time("timeout-lame-duck", time)
    }

    /// How long a worker may take to leave when told to leave at once.
    pub fn timeout_kill(self, time: Duration) -> Self {
        self.time("timeout-kill", time)
    }

    /// Writes the supervisor's pid there.
    pub fn pid_file(self, path: impl AsRef<Path>) -> Self {
        self.path("pid-file", path.as_ref())
    }

    /// The least important lines to log: `error`, `warning`, `info`, `debug`, `trace`.
    pub fn log_level(self, level: impl Display) -> Self {
        self.set("log-level", level)
    }

    /// Reads what is not set in code from this file instead of `brigade.toml` in the working
    /// directory.
    pub fn config(self, path: impl AsRef<Path>) -> Self {
        self.path("config", path.as_ref())
    }

    /// Serves until the service is told to stop; returns then, with the exit code of
    /// [`run`](crate::run()). This process becomes the supervisor: it must have no other thread
    /// and no async runtime when this is called. `factory` is called once in each worker.
    ///
    /// Like the command line, it has to be reached again by a program that upgrades in place
    /// (USR2): `main` runs from its beginning, and must come here without doing again what must be
    /// done only once.
    ///
    /// # Exit codes
    /// 0 stopped as asked; 1 gave up, since no worker ever became ready; 2 a key or value set in code
    /// that makes no sense; 71 the system refused (an address in use, no memory); 78 bad
    /// configuration in the environment or the file.
    pub fn run<F: Factory + 'static>(self, factory: F) -> ExitCode {
        let service = service(factory);
        let arrival = match Arrival::now(VERSION) {
            Ok(arrival) => arrival,
            Err(code) => return ExitCode::from(code),
        };
        let command = Command::new("brigade").no_binary_name(true);
        let command = command.disable_help_flag(true);
        let command = command.args(brigade_config::arguments());
        match command.try_get_matches_from(self.words()) {
            Ok(matches) => commands::serve_service(&matches, service, arrival),
            Err(error) => {
                let code = arrival.fail(&error.to_string(), code::USAGE);
                let _ = error.print();
                ExitCode::from(code)
            }
        }
    }

    /// The same in flags.
    fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::with_capacity(self.said.len());
        for (index, Said { key, value }) in self.said.iter().enumerate() {
            let known = keys().find(|known| known.name == *key);
            let is_list = known.is_some_and(|known| known.is_repeatable());
            if !is_list && self.said[index + 1..].iter().any(|later| later.key == *key) {
                continue;
            }
            let is_switch = known.is_some_and(|known| known.is_switch());
            let mut word = OsString::from("--");
            match value.to_str() {
                Some("true") if is_switch => word.push(key),
                Some("false") if is_switch => {
                    word.push("no-");
                    word.push(key);
                }
                // Of a switch it is refused, with the flag's name.
                _ => {
                    word.push(key);
                    word.push("=");
                    word.push(value);
                }
            }
            words.push(word);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::Server;
    use brigade_config::{Bind, Heading, WorkerCount, arguments, load};
    use clap::Command;
    use std::time::Duration;

    fn loaded(server: &Server) -> Result<brigade_config::Config, String> {
        let command = Command::new("test").no_binary_name(true).args(arguments());
        let matches = command.try_get_matches_from(server.words());
        let matches = matches.map_err(|error| error.to_string())?;
        let directory = tempfile::tempdir().unwrap();
        let loaded = load(&matches, [], directory.path());
        loaded
            .map(|loaded| loaded.config)
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn what_is_set_in_code_reaches_the_configuration() {
        let server = Server::new()
            .bind("127.0.0.1:0")
            .bind("unix:a.sock")
            .workers(7)
            .workers_by_load(2..=3)
            .timeout_keep_alive(Duration::from_millis(1500))
            .set("cpu-affinity", true)
            .set("offload-queue", -1)
            .offload_queue(9);
        let config = loaded(&server).unwrap();
        assert_eq!(config.supervisor.binds.len(), 2);
        assert!(matches!(config.supervisor.binds[1], Bind::Unix(_)));
        assert_eq!(config.supervisor.workers, WorkerCount::Between(2, 3));
        assert_eq!(config.worker.timeout_keep_alive.as_millis(), 1500);
        assert_eq!(config.worker.offload.queue, 9);
        assert!(config.supervisor.cpu_affinity);
        let off = server.set("cpu-affinity", false);
        assert!(!loaded(&off).unwrap().supervisor.cpu_affinity);
    }

    const TIME: Duration = Duration::from_secs(7);

    /// With everything said of clients that there is to say.
    fn with_clients(server: Server) -> Server {
        let tls = server
            .ssl_certfile("a.pem")
            .ssl_keyfile("a.key")
            .ssl_ocsp("a.ocsp")
            .ssl_ca_certs("ca.pem")
            .ssl_cert_reqs("optional")
            .ssl_min_version("1.3")
            .ssl_ticket_rotation(TIME)
            .insecure_bind("127.0.0.1:8001");
        tls.http(2)
            .http2_ping(TIME)
            .server_header(true)
            .date_header(false)
            .header("x-a: b")
            .proxy_headers(false)
            .forwarded_allow_ips("10.0.0.0/8, unix")
            .forwarded_header("forwarded")
            .root_path("/shop")
            .request_id(true)
            .proxy_protocol(true)
            .proxy_protocol_from("192.0.2.1")
    }

    /// And of requests.
    fn with_requests(server: Server) -> Server {
        let limits = server
            .timeout_handshake(TIME)
            .timeout_first_byte(TIME)
            .timeout_body(TIME)
            .min_rate_body(1)
            .timeout_write(TIME)
            .min_rate_write(2)
            .timeout_request(TIME)
            .limit_request_line(3000)
            .limit_header_size(9000)
            .limit_headers(5)
            .limit_body(6)
            .limit_connections(7)
            .limit_worker_connections(8)
            .limit_peer_connections(9)
            .limit_concurrency(10)
            .limit_h2_streams(11)
            .limit_h2_resets(12)
            .limit_h2_cancels(1200)
            .limit_h2_frames(12000)
            .ws_max_size(1300);
        limits
            .access_log("a.log")
            .access_log_format("{status}")
            .access_log_sample(14)
            .access_log_slower_than(TIME)
            .offload_threads(15)
            .offload_cpu_threads(2)
            .offload_queue(17)
            .offload_wait(TIME)
            .offload_timeout(TIME)
    }

    #[test]
    fn everything_about_clients_and_requests_has_a_method() {
        let server = with_requests(with_clients(Server::new()));
        let config = loaded(&server).unwrap();
        let default = brigade_config::Config::default();
        for key in brigade_config::keys() {
            let is_meant = matches!(
                key.heading,
                Heading::Tls
                    | Heading::Http
                    | Heading::Limits
                    | Heading::Proxy
                    | Heading::AccessLog
                    | Heading::Offload
            );
            let is_said = server.said.iter().any(|said| said.key == key.name);
            assert_eq!(is_said, is_meant, "{}", key.name);
        }
        let worker = &config.worker;
        assert_eq!(
            (worker.limits.body, worker.limits.ws_message),
            (Some(6), Some(1300))
        );
        assert_eq!(worker.limits.request, Some(TIME));
        assert_eq!(worker.access_log.sample, Some(14));
        assert_eq!(worker.offload.queue, 17);
        assert_ne!(worker.proxy, default.worker.proxy);
        assert_eq!(config.worker.tls.certificates.len(), 1);
        let off = server
            .timeout_request(Duration::ZERO)
            .limit_body(0)
            .access_log_sample(0)
            .access_log_slower_than(Duration::ZERO);
        let worker = loaded(&off).unwrap().worker;
        assert_eq!((worker.limits.request, worker.limits.body), (None, None));
        assert_eq!(
            (worker.access_log.sample, worker.access_log.slower_than),
            (None, None)
        );
    }

    #[test]
    fn every_key_can_be_set() {
        for key in brigade_config::keys() {
            let Some(default) = key.default else { continue };
            let server = Server::new().set(key.name, default);
            assert_eq!(loaded(&server).err(), None, "{}", key.name);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_the_nearest_name() {
        let words = loaded(&Server::new().set("worker", 1)).unwrap_err();
        assert!(words.contains("--workers"), "{words}");
        let words = loaded(&Server::new().workers(0)).unwrap_err();
        assert!(
            words.contains("with 0 workers nobody would serve"),
            "{words}"
        );
        assert!(loaded(&Server::new().set("cpu-affinity", "maybe")).is_err());
    }
}
