//! A model of Git behind the repo-server: commits of manifests, and whether anybody answers.

use crate::thing::Thing;
use object::Object;

/// The repository.
#[derive(Clone, Debug, Default)]
pub struct Git {
    /// Everything that was ever pushed; the last one is the head.
    pub commits: Vec<Vec<Thing>>,
    /// Whether it answers.
    pub down: bool,
}

impl Git {
    /// The head's revision.
    pub fn head(&self) -> String {
        revision(self.commits.len().saturating_sub(1))
    }

    /// What a revision holds; the head's where none is named.
    pub fn things(&self, wanted: &str) -> Option<(&[Thing], String)> {
        let number = if wanted.is_empty() || wanted == "HEAD" {
            self.commits.len().checked_sub(1)?
        } else {
            usize::from_str_radix(wanted.trim_start_matches('c'), 16).ok()?
        };
        Some((self.commits.get(number)?, revision(number)))
    }

    /// The manifests of a revision, or what users are told.
    pub fn load(&self, wanted: &str) -> Result<(Vec<Object>, String), String> {
        if self.down {
            return Err("rpc error: code = Unknown desc = failed to fetch".into());
        }
        let (things, revision) =
            self.things(wanted).ok_or_else(|| format!("unable to resolve '{wanted}' to a commit SHA"))?;
        Ok((things.iter().map(Thing::manifest).collect(), revision))
    }
}

/// The name of a commit.
pub fn revision(number: usize) -> String {
    format!("c{number:039x}")
}
