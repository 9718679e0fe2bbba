//! The cryptography: `ring`, or with the feature of that name `aws-lc-rs`. Chosen here by name:
//! with both compiled in, rustls' own choice would be a panic.

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
compile_error!("TLS needs cryptography: the feature `ring` or `aws-lc-rs`");

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

#[cfg(feature = "aws-lc-rs")]
pub(super) use aws_lc_rs::{aead, digest};
#[cfg(not(feature = "aws-lc-rs"))]
pub(super) use ring::{aead, digest};

/// The provider, made once per use: a worker needs it once, and once more when files change.
pub(super) fn provider() -> Arc<CryptoProvider> {
    #[cfg(feature = "aws-lc-rs")]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    let provider = rustls::crypto::ring::default_provider();
    Arc::new(provider)
}
