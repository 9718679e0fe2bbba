//! The socket unit: systemd holds what the configuration would bind.

use std::fmt::Write as _;
use std::net::IpAddr;

use brigade_config::{Bind, SupervisorConfig};

use super::words::word;

/// Under which name systemd passes them.
const NAME: &str = "http";

/// The whole unit.
///
/// # Errors
/// A sentence: some address is none that systemd could bind.
pub(super) fn text(supervisor: &SupervisorConfig) -> Result<String, String> {
    let mut places = Vec::new();
    for bind in &supervisor.binds {
        places.push(place(bind)?);
    }
    let mut text = format!(
        "\
# Printed by `brigade unit --socket`: systemd holds the addresses of this configuration. As
# /etc/systemd/system/NAME.socket, beside a NAME.service that takes them, with the same configuration otherwise:
#
#   brigade unit ... --bind systemd:{NAME} > /etc/systemd/system/NAME.service
#   systemctl daemon-reload
#   systemctl enable --now NAME.socket
#
# The first connection starts the service, and those that come while it is stopped or restarted wait. All workers
# share one queue for each address, where a socket of Brigade's own has one for each of them.

[Unit]
Description=Sockets of Brigade
Documentation=man:brigade(1)

[Socket]
FileDescriptorName={NAME}
"
    );
    for place in places {
        let _ = writeln!(text, "ListenStream={place}");
    }
    let has_file = supervisor
        .binds
        .iter()
        .any(|bind| matches!(bind, Bind::Unix(_)));
    if has_file {
        text.push_str(
            "# Of whom the proxy is: SocketGroup=www-data, for instance.\nSocketMode=0660\n",
        );
    }
    let _ = writeln!(text, "Backlog={}", supervisor.backlog);
    if has_file {
        text.push_str("RemoveOnStop=yes\n");
    }
    text.push_str("BindIPv6Only=ipv6-only\n\n[Install]\nWantedBy=sockets.target\n");
    Ok(text)
}

fn place(bind: &Bind) -> Result<String, String> {
    match bind {
        Bind::Tcp(_, 0) => Err("a socket unit needs a port, not one that is free by chance: give --port".to_owned()),
        Bind::Tcp(IpAddr::V4(address), port) => Ok(format!("{address}:{port}")),
        Bind::Tcp(IpAddr::V6(address), port) => Ok(format!("[{address}]:{port}")),
        Bind::Name(name, port) => Err(format!(
            "systemd binds addresses, and {name}:{port} is a name: give --bind an address"
        )),
        Bind::Unix(path) if path.is_relative() => Err(format!(
            "systemd needs the whole path of a socket, and {} is relative",
            path.display()
        )),
        Bind::Unix(path) => Ok(word(&path.to_string_lossy(), false)),
        Bind::Abstract(name) => Ok(word(&format!("@{name}"), false)),
        Bind::Fd(_) | Bind::Systemd(_) => Err("the configuration takes its sockets from outside already: give --bind the addresses for which the socket unit is to be".to_owned()),
    }
}
