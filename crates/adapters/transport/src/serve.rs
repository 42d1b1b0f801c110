//! The accept loop: HTTP/1.1 and HTTP/2 on one port, with TLS when there is a certificate.

use crate::Identity;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A connection that has not said anything useful by then is closed.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// What is under way when the server stops has this long to finish.
const GRACE: Duration = Duration::from_secs(5);
/// First byte of a TLS connection.
const TLS_RECORD: u8 = 0x16;

/// What a TLS port answers to plain HTTP.
#[derive(Clone, Debug)]
pub enum OnPlainText {
    /// What a router says: `https_redirect`, for one.
    Answer(Router),
    /// The connection is closed.
    Close,
}

/// Who a connection is with: an extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A port that is bound and not served yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    identity: Option<Identity>,
    plain_text: OnPlainText,
}

impl Listener {
    /// Binds a port; port 0 is any free one.
    pub async fn bind(address: SocketAddr, identity: Option<Identity>) -> std::io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address, identity, plain_text: OnPlainText::Close })
    }

    /// Chooses what a TLS port answers to plain HTTP.
    pub fn on_plain_text(mut self, plain_text: OnPlainText) -> Self {
        self.plain_text = plain_text;
        self
    }

    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves until `stop` ends, then lets what is under way finish within a few seconds.
pub async fn serve(listener: Listener, router: Router, stop: impl Future<Output = ()>) {
    let acceptor = listener.identity.as_ref().map(|identity| TlsAcceptor::from(identity.server_config()));
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.socket.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: others must be closed first.
                tracing::warn!(%error, "accept connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let router = router.clone().layer(axum::Extension(Peer(peer)));
        let (acceptor, watcher) = (acceptor.clone(), graceful.watcher());
        let plain_text = listener.plain_text.clone();
        tokio::spawn(async move {
            match acceptor {
                None => plain(stream, router, watcher).await,
                Some(acceptor) => secured(stream, &acceptor, router, watcher, plain_text).await,
            }
        });
    }
    drop(listener);
    // Streams such as watches never finish by themselves.
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::debug!("some connections were still open");
    }
}

/// What begins with TLS is not read: with its bytes unread the connection is reset, which clients know for a port
/// without TLS.
async fn plain(stream: TcpStream, router: Router, watcher: hyper_util::server::graceful::Watcher) {
    let mut first = [0u8; 1];
    if let Ok(Ok(1)) = tokio::time::timeout(HANDSHAKE, stream.peek(&mut first)).await
        && first[0] != TLS_RECORD
    {
        connection(stream, router, watcher).await;
    }
}

async fn secured(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
    plain_text: OnPlainText,
) {
    let mut first = [0u8; 1];
    match tokio::time::timeout(HANDSHAKE, stream.peek(&mut first)).await {
        Ok(Ok(1)) => {}
        _ => return,
    }
    if first[0] != TLS_RECORD {
        return match plain_text {
            OnPlainText::Answer(router) => connection(stream, router, watcher).await,
            OnPlainText::Close => {
                let mut stream = stream;
                // The peer is told nothing: it did not speak the protocol of this port.
                stream.shutdown().await.ok();
            }
        };
    }
    match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => connection(stream, router, watcher).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(hyper_util::rt::TokioTimer::new()).header_read_timeout(HANDSHAKE);
    builder.http2().timer(hyper_util::rt::TokioTimer::new()).keep_alive_interval(Duration::from_secs(30));
    let service = TowerToHyperService::new(router);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(error, "connection");
    }
}

/// Sends every request to the same place under `https`, with a `307`.
pub fn https_redirect() -> Router {
    use axum::extract::Request;
    use axum::http::{StatusCode, header};
    Router::new().fallback(|request: Request| async move {
        let host =
            request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, format!("https://{host}{path}"))])
    })
}
