//! A gRPC service with tonic: `cargo run -p brigade-example-grpc -- serve`, then
//! `grpcurl -plaintext -proto examples/grpc/greeter.proto -d '{"name": "Ann"}' 127.0.0.1:8000 greeter.Greeter/SayHello`.
//!
//! A tonic server is a `tower` service like any other. Brigade speaks HTTP/2 with clients that begin
//! with its preface, as those of gRPC do, and by ALPN with TLS; tonic's own transport is not needed.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::pin::Pin;
use std::process::ExitCode;

use grpc::greeter::greeter_server::{Greeter, GreeterServer};
use grpc::greeter::{Greeting, Limit, Name, Number};
use tonic::codegen::tokio_stream::{Stream, iter};
use tonic::{Request, Response, Status};

/// What may be counted to.
const MOST: u32 = 1_000_000;

/// Greets on behalf of a worker.
#[derive(Debug)]
struct Host {
    slot: u16,
}

#[tonic::async_trait]
impl Greeter for Host {
    type CountStream = Pin<Box<dyn Stream<Item = Result<Number, Status>> + Send>>;

    async fn say_hello(&self, request: Request<Name>) -> Result<Response<Greeting>, Status> {
        let name = request.into_inner().name;
        if name.is_empty() {
            return Err(Status::invalid_argument("nobody has no name"));
        }
        let words = format!("Hello {name}, this is worker {}", self.slot);
        Ok(Response::new(Greeting { words }))
    }

    async fn count(&self, request: Request<Limit>) -> Result<Response<Self::CountStream>, Status> {
        let last = request.into_inner().last;
        if last > MOST {
            return Err(Status::out_of_range(format!("at most {MOST}")));
        }
        let numbers = iter((1..=last).map(|number| Ok(Number { number })));
        Ok(Response::new(Box::pin(numbers)))
    }
}

fn main() -> ExitCode {
    brigade::run(|context| async move {
        let slot = context.slot();
        Ok::<_, Infallible>(GreeterServer::new(Host { slot }))
    })
}
