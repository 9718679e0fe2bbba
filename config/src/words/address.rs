//! Places to listen.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fault::{Fault, quoted};
use super::nearest::nearest;
use super::number::{path, port};
use crate::types::Bind;

/// The kernel's limit for the path of a Unix socket, without the closing NUL.
const LONGEST_UNIX_PATH: usize = 107;
const FORMS: &str =
    "write `HOST:PORT`, `[V6]:PORT`, `unix:PATH`, `unix:@NAME`, `fd:N` or `systemd:NAME`";

/// A host: an address as it is, or a name that is resolved when the socket is bound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Host {
    Address(IpAddr),
    Name(String),
}

impl Host {
    /// A place to listen at this host.
    pub(crate) fn at(self, port: u16) -> Bind {
        match self {
            Self::Address(address) => Bind::Tcp(address, port),
            Self::Name(name) => Bind::Name(name, port),
        }
    }
}

/// `HOST:PORT`, `[V6]:PORT`, `unix:PATH`, `unix:@NAME`, `fd:N` or `systemd:NAME`.
pub(crate) fn bind(text: &str) -> Result<Bind, Fault> {
    let words = text.trim();
    if let Some(rest) = words.strip_prefix("unix:")
        && !rest.starts_with("//")
    {
        return unix(rest);
    }
    if let Some(rest) = words.strip_prefix("fd:") {
        return descriptor(rest).map(Bind::Fd);
    }
    if let Some(rest) = words.strip_prefix("systemd:") {
        return systemd(rest);
    }
    if let Some(fault) = foreign_form(words) {
        return Err(fault);
    }
    match words.rsplit_once(':') {
        Some((name, number)) => Ok(host(name)?.at(port(number)?)),
        None => Err(Fault::new(
            format!("{} is not a place to listen", quoted(words)),
            FORMS,
        )),
    }
}

/// A place that Brigade binds itself: `HOST:PORT`, `[V6]:PORT`, `unix:PATH` or `unix:@NAME`.
pub(crate) fn admin(text: &str) -> Result<Bind, Fault> {
    match bind(text)? {
        Bind::Fd(_) | Bind::Systemd(_) => Err(Fault::new(
            format!("{} is not a place for the admin address", quoted(text)),
            "write `HOST:PORT`, `[V6]:PORT`, `unix:PATH` or `unix:@NAME`: Brigade binds it itself",
        )),
        own => Ok(own),
    }
}

/// An address (`127.0.0.1`, `::1`, `[::1]`) or a name (`localhost`).
pub(crate) fn host(text: &str) -> Result<Host, Fault> {
    let words = text.trim();
    let inner = words
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let bare = inner.unwrap_or(words);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(Host::Address(address));
    }
    // `fe80::1%eth0`: the scope is looked up when the socket is bound, as a name is.
    if let Some((address, scope)) = bare.split_once('%')
        && address.parse::<Ipv6Addr>().is_ok()
        && !scope.is_empty()
        && scope.chars().all(|c| c.is_ascii_graphic())
    {
        return Ok(Host::Name(bare.to_owned()));
    }
    let letter = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let numeric = bare.chars().all(|c| c.is_ascii_digit() || c == '.');
    if inner.is_none() && is_name(bare) && !numeric && bare.chars().all(letter) {
        return Ok(Host::Name(bare.to_owned()));
    }
    let cure = match bare {
        "" | "*" => "write `0.0.0.0` (or `::`) to listen on every address of the machine",
        _ if bare.contains(':') => "a host stands without its port: write both with `bind`",
        _ => "write an address (`127.0.0.1`, `::1`) or a name (`localhost`)",
    };
    Err(Fault::new(format!("{} is not a host", quoted(words)), cure))
}

/// A number of an open file, other than standard output and standard error.
pub(crate) fn descriptor(text: &str) -> Result<u32, Fault> {
    let word = text.trim();
    const CURE: &str = "write the number of an inherited listening socket, usually `3`";
    match word.parse::<u32>() {
        Ok(1 | 2) => Err(Fault::new(
            format!("file descriptor {word} is for output"),
            CURE,
        )),
        Ok(number) if i32::try_from(number).is_ok() => Ok(number),
        _ => Err(Fault::new(
            format!("{} is not a file descriptor", quoted(word)),
            CURE,
        )),
    }
}

/// The part after `unix:`: a path, or `@` and a name in the abstract namespace.
pub(crate) fn unix(rest: &str) -> Result<Bind, Fault> {
    let abstract_name = rest.strip_prefix('@');
    if rest.len() > LONGEST_UNIX_PATH {
        return Err(Fault::new(
            format!("{} is too long for a Unix socket", quoted(rest)),
            format!("the kernel takes at most {LONGEST_UNIX_PATH} bytes: shorten it"),
        ));
    }
    match abstract_name {
        Some(name) if name.is_empty() || name.contains('\0') => Err(Fault::new(
            "the abstract socket has no name",
            "write a name after the `@`, for example `unix:@brigade`",
        )),
        Some(name) => Ok(Bind::Abstract(name.to_owned())),
        None => path(rest).map(Bind::Unix),
    }
}

/// The part after `systemd:`: the name of one passed socket, or nothing for all.
fn systemd(name: &str) -> Result<Bind, Fault> {
    if name.len() > 255 || !name.chars().all(|c| c.is_ascii_graphic() && c != ':') {
        return Err(Fault::new(
            format!("{} is not the name of a passed socket", quoted(name)),
            "write what stands in `FileDescriptorName=`, or `systemd:` alone for all of them",
        ));
    }
    Ok(Bind::Systemd(name.to_owned()))
}

