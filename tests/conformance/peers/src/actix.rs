//! actix-web: reads the body, then answers 200 to anything. HTTP/1 and HTTP/2 on one port, which
//! is the only argument.

#![forbid(unsafe_code)]

use std::error::Error;

use actix_web::{App, HttpResponse, HttpServer, rt, web};

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("which port?")?.parse()?;
    let app = || App::new().default_service(web::to(answer));
    let server = HttpServer::new(app).workers(1);
    rt::System::new().block_on(server.bind_auto_h2c(("127.0.0.1", port))?.run())?;
    Ok(())
}

async fn answer(_body: web::Bytes) -> HttpResponse {
    HttpResponse::Ok().body("ok")
}
