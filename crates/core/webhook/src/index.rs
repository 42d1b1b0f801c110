//! From a push to the applications it concerns, without looking at any other. Applications come and go one by one; a
//! look-up costs what it finds, and the distinct version constraints of that one repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use api::names::MANIFEST_GENERATE_PATHS;
use api::v1alpha1::{Application, ApplicationSource};
use semver_range::{Range, Version};
use serde::Serialize;

use crate::event::{PullRequest, RefChange, RegistryPush};
use crate::locator::{InvalidWebUrl, RepositoryKey, normalized_oci};
use crate::refresh_paths::{files_changed, refresh_paths};
use crate::revision::{Constraint, Wanted};

/// An application's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ApplicationKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

impl fmt::Display for ApplicationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

/// What a source is to its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What is synced, rendered as it is.
    Plain,
    /// What the hydrator renders.
    Dry,
    /// What the hydrator pushed, and what is synced.
    Hydrated,
}

/// One source of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its repository.
    pub repo_url: String,
    /// The revision it follows.
    pub target_revision: String,
    /// What tags begin with that versions and constraints are about; other revisions are as they are.
    pub tag_prefix: String,
    /// The chart, if it is one.
    pub chart: String,
    /// What it is to the application.
    pub role: Role,
    /// The paths whose files matter; none means all.
    pub refresh_paths: Vec<String>,
}

/// What an application waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Its sources, in their order.
    pub sources: Vec<Source>,
}

impl Watch {
    /// Reads what matters out of an application.
    pub fn of(application: &Application) -> Self {
        let annotation =
            application.metadata.annotations.get(MANIFEST_GENERATE_PATHS).map_or("", String::as_str);
        let source = |it: ApplicationSource, role| Source {
            refresh_paths: match role {
                Role::Hydrated => vec![it.path],
                Role::Plain | Role::Dry => refresh_paths(annotation, &it.path),
            },
            repo_url: it.repo_url,
            target_revision: it.target_revision,
            tag_prefix: it.tag_prefix,
            chart: it.chart,
            role,
        };
        let spec = &application.spec;
        let role = if spec.source_hydrator.is_some() { Role::Hydrated } else { Role::Plain };
        let synced = spec.effective_sources().into_iter().map(|it| source(it, role));
        let rendered = spec.source_hydrator.iter().map(|hydrator| source(hydrator.dry(), Role::Dry));
        Self { sources: synced.chain(rendered).collect() }
    }
}

/// What a push means to an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Effect {
    /// It is to be compared anew.
    Refresh,
    /// Its dry source is to be rendered and pushed, and it is to be compared anew.
    RefreshAndHydrate,
    /// A revision it follows moved, and none of its paths did.
    Unaffected,
}

/// An application that follows what was pushed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Affected {
    /// Which one.
    pub application: ApplicationKey,
    /// What the push means to it.
    pub effect: Effect,
}

/// A source: whose, and its place.
type SourceId = (Arc<ApplicationKey>, usize);

/// Who follows a revision.
struct Followers {
    constraint: Constraint,
    sources: BTreeSet<SourceId>,
}

/// Who follows what in one repository.
#[derive(Default)]
struct Repository {
    head: BTreeSet<SourceId>,
    names: Names,
    /// By the prefix of tags: who follows which versions behind it.
    prefixed: BTreeMap<String, Names>,
}

/// Who follows which names and versions.
#[derive(Default)]
struct Names {
    by_name: BTreeMap<String, Followers>,
    by_version: BTreeMap<Version, BTreeSet<String>>,
    ranges: BTreeSet<String>,
}

/// Applications by what they follow.
#[derive(Default)]
pub struct Index {
    watches: BTreeMap<Arc<ApplicationKey>, Watch>,
    git: BTreeMap<RepositoryKey, Repository>,
    registries: BTreeMap<String, Repository>,
}

impl fmt::Debug for Index {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Index").field("applications", &self.watches.len()).finish_non_exhaustive()
    }
}

impl Index {
    /// An index of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many applications are in it.
    pub fn len(&self) -> usize {
        self.watches.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }

