//! Comparing one application: sources against live objects, once, for whoever needs the answer.

use crate::Controller;
use crate::clusters::Destination;
use crate::manifests::{self, Loaded, Wanted};
use crate::situation::Situation;
use api::codes::RefreshType;
use api::v1alpha1::{Application, ApplicationCondition, ApplicationSource, ResourceDiff};
use compare::{Comparison, Facts};
use diff::DiffOptions;
use jiff::Timestamp;
use kubernetes::Discovery;
use object::{GroupKind, GroupVersionKind, Object, ResourceKey};
use reconcile::CompareWith;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is compared with what.
pub(crate) struct Question {
    pub(crate) sources: Vec<ApplicationSource>,
    pub(crate) revisions: Vec<String>,
    pub(crate) level: RefreshType,
    pub(crate) compare_with: CompareWith,
    /// Manifests given instead of the sources'.
    pub(crate) manifests: Option<Vec<String>>,
}

/// The answer, with what it was made from.
pub(crate) struct Compared {
    pub(crate) comparison: Comparison,
    pub(crate) conditions: Vec<ApplicationCondition>,
    pub(crate) revisions: Vec<String>,
    pub(crate) source_types: Vec<String>,
    pub(crate) diff_options: Option<DiffOptions>,
    pub(crate) destination: Option<Destination>,
    pub(crate) discovery: Arc<Discovery>,
}

impl Compared {
    /// The differences as others read them, secrets masked.
    pub(crate) fn differences(&self, masked_annotations: &[String]) -> Option<Vec<ResourceDiff>> {
        let masked: BTreeSet<String> = masked_annotations.iter().cloned().collect();
        let found = self.comparison.managed_resources(self.diff_options.as_ref()?, &masked);
        found.inspect_err(|error| tracing::warn!(%error, "mask differences")).ok()
    }
}

/// What facts are made of. They are made anew for each use: they hold a function that stays on its thread.
struct Given<'a> {
    application: &'a Application,
    situation: &'a Situation,
    discovery: &'a Discovery,
    options: &'a Result<DiffOptions, diff::InvalidRule>,
    now: Timestamp,
}

impl Given<'_> {
    fn with<T>(&self, work: impl FnOnce(&Facts<'_>) -> T) -> T {
        let namespaced =
            |kind: &GroupKind| self.discovery.preferred(kind).map(|resource| resource.namespaced);
        let problem = self.options.as_ref().err().map(ToString::to_string).unwrap_or_default();
        work(&Facts {
            application: self.application,
            instance: &self.situation.instance,
            project: &self.situation.project,
            cluster: &self.situation.cluster,
            own_clusters: &self.situation.own_clusters,
            tracking: &self.situation.rules.tracking,
            filter: &self.situation.rules.filter,
            diff: self.options.as_ref().map_err(|_| problem.as_str()),
            namespaced: &namespaced,
            now: self.now,
        })
    }
}

/// The sources of an application's spec.
pub(crate) fn spec_sources(application: &Application) -> Vec<ApplicationSource> {
    let spec = &application.spec;
    if spec.sources.is_empty() { spec.source.clone().into_iter().collect() } else { spec.sources.clone() }
}

impl Controller {
    /// Compares. Nothing is written.
    pub(crate) async fn compare(
        &self,
        application: &Application,
        situation: &Situation,
        question: Question,
        now: Timestamp,
    ) -> Compared {
        let destination = self.destination(situation).await;
        let discovery = match &destination {
            Ok(destination) => {
                destination.cache.cluster().discovery().await.map_err(|error| error.to_string())
            }
            Err(reason) => Err(reason.clone()),
        };
        let (discovery, unreachable) = match discovery {
            Ok(discovery) => (discovery, None),
            Err(reason) => (Arc::new(Discovery::default()), Some(reason)),
        };
        let loaded = match &unreachable {
            // Sources render for a cluster; without one there is no target state to speak of.
            Some(reason) => Loaded::new(Err(reason.clone())),
            None => self.load(application, situation, &question, &discovery).await,
        };
        let rules = &situation.rules;
        let options =
            compare::diff_options(application, &rules.customizations, rules.compare, &rules.tracking);
        let facts = Given { application, situation, discovery: &discovery, options: &options, now };
        let targets = facts.with(|facts| compare::targets(loaded.objects, facts));
        let lives = match (&destination, unreachable) {
            (Ok(destination), None) => lives(destination, &situation.instance, &targets).await,
            (Err(reason), _) => Err(reason.clone()),
            (_, Some(reason)) => Err(reason),
        };
        let (comparison, conditions) = facts.with(|facts| compare::compare(targets, lives, facts));
        Compared {
            comparison,
            conditions,
            revisions: loaded.revisions,
            source_types: loaded.source_types,
            diff_options: options.ok(),
            destination: destination.ok(),
            discovery,
        }
    }

    async fn load(
        &self,
        application: &Application,
        situation: &Situation,
        question: &Question,
        discovery: &Discovery,
    ) -> Loaded {
        if let Some(manifests) = &question.manifests {
            let objects = manifests.iter().map(|text| {
                let value = object::yaml::decode(text.as_bytes()).map_err(|error| error.to_string())?;
                Object::from_value(value).map_err(|error| error.to_string())
            });
            return Loaded::new(objects.collect());
        }
        let wanted = Wanted {
            application,
            instance: &situation.instance,
            sources: question.sources.clone(),
            revisions: question.revisions.clone(),
            level: question.level,
            compare_with: question.compare_with,
            kube_version: self.kube_version(&situation.cluster.server).await,
            api_versions: discovery.api_versions(),
            project_repositories: situation.project.spec.source_repos.clone(),
            rules: &situation.rules,
        };
        manifests::load(self.store(), self.repo_server(), &wanted).await
    }
}

/// The live objects of an application: those that carry its mark, and those its targets name.
async fn lives(
    destination: &Destination,
    instance: &object::AppInstance,
    targets: &compare::Targets,
) -> Result<BTreeMap<ResourceKey, Object>, String> {
    let cache = &destination.cache;
    let mut lives = cache.managed(instance.as_str()).map_err(|error| error.to_string())?;
    // A kind that is not known now must not make an object look absent.
    let kinds: BTreeSet<GroupKind> = lives
        .keys()
        .map(ResourceKey::group_kind)
        .chain(targets.resources.iter().chain(&targets.hooks).map(Object::group_kind))
        .collect();
    for kind in &kinds {
        cache.require(kind).map_err(|error| error.to_string())?;
    }
    for target in targets.resources.iter().chain(&targets.hooks) {
        let key = target.key();
        if lives.contains_key(&key) || key.name.is_empty() {
            continue;
        }
        if let Some(live) = live(destination, &target.gvk(), &key).await? {
            lives.insert(key, live);
        }
    }
    Ok(lives)
}

/// One live object, whether or not it carries a mark. A kind nobody serves has none.
async fn live(
    destination: &Destination,
    gvk: &GroupVersionKind,
    key: &ResourceKey,
) -> Result<Option<Object>, String> {
    match destination.cache.get_live(gvk, &key.namespace, &key.name).await {
        Ok(found) => Ok(found),
        Err(cluster_cache::LiveError::Cluster(kubernetes::Error::UnknownKind(_))) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}
