//! How much a script may take, and the counting of it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Tells one run of a script to stop: a deadline that passed, a request that was withdrawn.
pub type Interrupt = Box<dyn Fn() -> bool + Send + Sync>;
/// Begins a run; what it gives is asked while the run lasts.
pub type Watch = Arc<dyn Fn() -> Interrupt + Send + Sync>;

/// What one run of a script may take.
#[derive(Clone)]
pub struct Limits {
    /// Steps: instructions of the interpreter, plus what long strings and patterns cost beyond one.
    pub steps: u64,
    /// Bytes beside the object itself.
    pub memory_bytes: usize,
    /// Told that the script begins, and asked now and then while it runs.
    pub watch: Option<Watch>,
}

impl Default for Limits {
    /// About what the original's second is good for.
    fn default() -> Self {
        Self { steps: 50_000_000, memory_bytes: 32 << 20, watch: None }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Limits")
            .field("steps", &self.steps)
            .field("memory_bytes", &self.memory_bytes)
            .finish_non_exhaustive()
    }
}

/// The steps a run has left. Shared by the interpreter's hook and the library functions written here.
pub(crate) struct Meter {
    left: AtomicU64,
    spent: AtomicBool,
    interrupt: Option<Interrupt>,
}

/// The steps are used up.
#[derive(Debug, thiserror::Error)]
#[error("the script takes too many steps")]
pub(crate) struct Spent;

impl Meter {
    pub fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicU64::new(limits.steps),
            spent: AtomicBool::new(false),
            interrupt: limits.watch.as_ref().map(|begin| begin()),
        })
    }

    /// Takes steps; fails for ever once there are none.
    pub fn charge(&self, steps: u64) -> Result<(), Spent> {
        let left = self.left.load(Ordering::Relaxed);
        let interrupted = self.interrupt.as_ref().is_some_and(|interrupt| interrupt());
        if self.is_spent() || steps > left || interrupted {
            self.spent.store(true, Ordering::Relaxed);
            return Err(Spent);
        }
        self.left.store(left - steps, Ordering::Relaxed);
        Ok(())
    }

    pub fn is_spent(&self) -> bool {
        self.spent.load(Ordering::Relaxed)
    }
}

impl From<Spent> for mlua::Error {
    fn from(spent: Spent) -> Self {
        mlua::Error::external(spent)
    }
}
