//! Keys: TLS.

use std::path::PathBuf;
use std::time::Duration;

use super::key::{Heading, Key, Kind, Meaning, OnReload, TIME, put};
use crate::types::{Bind, TlsVersion};
use crate::words::{Fault, bind, choice, duration, name_of, names, path, quoted, show_duration};

/// Keys that change more often than clients come back resume nothing; more often than this, the
/// workers would do little else than hear of new ones.
const LEAST_ROTATION: Duration = Duration::from_secs(1);

pub(super) static KEYS: &[Key] = &[
    Key {
        name: "ssl-certfile",
        environment: &["BRIGADE_SSL_CERTFILE", "UVICORN_SSL_CERTFILE"],
        default: None,
        value_name: "FILE",
        help: "Certificate chain in PEM, which turns TLS on; may be repeated",
        details: "The server's own certificate comes first, then those that lead to a root. Of \
                  several the one is shown that is for the name that the client asks for (SNI), \
                  otherwise the first. Read by the supervisor, so that workers of another `user` \
                  need not be able to. When a reload finds nothing changed but certificates, keys \
                  and OCSP responses, the running workers take the new ones and none is replaced.",
        heading: Heading::Tls,
        on_reload: OnReload::Applied,
        kind: Kind::List {
            like: &["/etc/brigade/tls.pem"],
        },
        meaning: Meaning::Values {
            clear: |config| config.worker.tls.certificates.clear(),
            add: |config, text| add(&mut config.worker.tls.certificates, text),
            all: |config| shown(&config.worker.tls.certificates),
        },
    },
    Key {
        name: "ssl-keyfile",
        environment: &["BRIGADE_SSL_KEYFILE", "UVICORN_SSL_KEYFILE"],
        default: None,
        value_name: "FILE",
        help: "Private key of the certificate, in PEM; one for each, in the same order",
        details: "Not encrypted: there is nobody to type a password when a server starts at night, \
                  and one beside the key protects nothing. Without it the keys are looked for in \
                  the files of `ssl-certfile`.",
        heading: Heading::Tls,
        on_reload: OnReload::Applied,
        kind: Kind::List {
            like: &["/etc/brigade/tls.key"],
        },
        meaning: Meaning::Values {
            clear: |config| config.worker.tls.keys.clear(),
            add: |config, text| add(&mut config.worker.tls.keys, text),
            all: |config| shown(&config.worker.tls.keys),
        },
    },
    Key {
        name: "ssl-ocsp",
        environment: &["BRIGADE_SSL_OCSP"],
        default: None,
        value_name: "FILE",
        help: "OCSP response to staple, in DER; may be repeated",
        details: "It says itself which certificate it is for. Brigade does not fetch it: renew \
                  the file and reload.",
        heading: Heading::Tls,
        on_reload: OnReload::Applied,
        kind: Kind::List {
            like: &["/etc/brigade/tls.ocsp"],
        },
        meaning: Meaning::Values {
            clear: |config| config.worker.tls.ocsp.clear(),
            add: |config, text| add(&mut config.worker.tls.ocsp, text),
            all: |config| shown(&config.worker.tls.ocsp),
        },
    },
    Key {
        name: "ssl-ca-certs",
        environment: &["BRIGADE_SSL_CA_CERTS", "UVICORN_SSL_CA_CERTS"],
        default: None,
        value_name: "FILE",
        help: "Who may sign clients' certificates, in PEM",
        details: "Only together with `ssl-cert-reqs`.",
        heading: Heading::Tls,
        on_reload: OnReload::Applied,
        kind: Kind::Text {
            like: "/etc/brigade/clients.pem",
        },
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.tls.client_ca, path(text).map(Some)),
            show: |config| {
                let file = config.worker.tls.client_ca.as_ref();
                file.map(|file| file.display().to_string())
            },
        },
    },
    Key {
        name: "ssl-cert-reqs",
        environment: &["BRIGADE_SSL_CERT_REQS", "UVICORN_SSL_CERT_REQS"],
        default: Some("none"),
        value_name: "WORD",
        help: "Clients' certificates: `none`, `optional` or `required`",
        details: "`optional`: who shows none is served, too, and the app sees the difference; who \
                  shows a wrong one is not. Python's numbers 0, 1 and 2 mean the same.",
        heading: Heading::Tls,
        on_reload: OnReload::Applied,
        kind: Kind::Choice(|| vec!["none", "optional", "required"]),
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.tls.client_certificates, choice(text)),
            show: |config| Some(name_of(config.worker.tls.client_certificates).to_owned()),
        },
    },
    Key {
        name: "ssl-min-version",
        environment: &["BRIGADE_SSL_MIN_VERSION"],
        default: Some("1.2"),
        value_name: "VERSION",
        help: "Oldest TLS version that is spoken: `1.2` or `1.3`",
        details: "Older ones are broken, and there is no way to have them. The ciphers are those \
                  of the TLS library, all of them with forward secrecy and authenticated.",
        heading: Heading::Tls,
        on_reload: OnReload::Applied,
        kind: Kind::Choice(names::<TlsVersion>),
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.tls.min_version, choice(text)),
            show: |config| Some(name_of(config.worker.tls.min_version).to_owned()),
        },
    },
    Key {
        name: "ssl-ticket-rotation",
        environment: &["BRIGADE_SSL_TICKET_ROTATION"],
        default: Some("12h"),
        value_name: "TIME",
        help: "How often the keys change with which clients resume sessions",
        details: "1 second to 24 hours. A client can come back with a ticket for at least that long, \
                  whichever worker it meets; reloads and upgrades do not matter.",
        heading: Heading::Tls,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.tls.ticket_rotation, rotation(text)),
            show: |config| Some(show_duration(config.worker.tls.ticket_rotation)),
        },
    },
    Key {
        name: "insecure-bind",
        environment: &["BRIGADE_INSECURE_BIND"],
        default: None,
        value_name: "ADDRESS",
        help: "TCP address without TLS beside those with it; may be repeated",
        details: "`HOST:PORT` or `[V6]:PORT`; for health checks, or to send browsers to https. \
                  Unix sockets never speak TLS.",
        heading: Heading::Tls,
        on_reload: OnReload::Applied,
        kind: Kind::List {
            like: &["127.0.0.1:8080"],
        },
        meaning: Meaning::Values {
            clear: |config| config.supervisor.insecure_binds.clear(),
            add: |config, text| {
                config.supervisor.insecure_binds.push(plain(text)?);
                Ok(())
            },
            all: |config| {
                let binds = config.supervisor.insecure_binds.iter();
                binds.map(ToString::to_string).collect()
            },
        },
    },
];

