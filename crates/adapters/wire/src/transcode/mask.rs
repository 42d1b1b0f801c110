//! The query parameter `fields`: which parts of an answer the client wants.

use std::collections::BTreeSet;

/// Parsed `fields`: `a.b,c` keeps these paths, `-a.b,c` drops them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    paths: BTreeSet<String>,
    drop: bool,
}

/// What happens to the value at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Dropped,
    /// Its own parts are looked at one by one.
    Filtered,
    Whole,
}

impl Fields {
    /// Parses the parameter's value; nothing when it is empty.
    #[must_use]
    pub fn parse(parameter: &str) -> Option<Self> {
        if parameter.is_empty() {
            return None;
        }
        let (drop, list) = match parameter.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, parameter),
        };
        Some(Self { paths: list.split(',').map(str::to_owned).collect(), drop })
    }

    /// Whether this very path is named, whatever naming means here.
    pub(crate) fn names(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Whether the paths are those to leave out.
    pub(crate) fn drops(&self) -> bool {
        self.drop
    }

    /// A path is kept for the sake of a longer one when its text begins it, as the original compares them.
    pub(crate) fn fate(&self, path: &str) -> Fate {
        let named = self.names(path);
        let on_the_way =
            || self.paths.range(path.to_owned()..).next().is_some_and(|next| next.starts_with(path));
        match (self.drop, named) {
            (true, true) => Fate::Dropped,
            (true, false) => Fate::Filtered,
            (false, true) => Fate::Whole,
            (false, false) if on_the_way() => Fate::Filtered,
            (false, false) => Fate::Dropped,
        }
    }
}
