//! Channels to other components.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// Whom a channel believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// No TLS.
    PlainText,
    /// TLS with whatever certificate the server has: components make their own at start when none are given, as the
    /// original's do. Strict verification is the setting beside it.
    AnyCertificate,
    /// TLS with a certificate signed by one of these, PEM.
    Authorities(Vec<u8>),
}

/// Where another component is and how it is reached.
#[derive(Clone, Debug)]
pub struct ChannelOptions {
    /// `host:port`.
    pub address: String,
    /// Whom the channel believes.
    pub trust: Trust,
    /// The longest call; streams are not limited.
    pub timeout: Option<Duration>,
}

/// Why a channel cannot be made. That the other side is not there yet is no reason: calls say so.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The address is not one.
    #[error("address {address:?}: {reason}")]
    Address {
        /// The address.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// The authorities cannot be read.
    #[error("certificate authorities for {address}: {reason}")]
    Authorities {
        /// The address they are for.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// Our own certificate cannot be used.
    #[error("{0}")]
    ClientIdentity(String),
}

/// Who we are to a server that asks: certificate and key, PEM.
#[derive(Clone)]
pub struct ClientIdentity {
    /// The certificate chain.
    pub certificate: Vec<u8>,
    /// Its key.
    pub key: Vec<u8>,
}

/// Without the key.
impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ClientIdentity")
    }
}

impl ClientIdentity {
    /// From two files. Nothing when neither is there; one alone is a mistake.
    pub fn from_files(certificate: &str, key: &str) -> Result<Option<Self>, ChannelError> {
        let read = |path: &str| match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ChannelError::ClientIdentity(format!("read {path}: {error}"))),
        };
        match (read(certificate)?, read(key)?) {
            (Some(certificate), Some(key)) => Ok(Some(Self { certificate, key })),
            (None, None) => Ok(None),
            (Some(_), None) => {
                Err(ChannelError::ClientIdentity(format!("{certificate} has no key: {key} is missing")))
            }
            (None, Some(_)) => Err(ChannelError::ClientIdentity(format!(
                "{key} has no certificate: {certificate} is missing"
            ))),
        }
    }

    fn parse(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.map_err(|error| format!("client certificate: {error}"))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        Ok((chain, key.map_err(|error| format!("client certificate's key: {error}"))?))
    }
}

/// A channel to a component. Connects at the first call and again whenever the connection is lost.
pub fn connect(options: &ChannelOptions) -> Result<Channel, ChannelError> {
    connect_as(options, None)
}

/// The same, showing who we are where the server asks.
pub fn connect_as(
    options: &ChannelOptions,
    identity: Option<&ClientIdentity>,
) -> Result<Channel, ChannelError> {
    let endpoint = endpoint(&options.address, options.timeout)?;
    let host = options.address.rsplit_once(':').map_or(options.address.as_str(), |(host, _)| host);
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|error| {
        ChannelError::Address { address: options.address.clone(), reason: error.to_string() }
    })?;
    let connector = match &options.trust {
        Trust::PlainText => None,
        Trust::AnyCertificate => Some(any_certificate(identity).map_err(ChannelError::ClientIdentity)?),
        Trust::Authorities(pem) => Some(
            authorities(pem, identity)
                .map_err(|reason| ChannelError::Authorities { address: options.address.clone(), reason })?,
        ),
    };
    let address = options.address.clone();
    Ok(endpoint.connect_with_connector_lazy(service_fn(move |_| {
        let (address, name, connector) = (address.clone(), name.clone(), connector.clone());
        async move {
            let stream = TcpStream::connect(&address).await?;
            stream.set_nodelay(true)?;
            let stream: Box<dyn Stream> = match connector {
                None => Box::new(stream),
                Some(connector) => Box::new(connector.connect(name, stream).await?),
            };
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        }
    })))
}

/// A channel to a server in this process: the same protocol over memory.
pub fn in_process(router: axum::Router) -> Result<Channel, ChannelError> {
    let endpoint = endpoint("in-process:1", None)?;
    Ok(endpoint.connect_with_connector_lazy(service_fn(move |_| {
        let router = router.clone();
        async move {
            let (ours, theirs) = tokio::io::duplex(256 * 1024);
            tokio::spawn(async move {
                let builder = Builder::new(TokioExecutor::new());
                let service = TowerToHyperService::new(router);
                if let Err(error) = builder.serve_connection(TokioIo::new(theirs), service).await {
                    tracing::debug!(error, "connection within the process");
                }
            });
            Ok::<_, std::io::Error>(TokioIo::new(ours))
        }
    })))
}

trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) fn endpoint(address: &str, timeout: Option<Duration>) -> Result<Endpoint, ChannelError> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|error| ChannelError::Address { address: address.to_owned(), reason: error.to_string() })?
        .connect_timeout(Duration::from_secs(10))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_while_idle(true)
        .initial_stream_window_size(4 * 1024 * 1024)
        .initial_connection_window_size(8 * 1024 * 1024);
    Ok(match timeout {
        Some(timeout) => endpoint.timeout(timeout),
        None => endpoint,
    })
}

fn authorities(pem: &[u8], identity: Option<&ClientIdentity>) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("there is no certificate in the text".into());
    }
    with_identity(ClientConfig::builder().with_root_certificates(roots), identity)
}

fn any_certificate(identity: Option<&ClientIdentity>) -> Result<TlsConnector, String> {
    let verifier = Arc::new(OnlyTheHandshake(Arc::new(rustls::crypto::ring::default_provider())));
    with_identity(ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier), identity)
}

fn with_identity(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    identity: Option<&ClientIdentity>,
) -> Result<TlsConnector, String> {
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = identity.parse()?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("client certificate: {error}"))?
        }
    };
    Ok(connector(config))
}

fn connector(mut config: ClientConfig) -> TlsConnector {
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsConnector::from(Arc::new(config))
}

/// Checks that the server holds the key of its certificate, and not who vouches for it.
#[derive(Debug)]
struct OnlyTheHandshake(Arc<CryptoProvider>);

impl ServerCertVerifier for OnlyTheHandshake {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
