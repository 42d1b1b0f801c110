//! TCP and TLS connections to one server, and what can be learnt from trying.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Target, tls};

/// Whether a server speaks TLS.
#[derive(Debug)]
pub(crate) enum Encryption {
    /// Plain text.
    None,
    /// TLS with a certificate that verifies.
    Trusted,
    /// TLS with a certificate that does not, and why.
    Untrusted(String),
}

/// Finds out whether the server speaks TLS and is trusted.
pub(crate) async fn probe(target: &Target) -> Result<Encryption, String> {
    let blind = Target { insecure: true, ..target.clone() };
    if let Err(error) = handshake(&blind).await? {
        let alert = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        return Ok(match alert {
            Some(rustls::Error::AlertReceived(_)) => {
                Encryption::Untrusted(format!("error creating connection: {}", tls::text(&error, target)))
            }
            _ => Encryption::None,
        });
    }
    let strict = Target { insecure: false, ..target.clone() };
    Ok(match handshake(&strict).await? {
        Ok(()) => Encryption::Trusted,
        Err(error) => {
            Encryption::Untrusted(format!("error creating connection: {}", tls::text(&error, target)))
        }
    })
}

/// Whether a connection as `target` wants it can be opened.
pub(crate) async fn reach(target: &Target) -> Result<(), String> {
    if target.plain_text {
        return tcp(target).await.map(|_| ());
    }
    handshake(target)
        .await?
        .map_err(|error| format!("error creating connection: {}", tls::text(&error, target)))
}

async fn handshake(target: &Target) -> Result<Result<(), io::Error>, String> {
    let connector = Connector::new(&Target { plain_text: false, ..target.clone() }, b"h2")?;
    let stream = tcp(target).await?;
    Ok(connector.encrypt(stream).await.map(|_| ()))
}

async fn tcp(target: &Target) -> Result<TcpStream, String> {
    let addresses = tokio::net::lookup_host(&target.address).await.map_err(|_| {
        format!("error dial proxy: dial tcp: lookup {}{}: no such host", target.host(), name_server())
    })?;
    let mut failed = format!("error dial proxy: dial tcp: lookup {}: no such host", target.host());
    let mut addresses: Vec<_> = addresses.collect();
    // As Go does: IPv4 first, so that the error names the address people know.
    addresses.sort_by_key(std::net::SocketAddr::is_ipv6);
    for (index, address) in addresses.into_iter().enumerate() {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) if index == 0 => {
                let reason = crate::failure::io_error(&error);
                failed = format!("error dial proxy: dial tcp {address}: connect: {reason}");
            }
            Err(_) => {}
        }
    }
    Err(failed)
}

/// The name server that was asked, as Go names it.
fn name_server() -> String {
    let configured = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let server = configured.lines().find_map(|line| line.strip_prefix("nameserver ")).map(str::trim);
    server.map_or(String::new(), |server| format!(" on {server}:53"))
}

/// Opens connections for hyper and tonic.
#[derive(Clone)]
pub(crate) struct Connector {
    target: Target,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Connector {
    /// A connector to `target`.
    pub(crate) fn new(target: &Target, protocol: &[u8]) -> Result<Self, String> {
        let tls = if target.plain_text { None } else { Some(Arc::new(tls::client(target, protocol)?)) };
        Ok(Self { target: target.clone(), tls })
    }

    async fn encrypt(&self, stream: TcpStream) -> io::Result<Stream> {
        let Some(config) = &self.tls else { return Ok(Stream::Plain(TokioIo::new(stream))) };
        let name = ServerName::try_from(self.target.host().to_owned()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await?;
        Ok(Stream::Encrypted(Box::new(TokioIo::new(stream))))
    }

    async fn open(self) -> io::Result<Stream> {
        let stream = tcp(&self.target).await.map_err(io::Error::other)?;
        self.encrypt(stream).await
    }
}

impl tower::Service<Uri> for Connector {
    type Response = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().open())
    }
}

/// A connection with or without TLS.
pub(crate) enum Stream {
    Plain(TokioIo<TcpStream>),
    Encrypted(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
