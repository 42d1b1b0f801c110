//! The entry to everything: repositories by URL and credentials, asked from async code by any number at once.
//!
//! Objects are kept once per URL. What a pair of URL and credentials was told (its refs) and allowed (reading the
//! mirror at all) is kept per pair: before credentials have listed the refs of a repository in this process they
//! read nothing of its mirror, and after they are refused they read nothing any more.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt, fs,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{StreamExt, future::BoxFuture};
use tokio::sync::Semaphore;

use crate::{
    Cause, CommitId, GitError, GitTree, RefList, Repository, RepositoryId, ResolvedRevision,
    RevisionMetadata, SignedObject, Trusted, ancestors,
    flight::{Flights, Start},
    interrupt::{Interrupt, RaiseOnDrop},
    lfs, metadata,
    mirror::{self, Mirror, Wanted},
    modules::{self, Declared},
    options::{FetchOutcome, Freshness, Options, RequestKind, RequestReport},
    process,
    refs::is_abbreviated,
    repository::Access,
    signed, tokens,
    transport::{self, Settings},
};

/// Pairs of URL and credentials remembered; beyond that those unused longest are forgotten (they list refs again).
const MOST_ACCOUNTS: usize = 8192;

/// Submodules fetched at once, for one tree.
const MODULES_AT_ONCE: usize = 8;

/// All repositories of this process. Cheap to clone.
#[derive(Clone)]
pub struct Repositories {
    shared: Arc<Shared>,
}

struct Shared {
    cache_folder: PathBuf,
    options: Options,
    settings: Settings,
    scratch: gix::ThreadSafeRepository,
    salt: [u8; 32],
    listings: Arc<Semaphore>,
    fetches: Arc<Semaphore>,
    mirrors: Mutex<HashMap<String, Arc<Shelf>>>,
    accounts: Mutex<HashMap<RepositoryId, Arc<Account>>>,
    _scratch_folder: tempfile::TempDir,
}

/// A mirror with the fetches that go into it.
struct Shelf {
    mirror: Mirror,
    turn: Arc<tokio::sync::Mutex<()>>,
    fetching: Flights<(RepositoryId, String), Result<FetchOutcome, GitError>>,
}

/// What one pair of URL and credentials was told and allowed.
struct Account {
    access: Access,
    shelf: Arc<Shelf>,
    listed: Mutex<Option<Listed>>,
    listing: Flights<Vec<String>, Result<Arc<RefList>, GitError>>,
    turn: Arc<tokio::sync::Mutex<()>>,
    allowed: AtomicBool,
    lfs: Option<Arc<lfs::Store>>,
    /// Grows when the refs are known to have changed.
    generation: AtomicU64,
    used: Mutex<Instant>,
}

struct Listed {
    refs: Arc<RefList>,
    at: Instant,
    generation: u64,
}

impl fmt::Debug for Repositories {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Repositories").finish_non_exhaustive()
    }
}

