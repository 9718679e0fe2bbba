//! axum as its guide shows it: reads the body, then answers 200 to anything. HTTP/1 and HTTP/2 on
//! one port, which is the only argument.

#![forbid(unsafe_code)]

use std::error::Error;

use axum::Router;
use bytes::Bytes;
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("which port?")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let app = Router::new().fallback(async |_body: Bytes| "ok");
        axum::serve(listener, app).await?;
        Ok(())
    })
}
