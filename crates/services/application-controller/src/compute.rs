//! Work that takes a processor: comparing, above all with users' expressions in it. It runs on threads of its own,
//! as many at once as there are processors, and whoever asked does not wait for it for ever.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a comparison may take before its application is told so.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);
/// Overdue work may hold so many threads beside those that work.
const MOST_OVERDUE: usize = 16;

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfinished {
    /// It takes too long. It goes on, and cannot be stopped: nothing else is begun for its owner until it ends.
    #[error(
        "comparing takes longer than {}s: an expression of ignoreDifferences may be the reason", .0.as_secs()
    )]
    Overdue(Duration),
    /// It ended without a result.
    #[error("comparing ended unexpectedly")]
    Panicked,
}

/// The threads.
#[derive(Clone, Debug)]
pub(crate) struct Compute {
    places: Arc<Semaphore>,
    overdue: Arc<Mutex<BTreeSet<String>>>,
    deadline: Duration,
}

impl Compute {
    /// With so many at once.
    pub(crate) fn new(places: usize, deadline: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(places.max(1))), overdue: Arc::default(), deadline }
    }

    /// Does work for an owner.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        owner: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        if self.overdue().contains(owner) {
            return Err(Unfinished::Overdue(self.deadline));
        }
        let Ok(permit) = self.places.clone().acquire_owned().await else { return Err(Unfinished::Panicked) };
        permit.forget();
        // Whoever is first gives the place back: the work that ended, or the one who waited too long for it.
        let place = Place {
            places: self.places.clone(),
            returned: Arc::default(),
            overdue: self.overdue.clone(),
            owner: owner.to_owned(),
        };
        let own = Place { returned: place.returned.clone(), ..place.clone() };
        let task = tokio::task::spawn_blocking(move || {
            let _ended = Ended(own);
            work()
        });
        match tokio::time::timeout(self.deadline, task).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) => Err(Unfinished::Panicked),
            Err(_) => {
                place.give_up();
                Err(Unfinished::Overdue(self.deadline))
            }
        }
    }

    fn overdue(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.overdue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug)]
struct Place {
    places: Arc<Semaphore>,
    returned: Arc<AtomicBool>,
    overdue: Arc<Mutex<BTreeSet<String>>>,
    owner: String,
}

impl Place {
    /// Lets others work while this goes on. With many that do, the place stays taken: threads have an end.
    fn give_up(&self) {
        let mut overdue = self.overdue.lock().unwrap_or_else(PoisonError::into_inner);
        let there = self.returned.load(Ordering::SeqCst);
        if !there && overdue.len() < MOST_OVERDUE && overdue.insert(self.owner.clone()) {
            self.returned.store(true, Ordering::SeqCst);
            self.places.add_permits(1);
        }
    }
}

/// The end of work, a panic included.
struct Ended(Place);

impl Drop for Ended {
    fn drop(&mut self) {
        let place = &self.0;
        let mut overdue = place.overdue.lock().unwrap_or_else(PoisonError::into_inner);
        if place.returned.swap(true, Ordering::SeqCst) {
            overdue.remove(&place.owner);
        } else {
            place.places.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn what_never_ends_holds_its_owner_up_and_nobody_else() {
        let compute = Compute::new(1, Duration::from_millis(50));
        let (end, ended) = mpsc::channel::<()>();
        let work = move || ended.recv().is_ok();
        let overdue = Err(Unfinished::Overdue(Duration::from_millis(50)));
        assert_eq!(compute.run("slow", work).await, overdue);
        assert_eq!(compute.run("quick", || true).await, Ok(true));
        assert_eq!(compute.run("slow", || true).await, overdue, "the first is still at it");
        drop(end);
        let again = async {
            while compute.run("slow", || true).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), again).await.expect("it is let in again");
        assert_eq!(compute.places.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_panic_gives_its_place_back() {
        let compute = Compute::new(1, Duration::from_secs(20));
        let work = || -> bool { unreachable!("for the test") };
        assert_eq!(compute.run("one", work).await, Err(Unfinished::Panicked));
        assert_eq!(compute.run("one", || true).await, Ok(true));
    }
}
