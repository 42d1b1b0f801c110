//! Watches begin where their client is, and streams end when the session that opened them does.

use crate::authentication::Caller;
use crate::authorization::Access;
use crate::contained;
use crate::hub::Hub;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::{EventKind, Follower, Stored, StoredEvent, Watched};
use tonic::Status;
use tonic::codegen::BoxStream;

/// How often a stream that says nothing looks after its session.
const PAUSE: Duration = Duration::from_secs(5);

/// A stream as long as the caller's session stands and `permits` has no objection. What is known here of the session is
/// asked before each item; the cache and `permits`, every few seconds.
pub(crate) fn guarded<T: Send + 'static>(
    hub: Arc<Hub>,
    caller: Caller,
    mut inner: BoxStream<T>,
    permits: impl Fn(&Access) -> Result<(), Status> + Send + 'static,
) -> BoxStream<T> {
    let mut pause = tokio::time::interval(PAUSE);
    pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    Box::pin(async_stream::try_stream! {
        loop {
            let item = tokio::select! {
                item = contained::next(&mut inner) => Some(item),
                _ = pause.tick() => None,
            };
            match item {
                None => {
                    hub.stands(&caller).await?;
                    permits(&hub.access(caller.clone()))?;
                }
                Some(None) => return,
                Some(Some(item)) => {
                    hub.stands_here(&caller)?;
                    yield item?;
                }
            }
        }
    })
}

/// A watch as it begins.
pub(crate) struct Opened<T> {
    /// What is told as added before any change; nothing where the client knows it.
    pub(crate) listed: Vec<Arc<Stored<T>>>,
    /// Every change since.
    pub(crate) changes: Follower<T>,
    /// What the client knows of them already.
    pub(crate) known: Known,
}

/// What a watch has told before its first change.
pub(crate) struct Known {
    resumed: bool,
    /// The version of the list; nothing where none was told.
    version: Option<u64>,
    there: BTreeSet<(Arc<str>, Arc<str>)>,
}

/// What a watch tells as added before any change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// The one object it is about, whatever the client knows of it.
    One,
    /// All that is there, where the client does not say what it knows.
    All,
    /// Nothing: whoever wants to know what is there lists it.
    Nothing,
}

/// Opens a watch of some kind at a resource version, or from now on where none is said.
pub(crate) fn opened<T: Send + Sync + 'static>(
    watched: &Watched<T>,
    version: &str,
    listing: Listing,
    what: &str,
) -> Result<Opened<T>, Status> {
    // Listening before listing: a change in between is told twice rather than never.
    let (changes, resumed) = match said(version).map(|version| watched.follow_since(version)) {
        Some(Ok(changes)) => (changes, true),
        // Deletions since then would never be told. Of one object the client learns how it is now.
        Some(Err(_)) if listing != Listing::One => {
            return Err(Status::aborted(format!(
                "too old resource version: list the {what} and watch again"
            )));
        }
        _ => (watched.follow(), false),
    };
    let mut known = Known { resumed, version: None, there: BTreeSet::new() };
    let mut listed = Vec::new();
    let lists = match listing {
        Listing::One => true,
        Listing::All => !resumed,
        Listing::Nothing => false,
    };
    if lists {
        let (snapshot, version) = watched.snapshot();
        listed = snapshot;
        known.version = Some(version.parse().unwrap_or(0));
    }
    Ok(Opened { listed, changes, known })
}

/// The version to go on from. What is no version, or the one before all others, says as little as none of what a client
/// knows, and is no reason to refuse it.
fn said(version: &str) -> Option<&str> {
    Some(version).filter(|version| version.parse::<u64>().is_ok_and(|version| version > 0))
}

impl Known {
    /// An object was told as added.
    pub(crate) fn add<T>(&mut self, stored: &Stored<T>) {
        self.there.insert((stored.namespace.clone(), stored.name.clone()));
    }

    /// Whether a change is in what was listed.
    pub(crate) fn has<T>(&self, change: &StoredEvent<T>) -> bool {
        let Some(listed) = self.version else { return false };
        // Who knew it from before learns of its end by this alone.
        let ended = self.resumed
            && change.kind == EventKind::Deleted
            && !self.there.contains(&(change.item.namespace.clone(), change.item.name.clone()));
        !ended && change.resource_version.parse::<u64>().is_ok_and(|version| version <= listed)
    }
}

/// For who cannot keep up, and lists anew: events are never lost in silence.
pub(crate) fn fell_behind(what: &str) -> Status {
    Status::aborted(format!("the watch fell behind the changes: list the {what} and watch again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_version_is_as_if_none_were_said() {
        assert_eq!(said("17"), Some("17"));
        for text in ["", "0", "abc", "-3", "99999999999999999999"] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
