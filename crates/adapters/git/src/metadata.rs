//! Who made a commit, when, and what they said.

use gix::objs::Find;
use jiff::Timestamp;

use crate::{CommitId, CommitReference, references, tree::Objects};

/// What is shown of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionMetadata {
    /// `Name <mail>`.
    pub author: String,
    /// When it was written.
    pub date: Timestamp,
    /// Names of the tags that mean this commit, in order.
    pub tags: Vec<String>,
    /// The whole message, without white space around it.
    pub message: String,
    /// What its trailers refer to.
    pub references: Vec<CommitReference>,
}

/// Reads a commit; the tags are not known here. The error is what the object database said.
pub(crate) fn read(objects: &Objects, commit: &CommitId) -> Result<RevisionMetadata, String> {
    objects.with_handle(|handle| {
        let mut buffer = Vec::new();
        let data = handle
            .try_find(&commit.object(), &mut buffer)
            .map_err(|error| error.to_string())?
            .ok_or_else(|| "the commit is missing".to_owned())?;
        let commit = gix::objs::CommitRef::from_bytes(data.data, gix::hash::Kind::Sha1)
            .map_err(|error| error.to_string())?;
        let author = commit.author().map_err(|error| error.to_string())?;
        let seconds = author.time().map_err(|error| error.to_string())?.seconds;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let message = text(commit.message).trim().to_owned();
        Ok(RevisionMetadata {
            author: format!("{} <{}>", text(author.name), text(author.email)),
            date: Timestamp::from_second(seconds).map_err(|error| error.to_string())?,
            tags: Vec::new(),
            references: references::of_message(&message),
            message,
        })
    })
}
