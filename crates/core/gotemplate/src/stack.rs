//! How much of the thread's stack has been used since a given place: recursion that follows the input stops here,
//! and not at the end of the stack.

/// A place on the stack, and how far beyond it calls may go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StackGuard {
    base: usize,
    limit: usize,
}

fn here() -> usize {
    let marker = 0_u8;
    std::hint::black_box(&raw const marker).addr()
}

impl StackGuard {
    #[inline(never)]
    pub(crate) fn new(limit: usize) -> Self {
        Self { base: here(), limit }
    }

    /// Whether calls have gone too deep.
    #[inline(never)]
    pub(crate) fn exhausted(self) -> bool {
        self.base.abs_diff(here()) > self.limit
    }
}
