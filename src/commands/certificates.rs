//! Reading certificates and keys: here, where the process may still read them, and once, so that
//! what was checked is what is used.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use brigade_config::{Config, Tls, TlsFiles, TlsPair};
use brigade_worker::check_tls;

/// More than any chain or bundle of authorities has.
const MOST: u64 = 4 << 20;

/// Reads the files that the configuration names, relative to a directory, and looks whether they
/// can be used: what somebody should look at soon.
///
/// # Errors
/// Everything that is wrong, a sentence each.
pub(super) fn read(config: &mut Config, directory: &Path) -> Result<Vec<String>, Vec<String>> {
    if !config.worker.tls.is_on() {
        return Ok(Vec::new());
    }
    let mut reading = Reading {
        directory,
        problems: Vec::new(),
    };
    let files = reading.all(&config.worker.tls);
    let mut problems = reading.problems;
    config.worker.tls.files = Arc::new(files);
    let found = check_tls(&config.worker.tls);
    problems.extend(found.problems);
    if problems.is_empty() {
        Ok(found.warnings)
    } else {
        Err(problems)
    }
}

struct Reading<'a> {
    directory: &'a Path,
    problems: Vec<String>,
}

impl Reading<'_> {
    /// What can be read; the rest is left out, and a problem.
    fn all(&mut self, tls: &Tls) -> TlsFiles {
        // A certificate without a key of its own has it in the same file.
        let keys = if tls.keys.is_empty() {
            &tls.certificates
        } else {
            &tls.keys
        };
        let pairs = tls.certificates.iter().zip(keys);
        let pairs = pairs.filter_map(|(chain, key)| self.pair(chain, key));
        let pairs = pairs.collect();
        let ocsp = tls.ocsp.iter().filter_map(|path| {
            let bytes = self.bytes("ssl-ocsp", path)?;
            Some((path.display().to_string(), bytes))
        });
        let ocsp = ocsp.collect();
        let client_ca = tls.client_ca.as_ref().and_then(|path| {
            let text = self.text("ssl-ca-certs", path)?;
            Some((path.display().to_string(), text))
        });
        TlsFiles {
            pairs,
            ocsp,
            client_ca,
        }
    }

    fn pair(&mut self, chain: &PathBuf, key: &PathBuf) -> Option<TlsPair> {
        let (name, key_name) = (chain.display().to_string(), key.display().to_string());
        // Both are tried, so that both are told.
        let chain_text = self.text("ssl-certfile", chain);
        let key_text = match key == chain {
            true => chain_text.clone(),
            false => self.text("ssl-keyfile", key),
        };
        Some(TlsPair {
            name,
            chain: chain_text?,
            key_name,
            key: key_text?,
        })
    }

    fn text(&mut self, what: &str, path: &Path) -> Option<String> {
        let bytes = self.bytes(what, path)?;
        let text = String::from_utf8(bytes);
        text.map_err(|_| {
            let path = path.display();
            self.problems.push(format!(
                "{what}: {path} is not PEM, which is text: convert it (openssl x509 -inform DER -in {path}, or openssl pkey for a key)"
            ));
        })
        .ok()
    }

    fn bytes(&mut self, what: &str, path: &Path) -> Option<Vec<u8>> {
        let read = || -> Result<Vec<u8>, String> {
            let path = self.directory.join(path);
            // Before it is opened: a pipe would keep us waiting for somebody to write.
            let about = std::fs::metadata(&path).map_err(|error| error.to_string())?;
            if !about.is_file() {
                return Err("it is not a file, and a reload has to read it again".to_owned());
            }
            let mut bytes = Vec::new();
            let file = File::open(&path).map_err(|error| error.to_string())?;
            let read = file.take(MOST + 1).read_to_end(&mut bytes);
            read.map_err(|error| error.to_string())?;
            if bytes.len() as u64 > MOST {
                return Err(format!("it has more than {MOST} bytes"));
            }
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => Some(bytes),
            Err(why) => {
                let path = path.display();
                self.problems
                    .push(format!("{what}: {path} can't be read: {why}"));
                None
            }
        }
    }
}
