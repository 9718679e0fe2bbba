//! A WebSocket that sends back what it gets: axum's, under Brigade.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::process::ExitCode;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;

fn main() -> ExitCode {
    brigade::run(|_context| async { Ok::<_, Infallible>(Router::new().route("/", any(echo))) })
}

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(repeat)
}

async fn repeat(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let is_content = matches!(message, Message::Text(_) | Message::Binary(_));
        if is_content && socket.send(message).await.is_err() {
            return;
        }
    }
}
