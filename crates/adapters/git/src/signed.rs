//! Commits and annotated tags with their signatures apart, and which of a history have to be looked at. What a
//! signature is worth, others say.

use std::{
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::Arc,
};

use gix::objs::{Find, Kind};

use crate::{CommitId, tree::Objects};

/// Commits of one history.
const MOST_COMMITS: usize = 50_000;
/// Bytes of all their texts together.
const MOST_BYTES: usize = 512 << 20;
/// What the message of a commit says that seals everything before it.
const SEAL: &str = "argocd-gpg-seal:";

/// A commit or an annotated tag.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedObject {
    /// The commit's id, or the tag's name.
    pub name: String,
    /// Whether it is a tag.
    pub tag: bool,
    /// Who wrote it: `Name <mail>`, of a tag `Name "<mail>"`.
    pub author: String,
    /// What was signed.
    pub text: Vec<u8>,
    /// The signature, armoured.
    pub signature: Option<Vec<u8>>,
}

impl std::fmt::Debug for SignedObject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let signed = self.signature.is_some();
        formatter.debug_struct("SignedObject").field("name", &self.name).field("signed", &signed).finish()
    }
}

/// Says whether a commit that seals its history is signed well enough to do so.
pub type Trusted = Arc<dyn Fn(&SignedObject) -> bool + Send + Sync>;

/// One commit, read.
struct Commit {
    parents: Vec<CommitId>,
    time: i64,
    seals: bool,
}

/// An annotated tag.
pub(crate) fn tag(objects: &Objects, id: &CommitId, name: &str) -> Result<SignedObject, String> {
    let text = raw(objects, id, Kind::Tag)?;
    let tag =
        gix::objs::TagRef::from_bytes(&text, gix::hash::Kind::Sha1).map_err(|error| error.to_string())?;
    let tagger = tag.tagger().map_err(|error| error.to_string())?;
    let author = tagger.map_or_else(String::new, |tagger| {
        format!("{} \"<{}>\"", String::from_utf8_lossy(tagger.name), String::from_utf8_lossy(tagger.email))
    });
    let (text, signature) = without_trailing_signature(text);
    Ok(SignedObject { name: name.to_owned(), tag: true, author, text, signature })
}

/// One commit.
pub(crate) fn commit(objects: &Objects, id: &CommitId) -> Result<SignedObject, String> {
    read(objects, id).map(|(object, _)| object)
}

/// The commits that lead to `head`, newest first: all of them, or those after the last that seal what is before them,
/// with the ones where the others end.
pub(crate) fn history(
    objects: &Objects,
    head: &CommitId,
    trusted: &dyn Fn(&SignedObject) -> bool,
) -> Result<Vec<SignedObject>, String> {
    let all = everything(objects, head)?;
    let mut seals = Vec::new();
    for (id, _) in all.iter().filter(|(_, commit)| commit.seals) {
        if trusted(&read(objects, id)?.0) {
            seals.push(id.clone());
        }
    }
    if seals.contains(head) {
        return Ok(vec![commit(objects, head)?]);
    }
    let sealed = ancestors(&all, seals);
    let inside = |id: &CommitId| !sealed.contains(id);
    let mut wanted: BTreeSet<&CommitId> = all.keys().filter(|id| inside(id)).collect();
    let ends = all.iter().filter(|(id, _)| inside(id)).flat_map(|(_, commit)| &commit.parents);
    wanted.extend(ends.filter(|id| sealed.contains(*id)));
    let mut wanted: Vec<&CommitId> = wanted.into_iter().collect();
    wanted.sort_by_key(|id| std::cmp::Reverse(all.get(*id).map_or(0, |commit| commit.time)));
    let mut read = Vec::with_capacity(wanted.len());
    let mut bytes = 0;
    for id in wanted {
        let object = commit(objects, id)?;
        bytes += object.text.len() + object.signature.as_ref().map_or(0, Vec::len);
        if bytes > MOST_BYTES {
            return Err(format!("the history of {head} is larger than the limit of {MOST_BYTES} bytes"));
        }
        read.push(object);
    }
    Ok(read)
}

/// Every commit that leads to `head`.
fn everything(objects: &Objects, head: &CommitId) -> Result<BTreeMap<CommitId, Commit>, String> {
    let mut all = BTreeMap::new();
    let mut waiting = BinaryHeap::from([head.clone()]);
    while let Some(id) = waiting.pop() {
        if all.contains_key(&id) {
            continue;
        }
        if all.len() >= MOST_COMMITS {
            return Err(format!(
                "the history of {head} is longer than the limit of {MOST_COMMITS} commits; seal it with a signed commit"
            ));
        }
        let (_, commit) =
            read(objects, &id).map_err(|cause| format!("the history of {head} is not complete: {cause}"))?;
        waiting.extend(commit.parents.iter().cloned());
        all.insert(id, commit);
    }
    Ok(all)
}

