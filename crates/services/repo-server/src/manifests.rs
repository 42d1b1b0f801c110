//! The manifest cache. A render is found by its parameters and its revision, and failing that by what an earlier
//! render with the same parameters read: a commit that touches none of it is answered without rendering.
//!
//! Four kinds of entry, all sealed: `at` parameters and revision stands which render it was; `of` a render its
//! manifests; `reads` of parameters the last read sets and the renders they gave; `by` an application's source the
//! parameters it was last rendered with.

use crate::metrics::{Metrics, Origin};
use api::v1alpha1::ApplicationSource;
use bytes::Bytes;
use cache::{Cache, Seal};
use prost::Message;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use source_tree::{ReadSet, Tree, TreePath};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Read sets remembered per parameters: an application that goes back and forth is found again.
const MOST_READ_SETS: usize = 4;

/// Stands for the parameters of what is not rendered.
const LENDER: &str = "lender";

/// Sources whose notes are known to be written.
const MOST_NOTED: u64 = 50_000;

/// A render as it is kept: revision independent.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Kept {
    #[prost(string, repeated, tag = "1")]
    pub(crate) manifests: Vec<String>,
    #[prost(string, tag = "2")]
    pub(crate) source_type: String,
    /// What templates looked up and nobody had answered: then these are not the manifests yet.
    #[prost(message, repeated, tag = "3")]
    pub(crate) wanted: Vec<wire::lookups::Lookup>,
}

/// The cache of renders.
#[derive(Clone, Debug)]
pub(crate) struct Manifests {
    cache: Cache,
    seal: Seal,
    keep: Duration,
    metrics: Metrics,
    /// Who was noted lately, so that it is not written with every question.
    noted: moka::sync::Cache<String, String>,
}

/// Who asks for manifests: an application's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User(String);

/// Identifies everything but the tree that a render depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameters(String);

/// What a render read: of its own tree, and of those that lent it files, by their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reads {
    pub(crate) own: ReadSet,
    pub(crate) lent: BTreeMap<String, ReadSet>,
}

/// The trees a render reads, as [`Reads`] names them.
#[derive(Clone)]
pub(crate) struct Trees {
    pub(crate) own: Arc<dyn Tree>,
    pub(crate) lent: BTreeMap<String, Arc<dyn Tree>>,
}

#[derive(Serialize, Deserialize)]
struct KnownReads {
    /// Nothing where not all that was read was noted: then any file may change it, and no tree is known to give the same.
    reads: Option<Reads>,
    render: String,
}

impl Reads {
    fn holds(&self, trees: &Trees) -> bool {
        let lent = self.lent.iter().all(|(name, reads)| {
            let tree = trees.lent.get(name);
            tree.is_some_and(|tree| reads.holds(tree.as_ref()))
        });
        lent && self.own.holds(trees.own.as_ref())
    }

    /// Whether a change of these files in any of the trees may change the render.
    fn may_change(&self, files: &[TreePath]) -> bool {
        self.own.may_change(files) || self.lent.values().any(|reads| reads.may_change(files))
    }

    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.own.fingerprint());
        for (name, reads) in &self.lent {
            hash.update(name);
            hash.update(reads.fingerprint());
        }
        hex(&hash.finalize())
    }
}

impl Parameters {
    /// From anything that serialises the same way for the same parameters.
    pub(crate) fn new(parts: &impl Serialize) -> Self {
        let text = serde_json::to_vec(&(render::ENGINE, parts)).unwrap_or_default();
        assert!(!text.is_empty(), "parameters are plain data and serialise");
        Self(hex(&Sha256::digest(&text)))
    }
}

impl User {
    /// A source of the application of that name.
    pub(crate) fn new(application: &str, source: &ApplicationSource) -> Self {
        let mut hash = Sha256::new();
        hash.update(source.encode_to_vec());
        Self(format!("{application}|{}", hex(&hash.finalize())))
    }

    /// Its name, which tells applications and sources apart.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Manifests {
    pub(crate) fn new(cache: Cache, secret: &[u8], keep: Duration, metrics: Metrics) -> Self {
        // Written again well before the entry goes.
        let noted = moka::sync::Cache::builder().max_capacity(MOST_NOTED).time_to_live(keep / 2).build();
        Self { cache, seal: Seal::new(secret), keep, metrics, noted }
    }

    /// The render of these parameters at this revision, if it was made before.
    pub(crate) async fn at_revision(&self, parameters: &Parameters, revision: &str) -> Option<Kept> {
        let render = self.load(&at(parameters, revision)).await?;
        let kept = self.render(parameters, std::str::from_utf8(&render).ok()?).await?;
        self.metrics.render(Origin::Revision);
        Some(kept)
    }

    /// The render of these parameters whose reads these trees answer the same way.
    pub(crate) async fn by_reads(
        &self,
        parameters: &Parameters,
        revision: &str,
        trees: Trees,
    ) -> Option<Kept> {
        let known = self.known_reads(parameters).await;
        let found = tokio::task::spawn_blocking(move || {
            let holds = |known: &KnownReads| known.reads.as_ref().is_some_and(|reads| reads.holds(&trees));
            known.into_iter().find(holds).map(|known| known.render)
        });
        let render = found.await.ok().flatten()?;
        let kept = self.render(parameters, &render).await?;
        self.store(&at(parameters, revision), render.as_bytes()).await;
        self.metrics.render(Origin::ReadSet);
        Some(kept)
    }

