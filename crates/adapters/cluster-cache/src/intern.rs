//! One copy of each text that many objects share: groups, kinds, namespaces, application names.

use std::collections::HashSet;
use std::sync::Arc;

/// A table of shared texts that forgets those nobody uses any more.
#[derive(Debug, Default)]
pub struct Interner {
    texts: HashSet<Arc<str>>,
    /// The table is swept when it has grown to this.
    sweep_at: usize,
}

impl Interner {
    /// The shared copy of a text.
    pub fn intern(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.texts.get(text) {
            return shared.clone();
        }
        if self.texts.len() >= self.sweep_at {
            self.texts.retain(|text| Arc::strong_count(text) > 1);
            self.sweep_at = (self.texts.len() * 2).max(1024);
        }
        let shared: Arc<str> = text.into();
        self.texts.insert(shared.clone());
        shared
    }

    /// How many texts the table holds.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_forgotten_when_unused() {
        let mut interner = Interner::default();
        let first = interner.intern("kube-system");
        assert!(Arc::ptr_eq(&first, &interner.intern("kube-system")));
        for number in 0..5000 {
            interner.intern(&number.to_string());
        }
        assert!(interner.len() < 2100, "{}", interner.len());
        assert!(Arc::ptr_eq(&first, &interner.intern("kube-system")));
    }
}
