//! Work on threads of its own that is given a time. A thread cannot be stopped: what is not done by then goes on, but
//! nobody waits for it any more, it takes nobody's turn, and the same is not begun a second time meanwhile.

use crate::status;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tonic::Status;

/// How long work may take, and what takes longer. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    limit: Duration,
    /// What is overdue, by name where it has one.
    overdue: Arc<Mutex<Vec<Option<String>>>>,
}

impl Patience {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, overdue: Arc::default() }
    }

    /// How much of what was begun is overdue and goes on.
    #[cfg(test)]
    fn overdue(&self) -> usize {
        self.locked(|overdue| overdue.len())
    }

    /// Does work, holding its turn no longer than the limit, whether or not somebody still waits for it. `name` is that of
    /// all work that would come out the same.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        what: &'static str,
        name: Option<String>,
        turn: impl Send + 'static,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Status> {
        if name.is_some() && self.locked(|overdue| overdue.contains(&name)) {
            return Err(self.late(what));
        }
        let mut thread = tokio::task::spawn_blocking(work);
        let (told, answer) = oneshot::channel();
        let patience = self.clone();
        tokio::spawn(async move {
            if let Ok(done) = tokio::time::timeout(patience.limit, &mut thread).await {
                drop(turn);
                // Who asked may be gone.
                told.send(done.map_err(|error| status::broken(what, &error))).ok();
                return;
            }
            tracing::warn!(
                name = name.as_deref().unwrap_or_default(),
                "{what}: not done in time, and goes on"
            );
            patience.locked(|overdue| overdue.push(name.clone()));
            drop(turn);
            told.send(Err(patience.late(what))).ok();
            // However it ends, it has ended.
            thread.await.ok();
            patience.locked(|overdue| {
                if let Some(at) = overdue.iter().position(|known| *known == name) {
                    overdue.swap_remove(at);
                }
            });
        });
        answer.await.unwrap_or_else(|_| Err(self.late(what)))
    }

    fn late(&self, what: &str) -> Status {
        Status::deadline_exceeded(format!("{what}: not done after {} s", self.limit.as_secs()))
    }

    fn locked<T>(&self, with: impl FnOnce(&mut Vec<Option<String>>) -> T) -> T {
        with(&mut self.overdue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::Patience;
    use std::sync::Arc;
    use std::sync::mpsc;
    use std::time::Duration;
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn what_takes_too_long_takes_nobodys_turn() {
        let patience = Patience::new(Duration::from_millis(50));
        let turns = Arc::new(Semaphore::new(1));
        let turn = || turns.clone().acquire_owned();
        let (release, blocked) = mpsc::channel::<()>();
        let endless = move || blocked.recv().is_ok();
        let name = Some("app".to_owned());
        let late = patience.run("render", name.clone(), turn().await.unwrap(), endless).await.unwrap_err();
        assert_eq!(
            (late.code(), late.message()),
            (tonic::Code::DeadlineExceeded, "render: not done after 0 s")
        );
        assert_eq!(patience.overdue(), 1);
        // The same is not begun again; others have their turn.
        let again = patience.run("render", name.clone(), (), || unreachable!("it still runs")).await;
        assert!(again.is_err());
        let other = patience.run("render", Some("other".into()), turn().await.unwrap(), || 7).await;
        assert_eq!(other.unwrap(), 7);
        release.send(()).unwrap();
        while patience.overdue() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(patience.run("render", name, turn().await.unwrap(), || 8).await.unwrap(), 8);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_gives_its_turn_back() {
        let patience = Patience::new(Duration::from_millis(50));
        let turns = Arc::new(Semaphore::new(1));
        let (release, blocked) = mpsc::channel::<()>();
        let held = turns.clone().acquire_owned().await.unwrap();
        let work = patience.run("render", None, held, move || blocked.recv().is_ok());
        // The request is given up at once.
        assert!(tokio::time::timeout(Duration::ZERO, work).await.is_err());
        let turn = turns.acquire().await.unwrap();
        assert_eq!(patience.overdue(), 1);
        drop((turn, release));
    }

    #[tokio::test]
    async fn a_panic_ends_that_work_only() {
        let patience = Patience::new(Duration::from_secs(60));
        let failed = patience.run("render", None, (), || -> u8 { panic!("on purpose") }).await.unwrap_err();
        assert_eq!(failed.code(), tonic::Code::Internal);
        assert_eq!((patience.run("render", None, (), || 1).await.unwrap(), patience.overdue()), (1, 0));
    }
}