    /// Remembers a render. One whose reads were not all noted is found by its revision only.
    pub(crate) async fn remember(
        &self,
        parameters: &Parameters,
        revision: &str,
        reads: Option<Reads>,
        kept: &Kept,
    ) {
        self.metrics.render(Origin::Rendered);
        let render = reads.as_ref().map_or_else(|| format!("at-{revision}"), Reads::fingerprint);
        self.store(&of(parameters, &render), &kept.encode_to_vec()).await;
        self.store(&at(parameters, revision), render.as_bytes()).await;
        let mut known = self.known_reads(parameters).await;
        known.retain(|known| known.render != render && (reads.is_some() || known.reads.is_some()));
        known.insert(0, KnownReads { reads, render });
        known.truncate(MOST_READ_SETS);
        if let Ok(text) = serde_json::to_vec(&known) {
            self.store(&all_reads(parameters), &text).await;
        }
    }

    /// Remembers that an application's source renders nothing by itself: what the others read of it is noted with them.
    pub(crate) async fn note_lender(&self, user: &User) {
        self.note(user, &Parameters(LENDER.to_owned())).await;
    }

    /// Remembers what an application's source was last rendered with.
    pub(crate) async fn note(&self, user: &User, parameters: &Parameters) {
        if self.noted.get(&user.0).is_some_and(|known| known == parameters.0) {
            return;
        }
        self.store(&by(user), parameters.0.as_bytes()).await;
        self.noted.insert(user.0.clone(), parameters.0.clone());
    }

    /// Whether a change of these files may change what a source of an application renders to. Yes where nothing is
    /// known, or a render read what is not in its tree.
    pub(crate) async fn may_change(&self, user: &User, files: &[TreePath]) -> bool {
        let Some(parameters) = self.load(&by(user)).await else { return true };
        let parameters = Parameters(String::from_utf8_lossy(&parameters).into_owned());
        if parameters.0 == LENDER {
            return false;
        }
        let known = self.known_reads(&parameters).await;
        let may_change = |known: &KnownReads| known.reads.as_ref().is_none_or(|it| it.may_change(files));
        known.is_empty() || known.iter().any(may_change)
    }

    async fn render(&self, parameters: &Parameters, render: &str) -> Option<Kept> {
        Kept::decode(self.load(&of(parameters, render)).await?).ok()
    }

    async fn known_reads(&self, parameters: &Parameters) -> Vec<KnownReads> {
        match self.load(&all_reads(parameters)).await {
            Some(text) => serde_json::from_slice(&text).unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// An entry whose seal is right; anything else is as good as none.
    async fn load(&self, key: &str) -> Option<Bytes> {
        let opened = match self.cache.get(key).await {
            Ok(sealed) => self.seal.open(key, &sealed?),
            Err(error) => Err(error),
        };
        opened.inspect_err(|error| tracing::warn!(%error, "read the manifest cache")).ok()
    }

    async fn store(&self, key: &str, value: &[u8]) {
        if let Err(error) = self.cache.set(key, self.seal.seal(key, value, rand::random()), self.keep).await {
            tracing::warn!(%error, "write the manifest cache");
        }
    }
}

fn at(parameters: &Parameters, revision: &str) -> String {
    format!("mfst-rs|at|{}|{revision}", parameters.0)
}

fn of(parameters: &Parameters, render: &str) -> String {
    format!("mfst-rs|of|{}|{render}", parameters.0)
}

fn by(user: &User) -> String {
    format!("mfst-rs|by|{}", user.0)
}

fn all_reads(parameters: &Parameters) -> String {
    format!("mfst-rs|reads|{}", parameters.0)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(path: &str) -> Reads {
        let tree = source_tree::MemoryTree::builder();
        let path = TreePath::parse(path).expect("a path");
        let tree = tree.file(path.clone(), "text").build().expect("a tree");
        let recorded = source_tree::Recorded::new(tree);
        recorded.read(&path).expect("it is there");
        Reads { own: recorded.read_set().expect("all was noted"), lent: BTreeMap::new() }
    }

    #[tokio::test]
    async fn a_render_that_read_more_than_was_noted_may_be_changed_by_anything() {
        let metrics = Metrics::new(&boot::metrics::registry());
        let manifests = Manifests::new(Cache::memory(1 << 20), b"secret", Duration::from_secs(60), metrics);
        let (user, parameters) = (User::new("a", &ApplicationSource::default()), Parameters::new(&"p"));
        let files = [TreePath::parse("base/service.yaml").expect("a path")];
        manifests.note(&user, &parameters).await;
        assert!(manifests.may_change(&user, &files).await, "nothing is known");
        manifests.remember(&parameters, "1", Some(reads("overlay/a.yaml")), &Kept::default()).await;
        assert!(!manifests.may_change(&user, &files).await);
        manifests.remember(&parameters, "2", None, &Kept::default()).await;
        assert!(manifests.may_change(&user, &files).await, "the last render says nothing of what it read");
        assert!(manifests.at_revision(&parameters, "2").await.is_some());
    }
}
