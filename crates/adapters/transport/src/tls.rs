//! Certificates of servers: given as PEM, or made at start.

use crate::protocols::Protocols;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey as SigningKey;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::{Arc, PoisonError, RwLock};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The PEM text does not hold what it should. The text itself is never part of the message.
    #[error("read {what}: {reason}")]
    Pem {
        /// Certificate or key.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key do not make a server.
    #[error("use certificate: {0}")]
    Unusable(#[from] rustls::Error),
    /// What a server is told to speak is nothing it can.
    #[error("{0}")]
    Protocols(String),
    /// A certificate could not be made.
    #[error("make a self-signed certificate: {0}")]
    Generate(#[from] rcgen::Error),
}

/// A server's certificate, which may be exchanged while it serves.
#[derive(Clone, Debug)]
pub struct Identity {
    current: Arc<Current>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
    protocols: Protocols,
}

#[derive(Debug)]
struct Current(RwLock<Arc<SigningKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<SigningKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Identity {
    /// From a certificate chain and its key, both PEM.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let current = Arc::new(Current(RwLock::new(Arc::new(signing_key(certificates, key)?))));
        Ok(Self { current, clients: None, protocols: Protocols::default() })
    }

    /// From now on serves with another certificate; on an error the old one stays.
    pub fn replace(&self, certificates: &[u8], key: &[u8]) -> Result<(), TlsError> {
        let key = Arc::new(signing_key(certificates, key)?);
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(())
    }

    /// From now on serves those only whose certificate one of these authorities signed, PEM.
    pub fn clients_of(self, authorities: &[u8]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authorities) {
            let pem = |reason: String| TlsError::Pem { what: "client authority", reason };
            roots.add(certificate.map_err(|error| pem(error.to_string()))?)?;
        }
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
        let verifier = verifier
            .map_err(|error| TlsError::Pem { what: "client authority", reason: error.to_string() })?;
        Ok(Self { clients: Some(verifier), ..self })
    }

    /// From now on speaks these versions and ciphers only.
    pub fn speaking(self, protocols: Protocols) -> Self {
        Self { protocols, ..self }
    }

    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        let builder = self.protocols.builder();
        let builder = match &self.clients {
            Some(clients) => builder.with_client_cert_verifier(clients.clone()),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(self.current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

/// A certificate nobody vouches for, for these host names.
pub fn self_signed(names: &[&str]) -> Result<Identity, TlsError> {
    SelfSigned::new(names)?.identity()
}

/// A certificate nobody vouches for, as PEM: for keeping it.
pub struct SelfSigned {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// Without the key.
impl std::fmt::Debug for SelfSigned {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SelfSigned")
    }
}

impl SelfSigned {
    /// For these host names.
    pub fn new(names: &[&str]) -> Result<Self, TlsError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names)?;
        Ok(Self { certificate: cert.pem(), key: signing_key.serialize_pem() })
    }

    /// What a server needs of it.
    pub fn identity(&self) -> Result<Identity, TlsError> {
        Identity::from_pem(self.certificate.as_bytes(), self.key.as_bytes())
    }
}

fn signing_key(certificates: &[u8], key: &[u8]) -> Result<SigningKey, TlsError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::Pem { what: "certificate", reason: error.to_string() })?;
    if chain.is_empty() {
        return Err(TlsError::Pem { what: "certificate", reason: "there is none in the text".into() });
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| TlsError::Pem { what: "private key", reason: error.to_string() })?;
    let signer = rustls::crypto::ring::sign::any_supported_type(&key)?;
    let pair = SigningKey::new(chain, signer);
    pair.keys_match()?;
    Ok(pair)
}
