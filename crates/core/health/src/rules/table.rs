//! The kinds. A message is the one users of Argo CD know.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
