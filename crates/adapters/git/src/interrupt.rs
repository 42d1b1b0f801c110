//! Stopping work on a remote that nobody waits for any more.

use std::{
    process::Child,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Shared between who waits and the thread that works. Raising it stops the receiving of a pack and ends the child
/// process that speaks to the remote; an HTTP request ends by its own timeout.
#[derive(Debug)]
pub(crate) struct Interrupt {
    raised: AtomicBool,
    child: Mutex<Option<Arc<Mutex<Child>>>>,
    pub(crate) deadline: Instant,
    pub(crate) limit: Duration,
}

impl Interrupt {
    pub(crate) fn after(limit: Duration) -> Self {
        Self {
            raised: AtomicBool::new(false),
            child: Mutex::default(),
            deadline: Instant::now() + limit,
            limit,
        }
    }

    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.raised
    }

    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(child) = child {
            end(&child);
        }
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// Whether there is no point in going on.
    pub(crate) fn is_over(&self) -> bool {
        self.is_raised() || Instant::now() >= self.deadline
    }

    /// Names the process to end; ends it at once when that was asked before.
    pub(crate) fn watch(&self, child: &Arc<Mutex<Child>>) {
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child.clone());
        if self.is_raised() {
            end(child);
        }
    }
}

/// Ends a process and waits for it. Both fail only when it is gone already.
pub(crate) fn end(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    child.kill().ok();
    child.wait().ok();
}

/// Raises the interrupt when dropped before it is let go.
pub(crate) struct RaiseOnDrop(Option<Arc<Interrupt>>);

impl RaiseOnDrop {
    pub(crate) fn new(interrupt: Arc<Interrupt>) -> Self {
        Self(Some(interrupt))
    }

    pub(crate) fn let_go(mut self) {
        self.0 = None;
    }
}

impl Drop for RaiseOnDrop {
    fn drop(&mut self) {
        if let Some(interrupt) = &self.0 {
            interrupt.raise();
        }
    }
}
