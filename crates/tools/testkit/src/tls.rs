//! Certificates for servers on loopback.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::error::Error;

/// A server configuration and, as PEM, the authority that vouches for it.
pub(crate) fn certificate() -> Result<(ServerConfig, String), Error> {
    let made = Certificate::make()?;
    let failed = |error: rustls::Error| Error::Certificate(error.to_string());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_no_client_auth()
        .with_single_cert(vec![made.certificate.der().clone()], key)
        .map_err(failed)?;
    Ok((config, made.authority))
}

/// A certificate for this machine, with the authority that vouches for it.
pub(crate) struct Certificate {
    pub(crate) certificate: rcgen::Certificate,
    pub(crate) key: KeyPair,
    /// As PEM.
    pub(crate) authority: String,
}

impl Certificate {
    pub(crate) fn make() -> Result<Self, Error> {
        let failed = |error: rcgen::Error| Error::Certificate(error.to_string());
        let mut authority = CertificateParams::new(Vec::new()).map_err(failed)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        authority.distinguished_name.push(DnType::CommonName, "testkit authority");
        let authority_key = KeyPair::generate().map_err(failed)?;
        let authority_pem = authority.self_signed(&authority_key).map_err(failed)?.pem();
        let issuer = Issuer::new(authority, authority_key);
        let mut leaf =
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).map_err(failed)?;
        leaf.distinguished_name.push(DnType::CommonName, "localhost");
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = leaf.signed_by(&key, &issuer).map_err(failed)?;
        Ok(Self { certificate, key, authority: authority_pem })
    }
}
