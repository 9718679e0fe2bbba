//! What the workers under test serve.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use brigade_worker::{App, BoxError, RequestBody, service_fn};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;

/// `/wait` waits for a permit of the gate; `/halves` sends half its body, waits for one, then
/// sends the other; `/upgrade` becomes a connection that echoes; `/endless` never stops sending;
/// POST comes back; everything else is "hello".
pub(crate) fn app(gate: &Arc<Semaphore>) -> impl App + use<> {
    let gate = Arc::clone(gate);
    service_fn(move |request| {
        let gate = Arc::clone(&gate);
        async move { Ok::<_, Infallible>(answer(request, gate).await) }
    })
}

/// The same without anybody at the gate.
pub(crate) fn ungated() -> impl App {
    app(&Arc::new(Semaphore::new(0)))
}

type Reply = Response<UnsyncBoxBody<Bytes, BoxError>>;

async fn answer(request: Request<RequestBody>, gate: Arc<Semaphore>) -> Reply {
    if request.method() == http::Method::POST {
        return Response::new(request.into_body().map_err(Into::into).boxed_unsync());
    }
    match request.uri().path() {
        "/wait" => {
            gate.acquire().await.unwrap().forget();
            hello()
        }
        "/halves" => Response::new(Halves::new(gate).boxed_unsync()),
        "/upgrade" => upgrade(request),
        "/endless" => Response::new(Endless.boxed_unsync()),
        _ => hello(),
    }
}

fn hello() -> Reply {
    Response::new(Full::from("hello").map_err(Into::into).boxed_unsync())
}

fn upgrade(request: Request<RequestBody>) -> Reply {
    tokio::task::spawn_local(async {
        let upgraded = hyper::upgrade::on(request).await.unwrap();
        let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
    });
    let mut reply = hello().map(|_| {
        http_body_util::Empty::new()
            .map_err(Into::into)
            .boxed_unsync()
    });
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    reply
        .headers_mut()
        .insert("upgrade", "echo".parse().unwrap());
    reply
        .headers_mut()
        .insert("connection", "upgrade".parse().unwrap());
    reply
}

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Halves {
    sent: usize,
    gate: Waiting,
}

impl Halves {
    fn new(gate: Arc<Semaphore>) -> Self {
        Self {
            sent: 0,
            gate: Box::pin(async move { gate.acquire().await.unwrap().forget() }),
        }
    }
}

impl Body for Halves {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.sent == 1 {
            std::task::ready!(self.gate.as_mut().poll(task));
        }
        self.sent += 1;
        Poll::Ready((self.sent <= 2).then(|| Ok(Frame::data(Bytes::from_static(b"half ")))))
    }
}

struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 65536])))))
    }
}
