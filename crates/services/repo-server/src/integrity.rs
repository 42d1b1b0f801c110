//! Signatures of revisions, held against what the project demands. The keys are files of one folder, which change
//! while the server runs.

use crate::server::RepoServer;
use crate::status;
use api::v1alpha1::{SourceIntegrity, SourceIntegrityCheckResult};
use git::{ResolvedRevision, SignedObject};
use signature::policy::{Mode, Revision, demand, result, sentence};
use signature::{Keyring, Verification};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tonic::Status;

/// Files of keys read at the most.
const MOST_FILES: usize = 4096;

/// The keys of a folder. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    folder: PathBuf,
    read: Arc<Mutex<Option<Read>>>,
}

/// A state of the folder, and the keys that were in it.
type Read = (State, Arc<Keyring>);

/// What tells one state of the folder from another: name, length and time of each file.
type State = Vec<(PathBuf, u64, Option<SystemTime>)>;

impl Keys {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, read: Arc::default() }
    }

    /// The keys as they are now. Blocks.
    fn now(&self) -> Arc<Keyring> {
        let state = state(&self.folder);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, keyring)) = read.as_ref()
            && *known == state
        {
            return keyring.clone();
        }
        let mut keyring = Keyring::default();
        for (file, _, _) in &state {
            let text = std::fs::read_to_string(file).map_err(|error| error.to_string());
            let added = text.and_then(|text| keyring.add(&text).map_err(|error| error.to_string()));
            if let Err(error) = added {
                tracing::warn!(file = %file.display(), error, "a public key is not used");
            }
        }
        let keyring = Arc::new(keyring);
        *read = Some((state, keyring.clone()));
        keyring
    }
}

fn state(folder: &Path) -> State {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut state: State = entries
        .flatten()
        // Mounted ConfigMaps have links to the files and folders beside.
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .filter_map(|entry| {
            let metadata = std::fs::metadata(entry.path()).ok()?;
            metadata.is_file().then(|| (entry.path(), metadata.len(), metadata.modified().ok()))
        })
        .take(MOST_FILES)
        .collect();
    state.sort();
    state
}

/// A revision that was held against a policy.
pub(crate) struct Checked {
    pub(crate) result: SourceIntegrityCheckResult,
    /// A sentence about the newest signature.
    pub(crate) sentence: String,
}

impl RepoServer {
    /// Verifies a revision as the project demands of its repository; nothing when it demands nothing. `url` is the
    /// repository as the project knows it.
    pub(crate) async fn verified(
        &self,
        integrity: Option<&SourceIntegrity>,
        url: &str,
        repository: &git::Repository,
        revision: &ResolvedRevision,
    ) -> Result<Option<Checked>, Status> {
        if !self.options.verify_signatures {
            return Ok(None);
        }
        let Some(demand) = demand(integrity, url).map_err(Status::unknown)? else { return Ok(None) };
        let keys = self.options.keys.clone();
        let keyring = tokio::task::spawn_blocking(move || keys.now()).await;
        let keyring = keyring.map_err(|error| status::broken("read public keys", &error))?;
        let now = jiff::Timestamp::now().as_second();
        let trusted: Option<git::Trusted> = (demand.mode == Mode::Strict).then(|| {
            let (keyring, demand) = (keyring.clone(), demand.clone());
            let good = move |object: &SignedObject| demand.seals(&verify(&keyring, object, now));
            Arc::new(good) as git::Trusted
        });
        let objects = self.sources.git.signed(repository, revision, trusted).await;
        let objects = objects.map_err(|error| status::git(&error))?;
        let work = tokio::task::spawn_blocking(move || {
            let revisions = objects.into_iter().map(|object| Revision {
                verification: verify(&keyring, &object, now),
                name: object.name,
                tag: object.tag,
                author: object.author,
            });
            revisions.collect::<Vec<_>>()
        });
        let revisions = work.await.map_err(|error| status::broken("verify signatures", &error))?;
        let Some(newest) = revisions.first() else {
            return Err(Status::internal(format!("{}: nothing was found to verify", revision.commit)));
        };
        Ok(Some(Checked { sentence: sentence(newest), result: result(demand.problems(&revisions)) }))
    }
}

/// A signature of another kind, such as one made with a certificate, counts as none.
fn verify(keyring: &Keyring, object: &SignedObject, now: i64) -> Verification {
    match &object.signature {
        Some(signature) if signature.starts_with(b"-----BEGIN PGP ") => {
            keyring.verify(signature, &object.text, now)
        }
        Some(signature) if signature.starts_with(b"-----BEGIN SSH SIGNATURE-----") => {
            signature::ssh::verify(signature, &object.text)
        }
        _ => Verification::unsigned(),
    }
}
