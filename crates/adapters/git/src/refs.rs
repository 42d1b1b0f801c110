//! Which commit a revision means, given the branches and tags of a repository.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use semver_range::{Range, Version, highest};

/// A full commit id in lower-case hex.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(String);

/// The text is not a full commit id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a full commit SHA")]
pub struct InvalidCommitId(
    /// The text that was given.
    pub String,
);

impl CommitId {
    /// Reads forty hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, InvalidCommitId> {
        if text.len() == 40 && text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidCommitId(text.to_owned()))
        }
    }

    /// The forty digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn from_object(id: &gix::oid) -> Self {
        Self(id.to_hex().to_string())
    }

    pub(crate) fn object(&self) -> gix::ObjectId {
        gix::ObjectId::from_hex(self.0.as_bytes()).expect("a commit id is forty hexadecimal digits")
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The commit a revision means, and the ref it was found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedRevision {
    /// The commit; annotated tags are peeled.
    pub commit: CommitId,
    /// The full name of the branch or tag, when there is one: fetching it is cheapest.
    pub reference: Option<String>,
}

impl From<CommitId> for ResolvedRevision {
    fn from(commit: CommitId) -> Self {
        Self { commit, reference: None }
    }
}

/// The branches, tags and HEAD of a repository at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefList {
    head: Option<CommitId>,
    head_target: Option<String>,
    refs: BTreeMap<String, CommitId>,
    /// The objects of annotated tags, by full name.
    tag_objects: BTreeMap<String, CommitId>,
}

impl RefList {
    pub(crate) fn from_remote(remote: &[gix::protocol::handshake::Ref]) -> Self {
        use gix::protocol::handshake::Ref;
        let mut list = Self::default();
        for reference in remote {
            let (name, commit, target) = match reference {
                Ref::Peeled { full_ref_name, object, .. } | Ref::Direct { full_ref_name, object } => {
                    (full_ref_name, object, None)
                }
                Ref::Symbolic { full_ref_name, target, object, .. } => (full_ref_name, object, Some(target)),
                Ref::Unborn { .. } => continue,
            };
            let (name, commit) = (name.to_string(), CommitId::from_object(commit));
            if let Ref::Peeled { tag, .. } = reference {
                list.tag_objects.insert(name.clone(), CommitId::from_object(tag));
            }
            if name == "HEAD" {
                list.head = Some(commit);
                list.head_target = target.map(ToString::to_string);
            } else {
                list.refs.insert(name, commit);
            }
        }
        list
    }

    /// Names of the branches, in order.
    pub fn branches(&self) -> impl Iterator<Item = &str> {
        self.refs.keys().filter_map(|name| name.strip_prefix("refs/heads/"))
    }

    /// Names of the tags, in order.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.refs.keys().filter_map(|name| name.strip_prefix("refs/tags/"))
    }

    /// Names of the tags that mean this commit, in order.
    pub fn tags_at<'a>(&'a self, commit: &'a CommitId) -> impl Iterator<Item = &'a str> {
        self.refs
            .iter()
            .filter(move |(_, target)| *target == commit)
            .filter_map(|(name, _)| name.strip_prefix("refs/tags/"))
    }

    /// The id of the object that an annotated tag is, by its full name. A plain tag has none.
    pub(crate) fn tag_object(&self, name: &str) -> Option<&CommitId> {
        self.tag_objects.get(name).filter(|_| name.starts_with("refs/tags/"))
    }

    /// The full name of the branch HEAD stands on.
    pub fn head_branch(&self) -> Option<&str> {
        self.head_target.as_deref()
    }

    /// All full names with the commits they mean.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &CommitId)> {
        self.refs.iter().map(|(name, commit)| (name.as_str(), commit))
    }

    /// What `revision` means: HEAD (or nothing), a version constraint, a full ref name, a branch, a tag, or any
    /// other ref without its `refs/`. A plain version is a name, not a constraint. Of a branch and a tag of one name
    /// the branch wins, as with the original.
    pub fn find(&self, revision: &str) -> Option<ResolvedRevision> {
        self.named(&self.name(revision, ""))
    }

    /// The name of the ref that `revision` means. Versions and constraints are about the tags that begin with
    /// `tag_prefix`, and are held against what follows it; other names are as they are.
    pub(crate) fn name<'a>(&self, revision: &'a str, tag_prefix: &str) -> Cow<'a, str> {
        if Version::parse(revision).is_ok() {
            return if tag_prefix.is_empty() {
                revision.into()
            } else {
                format!("{tag_prefix}{revision}").into()
            };
        }
        let versions = self.tags().filter_map(|tag| tag.strip_prefix(tag_prefix));
        match Range::parse(revision).ok().and_then(|range| highest(&range, versions)) {
            Some(version) => format!("refs/tags/{tag_prefix}{version}").into(),
            None => revision.into(),
        }
    }

    /// The ref of a name.
    pub(crate) fn named(&self, name: &str) -> Option<ResolvedRevision> {
        if name.is_empty() || name == "HEAD" {
            let reference = self.head_target.clone().filter(|target| self.refs.contains_key(target));
            return self.head.clone().map(|commit| ResolvedRevision { commit, reference });
        }
        if name.starts_with("refs/") {
            return self.at(name.to_owned());
        }
        ["refs/heads/", "refs/tags/", "refs/"].iter().find_map(|prefix| self.at(format!("{prefix}{name}")))
    }

    fn at(&self, name: String) -> Option<ResolvedRevision> {
        let commit = self.refs.get(&name)?.clone();
        Some(ResolvedRevision { commit, reference: Some(name) })
    }
}

