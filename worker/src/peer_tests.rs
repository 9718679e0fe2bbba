//! Which of those in between is told as what: the other end of the connection is never mistaken for
//! the client whom it names, nor the client for it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use brigade_config::{Config, Proxy, Record};
use http::{Request, Response};
use http_body_util::Full;
use tokio::io::AsyncWriteExt;
use tower_service::Service;

use crate::body::RequestBody;
use crate::forwarded::{Forwarded, is_believed};
use crate::peer::{Endpoint, Line, Peer};
use crate::rig::{Handler, Rig, read_hello};
use crate::with_peer::with_peer;

const PROXY: &str = "[::ffff:192.0.2.9]:4711";

fn of(rig: &Rig, is_encrypted: bool) -> Peer {
    Peer::new(Line {
        remote: Endpoint::Tcp(PROXY.parse().unwrap()),
        local: Endpoint::Tcp("127.0.0.1:80".parse().unwrap()),
        tls: None,
        is_encrypted,
        meter: rig.station.meter,
    })
}

#[test]
fn the_ends_of_a_connection_stay_whomever_a_proxy_names() {
    Rig::paused(async |rig| {
        let said = Forwarded {
            client: "203.0.113.9".parse().ok(),
            ..Forwarded::default()
        };
        let peer = of(&rig, false);
        let named = peer.with(Arc::new(said));
        for peer in [&peer, &named] {
            assert_eq!(peer.remote(), Endpoint::Tcp(PROXY.parse().unwrap()));
            let local = Endpoint::Tcp("127.0.0.1:80".parse().unwrap());
            assert_eq!(peer.local(), local);
        }
        let ip = |peer: &Peer| peer.client_ip().unwrap().to_string();
        assert_eq!(ip(&peer), "192.0.2.9", "as IPv4, which it is");
        assert_eq!(ip(&named), "203.0.113.9");
        // A proxy that names nobody is the client.
        let unnamed = peer.with(Arc::default());
        assert_eq!(ip(&unnamed), "192.0.2.9");
    });
}

#[test]
fn the_scheme_is_what_a_proxy_says_below_http_or_above() {
    Rig::paused(async |rig| {
        let said = |scheme| {
            Arc::new(Forwarded {
                scheme,
                ..Forwarded::default()
            })
        };
        let (plain, encrypted) = (of(&rig, false), of(&rig, true));
        assert_eq!((plain.scheme(), encrypted.scheme()), ("http", "https"));
        assert_eq!(plain.with(said(Some("https"))).scheme(), "https");
        assert_eq!(encrypted.with(said(Some("http"))).scheme(), "http");
        assert_eq!(encrypted.with(said(None)).scheme(), "https");
    });
}

#[test]
fn only_whom_the_operator_names_is_believed() {
    let proxy = |keys: &[(&str, &str)]| -> Proxy {
        let words = |(name, words): &(&str, &str)| ((*name).to_owned(), vec![(*words).to_owned()]);
        let record: Record = keys.iter().map(words).collect();
        let (config, strange) = Config::recall(&record);
        assert!(strange.is_empty(), "{strange:?}");
        config.worker.proxy
    };
    Rig::paused(async |rig| {
        let unix = Peer::new(Line {
            remote: Endpoint::Unix,
            local: Endpoint::Unix,
            tls: None,
            is_encrypted: false,
            meter: rig.station.meter,
        });
        let own = rig.peer("127.0.0.1:9");
        let (proxy_of_net, stranger) = (rig.peer("10.0.0.7:9"), rig.peer("192.0.2.9:9"));
        let believed = |proxy: &Proxy| {
            [&unix, &own, &proxy_of_net, &stranger].map(|peer| is_believed(proxy, peer))
        };
        assert_eq!(believed(&proxy(&[])), [true, true, false, false]);
        let allow = |ips| proxy(&[("forwarded-allow-ips", ips)]);
        assert_eq!(believed(&allow("10.0.0.0/8")), [false, false, true, false]);
        assert_eq!(believed(&allow("unix")), [true, false, false, false]);
        assert_eq!(believed(&allow("*")), [true; 4]);
        let deaf = Proxy {
            headers: false,
            ..allow("*")
        };
        assert_eq!(believed(&deaf), [false; 4]);
    });
}

#[test]
fn the_peer_of_an_extension_is_that_of_the_request() {
    Rig::paused(async |rig| {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let told = Rc::clone(&seen);
        let app = Handler::new(move |request| {
            let own = request.body().peer();
            let peer: &Peer = request.extensions().get().expect("there is one");
            let ends = (peer.remote(), peer.local());
            assert_eq!(ends, (own.remote(), own.local()));
            told.borrow_mut().push(format!(
                "{:?} {} {:?} {}",
                peer.client_ip(),
                peer.scheme(),
                peer.host(),
                peer.root_path()
            ));
            async { Ok(Response::new(Full::from("hello"))) }
        });
        // The rig's clients are at a Unix socket: believed.
        let mut client = rig.connect(with_peer(app));
        for said in [
            "x-forwarded-for: 203.0.113.9\r\nx-forwarded-proto: https\r\nx-forwarded-host: a\r\nx-forwarded-prefix: /b\r\n",
            "x-forwarded-for: 203.0.113.10\r\n",
            "",
        ] {
            let request = format!("GET / HTTP/1.1\r\nhost: x\r\n{said}\r\n");
            client.write_all(request.as_bytes()).await.unwrap();
            assert!(read_hello(&mut client).await.ends_with("hello"));
        }
        assert_eq!(
            *seen.borrow(),
            [
                "Some(203.0.113.9) https Some(\"a\") /b",
                "Some(203.0.113.10) http None ",
                "None http None ",
            ],
            "of each request its own"
        );
    });
}

/// Is ready when it is asked for the second time.
struct Late(bool);

impl Service<Request<RequestBody>> for Late {
    type Response = Response<Full<bytes::Bytes>>;
    type Error = String;
    type Future = std::future::Ready<Result<Self::Response, String>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(Err("no salt".to_owned())),
            false => Poll::Pending,
        }
    }

    fn call(&mut self, _: Request<RequestBody>) -> Self::Future {
        unreachable!("nobody calls it")
    }
}

#[test]
fn an_app_with_a_peer_is_asked_whether_it_is_ready() {
    let task = &mut Context::from_waker(Waker::noop());
    let mut app = with_peer(Late(false));
    assert!(app.poll_ready(task).is_pending());
    assert_eq!(app.poll_ready(task), Poll::Ready(Err("no salt".to_owned())));
}
