//! Who is compared where a service does more than to say hello.

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use brigade_benches::works::{CERTIFICATE, KEY, items};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::Binaries;
use super::brigade::{Brigade, Program};
use super::nginx::{self, free_port};
use super::running::{Server, spawn_on};
use crate::measure::Cpus;
use crate::outcome::Outcome;

/// Who is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rival {
    /// Brigade with the app of `works`, without a framework.
    Brigade,
    /// The same by axum's router.
    Routed,
    /// `brigade static`.
    Static,
    /// axum on one thread; axum-server for TLS.
    Axum,
    /// actix-web with one worker.
    Actix,
    /// nginx with one worker, which reads and writes files.
    Nginx,
    /// nginx with sendfile.
    Sendfile,
}

/// What all of them read: files, and a certificate.
pub(crate) struct Materials {
    directory: TempDir,
}

impl Materials {
    /// JSON of each of these sizes, in items, and files of each of these sizes.
    pub(crate) fn make(json: &[u32], files: &[usize]) -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        // nginx's worker is not of our user.
        make_readable(directory.path())?;
        fs::create_dir(directory.path().join("json"))?;
        for count in json {
            let text = serde_json::to_vec(&items(*count))?;
            fs::write(directory.path().join("json").join(count.to_string()), text)?;
        }
        for size in files {
            fs::write(
                directory.path().join(format!("{size}.bin")),
                vec![b'x'; *size],
            )?;
        }
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        fs::write(directory.path().join(CERTIFICATE), made.cert.pem())?;
        fs::write(directory.path().join(KEY), made.signing_key.serialize_pem())?;
        Ok(Self { directory })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn make_readable(path: &Path) -> Outcome<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(
        path,
        fs::Permissions::from_mode(0o755),
    )?)
}

impl Rival {
    /// Starts it on the server's CPU and waits until it listens.
    pub(crate) fn start(
        self,
        tls: bool,
        materials: &Materials,
        binaries: &Binaries,
        cpus: Cpus,
    ) -> Outcome<Server> {
        let server = match self {
            Self::Brigade | Self::Routed | Self::Static => {
                self.brigade(tls, materials, binaries, cpus)
            }
            Self::Axum => contender("works-axum", tls, materials, binaries, cpus),
            Self::Actix => contender("works-actix", tls, materials, binaries, cpus),
            Self::Nginx | Self::Sendfile => {
                let files = tempfile::tempdir()?;
                let port = free_port()?;
                let is_sendfile = self == Self::Sendfile;
                let text = configuration(files.path(), materials.path(), port, tls, is_sendfile);
                nginx::start_with(files, port, &text, binaries, cpus)
            }
        };
        server.map_err(|error| format!("{self}: {error}").into())
    }

    fn brigade(
        self,
        tls: bool,
        materials: &Materials,
        binaries: &Binaries,
        cpus: Cpus,
    ) -> Outcome<Server> {
        let at = |name: &str| materials.path().join(name).display().to_string();
        let mut brigade = match self {
            Self::Static => Brigade::new(Program::Demo).command(&["static", &at("")]),
            _ => Brigade::new(Program::Works).variable("WORKS_FILES", &at("")),
        };
        if self == Self::Routed {
            brigade = brigade.variable("WORKS_ROUTER", "1");
        }
        if tls {
            let (certificate, key) = (at(CERTIFICATE), at(KEY));
            let words = ["--ssl-certfile", &certificate, "--ssl-keyfile", &key];
            brigade = brigade.arguments(&words);
        }
        let (mut server, _) = brigade.start(binaries, cpus)?;
        server.events()?.next("fleet.ready", |_| true)?;
        Ok(server)
    }
}

fn contender(
    name: &str,
    tls: bool,
    materials: &Materials,
    binaries: &Binaries,
    cpus: Cpus,
) -> Outcome<Server> {
    let port = free_port()?;
    let mut command = binaries.command(name);
    command.arg(port.to_string()).arg(materials.path());
    if tls {
        command.arg("tls");
    }
    let mut server = Server::guard(
        spawn_on(&[cpus.server], cpus, &mut command)?,
        Signal::SIGTERM,
    );
    server.address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    server.wait_until_it_listens()?;
    Ok(server)
}

fn configuration(own: &Path, files: &Path, port: u16, tls: bool, is_sendfile: bool) -> String {
    let (own, files) = (own.display(), files.display());
    let listen = if tls { " ssl http2" } else { "" };
    let sendfile = if is_sendfile { "on" } else { "off" };
    let one = serde_json::to_string(&items(1)).unwrap_or_default();
    format!(
        "daemon off;
error_log stderr emerg;
worker_processes 1;
pid {own}/pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    http2_max_concurrent_streams 256;
    sendfile {sendfile};
    default_type application/json;
    ssl_certificate {files}/{CERTIFICATE};
    ssl_certificate_key {files}/{KEY};
    ssl_protocols TLSv1.2 TLSv1.3;
    client_body_temp_path {own}/body;
    proxy_temp_path {own}/proxy;
    fastcgi_temp_path {own}/fastcgi;
    uwsgi_temp_path {own}/uwsgi;
    scgi_temp_path {own}/scgi;
    server {{
        listen 127.0.0.1:{port}{listen} backlog=4096;
        location = /json/1 {{ return 200 '{one}'; }}
        location /json/ {{ alias {files}/json/; }}
        location /files/ {{ alias {files}/; }}
    }}
}}
"
    )
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Brigade => "**Brigade**",
            Self::Routed => "**Brigade**, axum's router",
            Self::Static => "**Brigade**, `static`",
            Self::Axum => "axum",
            Self::Actix => "actix-web",
            Self::Nginx => "nginx",
            Self::Sendfile => "nginx, sendfile",
        })
    }
}
