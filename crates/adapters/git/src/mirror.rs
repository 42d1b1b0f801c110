//! One bare repository on disk that mirrors what was fetched of a remote. Everything here blocks.
//!
//! What was fetched stays under `refs/tips/<hash>`, one ref for each name or commit ever asked for: no two of them
//! can stand in each other's way, as `a` and `a/b` do, and they tell the remote what is here already. Packs add up,
//! one for each fetch that brought something; nothing is repacked. A mirror that cannot be read is made anew.

use std::{
    collections::HashSet,
    fs::{self, File},
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use gix::remote::{fetch::Shallow, ref_map};
use sha2::{Digest, Sha256};

use crate::{
    Cause, CommitId, GitError, RefList, ResolvedRevision,
    interrupt::Interrupt,
    repository::Access,
    transport::{self, Settings},
    tree::{Folders, Objects},
};

/// How often a lock held by another process is tried: a lock on a file has no deadline of its own.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct Mirror {
    folder: PathBuf,
    opened: Mutex<Option<Opened>>,
    folders: Arc<Folders>,
}

#[derive(Clone)]
struct Opened {
    repo: gix::ThreadSafeRepository,
    objects: Arc<Objects>,
}

/// What to bring from the remote.
pub(crate) enum Wanted<'a> {
    /// One commit.
    Revision(&'a ResolvedRevision),
    /// Every branch and tag: a short commit id can be anywhere.
    Everything(&'a RefList),
    /// The object of an annotated tag, by the tag's full name.
    Tag(&'a str, &'a CommitId),
}

impl Mirror {
    pub(crate) fn new(cache_folder: &Path, url: &str) -> Self {
        let hash: String = Sha256::digest(url).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let readable: String =
            url.split_once("://")
                .map_or(url, |(_, rest)| rest)
                .chars()
                .map(|letter| {
                    if letter.is_ascii_alphanumeric() || letter == '.' || letter == '-' {
                        letter
                    } else {
                        '_'
                    }
                })
                .collect();
        let tail: String = readable.chars().skip(readable.chars().count().saturating_sub(60)).collect();
        let folder = cache_folder.join(format!("{}-{hash}.git", tail.trim_start_matches(['.', '-', '_'])));
        Self { folder, opened: Mutex::default(), folders: Arc::default() }
    }

    /// Where content kept in Git LFS lies, once it is fetched.
    pub(crate) fn lfs_folder(&self) -> PathBuf {
        self.folder.with_extension("lfs")
    }

    /// The objects that are here now, when the mirror exists and can be opened.
    pub(crate) fn objects(&self) -> Option<Arc<Objects>> {
        self.open().map(|opened| opened.objects)
    }

    fn open(&self) -> Option<Opened> {
        let mut slot = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let repo = open_options().open(&self.folder).ok()?;
            let objects = Arc::new(Objects::new(repo.objects.clone(), self.folders.clone()));
            *slot = Some(Opened { repo, objects });
        }
        slot.clone()
    }

    /// Forgets what is open: the next look sees the folder as it is now.
    fn reopen(&self) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether the commit and its root folder can be read. An unreadable mirror is not an answer.
    pub(crate) fn holds(&self, commit: &CommitId) -> Result<bool, String> {
        let Some(objects) = self.objects() else { return Ok(false) };
        objects.root_of(commit).map(|root| root.is_some()).map_err(|error| error.to_string())
    }

    /// Commits here whose id starts with these digits.
    pub(crate) fn commits_starting_with(&self, digits: &str) -> Vec<CommitId> {
        let Some(opened) = self.open() else { return Vec::new() };
        let Ok(prefix) = gix::hash::Prefix::from_hex(digits) else { return Vec::new() };
        let mut candidates = HashSet::new();
        let repo = opened.repo.to_thread_local();
        if repo.objects.lookup_prefix(prefix, Some(&mut candidates)).is_err() {
            return Vec::new();
        }
        let mut commits: Vec<CommitId> = candidates
            .iter()
            .map(|id| CommitId::from_object(id))
            .filter(|commit| opened.objects.root_of(commit).is_ok_and(|root| root.is_some()))
            .collect();
        commits.sort();
        commits
    }

    /// Brings what is wanted, if it is not here. Gives whether the remote was asked.
    pub(crate) fn fetch(
        &self,
        access: &Access,
        wanted: &Wanted<'_>,
        settings: &Settings,
        interrupt: &Interrupt,
    ) -> Result<bool, GitError> {
        let _lock = self.lock(access, interrupt)?;
        // Another process may have fetched meanwhile.
        self.reopen();
        if self.open().is_some() {
            match self.fetch_into(access, wanted, settings, interrupt) {
                Ok(asked) => return Ok(asked),
                Err(Failure::Remote(error)) => return Err(error),
                Err(Failure::Local(cause)) => {
                    tracing::warn!(
                        repository = access.shown(),
                        cause,
                        "the mirror cannot be read and is made anew"
                    );
                }
            }
        }
        self.make(access)?;
        self.fetch_into(access, wanted, settings, interrupt).map_err(|failure| match failure {
            Failure::Remote(error) => error,
            Failure::Local(cause) => mirror_error(access, cause),
        })
    }

    fn fetch_into(
        &self,
        access: &Access,
        wanted: &Wanted<'_>,
        settings: &Settings,
        interrupt: &Interrupt,
    ) -> Result<bool, Failure> {
        match wanted {
            Wanted::Revision(revision) => self.fetch_revision(access, revision, settings, interrupt),
            Wanted::Tag(name, object) => {
                let here = || self.objects().is_some_and(|objects| objects.holds(object));
                if here() {
                    return Ok(false);
                }
                self.receive(access, &[spec(name)], name, settings, interrupt)?;
                let revision = (*name).to_owned();
                if here() { Ok(true) } else { Err(Failure::Remote(GitError::UnknownRevision { revision })) }
            }
            Wanted::Everything(refs) => {
                let mut specs = Vec::new();
                for (name, commit) in refs.iter() {
                    if !self.holds(commit).map_err(Failure::Local)? {
                        specs.push(spec(name));
                    }
                }
                if specs.is_empty() {
                    return Ok(false);
                }
                self.receive(access, &specs, "all branches and tags", settings, interrupt)?;
                Ok(true)
            }
        }
    }

    /// By its ref first, which every server allows; then by its id; then, for servers that give only what they
    /// advertise, by everything they advertise.
    fn fetch_revision(
        &self,
        access: &Access,
        revision: &ResolvedRevision,
        settings: &Settings,
        interrupt: &Interrupt,
    ) -> Result<bool, Failure> {
        let commit = &revision.commit;
        if self.holds(commit).map_err(Failure::Local)? {
            return Ok(false);
        }
        let receive = |specs: &[String]| self.receive(access, specs, commit.as_str(), settings, interrupt);
        if let Some(name) = &revision.reference {
            match receive(&[spec(name)]) {
                Ok(()) if self.holds(commit).map_err(Failure::Local)? => return Ok(true),
                Ok(()) | Err(Failure::Remote(GitError::Fetch { cause: Cause::NotThere, .. })) => {}
                Err(failure) => return Err(failure),
            }
        }
        match receive(&[format!("+{commit}:refs/tips/{commit}")]) {
            Ok(()) if self.holds(commit).map_err(Failure::Local)? => return Ok(true),
            Ok(())
            | Err(Failure::Remote(GitError::Fetch { cause: Cause::NotThere | Cause::Other(_), .. })) => {}
            Err(failure) => return Err(failure),
        }
        receive(&["+refs/heads/*:refs/all/heads/*".to_owned(), "+refs/tags/*:refs/all/tags/*".to_owned()])?;
        if self.holds(commit).map_err(Failure::Local)? {
            return Ok(true);
        }
        Err(Failure::Remote(GitError::UnknownRevision { revision: commit.to_string() }))
    }

    fn receive(
        &self,
        access: &Access,
        specs: &[String],
        wanted: &str,
        settings: &Settings,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        let opened = self.open().ok_or_else(|| Failure::Local("it cannot be opened".to_owned()))?;
        let repo = opened.repo.to_thread_local();
        let depth = NonZeroU32::new(access.repository.depth);
        let shallow = match depth {
            Some(depth) => Shallow::DepthAtRemote(depth),
            None if repo.is_shallow().unwrap_or(false) => Shallow::undo(),
            None => Shallow::NoChange,
        };
        let mut corrupt = false;
        let result = transport::converse(&repo, access, specs, settings, interrupt, |remote| {
            let prepared = remote.prepare_fetch(gix::progress::Discard, ref_map::Options::default())?;
            let received = prepared
                .with_write_packed_refs_only(true)
                .with_shallow(shallow)
                .receive(gix::progress::Discard, interrupt.flag());
            corrupt = received.as_ref().is_err_and(gix::Error::is_corrupted);
            received
        });
        // A new pack takes a place in the table of the open store, which does not grow: open it anew.
        self.reopen();
        match result {
            Ok(_) => Ok(()),
            Err(Cause::Other(cause)) if corrupt || !self.is_whole() => Err(Failure::Local(cause)),
            Err(cause) => Err(Failure::Remote(GitError::Fetch {
                repository: access.shown().to_owned(),
                wanted: wanted.to_owned(),
                cause,
            })),
        }
    }

    /// Whether every ref leads to an object that can be read.
    fn is_whole(&self) -> bool {
        let Some(opened) = self.open() else { return false };
        let repo = opened.repo.to_thread_local();
        let Ok(platform) = repo.references() else { return false };
        let Ok(mut references) = platform.all() else { return false };
        references.all(|reference| {
            let id = reference.ok().and_then(|reference| reference.try_id().map(gix::Id::detach));
            id.is_some_and(|id| repo.find_object(id).is_ok())
        })
    }

    /// Puts an empty mirror in the place of whatever is there.
    fn make(&self, access: &Access) -> Result<(), GitError> {
        let failed = |cause: String| mirror_error(access, cause);
        let parent = self.folder.parent().unwrap_or(Path::new("."));
        let io = |error: std::io::Error| failed(error.to_string());
        let fresh = tempfile::Builder::new().prefix(".new-").tempdir_in(parent).map_err(io)?;
        let inside = fresh.path().join("mirror");
        gix::ThreadSafeRepository::init_opts(
            &inside,
            gix::create::Kind::Bare,
            gix::create::Options::default(),
            open_options(),
        )
        .map_err(|error| failed(error.to_string()))?;
        self.remove(access)?;
        fs::rename(&inside, &self.folder).map_err(io)?;
        self.reopen();
        Ok(())
    }

    /// Takes the mirror away: the next fetch starts from nothing.
    pub(crate) fn remove(&self, access: &Access) -> Result<(), GitError> {
        self.reopen();
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(mirror_error(access, error.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// Keeps other processes from writing here. Released when dropped, also by a process that dies.
    pub(crate) fn lock(&self, access: &Access, interrupt: &Interrupt) -> Result<File, GitError> {
        let failed = |error: std::io::Error| mirror_error(access, error.to_string());
        let file = File::create(self.folder.with_extension("lock")).map_err(failed)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
                Err(fs::TryLockError::WouldBlock) if interrupt.is_over() => {
                    return Err(GitError::Fetch {
                        repository: access.shown().to_owned(),
                        wanted: "the lock of its mirror".to_owned(),
                        cause: transport::over(interrupt),
                    });
                }
                Err(fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            }
        }
    }
}

/// Whose fault a failed fetch was.
enum Failure {
    Remote(GitError),
    Local(String),
}

fn mirror_error(access: &Access, cause: String) -> GitError {
    GitError::Mirror { repository: access.shown().to_owned(), cause }
}

fn spec(name: &str) -> String {
    let hash: String = Sha256::digest(name).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("+{name}:refs/tips/{hash}")
}

/// What one object of a remote may take of memory: a pack says itself how large its objects are.
const LARGEST_OBJECT: &str = "gitoxide.objects.allocLimit=512m";

/// Nothing of the host's or a user's Git configuration counts.
pub(crate) fn open_options() -> gix::open::Options {
    let options = gix::open::Options::isolated().with(gix::sec::Trust::Full).open_path_as_is(true);
    options.config_overrides([LARGEST_OBJECT])
}

/// Asks the remote for its HEAD and the refs under `prefixes`.
pub(crate) fn list(
    scratch: &gix::ThreadSafeRepository,
    access: &Access,
    prefixes: &[String],
    settings: &Settings,
    interrupt: &Interrupt,
) -> Result<RefList, Cause> {
    let repo = scratch.to_thread_local();
    transport::converse(&repo, access, prefixes, settings, interrupt, |remote| {
        let (map, _) = remote.ref_map(gix::progress::Discard, ref_map::Options::default())?;
        Ok(RefList::from_remote(&map.remote_refs))
    })
}

#[cfg(test)]
mod tests {
    use super::open_options;

    #[test]
    fn no_object_takes_all_memory() {
        let folder = tempfile::tempdir().expect("a folder");
        let kind = gix::create::Kind::Bare;
        let repo = gix::ThreadSafeRepository::init_opts(
            folder.path(),
            kind,
            gix::create::Options::default(),
            open_options(),
        );
        let repo = repo.expect("a mirror").to_thread_local();
        let limit = repo.config_snapshot().integer("gitoxide.objects.allocLimit");
        assert_eq!(limit, Some(512 << 20));
    }
}
