//! WebSockets, each with one message on its way there and back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::tool::Told;
use crate::outcome::Outcome;

const MESSAGE: &str = "A message of sixty-four characters, which comes back as it has gone";

/// Open WebSockets.
pub(crate) struct Echo {
    runtime: Runtime,
    sockets: Vec<WebSocketStream<TcpStream>>,
}

impl Echo {
    /// Opens so many.
    pub(crate) fn open(address: SocketAddr, count: usize) -> Outcome<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let sockets = runtime.block_on(async {
            let mut sockets = Vec::new();
            for _ in 0..count {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                // 128 KiB otherwise, which are cleared before each read: the load would be slower
                // than who is measured.
                let config = WebSocketConfig::default().read_buffer_size(4 << 10);
                let url = format!("ws://{address}/echo");
                let (socket, _) = client_async_with_config(url, stream, Some(config)).await?;
                sockets.push(socket);
            }
            Outcome::Ok(sockets)
        })?;
        Ok(Self { runtime, sockets })
    }

    /// Keeps all of them busy for some time.
    pub(crate) fn run(&mut self, time: Duration) -> Outcome<Told> {
        let began = Instant::now();
        let sockets = std::mem::take(&mut self.sockets);
        let (sockets, answered) = self.runtime.block_on(async {
            let mut busy = JoinSet::new();
            for socket in sockets {
                busy.spawn(keep_busy(socket, began + time));
            }
            let mut sockets = Vec::new();
            let mut answered = 0;
            while let Some(done) = busy.join_next().await {
                let (socket, count) = done?.map_err(|error| format!("WebSocket: {error}"))?;
                sockets.push(socket);
                answered += count;
            }
            Outcome::Ok((sockets, answered))
        })?;
        self.sockets = sockets;
        Ok(Told {
            answered,
            faults: 0,
            wall: began.elapsed(),
        })
    }
}

async fn keep_busy(
    mut socket: WebSocketStream<TcpStream>,
    until: Instant,
) -> Result<(WebSocketStream<TcpStream>, u64), String> {
    let mut answered = 0;
    while Instant::now() < until {
        let sent = socket.send(Message::text(MESSAGE)).await;
        sent.map_err(|error| error.to_string())?;
        match socket.next().await {
            Some(Ok(message)) if message.to_text().is_ok_and(|text| text == MESSAGE) => {
                answered += 1
            }
            other => return Err(format!("{other:?} came back")),
        }
    }
    Ok((socket, answered))
}
