//! Sockets of this machine: components that share a pod and nothing else.

use crate::channel::{ChannelError, endpoint};
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tonic::transport::Channel;
use tower::service_fn;

/// What is under way when the server stops has this long to finish.
const GRACE: Duration = Duration::from_secs(5);

/// A channel to the component behind a socket. Connects at the first call and again whenever the connection is lost.
pub fn connect_unix(socket: &Path) -> Result<Channel, ChannelError> {
    let endpoint = endpoint("localhost:1", None)?;
    let socket = socket.to_owned();
    Ok(endpoint.connect_with_connector_lazy(service_fn(move |_| {
        let socket = socket.clone();
        async move {
            let stream = UnixStream::connect(&socket).await.map_err(|error| {
                io::Error::new(error.kind(), format!("dial unix {}: {error}", socket.display()))
            })?;
            Ok::<_, io::Error>(TokioIo::new(stream))
        }
    })))
}

/// Serves a socket until `stop` ends, lets what is under way finish within a few seconds, and takes the socket away.
/// What a process that died left in its place is replaced.
pub async fn serve_unix(socket: &Path, router: Router, stop: impl Future<Output = ()>) -> io::Result<()> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket)?;
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, mostly: others must be closed first.
                tracing::warn!(%error, "accept connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (router, watcher) = (router.clone(), graceful.watcher());
        tokio::spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
            if let Err(error) = watcher.watch(connection.into_owned()).await {
                tracing::debug!(error, "connection");
            }
        });
    }
    drop(listener);
    // Gone already is as good.
    std::fs::remove_file(socket).ok();
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::debug!("some connections were still open");
    }
    Ok(())
}
