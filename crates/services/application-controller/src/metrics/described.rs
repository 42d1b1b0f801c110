//! Figures that are read when somebody asks: one line for each application and each cluster.

use super::{Labels, named};
use crate::Controller;
use api::v1alpha1::Application;
use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use std::collections::BTreeMap;
use std::sync::Weak;

/// What users ask to be shown beside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Labels of applications.
    pub application_labels: Vec<String>,
    /// Types of conditions.
    pub conditions: Vec<String>,
    /// Labels of clusters.
    pub cluster_labels: Vec<String>,
}

/// Reads the figures of a controller, for as long as there is one.
pub(crate) struct Described(pub(crate) Weak<Controller>);

impl std::fmt::Debug for Described {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Described").finish()
    }
}

type Result = std::result::Result<(), std::fmt::Error>;

/// One family of figures.
struct Figures {
    name: &'static str,
    help: &'static str,
    values: Vec<(Vec<(String, String)>, i64)>,
}

impl Figures {
    fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, values: Vec::new() }
    }

    fn add(&mut self, labels: Vec<(String, String)>, value: i64) {
        self.values.push((labels, value));
    }

    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> Result {
        if self.values.is_empty() {
            return Ok(());
        }
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, MetricType::Gauge)?;
        for (labels, value) in &self.values {
            ConstGauge::new(*value).encode(metric.encode_family(labels)?)?;
        }
        Ok(())
    }
}

impl Collector for Described {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result {
        let Some(controller) = self.0.upgrade() else { return Ok(()) };
        for figures in applications(&controller).iter().chain(&clusters(&controller)) {
            figures.encode(&mut encoder)?;
        }
        Ok(())
    }
}