/// Whether the text may be the beginning of a commit id.
pub(crate) fn is_abbreviated(revision: &str) -> bool {
    (7..40).contains(&revision.len()) && revision.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(refs: &[(&str, &str)]) -> RefList {
        let commit = |digit: &str| CommitId::parse(&digit.repeat(40)).unwrap();
        let mut list = RefList::default();
        for (name, digit) in refs {
            if *name == "HEAD" {
                list.head = Some(commit(digit));
                list.head_target = Some("refs/heads/main".to_owned());
            } else {
                list.refs.insert((*name).to_owned(), commit(digit));
            }
        }
        list
    }

    #[test]
    fn revisions_mean_what_the_original_makes_of_them() {
        let list = list(&[
            ("HEAD", "a"),
            ("refs/heads/main", "a"),
            ("refs/heads/feature/x", "b"),
            ("refs/heads/both", "c"),
            ("refs/tags/both", "d"),
            ("refs/tags/v1.2", "1"),
            ("refs/tags/1.2.3", "2"),
            ("refs/tags/v1.10.0", "3"),
            ("refs/tags/2.0.0-rc.1", "4"),
            ("refs/tags/release", "5"),
            ("refs/pull/7/head", "6"),
            ("refs/heads/1.x", "7"),
        ]);
        for (revision, expected) in [
            ("", "refs/heads/main"),
            ("HEAD", "refs/heads/main"),
            ("main", "refs/heads/main"),
            ("feature/x", "refs/heads/feature/x"),
            ("refs/heads/feature/x", "refs/heads/feature/x"),
            ("both", "refs/heads/both"),
            ("refs/tags/both", "refs/tags/both"),
            ("release", "refs/tags/release"),
            ("v1.2", "refs/tags/v1.2"),
            ("1.2.3", "refs/tags/1.2.3"),
            ("1.2.*", "refs/tags/1.2.3"),
            ("~1.2", "refs/tags/1.2.3"),
            ("^1", "refs/tags/v1.10.0"),
            ("*", "refs/tags/v1.10.0"),
            (">=1.0.0 <2", "refs/tags/v1.10.0"),
            (">=2.0.0-0", "refs/tags/2.0.0-rc.1"),
            ("3.x || 1.2.x", "refs/tags/1.2.3"),
            // A constraint with a match beats the branch of that name.
            ("1.x", "refs/tags/v1.10.0"),
            ("pull/7/head", "refs/pull/7/head"),
        ] {
            let found = list.find(revision);
            assert_eq!(found.and_then(|found| found.reference).as_deref(), Some(expected), "{revision:?}");
        }
        for revision in ["nope", "1.2", "3.x", "heads/main", "refs/heads/nope", "v9", "Main"] {
            // `heads/main` is accepted by `git`, not by the original; `refs/` is all it adds.
            let found = list.find(revision).map(|found| found.reference);
            let expected = (revision == "heads/main").then(|| Some("refs/heads/main".to_owned()));
            assert_eq!(found, expected, "{revision:?}");
        }
        assert_eq!(RefList::default().find("HEAD"), None);
    }

    #[test]
    fn versions_are_those_of_the_tags_with_the_prefix() {
        let list = list(&[
            ("HEAD", "a"),
            ("refs/heads/main", "a"),
            ("refs/tags/1.0.9", "1"),
            ("refs/tags/1.1.0", "1"),
            ("refs/tags/a/1.0.8", "2"),
            ("refs/tags/b/1.0.0", "3"),
            ("refs/tags/b/1.0.2", "4"),
            ("refs/tags/b/2.0.0", "5"),
            ("refs/tags/b-v1.0.7", "6"),
        ]);
        for (revision, prefix, expected) in [
            ("1.0.*", "b/", Some("refs/tags/b/1.0.2")),
            ("*", "b/", Some("refs/tags/b/2.0.0")),
            ("1.0.x", "a/", Some("refs/tags/a/1.0.8")),
            ("^1", "b-", Some("refs/tags/b-v1.0.7")),
            ("1.0.*", "", Some("refs/tags/1.0.9")),
            // A version that is written out is one of the prefix, too.
            ("1.0.0", "b/", Some("refs/tags/b/1.0.0")),
            ("1.1.0", "b/", None),
            ("1.1.0", "", Some("refs/tags/1.1.0")),
            // What no tag with the prefix meets is never looked for among the others.
            ("1.1.*", "b/", None),
            ("1.0.*", "c/", None),
            ("", "b/", Some("refs/heads/main")),
            ("main", "b/", Some("refs/heads/main")),
            ("b/1.0.0", "b/", Some("refs/tags/b/1.0.0")),
        ] {
            let found = list.named(&list.name(revision, prefix)).and_then(|found| found.reference);
            assert_eq!(found.as_deref(), expected, "{revision:?} of {prefix:?}");
        }
    }

    #[test]
    fn commit_ids_are_forty_digits() {
        assert_eq!(CommitId::parse(&"AB".repeat(20)).unwrap().as_str(), "ab".repeat(20));
        for text in ["", "abc", &"g".repeat(40), &"a".repeat(41), &"é".repeat(20)] {
            assert!(CommitId::parse(text).is_err(), "{text}");
        }
        assert!(is_abbreviated("abcdef1") && !is_abbreviated("abcdef") && !is_abbreviated("abcdefg"));
    }
}
