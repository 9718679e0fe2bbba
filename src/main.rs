//! The `brigade` command: Brigade with the demo app. PROVISIONAL until src/demo/ stands.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use brigade::{Context, RequestBody};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

#[derive(Clone)]
struct Demo(u16, u32);

impl tower_service::Service<Request<RequestBody>> for Demo {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;
    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let (slot, generation) = (self.0, self.1);
        Box::pin(async move {
            let query = request.uri().query().unwrap_or("").to_owned();
            let get = |name: &str| {
                query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
            };
            let ms = get("ms").and_then(|ms| ms.parse().ok()).unwrap_or(100);
            match request.uri().path() {
                "/sleep" => tokio::time::sleep(Duration::from_millis(ms)).await,
                "/blocking" => std::thread::sleep(Duration::from_millis(ms)),
                "/crash" => match get("how").as_deref() {
                    Some("panic") => panic!("asked to"),
                    _ => std::process::abort(),
                },
                _ => {}
            }
            Ok(Response::new(Full::from(format!("Hello from slot {slot}, pid {}, generation {generation}\n", std::process::id()))))
        })
    }
}

fn main() -> ExitCode {
    brigade::run(|context: Context| async move {
        Ok::<_, Infallible>(Demo(context.slot(), context.generation()))
    })
}