impl Repositories {
    /// Keeps mirrors in `cache_folder`, which is made if need be. Mirrors found there are used. TLS uses ring; it is
    /// installed as the process's provider if none is.
    pub fn new(cache_folder: impl Into<PathBuf>, options: Options) -> Result<Self, GitError> {
        // Fails only when a provider is installed already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let cache_folder = cache_folder.into();
        let failed = |cause: String| GitError::Mirror { repository: "all repositories".to_owned(), cause };
        let io = |error: std::io::Error| failed(error.to_string());
        fs::create_dir_all(&cache_folder).map_err(io)?;
        let scratch_folder =
            tempfile::Builder::new().prefix(".scratch-").tempdir_in(&cache_folder).map_err(io)?;
        let scratch = gix::ThreadSafeRepository::init_opts(
            scratch_folder.path().join("empty"),
            gix::create::Kind::Bare,
            gix::create::Options::default(),
            mirror::open_options(),
        )
        .map_err(|error| failed(error.to_string()))?;
        let settings = Settings {
            request_timeout: options.request_timeout,
            key_folder: process::key_folder(scratch_folder.path()),
            cache_folder: cache_folder.clone(),
            tokens: Arc::default(),
            authorities: options.authorities.clone(),
            azure_workload: options.azure_workload.clone(),
        };
        let permits = |limit: usize| Arc::new(Semaphore::new(limit.clamp(1, Semaphore::MAX_PERMITS)));
        let listings = permits(if options.parallel_listings == 0 { 512 } else { options.parallel_listings });
        let shared = Shared {
            listings,
            fetches: permits(options.parallel_fetches),
            cache_folder,
            settings,
            scratch,
            salt: rand::random(),
            mirrors: Mutex::default(),
            accounts: Mutex::default(),
            options,
            _scratch_folder: scratch_folder,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The identity under which answers to this repository with these credentials may be shared.
    pub fn id(&self, repository: &Repository) -> Result<RepositoryId, GitError> {
        Ok(Access::new(repository, &self.shared.salt)?.id)
    }

    /// The branches, tags and HEAD.
    pub async fn ls_refs(
        &self,
        repository: &Repository,
        freshness: Freshness,
    ) -> Result<Arc<RefList>, GitError> {
        let account = self.shared.account(repository)?;
        self.shared.refs(&account, freshness).await
    }

    /// The commit a revision means. A full commit id means itself, whether or not it exists. A short one is looked
    /// for in the mirror, for which all branches and tags are fetched if need be.
    pub async fn resolve(
        &self,
        repository: &Repository,
        revision: &str,
        freshness: Freshness,
    ) -> Result<ResolvedRevision, GitError> {
        self.resolve_tagged(repository, revision, "", freshness).await
    }

    /// The same, where versions and version constraints are about the tags that begin with `tag_prefix`.
    pub async fn resolve_tagged(
        &self,
        repository: &Repository,
        revision: &str,
        tag_prefix: &str,
        freshness: Freshness,
    ) -> Result<ResolvedRevision, GitError> {
        let account = self.shared.account(repository)?;
        if let Ok(commit) = CommitId::parse(revision) {
            return Ok(commit.into());
        }
        let refs = self.shared.refs(&account, freshness).await?;
        let name = refs.name(revision, tag_prefix);
        if let Some(found) = refs.named(&name) {
            return Ok(found);
        }
        if is_abbreviated(&name) {
            return self.shared.expand(&account, &refs, &name.to_ascii_lowercase()).await;
        }
        if let Some(found) = self.shared.find_elsewhere(&account, &name).await? {
            return Ok(found);
        }
        Err(GitError::UnknownRevision { revision: name.into_owned() })
    }

    /// Brings a commit into the mirror, unless it is there.
    pub async fn fetch(
        &self,
        repository: &Repository,
        revision: &ResolvedRevision,
    ) -> Result<FetchOutcome, GitError> {
        let account = self.shared.account(repository)?;
        self.shared.allowed(&account).await?;
        self.shared.fetch(&account, revision).await
    }

    /// The tree at a commit, fetched if need be. A mirror that cannot be read is made anew, once.
    pub async fn tree(
        &self,
        repository: &Repository,
        revision: &ResolvedRevision,
    ) -> Result<GitTree, GitError> {
        let account = self.shared.account(repository)?;
        self.shared.allowed(&account).await?;
        let opened = AtomicUsize::new(0);
        match self.shared.open_tree(&account, revision, 0, &opened).await {
            Err(GitError::Read { cause, .. }) => {
                tracing::warn!(
                    repository = account.access.shown(),
                    cause,
                    "the mirror cannot be read and is made anew"
                );
                self.shared.forget_mirror(&account).await?;
                self.shared.open_tree(&account, revision, 0, &opened).await
            }
            other => other,
        }
    }

    /// Author, date, message and tags of a commit, fetched if need be.
    pub async fn metadata(
        &self,
        repository: &Repository,
        revision: &ResolvedRevision,
    ) -> Result<RevisionMetadata, GitError> {
        let account = self.shared.account(repository)?;
        let refs = self.shared.refs(&account, Freshness::Cached).await?;
        self.shared.fetch(&account, revision).await?;
        let commit = revision.commit.clone();
        let shelf = account.shelf.clone();
        let read = blocking(move || {
            let objects = shelf.mirror.objects().ok_or_else(|| "it cannot be opened".to_owned())?;
            metadata::read(&objects, &commit)
        });
        let mut metadata = read.await.map_err(|cause| read_error(&account, &revision.commit, cause))?;
        metadata.tags = refs.tags_at(&revision.commit).map(str::to_owned).collect();
        Ok(metadata)
    }

    /// The commit at which `head` left a branch: the newest of the branch that leads to it. Nothing when the history that
    /// is fetched does not go back so far.
    pub async fn left_at(
        &self,
        repository: &Repository,
        head: &ResolvedRevision,
        branch: &ResolvedRevision,
    ) -> Result<Option<CommitId>, GitError> {
        let account = self.shared.account(repository)?;
        self.shared.allowed(&account).await?;
        self.shared.fetch(&account, head).await?;
        self.shared.fetch(&account, branch).await?;
        let (shelf, one, other) = (account.shelf.clone(), head.commit.clone(), branch.commit.clone());
        let work = blocking(move || {
            let objects = shelf.mirror.objects().ok_or_else(|| "it cannot be opened".to_owned())?;
            Ok(ancestors::left_at(&objects, &one, &other))
        });
        work.await.map_err(|cause: String| read_error(&account, &head.commit, cause))
    }

    /// What has to be verified of a revision, newest first: the annotated tag it was found by, else its commit. With
    /// `seals`, the tag and every commit of the history up to a seal that is trusted.
    pub async fn signed(
        &self,
        repository: &Repository,
        revision: &ResolvedRevision,
        seals: Option<Trusted>,
    ) -> Result<Vec<SignedObject>, GitError> {
        let account = self.shared.account(repository)?;
        let refs = self.shared.refs(&account, Freshness::Cached).await?;
        self.shared.fetch(&account, revision).await?;
        let tag = revision.reference.as_deref().and_then(|name| Some((name, refs.tag_object(name)?)));
        let tag = tag.map(|(name, object)| (name.to_owned(), object.clone()));
        if let Some((name, object)) = tag.clone() {
            self.shared
                .fetch_in_turn(&account, move |owner, settings, interrupt| {
                    let wanted = Wanted::Tag(&name, &object);
                    owner.shelf.mirror.fetch(&owner.access, &wanted, settings, interrupt)
                })
                .await?;
        }
        let (shelf, commit) = (account.shelf.clone(), revision.commit.clone());
        let work = blocking(move || {
            let objects = shelf.mirror.objects().ok_or_else(|| "it cannot be opened".to_owned())?;
            let mut found = Vec::new();
            if let Some((name, object)) = &tag {
                let name = name.strip_prefix("refs/tags/").unwrap_or(name);
                found.push(signed::tag(&objects, object, name)?);
            }
            match seals {
                Some(trusted) => found.extend(signed::history(&objects, &commit, trusted.as_ref())?),
                None if found.is_empty() => found.push(signed::commit(&objects, &commit)?),
                None => {}
            }
            Ok(found)
        });
        work.await.map_err(|cause| read_error(&account, &revision.commit, cause))
    }

    /// The repository with a user and a password in the place of what buys tokens, for a program that is to reach it.
    pub async fn with_token(&self, repository: &Repository) -> Result<Repository, GitError> {
        let (shared, owned) = (self.shared.clone(), repository.clone());
        let work = blocking(move || tokens::with_token(&owned, &shared.settings).map(Cow::into_owned));
        let failed = |cause| GitError::ListRefs { repository: repository.shown_url(), cause };
        work.await.map_err(failed)
    }

    /// Forgets the listed refs of a repository, for all credentials: a push was announced. Listings under way do not
    /// count as new.
    pub fn invalidate(&self, repository: &Repository) {
        let Ok(access) = Access::new(repository, &self.shared.salt) else { return };
        for (id, account) in locked(&self.shared.accounts).iter() {
            if id.url() == access.id.url() {
                account.generation.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

impl Shared {
    fn account(&self, repository: &Repository) -> Result<Arc<Account>, GitError> {
        let access = Access::new(repository, &self.salt)?;
        let mut accounts = locked(&self.accounts);
        if let Some(account) = accounts.get(&access.id) {
            *locked(&account.used) = Instant::now();
            return Ok(account.clone());
        }
        if accounts.len() >= MOST_ACCOUNTS {
            forget_the_older_half(&mut accounts);
        }
        let shelf = self.shelf(access.id.url());
        // A file may take as long as a fetch.
        let settings = Settings { request_timeout: self.options.fetch_timeout, ..self.settings.clone() };
        let store = || Arc::new(lfs::Store::new(shelf.mirror.lfs_folder(), access.clone(), settings));
        let account = Arc::new(Account {
            lfs: access.repository.enable_lfs.then(store),
            shelf,
            listed: Mutex::default(),
            listing: Flights::default(),
            turn: Arc::default(),
            allowed: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            used: Mutex::new(Instant::now()),
            access,
        });
        accounts.insert(account.access.id.clone(), account.clone());
        Ok(account)
    }

    fn shelf(&self, url: &str) -> Arc<Shelf> {
        let mut mirrors = locked(&self.mirrors);
        if mirrors.len() >= MOST_ACCOUNTS {
            mirrors.retain(|_, shelf| Arc::strong_count(shelf) > 1);
        }
        let shelf = mirrors.entry(url.to_owned()).or_insert_with(|| {
            Arc::new(Shelf {
                mirror: Mirror::new(&self.cache_folder, url),
                turn: Arc::default(),
                fetching: Flights::default(),
            })
        });
        shelf.clone()
    }

    async fn refs(
        self: &Arc<Self>,
        account: &Arc<Account>,
        freshness: Freshness,
    ) -> Result<Arc<RefList>, GitError> {
        if freshness == Freshness::Cached
            && let Some(refs) = account.cached(self.options.refs_ttl)
        {
            return Ok(refs);
        }
        let prefixes: Vec<String> =
            ["HEAD", "refs/heads/*", "refs/tags/*"].map(|name| format!("+{name}:{name}")).into();
        let generation = account.generation.load(Ordering::SeqCst);
        // A listing for an older generation may have begun before the push that ended it.
        let key: Vec<String> = prefixes.iter().cloned().chain([generation.to_string()]).collect();
        let (shared, owner) = (self.clone(), account.clone());
        let work = account.listing.join(key, freshness == Freshness::Now, |start| async move {
            let refs = Arc::new(shared.list(&owner, prefixes, start).await?);
            *locked(&owner.listed) = Some(Listed { refs: refs.clone(), at: Instant::now(), generation });
            Ok(refs)
        });
        work.await
    }

    /// Looks for a ref that is neither branch nor tag, such as `pull/7/head`.
    async fn find_elsewhere(
        self: &Arc<Self>,
        account: &Arc<Account>,
        revision: &str,
    ) -> Result<Option<ResolvedRevision>, GitError> {
        let name =
            if revision.starts_with("refs/") { revision.to_owned() } else { format!("refs/{revision}") };
        let known = ["refs/heads/", "refs/tags/"].iter().any(|prefix| name.starts_with(prefix));
        let valid = gix::validate::reference::name(name.as_str().into()).is_ok();
        if known || !valid || !revision.contains('/') {
            return Ok(None);
        }
        let prefixes = vec![format!("+{name}:{name}")];
        let refs = self.list(account, prefixes, Start::default()).await?;
        Ok(refs.find(&name))
    }

    async fn list(
        self: &Arc<Self>,
        account: &Arc<Account>,
        prefixes: Vec<String>,
        start: Start,
    ) -> Result<RefList, GitError> {
        let turn = account.turn.clone().lock_owned().await;
        let permit = self.listings.clone().acquire_owned().await;
        start.mark();
        let mut delay = self.options.retry_delay;
        let mut attempt = 1;
        let result = loop {
            let result = self.list_once(account, &prefixes).await;
            let retry = result.as_ref().is_err_and(Cause::retryable) && attempt < self.options.attempts;
            if !retry {
                break result;
            }
            tokio::time::sleep(delay).await;
            delay = (delay * self.options.retry_factor).min(self.options.retry_limit);
            attempt += 1;
        };
        drop((turn, permit));
        match &result {
            Ok(_) => account.allowed.store(true, Ordering::SeqCst),
            Err(cause) if cause.refuses_access() => account.allowed.store(false, Ordering::SeqCst),
            Err(_) => {}
        }
        result.map_err(|cause| GitError::ListRefs { repository: account.access.shown().to_owned(), cause })
    }

    async fn list_once(
        self: &Arc<Self>,
        account: &Arc<Account>,
        prefixes: &[String],
    ) -> Result<RefList, Cause> {
        let interrupt = Arc::new(Interrupt::after(self.options.request_timeout));
        let (shared, owner, prefixes) = (self.clone(), account.clone(), prefixes.to_vec());
        let began = Instant::now();
        let work = with_deadline(interrupt, move |interrupt| {
            mirror::list(&shared.scratch, &owner.access, &prefixes, &shared.settings, interrupt)
        });
        let result = work.await.unwrap_or_else(Err);
        self.report(account, RequestKind::LsRemote, began, result.is_err());
        result
    }

    /// Sees to it that these credentials have been let in by the remote.
    async fn allowed(self: &Arc<Self>, account: &Arc<Account>) -> Result<(), GitError> {
        if account.allowed.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.refs(account, Freshness::Cached).await.map(drop)
    }

    async fn fetch(
        self: &Arc<Self>,
        account: &Arc<Account>,
        revision: &ResolvedRevision,
    ) -> Result<FetchOutcome, GitError> {
        let (shelf, commit) = (account.shelf.clone(), revision.commit.clone());
        if blocking(move || shelf.mirror.holds(&commit)).await == Ok(true) {
            return Ok(FetchOutcome::Present);
        }
        let key = (account.access.id.clone(), revision.commit.to_string());
        let (shared, owner, revision) = (self.clone(), account.clone(), revision.clone());
        let work = account.shelf.fetching.join(key, false, |_| async move {
            shared
                .fetch_in_turn(&owner, move |owner, settings, interrupt| {
                    owner.shelf.mirror.fetch(&owner.access, &Wanted::Revision(&revision), settings, interrupt)
                })
                .await
        });
        work.await
    }

    async fn fetch_all(
        self: &Arc<Self>,
        account: &Arc<Account>,
        refs: &Arc<RefList>,
    ) -> Result<FetchOutcome, GitError> {
        let key = (account.access.id.clone(), String::new());
        let (shared, owner, refs) = (self.clone(), account.clone(), refs.clone());
        let work = account.shelf.fetching.join(key, true, |start| async move {
            shared
                .fetch_in_turn(&owner, move |owner, settings, interrupt| {
                    start.mark();
                    owner.shelf.mirror.fetch(&owner.access, &Wanted::Everything(&refs), settings, interrupt)
                })
                .await
        });
        work.await
    }

    /// One fetch at a time goes into a mirror.
    async fn fetch_in_turn(
        self: &Arc<Self>,
        account: &Arc<Account>,
        fetch: impl FnOnce(&Account, &Settings, &Interrupt) -> Result<bool, GitError> + Send + 'static,
    ) -> Result<FetchOutcome, GitError> {
        let turn = account.shelf.turn.clone().lock_owned().await;
        let permit = self.fetches.clone().acquire_owned().await;
        let interrupt = Arc::new(Interrupt::after(self.options.fetch_timeout));
        let (shared, owner) = (self.clone(), account.clone());
        let began = Instant::now();
        let settings = Settings { request_timeout: self.options.fetch_timeout, ..shared.settings.clone() };
        // The turn goes along: a fetch that is given up keeps it until its thread has ended.
        let work = with_deadline(interrupt, move |interrupt| {
            let _held = (turn, permit);
            fetch(&owner, &settings, interrupt)
        });
        let result = work.await.unwrap_or_else(|cause| {
            let repository = account.access.shown().to_owned();
            Err(GitError::Fetch { repository, wanted: "a commit".to_owned(), cause })
        });
        match &result {
            Ok(false) => {}
            other => self.report(account, RequestKind::Fetch, began, other.is_err()),
        }
        result.map(|asked| if asked { FetchOutcome::Fetched } else { FetchOutcome::Present })
    }

    async fn expand(
        self: &Arc<Self>,
        account: &Arc<Account>,
        refs: &Arc<RefList>,
        digits: &str,
    ) -> Result<ResolvedRevision, GitError> {
        for fetched in [false, true] {
            if fetched {
                self.fetch_all(account, refs).await?;
            }
            let (shelf, prefix) = (account.shelf.clone(), digits.to_owned());
            let mut commits = blocking(move || shelf.mirror.commits_starting_with(&prefix)).await;
            match commits.len() {
                0 => {}
                1 => return Ok(commits.remove(0).into()),
                matches => return Err(GitError::AmbiguousRevision { revision: digits.to_owned(), matches }),
            }
        }
        Err(GitError::UnknownRevision { revision: digits.to_owned() })
    }

    /// The tree at a commit with its submodules; it is one itself at `depth` above zero. `opened` counts them all.
    async fn open_tree(
        self: &Arc<Self>,
        account: &Arc<Account>,
        revision: &ResolvedRevision,
        depth: usize,
        opened: &AtomicUsize,
    ) -> Result<GitTree, GitError> {
        self.fetch(account, revision).await?;
        let (owner, commit, limit) = (account.clone(), revision.commit.clone(), self.options.most_file_bytes);
        let work = blocking(move || {
            let objects = owner.shelf.mirror.objects().ok_or_else(|| "it cannot be opened".to_owned())?;
            let root = objects.root_of(&commit).map_err(|error| error.to_string())?;
            let root = root.ok_or_else(|| "the commit is missing".to_owned())?;
            let repository = &owner.access.repository;
            let tree = GitTree::new(objects, commit, root, repository, limit, owner.lfs.clone());
            source_tree::Tree::list(&tree, &source_tree::TreePath::root())
                .map_err(|error| error.to_string())?;
            let modules = if repository.submodules { declared(&tree) } else { Vec::new() };
            Ok((tree, modules))
        });
        let (tree, modules) =
            work.await.map_err(|cause: String| read_error(account, &revision.commit, cause))?;
        if modules.is_empty() {
            return Ok(tree);
        }
        let modules = futures::stream::iter(modules).map(|(declared, commit)| async move {
            let module = self.module(account, &declared, commit, depth, opened).await;
            (declared.path, module)
        });
        Ok(tree.with_modules(modules.buffered(MODULES_AT_ONCE).collect().await))
    }

    /// The tree of a submodule. What cannot be had is an error for who reads into it, and for nobody else. A tree within
    /// a tree: the type of the future has to end somewhere.
    fn module<'a>(
        self: &'a Arc<Self>,
        account: &'a Arc<Account>,
        declared: &'a Declared,
        commit: CommitId,
        depth: usize,
        opened: &'a AtomicUsize,
    ) -> BoxFuture<'a, Result<GitTree, String>> {
        Box::pin(async move {
            if depth >= modules::DEEPEST {
                return Err(format!("submodules are nested deeper than the limit of {}", modules::DEEPEST));
            }
            if opened.fetch_add(1, Ordering::SeqCst) >= modules::MOST {
                return Err(format!("there are more submodules than the limit of {}", modules::MOST));
            }
            let authorities = |url: &str| self.settings.authorities(url);
            let repository = modules::repository(declared, &account.access, authorities)?;
            let account = self.account(&repository).map_err(|error| error.to_string())?;
            self.allowed(&account).await.map_err(|error| error.to_string())?;
            let revision = ResolvedRevision::from(commit);
            self.open_tree(&account, &revision, depth + 1, opened).await.map_err(|error| error.to_string())
        })
    }

    async fn forget_mirror(self: &Arc<Self>, account: &Arc<Account>) -> Result<(), GitError> {
        let _turn = account.shelf.turn.lock().await;
        let (owner, limit) = (account.clone(), self.options.fetch_timeout);
        blocking(move || {
            let interrupt = Interrupt::after(limit);
            let _lock = owner.shelf.mirror.lock(&owner.access, &interrupt)?;
            owner.shelf.mirror.remove(&owner.access)
        })
        .await
    }

    fn report(&self, account: &Account, kind: RequestKind, began: Instant, failed: bool) {
        if let Some(observer) = &self.options.observer {
            let repository = account.access.shown().to_owned();
            observer(&RequestReport { repository, kind, duration: began.elapsed(), failed });
        }
    }
}

impl Account {
    fn cached(&self, ttl: Duration) -> Option<Arc<RefList>> {
        let generation = self.generation.load(Ordering::SeqCst);
        let listed = locked(&self.listed);
        let listed = listed.as_ref()?;
        (listed.generation == generation && listed.at.elapsed() < ttl).then(|| listed.refs.clone())
    }
}

/// The submodules of a tree, with their commits. Without a `.gitmodules` that can be read there are none.
fn declared(tree: &GitTree) -> Vec<(Declared, CommitId)> {
    let file = source_tree::TreePath::root().child(".gitmodules");
    let there = source_tree::Tree::entry(tree, &file).is_ok_and(|entry| entry.is_some());
    if !there {
        return Vec::new();
    }
    let text = source_tree::Tree::read(tree, &file).map_err(|error| error.to_string());
    match text.and_then(|text| modules::declared(&text)) {
        Ok(all) => all
            .into_iter()
            .filter_map(|declared| {
                let commit = tree.module_at(&declared.path).ok().flatten()?;
                Some((declared, commit))
            })
            .collect(),
        Err(error) => {
            tracing::warn!(error, "submodules are not read");
            Vec::new()
        }
    }
}

fn forget_the_older_half(accounts: &mut HashMap<RepositoryId, Arc<Account>>) {
    let mut used: Vec<Instant> = accounts.values().map(|account| *locked(&account.used)).collect();
    used.sort();
    let middle = used[used.len() / 2];
    accounts.retain(|_, account| *locked(&account.used) > middle);
}

fn read_error(account: &Account, commit: &CommitId, cause: String) -> GitError {
    GitError::Read { repository: account.access.shown().to_owned(), commit: commit.to_string(), cause }
}

/// Runs blocking work, for no longer than its deadline. When it is over, or when nobody waits any more, the work is
/// told to stop.
async fn with_deadline<T: Send + 'static>(
    interrupt: Arc<Interrupt>,
    work: impl FnOnce(&Interrupt) -> T + Send + 'static,
) -> Result<T, Cause> {
    let guard = RaiseOnDrop::new(interrupt.clone());
    let inner = interrupt.clone();
    let job = tokio::task::spawn_blocking(move || work(&inner));
    let deadline = tokio::time::Instant::from_std(interrupt.deadline);
    let result = tokio::time::timeout_at(deadline, job).await;
    match result {
        Ok(Ok(value)) => {
            guard.let_go();
            Ok(value)
        }
        Ok(Err(failed)) if failed.is_panic() => {
            Err(Cause::Other("the transport stopped on a bug".to_owned()))
        }
        Ok(Err(_)) => Err(Cause::Cancelled),
        Err(_) => Err(transport::over(&interrupt)),
    }
}

/// Runs short blocking work.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
        // The runtime is going away, and with it who waits for this.
        Err(_) => std::future::pending().await,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
