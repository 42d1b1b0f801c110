//! How far a delivery of several requests came: tried again, it goes on from there and repeats nothing.

use crate::failure::Failure;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

/// Steps of one delivery that are done. Copies are the same progress.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<BTreeSet<String>>>);

impl Progress {
    /// Takes a step, unless it was taken before.
    pub(crate) async fn once(
        &self,
        step: &str,
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        if self.is_done(step) {
            return Ok(());
        }
        work.await?;
        self.done(step);
        Ok(())
    }

    /// Whether a step was taken.
    pub fn is_done(&self, step: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(step)
    }

    /// A step was taken.
    pub fn done(&self, step: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(step.to_owned());
    }
}
