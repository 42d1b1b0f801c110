//! The settings that reconciling depends on, read together whenever `argocd-cm` changes.

use health::{Checks, HealthStatus, Interrupt, Limits};
use jiff::Timestamp;
use manifest_request::RenderSettings;
use object::Object;
use settings::{
    CompareOptions, Customizations, Data, GlobalProjects, Impersonation, Problem, Reconciliation,
    ResourceFilter, ResourceLabels, RespectRbac, Server, Tracking,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Health checks, compiled. They are made of the customizations alone, so two of them never tell two readings apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compiled(pub(crate) Checks);

impl PartialEq for Compiled {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What to leave out of an update, compiled: made of the customizations alone, too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Updates(pub(crate) Arc<diff::Rules>);

impl PartialEq for Updates {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A reading of `argocd-cm`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rules {
    pub(crate) tracking: Tracking,
    pub(crate) filter: ResourceFilter,
    pub(crate) customizations: Customizations,
    pub(crate) checks: Compiled,
    pub(crate) updates: Updates,
    pub(crate) compare: CompareOptions,
    pub(crate) labels: ResourceLabels,
    pub(crate) reconciliation: Reconciliation,
    pub(crate) global_projects: GlobalProjects,
    pub(crate) impersonation: Impersonation,
    pub(crate) respect_rbac: RespectRbac,
    pub(crate) in_cluster_enabled: bool,
    pub(crate) rendering: RenderSettings,
}

/// How long a user's script may take for one object.
const SCRIPT_TIME: Duration = Duration::from_secs(2);

/// What a user's script may take.
fn limits(time: Duration) -> Limits {
    let watch = move || -> Interrupt {
        let began = Instant::now();
        Box::new(move || began.elapsed() > time)
    };
    Limits { watch: Some(Arc::new(watch)), ..Limits::default() }
}

impl Compiled {
    /// Whether a user's script tells the health of a kind.
    pub(crate) fn asks_script(&self, group: &str, kind: &str) -> bool {
        self.0.asks_script(group, kind)
    }

    /// The health of a live object. Others go on with what this thread had to do while a user's script runs.
    pub(crate) fn health(&self, live: &Object) -> Option<HealthStatus> {
        let ask = || self.0.health(live, Timestamp::now());
        let runtime = || Handle::try_current().map(|runtime| runtime.runtime_flavor());
        match self.asks_script(live.group(), live.kind())
            && matches!(runtime(), Ok(RuntimeFlavor::MultiThread))
        {
            true => block_in_place(ask),
            false => ask(),
        }
    }
}

impl Rules {
    /// Reads the settings; what cannot be read keeps its default and is named.
    pub(crate) fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut keep = |found: Vec<Problem>| problems.extend(found);
        let (tracking, found) = Tracking::parse(data);
        keep(found);
        let (filter, found) = ResourceFilter::parse(data);
        keep(found);
        let (customizations, found) = Customizations::parse(data);
        keep(found);
        let (compare, found) = CompareOptions::parse(data);
        keep(found);
        let (reconciliation, found) = Reconciliation::parse(data);
        keep(found);
        let (global_projects, found) = GlobalProjects::parse(data);
        keep(found);
        let (impersonation, found) = Impersonation::parse(data);
        keep(found);
        let (respect_rbac, found) = RespectRbac::parse(data);
        keep(found);
        let (server, found) = Server::parse(data);
        keep(found);
        let (rendering, found) = RenderSettings::parse(data, tracking.clone());
        keep(found);
        let updates = compare::update_rules(&customizations).unwrap_or_else(|error| {
            let key = "resource.customizations.ignoreResourceUpdates".to_owned();
            problems.push(Problem { key, message: error.to_string() });
            diff::Rules::default()
        });
        let rules = Self {
            checks: Compiled(Checks::new(&customizations, limits(SCRIPT_TIME))),
            updates: Updates(Arc::new(updates)),
            tracking,
            filter,
            customizations,
            compare,
            labels: ResourceLabels::parse(data),
            reconciliation,
            global_projects,
            impersonation,
            respect_rbac,
            in_cluster_enabled: server.in_cluster_enabled,
            rendering,
        };
        (rules, problems)
    }

    /// What is watched stays what it was, where the settings cannot be read any more.
    pub(crate) fn keep_watching_as(&mut self, before: &Self) {
        if let Some(problem) = self.filter.problem.take() {
            self.filter = ResourceFilter { problem: Some(problem), ..before.filter.clone() };
        }
    }

    /// What the user's own health checks are made of.
    fn health_scripts(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        let entries = self.customizations.overrides.iter();
        entries
            .filter(|(_, entry)| !entry.health_lua.is_empty())
            .map(|(key, entry)| (key.as_str(), entry.health_lua.as_str(), entry.use_open_libs))
    }

    /// Whether live objects must be read anew when these rules take the place of others.
    pub(crate) fn reads_differently(&self, before: &Self) -> bool {
        self.tracking != before.tracking
            || !self.filter.watches_as(&before.filter)
            || self.labels != before.labels
            || !self.health_scripts().eq(before.health_scripts())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn compiled(time: Duration) -> Compiled {
        let script =
            "if obj.metadata.name == 'endless' then while true do end end return {status = 'Healthy'}";
        let key = "resource.customizations.health.acme.io_Widget".to_owned();
        let (customizations, problems) = Customizations::parse(&Data::from([(key, script.to_owned())]));
        assert_eq!(problems, []);
        Compiled(Checks::new(&customizations, Limits { steps: u64::MAX, ..limits(time) }))
    }

    fn widget(name: &str) -> Object {
        let widget = json!({"apiVersion": "acme.io/v1", "kind": "Widget", "metadata": {"name": name}});
        Object::from_value(widget).unwrap()
    }

    fn told(checks: &Compiled, name: &str) -> String {
        let health = checks.health(&widget(name)).unwrap();
        format!("{} {}", health.status, health.message)
    }

    #[test]
    fn an_endless_script_says_so_of_its_object_and_of_no_other() {
        let checks = compiled(Duration::from_millis(50));
        let slow = "Unknown resource.customizations.health.acme.io_Widget: the script takes too long";
        assert_eq!(told(&checks, "endless"), slow);
        assert_eq!(told(&checks, "quick"), "Healthy ");
        assert_eq!(told(&checks, "endless"), slow, "each run has its own time");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_go_on_while_a_script_runs() {
        let checks = compiled(Duration::from_millis(500));
        let went_on = Arc::new(AtomicBool::new(false));
        let work = {
            let went_on = went_on.clone();
            async move {
                tokio::spawn({
                    let went_on = went_on.clone();
                    async move { went_on.store(true, Ordering::SeqCst) }
                });
                told(&checks, "endless");
                went_on.load(Ordering::SeqCst)
            }
        };
        assert!(tokio::spawn(work).await.unwrap(), "the only worker was held up");
    }

    fn rules(exclusions: &str) -> Rules {
        Rules::parse(&[("resource.exclusions".to_owned(), exclusions.to_owned())].into()).0
    }

    #[test]
    fn exclusions_that_cannot_be_read_let_nothing_in() {
        let before = rules("- kinds: [Secret]");
        let mut broken = rules("- kinds: [Secret");
        broken.keep_watching_as(&before);
        assert!(broken.filter.excludes("", "Secret", "x"));
        assert!(broken.filter.problem.is_some() && broken != before);
        assert!(!broken.reads_differently(&before));
        let mut mended = rules("- kinds: [Secret]");
        mended.keep_watching_as(&broken);
        assert!(mended == before && !mended.reads_differently(&broken));
    }
}
