//! TLS certificates in PEM, as they are pasted: several in one text, with anything between them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use x509_parser::oid_registry::{
    OID_KEY_TYPE_DSA, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION, OID_SIG_ED25519,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::{AttributeTypeAndValue, RelativeDistinguishedName};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// A certificate has no more lines than this.
const MOST_LINES: usize = 128;

/// Why a text holds no certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCertificate {
    /// What should be one does not end.
    #[error("maximum number of lines exceeded during certificate parsing")]
    TooLong,
    /// Not base64.
    #[error("could not decode PEM data from input")]
    Encoding,
    /// Not a certificate.
    #[error("could not parse X509 data from input")]
    Content,
}

/// What there is to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for, as Go writes names: the last part first.
    pub subject: String,
    /// Kind of its key: `rsa`, `ecdsa`, `ed25519`, `dsa`; `0` for others.
    pub algorithm: &'static str,
    /// SHA-256 of the whole, in hexadecimal.
    pub fingerprint: String,
}

/// The certificates in a text, each as it stands there with a line end.
pub fn certificates(text: &str) -> Result<Vec<String>, InvalidCertificate> {
    let mut found = Vec::new();
    let mut open: Option<(String, usize)> = None;
    for line in text.lines() {
        let Some((certificate, lines)) = &mut open else {
            if line.starts_with(BEGIN) {
                open = Some((format!("{line}\n"), 1));
            }
            continue;
        };
        certificate.push_str(line);
        certificate.push('\n');
        *lines += 1;
        if *lines > MOST_LINES {
            return Err(InvalidCertificate::TooLong);
        }
        if line.starts_with(END) {
            found.extend(open.take().map(|(certificate, _)| certificate));
        }
    }
    Ok(found)
}

impl Certificate {
    /// Reads one certificate.
    pub fn parse(pem: &str) -> Result<Self, InvalidCertificate> {
        let body: String = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(body).map_err(|_| InvalidCertificate::Encoding)?;
        if der.is_empty() {
            return Err(InvalidCertificate::Encoding);
        }
        let (_, certificate) = X509Certificate::from_der(&der).map_err(|_| InvalidCertificate::Content)?;
        let parts: Vec<_> = certificate.subject().iter().map(part).collect();
        let key = &certificate.public_key().algorithm.algorithm;
        let kinds = [
            (OID_PKCS1_RSAENCRYPTION, "rsa"),
            (OID_KEY_TYPE_EC_PUBLIC_KEY, "ecdsa"),
            (OID_SIG_ED25519, "ed25519"),
            (OID_KEY_TYPE_DSA, "dsa"),
        ];
        Ok(Self {
            subject: parts.into_iter().rev().collect::<Vec<_>>().join(","),
            algorithm: kinds.iter().find(|(oid, _)| oid == key).map_or("0", |(_, name)| name),
            fingerprint: Sha256::digest(&der).iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}

/// One part of a name; several values have a plus between them.
fn part(part: &RelativeDistinguishedName<'_>) -> String {
    part.iter().map(value).collect::<Vec<_>>().join("+")
}

fn value(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let names = [
        ("2.5.4.6", "C"),
        ("2.5.4.10", "O"),
        ("2.5.4.11", "OU"),
        ("2.5.4.3", "CN"),
        ("2.5.4.5", "SERIALNUMBER"),
        ("2.5.4.7", "L"),
        ("2.5.4.8", "ST"),
        ("2.5.4.9", "STREET"),
        ("2.5.4.17", "POSTALCODE"),
    ];
    let name = names.iter().find(|(known, _)| *known == oid).map(|(_, name)| *name);
    let text = attribute.as_str().ok();
    match (name, text) {
        (Some(name), Some(text)) => format!("{name}={}", escaped(text)),
        (None, Some(text)) => format!("{oid}={}", escaped(text)),
        (name, None) => {
            let bytes = attribute.attr_value().data.iter();
            let hex: String = bytes.map(|byte| format!("{byte:02x}")).collect();
            format!("{}=#{hex}", name.unwrap_or(&oid))
        }
    }
}

/// A value as RFC 2253 has it inside a name.
fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut written = String::new();
    for (place, letter) in text.chars().enumerate() {
        let special = match letter {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            ' ' => place == 0 || place == last,
            '#' => place == 0,
            _ => false,
        };
        if special {
            written.push('\\');
        }
        written.push(letter);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    fn pem(name: &str, organisation: &str) -> String {
        let mut parameters = CertificateParams::new(vec!["git.example".to_owned()]).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(DnType::OrganizationName, organisation);
        parameters.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_certificate_is_described_as_go_does() {
        let text = format!("before\n{}between\n{}after\n", pem("git.example", "A, B"), pem("#other ", "O"));
        let found = certificates(&text).unwrap();
        let described: Vec<_> = found.iter().map(|pem| Certificate::parse(pem).unwrap()).collect();
        assert_eq!(described[0].subject, "CN=git.example,O=A\\, B");
        assert_eq!(described[1].subject, "CN=\\#other\\ ,O=O");
        assert_eq!(described[0].algorithm, "ecdsa");
        assert_eq!(described[0].fingerprint.len(), 64);
        assert_ne!(described[0].fingerprint, described[1].fingerprint);
    }

    #[test]
    fn what_is_none_is_refused() {
        assert_eq!(certificates("junk").unwrap(), Vec::<String>::new());
        let endless = format!("{BEGIN}\n{}", "AAAA\n".repeat(MOST_LINES + 1));
        assert_eq!(certificates(&endless), Err(InvalidCertificate::TooLong));
        let of = |body: &str| Certificate::parse(&format!("{BEGIN}\n{body}\n{END}\n"));
        assert_eq!(of("!!"), Err(InvalidCertificate::Encoding));
        assert_eq!(of(""), Err(InvalidCertificate::Encoding));
        assert_eq!(of("AAAA"), Err(InvalidCertificate::Content));
    }
}