    /// Puts an application in, or in the place of what it was. Whether anything changed.
    pub fn insert(&mut self, application: &ApplicationKey, watch: Watch) -> bool {
        if self.watches.get(application) == Some(&watch) {
            return false;
        }
        self.remove(application);
        let key = Arc::new(application.clone());
        for (place, source) in watch.sources.iter().enumerate() {
            let id = (Arc::clone(&key), place);
            for address in RepositoryKey::of_repo_url(&source.repo_url) {
                let wanted = Wanted::of(&source.target_revision);
                self.git.entry(address).or_default().add(wanted, &source.tag_prefix, &id);
            }
            for address in registry_addresses(source) {
                let wanted = Wanted::Revision(source.target_revision.clone());
                self.registries.entry(address).or_default().add(wanted, "", &id);
            }
        }
        self.watches.insert(key, watch);
        true
    }

    /// Takes an application out. Whether it was in.
    pub fn remove(&mut self, application: &ApplicationKey) -> bool {
        let Some((key, watch)) = self.watches.remove_entry(application) else { return false };
        for (place, source) in watch.sources.iter().enumerate() {
            let id = (Arc::clone(&key), place);
            for address in RepositoryKey::of_repo_url(&source.repo_url) {
                let wanted = Wanted::of(&source.target_revision);
                take(&mut self.git, &address, &wanted, &source.tag_prefix, &id);
            }
            for address in registry_addresses(source) {
                let wanted = Wanted::Revision(source.target_revision.clone());
                take(&mut self.registries, &address, &wanted, "", &id);
            }
        }
        true
    }

    /// The applications that follow a ref that moved, in order of their names. An address that is none finds nobody.
    pub fn pushed(&self, web_urls: &[String], change: &RefChange) -> Vec<Affected> {
        let repositories =
            web_urls.iter().filter_map(|url| self.git.get(&RepositoryKey::from_web_url(url).ok()?));
        let mut found = BTreeMap::new();
        for repository in repositories {
            if change.touched_head {
                gather(&repository.head, &mut found);
            }
            repository.find(&change.revision, &mut found);
        }
        let files = change.files.as_deref().unwrap_or_default();
        found.into_iter().filter_map(|(key, places)| self.git_effect(key, &places, files)).collect()
    }

    /// The applications that follow the branch a pull request is meant for, in order of their names.
    pub fn meant_for(&self, pull: &PullRequest) -> Vec<ApplicationKey> {
        let change = RefChange {
            revision: pull.target_branch.clone(),
            touched_head: pull.for_head,
            ..RefChange::default()
        };
        let followers = self.pushed(&pull.web_urls, &change);
        followers.into_iter().map(|follower| follower.application).collect()
    }

    /// The applications that follow a tag that was pushed to a registry, in order of their names.
    pub fn published(&self, push: &RegistryPush) -> Vec<Affected> {
        let mut found = BTreeMap::new();
        if let Some(repository) = self.registries.get(&normalized_oci(&push.url())) {
            repository.find(&push.tag, &mut found);
        }
        let effect = |key: &Arc<ApplicationKey>| {
            let hydrates = self.watches.get(key)?.sources.iter().any(|source| source.role == Role::Dry);
            let effect = if hydrates { Effect::RefreshAndHydrate } else { Effect::Refresh };
            Some(Affected { application: ApplicationKey::clone(key), effect })
        };
        found.keys().filter_map(|key| effect(key)).collect()
    }

    /// The addresses among these that are none, for the log.
    pub fn invalid(web_urls: &[String]) -> Vec<InvalidWebUrl> {
        web_urls.iter().filter_map(|url| RepositoryKey::from_web_url(url).err()).collect()
    }

    /// The first source whose files changed decides.
    fn git_effect(
        &self,
        key: &Arc<ApplicationKey>,
        places: &BTreeSet<usize>,
        files: &[String],
    ) -> Option<Affected> {
        let watch = self.watches.get(key)?;
        let sources = places.iter().filter_map(|place| watch.sources.get(*place));
        let effect = match sources.into_iter().find(|source| files_changed(&source.refresh_paths, files)) {
            Some(source) if source.role == Role::Dry => Effect::RefreshAndHydrate,
            Some(_) => Effect::Refresh,
            None => Effect::Unaffected,
        };
        Some(Affected { application: ApplicationKey::clone(key), effect })
    }
}

/// A source's address in a registry; a chart's too, which is one step below its repository.
fn registry_addresses(source: &Source) -> BTreeSet<String> {
    let mut addresses = BTreeSet::from([normalized_oci(&source.repo_url)]);
    if !source.chart.is_empty() {
        addresses.insert(normalized_oci(&format!(
            "{}/{}",
            source.repo_url.trim_end_matches('/'),
            source.chart
        )));
    }
    addresses
}