/// Forms that other servers know, each with what to write here instead.
fn foreign_form(words: &str) -> Option<Fault> {
    let fault = |what: &str, cure: &str| {
        let what = format!("{} {what}", quoted(words));
        Some(Fault::new(what, format!("write {}", quoted(cure))))
    };
    if let Some((scheme, rest)) = words.split_once("://") {
        return match scheme {
            "unix" => fault("is a URL", &format!("unix:{rest}")),
            _ => fault("is a URL", rest.trim_end_matches('/')),
        };
    }
    if words.starts_with(['/', '.']) {
        return fault("is a path without its kind", &format!("unix:{words}"));
    }
    if words.starts_with('@') {
        return fault("is a name without its kind", &format!("unix:{words}"));
    }
    if let Some(rest) = words.strip_prefix(':')
        && port(rest).is_ok()
    {
        return fault("has no host", &format!("0.0.0.0:{rest}"));
    }
    if port(words).is_ok() {
        return fault("is a port without a host", &format!("127.0.0.1:{words}"));
    }
    if words.parse::<Ipv4Addr>().is_ok() {
        return fault("has no port", &format!("{words}:8000"));
    }
    if words.starts_with('[') && words.ends_with(']') {
        return fault("has no port", &format!("{words}:8000"));
    }
    if !words.starts_with('[')
        && let Some((address, number)) = words.rsplit_once(':')
        && address.contains(':')
        && (address.ends_with(':') || address.parse::<Ipv6Addr>().is_ok())
    {
        return fault(
            "is an IPv6 address without brackets",
            &format!("[{address}]:{number}"),
        );
    }
    let (kind, rest) = words.split_once(':')?;
    let meant = nearest(kind, ["unix", "systemd", "fd"])?;
    let is_place = rest.starts_with(['/', '@']) || port(rest).is_err();
    is_place.then(|| {
        Fault::new(
            format!("{} is not a kind of place to listen", quoted(kind)),
            FORMS,
        )
        .meaning(Some(&format!("{meant}:{rest}")))
    })
}

fn is_name(word: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    word.len() <= 253 && word.strip_suffix('.').unwrap_or(word).split('.').all(label)
}

impl fmt::Display for Bind {
    /// As it is configured: reads back as the same place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(IpAddr::V6(address), port) => write!(f, "[{address}]:{port}"),
            Self::Tcp(IpAddr::V4(address), port) => write!(f, "{address}:{port}"),
            Self::Name(name, port) if name.contains(':') => write!(f, "[{name}]:{port}"),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{name}"),
            Self::Fd(number) => write!(f, "fd:{number}"),
            Self::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{admin, bind, host};
    use crate::types::Bind;

    #[test]
    fn every_form_is_read_and_shown_alike() {
        for text in [
            "127.0.0.1:8000",
            "[::1]:80",
            "[fe80::1%eth0]:80",
            "localhost:0",
            "a.example.:443",
            "unix:/run/a.sock",
            "unix:rel.sock",
            "unix:@name",
            "fd:3",
            "fd:0",
            "systemd:http",
            "systemd:",
        ] {
            assert_eq!(bind(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_admin_address_is_one_that_brigade_binds_itself() {
        for text in [
            "127.0.0.1:9090",
            "[::]:0",
            "localhost:1",
            "unix:a.sock",
            "unix:@admin",
        ] {
            assert_eq!(admin(text).unwrap().to_string(), text);
        }
        for text in ["fd:3", "systemd:admin", "systemd:", "9090", ""] {
            assert!(admin(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn foreign_forms_are_understood_and_corrected() {
        for (text, cure) in [
            (":8000", "`0.0.0.0:8000`"),
            ("8000", "`127.0.0.1:8000`"),
            ("/run/a.sock", "`unix:/run/a.sock`"),
            ("http://10.0.0.1:80/", "`10.0.0.1:80`"),
            ("unix:///run/a.sock", "`unix:/run/a.sock`"),
            ("::1:8000", "`[::1]:8000`"),
            (":::8000", "`[::]:8000`"),
            ("10.0.0.1", "`10.0.0.1:8000`"),
            ("[::1]", "`[::1]:8000`"),
            ("@name", "`unix:@name`"),
        ] {
            let fault = bind(text).unwrap_err();
            assert!(fault.cure.contains(cure), "{text}: {fault:?}");
        }
        assert_eq!(
            bind("unx:/a").unwrap_err().nearest.as_deref(),
            Some("unix:/a")
        );
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in [
            "",
            "host",
            "a b:80",
            "a:65536",
            "a:-1",
            "300.1.1.1:80",
            "unix:",
            "unix:@",
            "unix:/d/",
            "fd:1",
            "fd:x",
            "fd:4294967295",
            "systemd:a:b",
            "[::1:80",
            "-a:80",
            "a..b:1",
            "*:80",
        ] {
            assert!(bind(text).is_err(), "{text:?}");
        }
        assert!(bind(&format!("unix:/{}", "a".repeat(107))).is_err());
        assert!(host("127.0.0.1:80").is_err());
    }

    proptest! {
        #[test]
        fn no_words_panic_and_what_is_shown_reads_back(
            text in r"\PC*|(unix:|fd:|systemd:|\[)?[a-z0-9:./@%\]-]{0,20}"
        ) {
            if let Ok(place) = bind(&text) {
                prop_assert_eq!(bind(&place.to_string()), Ok::<Bind, super::Fault>(place));
            }
        }
    }
}
