//! What certificates and OCSP responses say of themselves. Brigade does not judge them, it reads
//! when they end and whose they are; what can't be read is left to the client to judge.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_ocsp::{BasicOcspResponse, OcspResponse, OcspResponseStatus};

/// What is known of one certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Summary {
    pub(super) serial: Vec<u8>,
    pub(super) subject: String,
    pub(super) from: Date,
    pub(super) until: Date,
}

/// A moment, and how it is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Date {
    pub(super) at: SystemTime,
    pub(super) told: String,
}

/// What is known of one OCSP response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Staple {
    /// The certificate's.
    pub(super) serial: Vec<u8>,
    /// Until then there should be a newer one.
    pub(super) until: Option<Date>,
}

/// Reads a certificate.
pub(super) fn summary(der: &[u8]) -> Option<Summary> {
    let certificate = Certificate::from_der(der).ok()?.tbs_certificate;
    let date = |time: x509_cert::time::Time| Date {
        at: time.to_system_time(),
        told: time.to_string(),
    };
    Some(Summary {
        serial: certificate.serial_number.as_bytes().to_vec(),
        subject: certificate.subject.to_string(),
        from: date(certificate.validity.not_before),
        until: date(certificate.validity.not_after),
    })
}

/// Reads an OCSP response.
///
/// # Errors
/// In words, what it is instead.
pub(super) fn staple(der: &[u8]) -> Result<Staple, String> {
    let response = OcspResponse::from_der(der)
        .map_err(|error| format!("it is no OCSP response in DER: {error}"))?;
    if response.response_status != OcspResponseStatus::Successful {
        let status = response.response_status;
        return Err(format!("its authority answered {status:?}: ask it again"));
    }
    let bytes = response.response_bytes.ok_or("it has no content")?;
    let basic = BasicOcspResponse::from_der(bytes.response.as_bytes())
        .map_err(|error| format!("its content can't be understood: {error}"))?;
    let single = basic.tbs_response_data.responses.first();
    let single = single.ok_or("it is about no certificate")?;
    let until = single.next_update.as_ref().map(|time| Date {
        at: UNIX_EPOCH + Duration::from_secs(time.0.to_unix_duration().as_secs()),
        told: time.0.to_date_time().to_string(),
    });
    Ok(Staple {
        serial: single.cert_id.serial_number.as_bytes().to_vec(),
        until,
    })
}
