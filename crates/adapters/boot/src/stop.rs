//! Stopping: asked once, by a signal or by the owner; everything that runs waits for it.

use tokio_util::sync::CancellationToken;

/// A request to stop, shared by all tasks of a process.
#[derive(Clone, Debug, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// A stop nobody has asked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everything to stop.
    pub fn ask(&self) {
        self.0.cancel();
    }

    /// Whether stopping was asked for.
    pub fn is_asked(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until stopping is asked for.
    pub fn asked(&self) -> impl Future<Output = ()> + Send + 'static {
        self.0.clone().cancelled_owned()
    }

    /// A stop of a part: asked with the whole, and alone without it.
    pub fn part(&self) -> Self {
        Self(self.0.child_token())
    }

    /// Asks to stop at SIGINT or SIGTERM.
    pub fn on_signals(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let stop = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            stop.ask();
        });
        Ok(())
    }
}
