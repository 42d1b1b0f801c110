//! A program in a container, with a terminal.

use crate::cluster::Cluster;
use crate::connect::chain;
use crate::error::Error;
use futures::SinkExt;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess, TerminalSize};
use tokio::io::{AsyncRead, AsyncWrite};

/// A running program. It is cut off when this is dropped.
pub struct Terminal {
    /// What is typed.
    pub input: Box<dyn AsyncWrite + Send + Unpin>,
    /// What is shown.
    pub output: Box<dyn AsyncRead + Send + Unpin>,
    /// The size of the window.
    pub window: Window,
    /// How it ended: nothing for well, else why not.
    pub ended: BoxFuture<'static, Option<String>>,
    _process: AttachedProcess,
}

/// The window a program thinks it is in.
pub struct Window(Box<dyn FnMut(u16, u16) -> BoxFuture<'static, ()> + Send>);

impl Window {
    /// Tells the program that it changed.
    pub async fn resize(&mut self, columns: u16, rows: u16) {
        (self.0)(columns, rows).await;
    }
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Terminal")
    }
}

impl Cluster {
    /// Starts a program in a container of a pod, with a terminal.
    pub async fn terminal(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        command: &[String],
    ) -> Result<Terminal, Error> {
        let action = format!("run {} in container {container} of Pod {namespace}/{pod}", command.join(" "));
        let (client, _) = self.client(&action).await?;
        let pods: Api<Pod> = Api::namespaced(client, namespace);
        let wanted = AttachParams::interactive_tty().container(container);
        let mut process = pods
            .exec(pod, command, &wanted)
            .await
            .map_err(|error| Error::Transport { action: action.clone(), reason: chain(&error) })?;
        let missing = || Error::Decode { action: action.clone(), reason: "a stream is missing".into() };
        let input = process.stdin().ok_or_else(missing)?;
        let output = process.stdout().ok_or_else(missing)?;
        let sizes = process.terminal_size().ok_or_else(missing)?;
        let status = process.take_status().ok_or_else(missing)?;
        let window = Window(Box::new(move |width, height| {
            let mut sizes = sizes.clone();
            // A program that is gone has no window.
            Box::pin(async move {
                let _ = sizes.send(TerminalSize { width, height }).await;
            })
        }));
        let ended = Box::pin(async move {
            let status = status.await?;
            let well = status.status.as_deref() == Some("Success");
            (!well).then(|| status.message.or(status.reason).unwrap_or_else(|| "it failed".into()))
        });
        Ok(Terminal { input: Box::new(input), output: Box::new(output), window, ended, _process: process })
    }
}
