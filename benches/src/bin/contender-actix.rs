//! actix-web with one worker.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use actix_web::{App, HttpResponse, HttpServer, rt, web};
use brigade_benches::contender::{self, BODY, CONTENT_TYPE};

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("contender-actix: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    let listener = contender::listen()?;
    let server = || App::new().route("/", web::get().to(hello));
    rt::System::new().block_on(HttpServer::new(server).workers(1).listen(listener)?.run())
}

async fn hello() -> HttpResponse {
    HttpResponse::Ok().content_type(CONTENT_TYPE).body(BODY)
}