impl PullRequest {
    /// Whether a source follows the branch that the changes are meant for.
    pub fn is_meant_for(&self, repo_url: &str, target_revision: &str) -> bool {
        let keys = RepositoryKey::of_repo_url(repo_url);
        let here = |url: &String| RepositoryKey::from_web_url(url).is_ok_and(|key| keys.contains(&key));
        let follows = match Wanted::of(target_revision) {
            Wanted::Head => self.for_head,
            Wanted::Revision(name) => crate::revision::matches(&self.target_branch, &name),
        };
        follows && self.web_urls.iter().any(here)
    }
}

fn take<K: Ord>(
    repositories: &mut BTreeMap<K, Repository>,
    address: &K,
    wanted: &Wanted,
    tag_prefix: &str,
    id: &SourceId,
) {
    let Some(repository) = repositories.get_mut(address) else { return };
    repository.take(wanted, tag_prefix, id);
    if repository.head.is_empty() && repository.names.by_name.is_empty() {
        repositories.remove(address);
    }
}

fn gather<'a>(
    sources: &'a BTreeSet<SourceId>,
    found: &mut BTreeMap<&'a Arc<ApplicationKey>, BTreeSet<usize>>,
) {
    for (key, place) in sources {
        found.entry(key).or_default().insert(*place);
    }
}

impl Repository {
    /// A source with a prefix follows the name itself, too: where no tag will do, it may be that of a branch.
    fn add(&mut self, wanted: Wanted, tag_prefix: &str, id: &SourceId) {
        let Wanted::Revision(name) = wanted else {
            self.head.insert(id.clone());
            return;
        };
        if !tag_prefix.is_empty() && !matches!(Constraint::of(&name), Constraint::None) {
            self.prefixed.entry(tag_prefix.to_owned()).or_default().add(name.clone(), id);
        }
        self.names.add(name, id);
    }

    fn take(&mut self, wanted: &Wanted, tag_prefix: &str, id: &SourceId) {
        let Wanted::Revision(name) = wanted else {
            self.head.remove(id);
            return;
        };
        self.names.take(name, id);
        if let Some(names) = self.prefixed.get_mut(tag_prefix) {
            names.take(name, id);
            if names.by_name.is_empty() {
                self.prefixed.remove(tag_prefix);
            }
        }
    }

    fn find<'a>(&'a self, revision: &str, found: &mut BTreeMap<&'a Arc<ApplicationKey>, BTreeSet<usize>>) {
        self.names.find(revision, found);
        for (prefix, names) in &self.prefixed {
            if let Some(version) = revision.strip_prefix(prefix.as_str()) {
                names.find(version, found);
            }
        }
    }
}

impl Names {
    fn add(&mut self, name: String, id: &SourceId) {
        if let Some(followers) = self.by_name.get_mut(&name) {
            followers.sources.insert(id.clone());
            return;
        }
        let constraint = Constraint::of(&name);
        match &constraint {
            Constraint::None => {}
            Constraint::Version(version) => {
                self.by_version.entry(version.clone()).or_default().insert(name.clone());
            }
            Constraint::Range(_) => {
                self.ranges.insert(name.clone());
            }
        }
        self.by_name.insert(name, Followers { constraint, sources: BTreeSet::from([id.clone()]) });
    }

    fn take(&mut self, name: &str, id: &SourceId) {
        let Some(followers) = self.by_name.get_mut(name) else { return };
        followers.sources.remove(id);
        if !followers.sources.is_empty() {
            return;
        }
        if let Constraint::Version(version) = &followers.constraint
            && let Some(names) = self.by_version.get_mut(version)
        {
            names.remove(name);
            if names.is_empty() {
                self.by_version.remove(version);
            }
        }
        self.ranges.remove(name);
        self.by_name.remove(name);
    }

    fn find<'a>(&'a self, revision: &str, found: &mut BTreeMap<&'a Arc<ApplicationKey>, BTreeSet<usize>>) {
        if let Some(followers) = self.by_name.get(revision) {
            gather(&followers.sources, found);
        }
        let Ok(version) = Version::parse(revision) else { return };
        let same = self.by_version.get(&version).into_iter().flatten();
        let admits = |range: &Range| range.contains(&version);
        for name in same.chain(&self.ranges) {
            let Some(followers) = self.by_name.get(name) else { continue };
            match &followers.constraint {
                Constraint::Range(range) if !admits(range) => {}
                _ => gather(&followers.sources, found),
            }
        }
    }
}