/// The commits themselves and all that lead to them.
fn ancestors(all: &BTreeMap<CommitId, Commit>, from: Vec<CommitId>) -> BTreeSet<CommitId> {
    let mut found = BTreeSet::new();
    let mut waiting = from;
    while let Some(id) = waiting.pop() {
        if let Some(commit) = all.get(&id)
            && found.insert(id)
        {
            waiting.extend(commit.parents.iter().cloned());
        }
    }
    found
}

fn read(objects: &Objects, id: &CommitId) -> Result<(SignedObject, Commit), String> {
    let text = raw(objects, id, Kind::Commit)?;
    let commit =
        gix::objs::CommitRef::from_bytes(&text, gix::hash::Kind::Sha1).map_err(|error| error.to_string())?;
    let author = commit.author().map_err(|error| error.to_string())?;
    let author =
        format!("{} <{}>", String::from_utf8_lossy(author.name), String::from_utf8_lossy(author.email));
    let committer = commit.committer().map_err(|error| error.to_string())?;
    let message = String::from_utf8_lossy(commit.message).to_ascii_lowercase();
    let found = Commit {
        parents: commit.parents().map(|parent| CommitId::from_object(&parent)).collect(),
        time: committer.time().map_err(|error| error.to_string())?.seconds,
        seals: message.contains(SEAL),
    };
    let (text, signature) = without_signature_header(&text);
    Ok((SignedObject { name: id.to_string(), tag: false, author, text, signature }, found))
}

/// A commit's time and parents.
pub(crate) fn parents(objects: &Objects, id: &CommitId) -> Result<(i64, Vec<CommitId>), String> {
    read(objects, id).map(|(_, commit)| (commit.time, commit.parents))
}

fn raw(objects: &Objects, id: &CommitId, kind: Kind) -> Result<Vec<u8>, String> {
    objects.with_handle(|handle| {
        let mut buffer = Vec::new();
        match handle.try_find(&id.object(), &mut buffer) {
            Ok(Some(data)) if data.kind == kind => {}
            Ok(Some(data)) => return Err(format!("object {id} is a {}, not a {kind}", data.kind)),
            Ok(None) => return Err(format!("{kind} {id} is missing")),
            Err(error) => return Err(error.to_string()),
        }
        Ok(buffer)
    })
}

/// A commit's text without its signatures, and the one over SHA-1 ids, as git takes them apart.
fn without_signature_header(text: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let (mut rest, mut signature) = (Vec::with_capacity(text.len()), Vec::new());
    let (mut ours, mut other) = (false, false);
    let mut at = 0;
    while at < text.len() {
        let end = text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| at + end + 1);
        let line = &text[at..end];
        if line == b"\n" {
            // From here on it is the message.
            rest.extend_from_slice(&text[at..]);
            break;
        }
        if let Some(first) = line.strip_prefix(b"gpgsig ") {
            (ours, other) = (true, false);
            signature.extend_from_slice(first);
        } else if let Some(more) = line.strip_prefix(b" ").filter(|_| ours) {
            signature.extend_from_slice(more);
        } else if line.starts_with(b"gpgsig") {
            (ours, other) = (false, true);
        } else if !(other && line.starts_with(b" ")) {
            (ours, other) = (false, false);
            rest.extend_from_slice(line);
        }
        at = end;
    }
    (rest, (!signature.is_empty()).then_some(signature))
}

/// A tag's text without the signature at its end.
fn without_trailing_signature(mut text: Vec<u8>) -> (Vec<u8>, Option<Vec<u8>>) {
    let mut start = None;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(b"-----BEGIN ") {
            let line = text[at..].split(|byte| *byte == b'\n').next().unwrap_or_default();
            if line.ends_with(b" SIGNATURE-----") || line.ends_with(b" MESSAGE-----") {
                start = Some(at);
            }
        }
        at = text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| at + end + 1);
    }
    match start {
        Some(start) => {
            let signature = text.split_off(start);
            (text, Some(signature))
        }
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::{without_signature_header, without_trailing_signature};

    #[test]
    fn signatures_are_taken_apart_as_git_does() {
        let commit = b"tree 1\ngpgsig-sha256 other\n more\nauthor a\ngpgsig -----BEGIN\n line\n \n -----END\nencoding x\n\nmessage\ngpgsig no\n";
        let (text, signature) = without_signature_header(commit);
        assert_eq!(text, b"tree 1\nauthor a\nencoding x\n\nmessage\ngpgsig no\n");
        assert_eq!(signature.unwrap(), b"-----BEGIN\nline\n\n-----END\n");
        assert_eq!(without_signature_header(b"tree 1\n\nm"), (b"tree 1\n\nm".to_vec(), None));
        let tag =
            b"object 1\n\nwords\n-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n".to_vec();
        let (text, signature) = without_trailing_signature(tag);
        assert_eq!(text, b"object 1\n\nwords\n");
        assert!(signature.unwrap().starts_with(b"-----BEGIN PGP"));
        assert_eq!(without_trailing_signature(b"object 1\n\n".to_vec()).1, None);
    }
}
