//! How much is on its way at once. Each service has places of its own, so that one that hangs holds up no other; a place is
//! held for one exchange, and never while a service waits to try again.

use crate::failure::Failure;
use crate::world::World;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Exchanges of one service at once.
const OF_ONE: usize = 16;
/// Exchanges of all services at once: far more than those of a few that hang, and fewer than a process may have connections.
pub(crate) const OF_ALL: usize = 512;

/// The way out of one service. Copies count together.
#[derive(Clone)]
pub(crate) struct Gate {
    own: Arc<Semaphore>,
    world: World,
}

/// Held as long as an exchange takes.
pub(crate) struct Place {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Gate {
    pub(crate) fn new(world: &World) -> Self {
        Self { own: Arc::new(Semaphore::new(OF_ONE)), world: world.clone() }
    }

    /// Waits for a place. Nothing is sent by a process that may not send any more, however long it waited.
    pub(crate) async fn place(&self) -> Result<Place, Failure> {
        let closed = |_| Failure::passing("stopped");
        let own = self.own.clone().acquire_owned().await.map_err(closed)?;
        let of_all = self.world.places.clone().acquire_owned().await.map_err(closed)?;
        if !(self.world.may_send)() {
            return Err(Failure::passing("this replica does not lead any more"));
        }
        Ok(Place { _own: own, _of_all: of_all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn a_service_whose_places_are_taken_holds_up_no_other() {
        let world = World::new(BTreeMap::new());
        let (hung, other) = (Gate::new(&world), Gate::new(&world));
        let mut taken = Vec::new();
        for _ in 0..OF_ONE {
            taken.push(hung.place().await.expect("a place"));
        }
        let soon = Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, hung.clone().place()).await.is_err(), "no place is left");
        assert!(tokio::time::timeout(soon, other.place()).await.is_ok());
        taken.pop();
        assert!(tokio::time::timeout(soon, hung.place()).await.is_ok());
    }

    #[tokio::test]
    async fn who_may_not_send_any_more_does_not() {
        let leads = Arc::new(AtomicBool::new(true));
        let mut world = World::new(BTreeMap::new());
        let asked = leads.clone();
        world.may_send = Arc::new(move || asked.load(Ordering::Relaxed));
        let gate = Gate::new(&world);
        assert!(gate.place().await.is_ok());
        leads.store(false, Ordering::Relaxed);
        assert!(gate.place().await.is_err_and(|failure| failure.retry));
    }
}
