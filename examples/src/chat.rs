//! A chat over WebSockets: `cargo run -p brigade-examples --bin chat -- serve --workers 1`.
//! Needs: axum with the feature `ws`; tokio with `sync`.
//!
//! A worker hears only the clients that are connected to it. With more than one worker, have a
//! broker pass on what is said (Redis, NATS, PostgreSQL's NOTIFY); the place for it is marked.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::process::ExitCode;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::{Html, Response};
use axum::routing::get;
use tokio::sync::broadcast::{self, Sender, error::RecvError};

/// What a slow client may be behind before it misses something.
const BEHIND: usize = 256;
/// The longest message, in bytes.
const LONGEST: usize = 4 << 10;

const PAGE: &str = r#"<!doctype html><title>Chat</title><ul></ul><form><input autofocus></form>
<script>
  const line = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/chat`);
  const [list, form, input] = ["ul", "form", "input"].map(name => document.querySelector(name));
  const show = text => { const item = document.createElement("li"); item.textContent = text; list.append(item); };
  line.onmessage = event => show(event.data);
  line.onclose = event => show(`(closed: ${event.code})`);
  form.onsubmit = event => { event.preventDefault(); line.send(input.value); input.value = ""; };
</script>"#;

async fn enter(State(room): State<Sender<Utf8Bytes>>, upgrade: WebSocketUpgrade) -> Response {
    // It is cleared before each read, and each connection has its own: no more than needed.
    upgrade
        .read_buffer_size(LONGEST)
        .max_message_size(LONGEST)
        .on_upgrade(async move |line| converse(line, room).await)
}

/// Passes on what the client says, and tells it what all say, until it leaves.
async fn converse(mut line: WebSocket, room: Sender<Utf8Bytes>) {
    let mut heard = room.subscribe();
    loop {
        tokio::select! {
            said = line.recv() => match said {
                // With a broker, it goes there instead, and comes back into every worker's room.
                Some(Ok(Message::Text(words))) => drop(room.send(words)),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            words = heard.recv() => {
                let words = match words {
                    Ok(words) => words,
                    Err(RecvError::Lagged(missed)) => format!("({missed} missed)").into(),
                    Err(RecvError::Closed) => return,
                };
                if line.send(Message::Text(words)).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn main() -> ExitCode {
    brigade::run(|_context| async {
        let (room, _) = broadcast::channel(BEHIND);
        let routes = Router::new()
            .route("/", get(Html(PAGE)))
            .route("/chat", get(enter))
            .with_state(room);
        Ok::<_, Infallible>(routes)
    })
}