fn applications(controller: &Controller) -> [Figures; 4] {
    let shown = &controller.options().shown;
    let mut infos = Figures::new("argocd_app_info", "Information about an application");
    let mut labels = Figures::new("argocd_app_labels", "Labels of an application");
    let mut conditions = Figures::new("argocd_app_condition", "Conditions of an application");
    let mut orphans =
        Figures::new("argocd_app_orphaned_resources_count", "Objects of the namespace that nobody manages");
    let known = controller.memories().orphans();
    for application in controller.store().applications().values() {
        if !controller.is_ours(&application) {
            continue;
        }
        infos.add(owned(info(&application)), 1);
        let name = owned(named(&application));
        if !shown.application_labels.is_empty() {
            let chosen = chosen(&shown.application_labels, &application.metadata.labels);
            labels.add(name.iter().cloned().chain(chosen).collect(), 1);
        }
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for condition in &application.status.conditions {
            if shown.conditions.contains(&condition.r#type) {
                *counts.entry(&condition.r#type).or_default() += 1;
            }
        }
        for (kind, count) in counts {
            let condition = ("condition".to_owned(), kind.to_owned());
            conditions.add(name.iter().cloned().chain([condition]).collect(), count);
        }
        let metadata = &application.metadata;
        if let Some(count) = known.get(&crate::queue::Key::new(&*metadata.namespace, &*metadata.name)) {
            orphans.add(name, i64::try_from(*count).unwrap_or(i64::MAX));
        }
    }
    [infos, labels, conditions, orphans]
}

fn info(application: &Application) -> Labels {
    let (spec, status) = (&application.spec, &application.status);
    let known = |text: &str| if text.is_empty() { "Unknown".to_owned() } else { text.to_owned() };
    let operation = if application.metadata.deletion_timestamp.is_some_and(|time| !time.is_zero()) {
        "delete"
    } else if application.operation.as_ref().is_some_and(|operation| operation.sync.is_some()) {
        "sync"
    } else {
        ""
    };
    let source = spec.first_source();
    let repo = source.map(|source| project::normalized(&source.repo_url)).unwrap_or_default();
    let mut labels = named(application);
    labels.extend([
        ("autosync_enabled", reconcile::is_automated(spec).to_string()),
        ("repo", repo),
        ("dest_server", spec.destination.server.clone()),
        ("dest_namespace", spec.destination.namespace.clone()),
        ("sync_status", known(&status.sync.status)),
        ("health_status", known(&status.health.status)),
        ("operation", operation.to_owned()),
    ]);
    labels
}

fn clusters(controller: &Controller) -> [Figures; 6] {
    let shown = &controller.options().shown;
    let mut infos = Figures::new("argocd_cluster_info", "Information about a cluster");
    let mut labels = Figures::new("argocd_cluster_labels", "Labels of a cluster");
    let mut kinds = Figures::new("argocd_cluster_api_resources", "Kinds that are watched");
    let mut objects = Figures::new("argocd_cluster_api_resource_objects", "Objects that are known");
    let mut ages = Figures::new("argocd_cluster_cache_age_seconds", "Seconds since everything was listed");
    let mut connected = Figures::new("argocd_cluster_connection_status", "Whether the cluster answers");
    let registered = controller.registrations().clusters(controller.store(), &controller.rules());
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    for destination in controller.clusters().open_now() {
        let stats = destination.cache.stats();
        let server = vec![("server".to_owned(), destination.server.clone())];
        let version = ("k8s_version".to_owned(), controller.known_version(&destination.server));
        let known = registered.iter().find(|known| known.cluster.server == destination.server);
        let name = ("name".to_owned(), known.map(|known| known.cluster.name.clone()).unwrap_or_default());
        let well = i64::from(stats.connection_error.is_none());
        connected.add(server.iter().cloned().chain([version.clone()]).collect(), well);
        infos.add(server.iter().cloned().chain([version, name.clone()]).collect(), 1);
        if let Some(known) = known.filter(|_| !shown.cluster_labels.is_empty()) {
            let chosen = chosen(&shown.cluster_labels, &known.labels);
            labels.add(server.iter().cloned().chain([name]).chain(chosen).collect(), 1);
        }
        kinds.add(server.clone(), number(stats.apis));
        objects.add(server.clone(), number(stats.resources));
        let age = stats.last_sync.map_or(-1, |at| (Timestamp::now() - at).get_seconds());
        ages.add(server, age);
    }
    [infos, labels, kinds, objects, ages, connected]
}

/// The labels that are asked for, whether or not they are there, under names that Prometheus takes.
fn chosen<'a>(
    names: &'a [String],
    labels: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (String, String)> + 'a {
    names.iter().map(|name| {
        let plain: String = name
            .chars()
            .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
            .collect();
        (format!("label_{plain}"), labels.get(name).cloned().unwrap_or_default())
    })
}

fn owned(labels: Labels) -> Vec<(String, String)> {
    labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::Root;
    use object::Object;
    use serde_json::json;

    #[test]
    fn a_label_is_shown_under_a_name_that_prometheus_takes() {
        let labels = BTreeMap::from([("team/owner-name".to_owned(), "red".to_owned())]);
        let names = ["team/owner-name".to_owned(), "other".to_owned()];
        let shown: Vec<_> = chosen(&names, &labels).collect();
        let expected = [("label_team_owner_name", "red"), ("label_other", "")];
        assert_eq!(shown, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn an_application_is_described_as_the_original_does() {
        let object = Object::from_value(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": "guestbook", "namespace": "argocd"},
            "spec": {
                "project": "", "destination": {"server": "https://kubernetes.default.svc", "namespace": "gb"},
                "source": {"repoURL": "https://git.example/Apps.git", "path": "p"},
                "syncPolicy": {"automated": {}},
            },
        }));
        let application = Application::from_object(object.unwrap()).unwrap();
        let labels: Vec<String> =
            info(&application).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            labels,
            [
                "namespace=argocd",
                "name=guestbook",
                "project=default",
                "autosync_enabled=true",
                "repo=https://git.example/apps",
                "dest_server=https://kubernetes.default.svc",
                "dest_namespace=gb",
                "sync_status=Unknown",
                "health_status=Unknown",
                "operation=",
            ]
        );
    }
}
