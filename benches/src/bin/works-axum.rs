//! axum with the app of `works` on one thread, with axum-server where it has to speak TLS.

#![forbid(unsafe_code)]

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use axum::serve::ListenerExt as _;
use axum_server::tls_rustls::RustlsConfig;
use brigade_benches::works::{CERTIFICATE, KEY, Told, router, told};

fn main() -> ExitCode {
    match told().map_err(Into::into).and_then(|told| serve(&told)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("works-axum: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(told: &Told) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let app = router(&told.directory);
        if !told.tls {
            let listener = tokio::net::TcpListener::bind(told.address).await?;
            let listener = listener.tap_io(|stream| {
                // Fails only for a connection that is gone, which its next read will tell.
                stream.set_nodelay(true).ok();
            });
            return Ok(axum::serve(listener, app).await?);
        }
        // Fails if somebody has installed one already, which nobody has.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let directory = Path::new(&told.directory);
        let config =
            RustlsConfig::from_pem_file(directory.join(CERTIFICATE), directory.join(KEY)).await?;
        axum_server::bind_rustls(told.address, config)
            .serve(app.into_make_service())
            .await?;
        Ok(())
    })
}
