//! From the texts of files to certificates and keys that belong together. All problems at once:
//! whoever renews four certificates wants to hear of all four.

use std::sync::Arc;
use std::time::SystemTime;

use brigade_config::{TlsFiles, TlsPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use webpki::EndEntityCert;

use super::x509::{self, Summary};

/// One certificate that can be shown.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// The file it came from.
    pub(super) file: String,
    pub(super) key: Arc<CertifiedKey>,
    /// The names that it is for, in lower case; a wildcard with its asterisk.
    pub(super) names: Vec<String>,
    /// None if it is of a kind that only clients understand.
    pub(super) summary: Option<Summary>,
}

/// What the files come to.
#[derive(Debug, Default)]
pub(super) struct Material {
    pub(super) shown: Vec<Shown>,
    /// Sentences.
    pub(super) problems: Vec<String>,
    /// What is left out, in sentences: not worth refusing everything else for.
    pub(super) warnings: Vec<String>,
}

/// Understands the texts. What is staled by `now` is left out.
pub(super) fn understand(files: &TlsFiles, provider: &CryptoProvider, now: SystemTime) -> Material {
    let mut material = Material::default();
    for pair in &files.pairs {
        match shown(pair, provider) {
            Ok(shown) => material.shown.push(shown),
            Err(problem) => material.problems.push(problem),
        }
    }
    // Which response is for which certificate is known only if all certificates are.
    if material.problems.is_empty() {
        for (file, der) in &files.ocsp {
            staple(&mut material, file, der, now);
        }
    }
    material
}

fn shown(pair: &TlsPair, provider: &CryptoProvider) -> Result<Shown, String> {
    let (file, key_file) = (&pair.name, &pair.key_name);
    let chain = certificates(file, &pair.chain)?;
    let key = private_key(key_file, &pair.key)?;
    let first = EndEntityCert::try_from(&chain[0]).map_err(|error| match error {
        webpki::Error::UnsupportedCertVersion => format!(
            "{file}: the first certificate is of an old version of X.509, which has no names (subjectAltName) and which clients refuse: have it made with some (openssl x509 -req -extfile FILE)"
        ),
        error => format!("{file}: the first certificate can't be used: {error}"),
    })?;
    let names = first.valid_dns_names().map(str::to_lowercase).collect();
    let summary = x509::summary(&chain[0]);
    let key = provider.key_provider.load_private_key(key).map_err(|error| {
        format!("{key_file}: the private key is of a kind that TLS does not use here: {error}; RSA of 2048 bits or more, ECDSA with P-256 or P-384, and Ed25519 are")
    })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(Error::InconsistentKeys(_)) => {
            return Err(format!(
                "{key_file}: the private key does not belong to the first certificate in {file}: give the key that it was requested with, and put the server's own certificate first"
            ));
        }
        Err(error) => {
            return Err(format!(
                "{file}: the first certificate can't be used: {error}"
            ));
        }
    }
    Ok(Shown {
        file: file.clone(),
        key: Arc::new(certified),
        names,
        summary,
    })
}

/// The certificates of a text in PEM, at least one.
pub(super) fn certificates(file: &str, text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match all {
        Ok(all) if all.is_empty() => Err(format!(
            "{file}: there is no certificate in it: it needs a part that begins with -----BEGIN CERTIFICATE-----"
        )),
        Ok(all) => Ok(all),
        Err(error) => Err(format!("{file}: it is not whole PEM: {error}")),
    }
}

fn private_key(file: &str, text: &str) -> Result<PrivateKeyDer<'static>, String> {
    if text.contains("ENCRYPTED") {
        return Err(format!(
            "{file}: the private key is encrypted, and nobody is asked for its password: decrypt it (openssl pkey -in {file} -out PLAIN) and let only root read the file; the supervisor reads it, workers need not"
        ));
    }
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => format!(
            "{file}: there is no private key in it: it needs a part that begins with -----BEGIN PRIVATE KEY-----; a key in a file of its own is named by `ssl-keyfile`"
        ),
        error => format!("{file}: the private key is not whole PEM: {error}"),
    })
}

/// Gives a response to the certificate that it is for.
fn staple(material: &mut Material, file: &str, der: &[u8], now: SystemTime) {
    let staple = match x509::staple(der) {
        Ok(staple) => staple,
        Err(why) => return material.problems.push(format!("{file}: {why}")),
    };
    let whose = |shown: &&mut Shown| {
        let summary = shown.summary.as_ref();
        summary.is_some_and(|summary| summary.serial == staple.serial)
    };
    let Some(shown) = material.shown.iter_mut().find(whose) else {
        return material.problems.push(format!(
            "{file}: this OCSP response is for none of the certificates: get one for those that are used now, or take it out"
        ));
    };
    match &staple.until {
        Some(until) if until.at <= now => material.warnings.push(format!(
            "{file}: this OCSP response was to be renewed by {}: it is not stapled, since clients would refuse it; renew it and reload", until.told
        )),
        _ => Arc::make_mut(&mut shown.key).ocsp = Some(der.to_vec()),
    }
}
