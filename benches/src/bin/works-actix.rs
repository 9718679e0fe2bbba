//! actix-web with the app of `works` and one worker.

#![forbid(unsafe_code)]

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use actix_web::web::{self, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt};
use actix_ws::AggregatedMessage;
use brigade_benches::works::{CERTIFICATE, Item, KEY, Told, items, told};
use futures_util::StreamExt as _;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

fn main() -> ExitCode {
    match told().map_err(Into::into).and_then(|told| serve(&told)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("works-actix: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(told: &Told) -> Result<(), Box<dyn Error>> {
    let files = told.directory.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(PayloadConfig::new(16 << 20))
            .route("/json/{count}", web::get().to(give))
            .route("/json", web::post().to(take))
            .route("/echo", web::get().to(echo))
            .service(actix_files::Files::new("/files", &files))
    });
    let server = server.workers(1);
    let server = if told.tls {
        server.bind_rustls_0_23(told.address, tls(Path::new(&told.directory))?)?
    } else {
        server.bind(told.address)?
    };
    Ok(rt::System::new().block_on(server.run())?)
}

fn tls(directory: &Path) -> Result<ServerConfig, Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(directory.join(CERTIFICATE))?;
    let chain = chain.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(directory.join(KEY))?;
    let provider = rustls::crypto::ring::default_provider();
    Ok(ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?)
}

async fn give(count: web::Path<u32>) -> web::Json<Vec<Item>> {
    web::Json(items(*count))
}

async fn take(body: web::Bytes) -> HttpResponse {
    match serde_json::from_slice::<Vec<Item>>(&body) {
        Ok(items) => HttpResponse::Ok().body(items.len().to_string()),
        Err(_) => HttpResponse::BadRequest().finish(),
    }
}

async fn echo(request: HttpRequest, body: web::Payload) -> actix_web::Result<HttpResponse> {
    let (response, mut session, messages) = actix_ws::handle(&request, body)?;
    let mut messages = messages.aggregate_continuations();
    rt::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            let sent = match message {
                AggregatedMessage::Text(text) => session.text(text).await,
                AggregatedMessage::Binary(bytes) => session.binary(bytes).await,
                AggregatedMessage::Close(_) => return,
                AggregatedMessage::Ping(_) | AggregatedMessage::Pong(_) => Ok(()),
            };
            if sent.is_err() {
                return;
            }
        }
    });
    Ok(response)
}
