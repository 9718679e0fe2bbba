//! What is wrong with certificates and keys, told before anything depends on them: at the start, by
//! `brigade check`, and at a reload.

use std::time::{Duration, SystemTime};

use brigade_config::Tls;

use super::clients;
use super::material::{self, Shown};
use super::provider::provider;

/// Whoever renews by hand wants to know so long before.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What is found wrong, in sentences for the operator.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TlsProblems {
    /// Nothing may start with these.
    pub problems: Vec<String>,
    /// The rest works, but somebody should look.
    pub warnings: Vec<String>,
}

/// Looks at what the files said ([`Tls::files`]) as a worker would, and at the dates: a certificate
/// that has expired is refused here, but a worker that starts later in the life of the same
/// supervisor takes it, since no service is better than another for being down.
#[must_use]
pub fn check_tls(tls: &Tls) -> TlsProblems {
    check_at(tls, SystemTime::now())
}

pub(super) fn check_at(tls: &Tls, now: SystemTime) -> TlsProblems {
    let provider = provider();
    let found = material::understand(&tls.files, &provider, now);
    let mut told = TlsProblems {
        problems: found.problems,
        warnings: found.warnings,
    };
    told.problems
        .extend(clients::verifier(tls, &provider).err());
    for shown in &found.shown {
        dates(shown, now, &mut told);
    }
    told
}

fn dates(shown: &Shown, now: SystemTime, told: &mut TlsProblems) {
    let Some(summary) = &shown.summary else {
        return;
    };
    let (file, until) = (&shown.file, &summary.until);
    let (subject, end) = (&summary.subject, &until.told);
    if until.at <= now {
        told.problems.push(format!(
            "{file}: the certificate of {subject} has expired at {end}: no client would accept it; renew it, or look at this machine's clock"
        ));
    } else if until.at <= now + SOON {
        told.warnings.push(format!(
            "{file}: the certificate of {subject} expires at {end}: renew it and reload"
        ));
    }
    if summary.from.at > now {
        let from = &summary.from.told;
        told.warnings.push(format!(
            "{file}: the certificate of {subject} is not valid before {from}: clients refuse it until then; look at this machine's clock"
        ));
    }
}
