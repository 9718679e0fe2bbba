//! What the contenders of the section `works` have in common: an app that does what services do.
//!
//! `GET /json/N` answers N items as JSON, `POST /json` reads as many as come and says how many,
//! `/echo` is a WebSocket that sends back what it gets, and `/files/` are files of a directory.
//! Brigade and axum share the router, which Brigade needs for no JSON; actix-web, which has its own,
//! shares the data.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, Path};
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use tower_http::services::ServeDir;

/// The file names of the certificate and its key in the directory that contenders are given.
pub const CERTIFICATE: &str = "certificate.pem";
/// See [`CERTIFICATE`].
pub const KEY: &str = "key.pem";

/// What services talk about: as JSON 64 bytes each, with the comma.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// A number of five digits.
    pub id: u32,
    /// Some words.
    pub name: String,
    /// Some more.
    pub kind: String,
    /// A price in cents, of four digits.
    pub price: u32,
}

/// So many items.
#[must_use]
pub fn items(count: u32) -> Vec<Item> {
    let item = |number| Item {
        id: 10_000 + number % 90_000,
        name: "a net of onion".to_owned(),
        kind: "food".to_owned(),
        price: 1_250,
    };
    (0..count).map(item).collect()
}

/// The app of Brigade and axum.
pub fn router(files: &str) -> Router {
    Router::new()
        .route("/json/{count}", get(give))
        .route("/json", post(take))
        .route("/echo", any(echo))
        .nest_service("/files", ServeDir::new(files))
        .layer(DefaultBodyLimit::max(16 << 20))
}

async fn give(Path(count): Path<u32>) -> Json<Vec<Item>> {
    Json(items(count))
}

async fn take(body: Bytes) -> Result<String, StatusCode> {
    let items: Vec<Item> = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(items.len().to_string())
}

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    // 128 KiB otherwise, which are cleared before each read.
    upgrade.read_buffer_size(4 << 10).on_upgrade(repeat)
}

async fn repeat(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let is_over = matches!(message, Message::Close(_));
        let is_content = matches!(message, Message::Text(_) | Message::Binary(_));
        if is_over || (is_content && socket.send(message).await.is_err()) {
            return;
        }
    }
}

/// What a contender is told on its command line: `PORT DIRECTORY [tls]`.
#[derive(Clone, Debug)]
pub struct Told {
    /// Where to listen.
    pub address: SocketAddr,
    /// Where the files are, the certificate among them.
    pub directory: String,
    /// Whether to speak TLS.
    pub tls: bool,
}

/// Reads the command line.
///
/// # Errors
/// A sentence about what is missing.
pub fn told() -> Result<Told, String> {
    let mut words = std::env::args().skip(1);
    let port = words.next().and_then(|word| word.parse().ok());
    match (port, words.next()) {
        (Some(port), Some(directory)) => Ok(Told {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            directory,
            tls: words.next().as_deref() == Some("tls"),
        }),
        _ => Err("usage: PORT DIRECTORY [tls]".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::items;

    #[test]
    fn an_item_is_64_bytes() {
        let text = serde_json::to_string(&items(100)).unwrap();
        assert_eq!(text.len(), 2 + 64 * 100 - 1, "{}", &text[..130]);
    }
}
