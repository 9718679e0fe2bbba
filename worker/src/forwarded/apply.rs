//! From a connection's peer to a request's.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use brigade_config::{ForwardedFamily, Proxy, Trusted};
use http::{HeaderMap, HeaderName};

use super::walk::{Lines, Told, forwarded, x_forwarded};
use crate::peer::{Endpoint, Peer};
use crate::station::Station;

/// What a trusted proxy has said of one request, and the path that the operator has told.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Forwarded {
    pub(crate) client: Option<IpAddr>,
    pub(crate) scheme: Option<&'static str>,
    pub(crate) host: Option<String>,
    pub(crate) root_path: String,
}

/// What is to be known of this request beside its connection, as far as those in between are
/// trusted.
pub(crate) fn apply(
    station: &Station,
    is_believed: bool,
    headers: &HeaderMap,
) -> Option<Arc<Forwarded>> {
    let said = is_believed.then(|| said(&station.config.proxy, headers));
    match said.flatten() {
        Some(said) => Some(Arc::new(said)),
        None => station.mounted.clone(),
    }
}

/// Whether what the peer says of others counts.
pub(crate) fn is_believed(proxy: &Proxy, peer: &Peer) -> bool {
    proxy.headers && trusts(&proxy.trusted, peer.remote())
}

fn trusts(trusted: &Trusted, end: Endpoint) -> bool {
    match end {
        Endpoint::Tcp(address) => trusted.covers(address.ip()),
        Endpoint::Unix => trusted.unix || trusted.all,
    }
}

/// What these headers say, if anything. The peer is believed.
pub(crate) fn said(proxy: &Proxy, headers: &HeaderMap) -> Option<Forwarded> {
    let begins = |name: &HeaderName| name.as_str().as_bytes()[0];
    if !headers
        .keys()
        .any(|name| matches!(begins(name), b'x' | b'f'))
    {
        return None;
    }
    let lines = Lines::of(headers);
    let told = match proxy.family {
        ForwardedFamily::XForwarded => x_forwarded(&lines, &proxy.trusted),
        ForwardedFamily::Forwarded => forwarded(&lines, &proxy.trusted),
        // A proxy that writes the one family may let pass what a client writes into the other, and
        // most write this one.
        ForwardedFamily::Auto if lines.has_x_forwarded() => x_forwarded(&lines, &proxy.trusted),
        ForwardedFamily::Auto => forwarded(&lines, &proxy.trusted),
    };
    (told != Told::default()).then(|| Forwarded {
        client: told.client,
        scheme: told.scheme,
        host: told.host.map(Cow::into_owned),
        root_path: told.prefix.unwrap_or(&proxy.root_path).to_owned(),
    })
}

impl Forwarded {
    /// What holds where no proxy has said anything: none if that is nothing.
    pub(crate) fn of_operator(proxy: &Proxy) -> Option<Arc<Self>> {
        let root_path = proxy.root_path.clone();
        (!root_path.is_empty()).then(|| {
            Arc::new(Self {
                root_path,
                ..Self::default()
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::rig::{Handler, Rig, read_hello};
    use brigade_config::{Config, Proxy, WorkerConfig};
    use http::Response;
    use http_body_util::Full;
    use std::cell::RefCell;
    use std::rc::Rc;
    use tokio::io::AsyncWriteExt;

    /// What an app is told of a client at a Unix socket who sends these headers.
    fn told(change: impl FnOnce(&mut Proxy), headers: &str) -> String {
        let mut config: WorkerConfig = Config::default().worker;
        config.proxy.root_path = "/shop".to_owned();
        change(&mut config.proxy);
        let request = format!("GET / HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let told = Rc::new(RefCell::new(String::new()));
        let seen = Rc::clone(&told);
        Rig::paused(async move |rig| {
            let rig = rig.with(config);
            let app = Handler::new(move |request| {
                let peer = request.body().peer();
                *seen.borrow_mut() = format!(
                    "{:?} {} {:?} {}",
                    peer.client_ip(),
                    peer.scheme(),
                    peer.host(),
                    peer.root_path()
                );
                async { Ok(Response::new(Full::from("hello"))) }
            });
            let mut client = rig.connect(app);
            client.write_all(request.as_bytes()).await.unwrap();
            read_hello(&mut client).await;
        });
        told.take()
    }

    #[test]
    fn an_app_is_told_what_a_trusted_proxy_says_and_where_it_is_mounted() {
        assert_eq!(told(|_| {}, ""), "None http None /shop");
        let said = "x-forwarded-for: 203.0.113.9\r\nx-forwarded-proto: https\r\n";
        assert_eq!(told(|_| {}, said), "Some(203.0.113.9) https None /shop");
        let all = format!("{said}x-forwarded-host: a.example\r\nx-forwarded-prefix: /api/\r\n");
        assert_eq!(
            told(|_| {}, &all),
            "Some(203.0.113.9) https Some(\"a.example\") /api"
        );
        assert_eq!(
            told(|proxy| proxy.trusted.unix = false, &all),
            "None http None /shop"
        );
        assert_eq!(
            told(|proxy| proxy.headers = false, &all),
            "None http None /shop"
        );
    }
}
