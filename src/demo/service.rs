//! The demo app as a service.

use std::pin::Pin;
use std::task::{self, Poll};
use std::thread;

use brigade::{Context, RequestBody, offload};
use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::time::sleep;
use tower_service::Service;

use super::reply::{self, Reply, text};
use super::route::Route;
use super::stream::{Chunks, Events};
use super::{burgers, mischief::Mischief, reply::refuse, strain};

/// Builds the demo app of a worker.
pub(crate) async fn app(context: Context) -> Result<Demo, String> {
    let (slot, generation) = (context.slot(), context.generation());
    Mischief::ordered()?.begin(slot).await?;
    let pid = std::process::id();
    let hello = format!("Hello from slot {slot}, pid {pid}, generation {generation}\n");
    Ok(Demo {
        hello: hello.into(),
    })
}

/// The demo app.
#[derive(Clone, Debug)]
pub(crate) struct Demo {
    hello: Bytes,
}

impl Service<Request<RequestBody>> for Demo {
    type Response = Reply;
    // What the threads beside the loop can't take becomes a 503, made by Brigade.
    type Error = offload::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Reply, offload::Error>>>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), offload::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let hello = self.hello.clone();
        Box::pin(answer(request, hello))
    }
}

async fn answer(request: Request<RequestBody>, hello: Bytes) -> Result<Reply, offload::Error> {
    let uri = request.uri();
    let route = match Route::of(request.method(), uri.path(), uri.query()) {
        Ok(route) => route,
        Err(refusal) => return Ok(refuse(refusal)),
    };
    let words: Bytes = match route {
        Route::Hello => hello,
        Route::Burgers { orders, grill } => burgers::concurrent(orders, grill).await.into(),
        Route::ParallelBurgers { orders } => burgers::parallel(orders).await?.into(),
        Route::Fibonacci { n } => {
            let number = burgers::off_the_loop(n).await?;
            format!("fib({n}) = {number}\n").into()
        }
        Route::Offload { pause } => burgers::wait_off_the_loop(pause).await?.into(),
        Route::Blocking { pause } => {
            // The mistake that it is here to show: nobody else is served meanwhile.
            thread::sleep(pause);
            format!("The event loop stood still for {} ms.\n", pause.as_millis()).into()
        }
        Route::Crash(crash) => crash.now(),
        Route::Busy { period } => {
            tokio::task::spawn_local(strain::busy(period));
            format!("Busy for {} ms from now.\n", period.as_millis()).into()
        }
        Route::Grow { mib } => {
            let all = strain::grow(mib);
            format!("{all} MiB bigger than at the start.\n").into()
        }
        Route::Sleep { pause } => {
            sleep(pause).await;
            format!("Slept for {} ms.\n", pause.as_millis()).into()
        }
        Route::Headers => return Ok(reply::headers(&request)),
        Route::Echo => return Ok(reply::echo(request)),
        Route::Stream { chunks, pause } => {
            return Ok(reply::streamed(Chunks::new(chunks, pause)));
        }
        Route::Events { pause } => {
            let draining = request.body().peer().draining();
            return Ok(reply::events(Events::new(pause, draining)));
        }
        Route::Peer => reply::peer(request.body().peer()).into(),
    };
    Ok(text(StatusCode::OK, words))
}
