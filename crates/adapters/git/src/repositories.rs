//! The entry to everything: repositories by URL and credentials, asked from async code by any number at once.
//!
//! Objects are kept once per URL. What a pair of URL and credentials was told (its refs) and allowed (reading the
//! mirror at all) is kept per pair: before credentials have listed the refs of a repository in this process they
//! read nothing of its mirror, and after they are refused they read nothing any more.

use std::{
    collections::HashMap,
    fmt, fs,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use crate::{
    Cause, CommitId, GitError, GitTree, RefList, Repository, RepositoryId, ResolvedRevision,
    RevisionMetadata,
    flight::{Flights, Start},
    interrupt::{Interrupt, RaiseOnDrop},
    metadata,
    mirror::{self, Mirror, Wanted},
    process,
    refs::is_abbreviated,
    repository::Access,
    transport::{self, Settings},
};

/// Pairs of URL and credentials remembered; beyond that those unused longest are forgotten (they list refs again).
const MOST_ACCOUNTS: usize = 8192;

/// Limits and times. The defaults are the original's where it has one.
#[derive(Clone)]
pub struct Options {
    /// How long listed refs answer [`Freshness::Cached`].
    pub refs_ttl: Duration,
    /// Longest listing of refs, and longest silence of an HTTP server meanwhile (`ARGOCD_GIT_REQUEST_TIMEOUT`).
    pub request_timeout: Duration,
    /// Longest fetch (`ARGOCD_EXEC_TIMEOUT`).
    pub fetch_timeout: Duration,
    /// Attempts to list refs when the remote is unreachable (`ARGOCD_GIT_ATTEMPTS_COUNT`).
    pub attempts: u32,
    /// Wait before the second attempt (`ARGOCD_GIT_RETRY_DURATION`).
    pub retry_delay: Duration,
    /// Growth of that wait (`ARGOCD_GIT_RETRY_FACTOR`).
    pub retry_factor: u32,
    /// Longest wait (`ARGOCD_GIT_RETRY_MAX_DURATION`).
    pub retry_limit: Duration,
    /// Listings under way at once (`ARGOCD_GIT_LS_REMOTE_PARALLELISM_LIMIT`, where zero means no limit).
    pub parallel_listings: usize,
    /// Fetches under way at once.
    pub parallel_fetches: usize,
    /// Largest file that can be read.
    pub most_file_bytes: u64,
    /// Told of every request to a remote.
    pub observer: Option<Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            refs_ttl: Duration::from_secs(180),
            request_timeout: Duration::from_secs(15),
            fetch_timeout: Duration::from_secs(90),
            attempts: 1,
            retry_delay: Duration::from_millis(250),
            retry_factor: 2,
            retry_limit: Duration::from_secs(5),
            parallel_listings: 64,
            parallel_fetches: 16,
            most_file_bytes: 64 * 1024 * 1024,
            observer: None,
        }
    }
}

/// Receives a report of every request to a remote.
pub type Observer = Arc<dyn Fn(&RequestReport) + Send + Sync>;

/// One finished request to a remote, for metrics.
#[derive(Clone, Debug)]
pub struct RequestReport {
    /// The URL without credentials.
    pub repository: String,
    /// What was asked.
    pub kind: RequestKind,
    /// How long it took.
    pub duration: Duration,
    /// Whether it failed.
    pub failed: bool,
}

/// The sorts of request to a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// Refs were listed.
    LsRemote,
    /// Objects were fetched.
    Fetch,
}

impl RequestKind {
    /// The word for it in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LsRemote => "ls-remote",
            Self::Fetch => "fetch",
        }
    }
}

/// How new an answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// At most [`Options::refs_ttl`] old, and not older than the last [`Repositories::invalidate`].
    Cached,
    /// The remote is asked after this question was.
    Now,
}

/// What a fetch did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchOutcome {
    /// The commit was here; the remote was not asked.
    Present,
    /// The remote was asked and gave it.
    Fetched,
}

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
        let account = self.shared.account(repository)?;
        if let Ok(commit) = CommitId::parse(revision) {
            return Ok(commit.into());
        }
        let refs = self.shared.refs(&account, freshness).await?;
        if let Some(found) = refs.find(revision) {
            return Ok(found);
        }
        if is_abbreviated(revision) {
            return self.shared.expand(&account, &refs, &revision.to_ascii_lowercase()).await;
        }
        if let Some(found) = self.shared.find_elsewhere(&account, revision).await? {
            return Ok(found);
        }
        Err(GitError::UnknownRevision { revision: revision.to_owned() })
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
        match self.shared.open_tree(&account, revision).await {
            Err(GitError::Read { cause, .. }) => {
                tracing::warn!(
                    repository = account.access.shown(),
                    cause,
                    "the mirror cannot be read and is made anew"
                );
                self.shared.forget_mirror(&account).await?;
                self.shared.open_tree(&account, revision).await
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
        let account = Arc::new(Account {
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

    async fn open_tree(
        self: &Arc<Self>,
        account: &Arc<Account>,
        revision: &ResolvedRevision,
    ) -> Result<GitTree, GitError> {
        self.fetch(account, revision).await?;
        let (owner, commit, limit) = (account.clone(), revision.commit.clone(), self.options.most_file_bytes);
        let opened = blocking(move || {
            let objects = owner.shelf.mirror.objects().ok_or_else(|| "it cannot be opened".to_owned())?;
            let root = objects.root_of(&commit).map_err(|error| error.to_string())?;
            let root = root.ok_or_else(|| "the commit is missing".to_owned())?;
            let tree = GitTree::new(objects, commit, root, &owner.access.repository, limit);
            source_tree::Tree::list(&tree, &source_tree::TreePath::root())
                .map_err(|error| error.to_string())?;
            Ok(tree)
        });
        opened.await.map_err(|cause: String| read_error(account, &revision.commit, cause))
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
