//! A service without any framework: `cargo run -p brigade-examples --bin hyper -- serve`.
//! Needs: bytes, http, http-body-util.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::convert::Infallible;
use std::process::ExitCode;
use std::rc::Rc;

use brigade::{RequestBody, service_fn};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

fn main() -> ExitCode {
    brigade::run(|context| async move {
        let slot = context.slot();
        // One thread per worker: what its requests share needs no lock.
        let answered = Rc::new(Cell::new(0));
        Ok::<_, Infallible>(service_fn(move |request: Request<RequestBody>| {
            answered.set(answered.get() + 1);
            let (path, number) = (request.uri().path(), answered.get());
            let words = format!("request {number} of worker {slot}, for {path}\n");
            async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(words))) }
        }))
    })
}
