//! A connection to a port of a pod, through the API server.

use crate::cluster::Cluster;
use crate::connect::chain;
use crate::error::Error;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::Portforwarder;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes in both directions.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to a port of a pod. It is cut off when this is dropped.
pub struct PodStream {
    stream: Box<dyn Stream>,
    _forwarder: Portforwarder,
}

impl std::fmt::Debug for PodStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PodStream")
    }
}

impl AsyncRead for PodStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for PodStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Cluster {
    /// Connects to a port of a pod.
    pub async fn forward(&self, namespace: &str, pod: &str, port: u16) -> Result<PodStream, Error> {
        let action = format!("connect to port {port} of Pod {namespace}/{pod}");
        let (client, _) = self.client(&action).await?;
        let pods: Api<Pod> = Api::namespaced(client, namespace);
        let opened = pods.portforward(pod, &[port]).await;
        let mut forwarder =
            opened.map_err(|error| Error::Transport { action: action.clone(), reason: chain(&error) })?;
        let stream = forwarder.take_stream(port);
        let stream = stream.ok_or_else(|| Error::Decode { action, reason: "a stream is missing".into() })?;
        Ok(PodStream { stream: Box::new(stream), _forwarder: forwarder })
    }
}