fn add(files: &mut Vec<PathBuf>, text: &str) -> Result<(), Fault> {
    files.push(path(text)?);
    Ok(())
}

fn shown(files: &[PathBuf]) -> Vec<String> {
    files
        .iter()
        .map(|file| file.display().to_string())
        .collect()
}

fn plain(text: &str) -> Result<Bind, Fault> {
    match bind(text)? {
        tcp @ (Bind::Tcp(..) | Bind::Name(..)) => Ok(tcp),
        Bind::Unix(_) | Bind::Abstract(_) => Err(Fault::new(
            format!("{} never speaks TLS", quoted(text)),
            "write it as `bind`, or an address of TCP here",
        )),
        Bind::Fd(_) | Bind::Systemd(_) => Err(Fault::new(
            format!("{} is not an address of TCP", quoted(text)),
            "write `HOST:PORT` or `[V6]:PORT`: Brigade binds it itself",
        )),
    }
}

fn rotation(text: &str) -> Result<Duration, Fault> {
    match duration(text)? {
        time if time < LEAST_ROTATION => Err(Fault::new(
            format!("{} is too short", quoted(text)),
            "write `1s` or more; `12h` is usual",
        )),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::{choice, plain, rotation};
    use crate::types::ClientCertificates;

    #[test]
    fn pythons_numbers_are_understood() {
        assert_eq!(choice("2").ok(), Some(ClientCertificates::Required));
        assert_eq!(choice("Optional").ok(), Some(ClientCertificates::Optional));
        assert!(choice::<ClientCertificates>("3").is_err());
    }

    #[test]
    fn only_addresses_of_tcp_can_be_insecure() {
        assert!(plain("0.0.0.0:80").is_ok() && plain("localhost:80").is_ok());
        assert!(plain("unix:/a").is_err() && plain("fd:3").is_err());
    }

    #[test]
    fn keys_do_not_change_too_often() {
        assert!(rotation("1s").is_ok() && rotation("24h").is_ok());
        assert!(rotation("999ms").is_err() && rotation("25h").is_err());
    }
}
