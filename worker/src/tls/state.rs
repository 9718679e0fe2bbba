//! A worker's TLS: by what connections are encrypted now, and how that changes while it serves.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use brigade_config::{Tls as Config, TlsFiles};
use brigade_shared::tickets::TicketKeys;

use super::acceptor::{Acceptor, Complaints};
use super::plain::Addresses;
use super::settings::{Protocols, settings};
use super::tickets::KeyRing;
use crate::meter::Meter;
use crate::orders::refuse;

/// See the module. Off if there are no certificates.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    on: Option<On>,
    addresses: Addresses,
}

#[derive(Debug)]
struct On {
    config: RefCell<Config>,
    acceptor: RefCell<Acceptor>,
    complaints: Rc<Complaints>,
    ring: Option<Arc<KeyRing>>,
    protocols: Protocols,
}

impl Tls {
    /// As the configuration says.
    ///
    /// # Errors
    /// What is wrong with the files, in sentences.
    pub(crate) fn new(
        config: &Config,
        keys: Option<TicketKeys>,
        protocols: &[&str],
        addresses: Addresses,
        (meter, slot): (&'static Meter, u16),
    ) -> Result<Self, String> {
        if !config.is_on() {
            return Ok(Self::default());
        }
        let ring = keys.map(KeyRing::new);
        let protocols: Protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let settings = settings(config, ring.clone(), protocols.clone())
            .map_err(|problems| problems.join("\n"))?;
        let complaints = Complaints::new(meter, slot);
        let acceptor = Acceptor::new(settings, Rc::clone(&complaints));
        let on = On {
            config: RefCell::new(config.clone()),
            acceptor: RefCell::new(acceptor),
            complaints,
            ring,
            protocols,
        };
        Ok(Self {
            on: Some(on),
            addresses,
        })
    }

    /// What a new TCP connection to this address of ours is encrypted by; none if it is not.
    pub(crate) fn acceptor_at(&self, local: SocketAddr) -> Option<Acceptor> {
        let on = self.on.as_ref()?;
        let encrypts = self.addresses.encrypts(local);
        encrypts.then(|| on.acceptor.borrow().clone())
    }

    /// From now on tickets are sealed and opened with these keys.
    pub(crate) fn use_tickets(&self, keys: TicketKeys) {
        if let Some(ring) = self.on.as_ref().and_then(|on| on.ring.as_ref()) {
            ring.replace(keys);
        }
    }

    /// From now on new connections see these certificates; the others keep theirs. The supervisor
    /// has found nothing wrong with them; if there is something, nothing changes here.
    pub(crate) fn use_files(&self, files: TlsFiles) {
        let Some(on) = &self.on else {
            return refuse("certificates, but this worker speaks no TLS");
        };
        let mut config = on.config.borrow().clone();
        config.files = Arc::new(files);
        match settings(&config, on.ring.clone(), on.protocols.clone()) {
            Ok(settings) => {
                let acceptor = Acceptor::new(settings, Rc::clone(&on.complaints));
                on.acceptor.replace(acceptor);
                on.config.replace(config);
            }
            Err(problems) => refuse(&problems.join("\n")),
        }
    }
}
