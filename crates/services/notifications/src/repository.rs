//! What expressions and templates ask of an application's repository, through the repo-server.

use api::v1alpha1::ApplicationSource;
use manifest_request::{RenderSettings, chart_repositories};
use notify::ExprValue as Value;
use notify::{AppDetails, HelmDetails, Repository};
use object::Secret;
use serde_json::Value as Json;
use settings::Tracking;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use store::Store;
use tokio::runtime::Handle;
use tonic::transport::Channel;
use wire::repository::repo_server_service_client::RepoServerServiceClient;
use wire::repository::{
    RepoAppDetailsResponse, RepoServerAppDetailsQuery, RepoServerRevisionMetadataRequest,
};

/// How long an answer may take: nobody else is told meanwhile of this application.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a repository is not asked again that gave no answer in time: all who want to know of it would wait one after another.
const SILENCE: Duration = Duration::from_secs(30);
/// How many such are remembered.
const MOST_SILENT: usize = 10_000;

/// Repositories that gave no answer in time a moment ago. Copies know the same.
#[derive(Clone, Default)]
pub struct Silent(Arc<Mutex<HashMap<String, Instant>>>);

impl Silent {
    fn with<T>(&self, look: impl FnOnce(&mut HashMap<String, Instant>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is(&self, url: &str, now: Instant) -> bool {
        self.with(|known| known.get(url).is_some_and(|since| now.duration_since(*since) < SILENCE))
    }

    fn note(&self, url: &str, now: Instant) {
        self.with(|known| {
            if known.len() >= MOST_SILENT {
                known.retain(|_, since| now.duration_since(*since) < SILENCE);
            }
            if known.len() < MOST_SILENT {
                known.insert(url.to_owned(), now);
            }
        });
    }
}

/// The repository of an application. Answers are waited for: call what it gives from threads that may block.
pub fn repository(
    store: &Store,
    client: &RepoServerServiceClient<Channel>,
    silent: &Silent,
    application: &Json,
) -> Repository {
    let text = |path: [&str; 2]| {
        let found = application.get(path[0]).and_then(|part| part.get(path[1]));
        found.and_then(Json::as_str).unwrap_or_default().to_owned()
    };
    let source = source(application);
    let url = source.get("repoURL").and_then(Json::as_str).unwrap_or_default().to_owned();
    let project = match text(["spec", "project"]) {
        project if project.is_empty() => "default".to_owned(),
        project => project,
    };
    let (runtime, name) = (Handle::current(), text(["metadata", "name"]));
    let (store, client, silent) = (store.clone(), client.clone(), silent.clone());
    let asked = Asked { store, client, silent, runtime, url, project, name };
    let (for_commit, for_details) = (asked.clone(), asked);
    Repository {
        commit: Arc::new(move |revision| for_commit.commit(revision)),
        details: Arc::new(move |_| for_details.details(&source)),
    }
}

/// The first source of an application: of several, of a hydrator, or the only one.
fn source(application: &Json) -> Json {
    let spec = application.get("spec").cloned().unwrap_or_default();
    if let Some(first) = spec.get("sources").and_then(|sources| sources.get(0)) {
        return first.clone();
    }
    let Some(hydrator) = spec.get("sourceHydrator").filter(|hydrator| hydrator.is_object()) else {
        return spec.get("source").cloned().unwrap_or_default();
    };
    let text = |path: [&str; 2]| hydrator.get(path[0]).and_then(|part| part.get(path[1])).cloned();
    serde_json::json!({
        "repoURL": text(["syncSource", "repoURL"]).or_else(|| text(["drySource", "repoURL"])),
        "targetRevision": text(["syncSource", "targetBranch"]),
        "path": text(["syncSource", "path"]),
    })
}

#[derive(Clone)]
struct Asked {
    store: Store,
    client: RepoServerServiceClient<Channel>,
    silent: Silent,
    runtime: Handle,
    url: String,
    project: String,
    name: String,
}

impl Asked {
    fn wait<T>(&self, what: &str, work: impl Future<Output = Result<T, tonic::Status>>) -> Result<T, String> {
        if self.silent.is(&self.url, Instant::now()) {
            return Err(format!("{what}: the repo-server gave no answer a moment ago"));
        }
        let answered = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await });
        let answered = answered.map_err(|_| {
            self.silent.note(&self.url, Instant::now());
            format!("{what}: no answer of the repo-server in time")
        })?;
        answered.map_err(|status| format!("{what}: {}", status.message()))
    }

    fn repository(&self) -> Result<api::v1alpha1::Repository, String> {
        if self.url.is_empty() {
            return Err("failed to get application source repo URL".to_owned());
        }
        let found = self.store.repository(&self.url, &self.project);
        found.map(Secret::into_revealed).map_err(|error| error.to_string())
    }

    fn commit(&self, revision: &str) -> Result<Value, String> {
        let request = RepoServerRevisionMetadataRequest {
            repo: Some(self.repository()?),
            revision: revision.to_owned(),
            check_signature: false,
            source_integrity: None,
        };
        let mut client = self.client.clone();
        let found =
            self.wait("commit metadata", async move { client.get_revision_metadata(request).await })?;
        let found = found.into_inner();
        let date = found.date.and_then(|date| jiff::Timestamp::new(date.seconds, date.nanos).ok());
        Ok(notify::commit(&found.message, &found.author, date, &found.tags))
    }

    fn details(&self, source: &Json) -> Result<Value, String> {
        let source: ApplicationSource =
            serde_json::from_value(source.clone()).map_err(|error| format!("source: {error}"))?;
        // What is wrong with the settings is told by those they are for.
        let (settings, _) = RenderSettings::parse(&self.store.config_map("argocd-cm"), Tracking::default());
        let project = self.store.project(&self.project);
        let request = RepoServerAppDetailsQuery {
            app_name: self.name.clone(),
            repo: Some(self.repository()?),
            repos: project.map(|project| chart_repositories(&self.store, &project)).unwrap_or_default(),
            kustomize_options: Some(settings.kustomize_options()),
            helm_options: Some(settings.helm_options()),
            source: Some(source.clone()),
            ..RepoServerAppDetailsQuery::default()
        };
        let mut client = self.client.clone();
        let found = self.wait("app details", async move { client.get_app_details(request).await })?;
        Ok(notify::details(&details(found.into_inner(), &source)))
    }
}

/// What the repo-server found out, with what the application sets.
fn details(found: RepoAppDetailsResponse, source: &ApplicationSource) -> AppDetails {
    let own = source.helm.as_ref().map(|helm| helm.parameters.clone()).unwrap_or_default();
    AppDetails {
        kind: found.r#type,
        helm: found.helm.map(|helm| HelmDetails {
            name: helm.name,
            value_files: helm.value_files,
            parameters: helm.parameters.into_iter().map(|it| (it.name, it.value, it.force_string)).collect(),
            values: helm.values,
            file_parameters: helm.file_parameters.into_iter().map(|it| (it.name, it.path)).collect(),
            overrides: own.into_iter().map(|it| (it.name, it.value, it.force_string)).collect(),
        }),
        kustomize: found.kustomize.map(|kustomize| kustomize.images),
        directory: found.directory.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::v1alpha1::{ApplicationSourceHelm, HelmParameter};
    use serde_json::json;
    use wire::repository::HelmAppSpec;

    #[test]
    fn who_gave_no_answer_is_left_alone_for_a_while_and_nobody_else() {
        let (silent, now) = (Silent::default(), Instant::now());
        let later = |seconds| now + Duration::from_secs(seconds);
        silent.note("a", now);
        assert!(silent.is("a", later(29)) && !silent.is("a", later(30)) && !silent.is("b", now));
        for number in 0..2 * MOST_SILENT {
            silent.note(&number.to_string(), now);
        }
        assert_eq!(silent.with(|known| known.len()), MOST_SILENT);
        silent.note("c", later(30));
        assert!(silent.is("c", later(31)) && silent.with(|known| known.len()) == 1);
    }

    #[test]
    fn the_first_source_is_asked_about() {
        let of = |spec: Json| source(&json!({ "spec": spec }))["repoURL"].clone();
        assert_eq!(of(json!({"source": {"repoURL": "a"}})), "a");
        assert_eq!(of(json!({"source": {"repoURL": "a"}, "sources": [{"repoURL": "b"}]})), "b");
        let hydrator = json!({"sourceHydrator": {
            "drySource": {"repoURL": "c", "path": "dry"}, "syncSource": {"targetBranch": "env", "path": "wet"},
        }});
        assert_eq!(
            source(&json!({ "spec": hydrator })),
            json!({"repoURL": "c", "targetRevision": "env", "path": "wet"})
        );
    }

    #[test]
    fn what_the_application_sets_comes_before_what_the_chart_has() {
        let parameter = |name: &str, value: &str| HelmParameter {
            name: name.into(),
            value: value.into(),
            ..HelmParameter::default()
        };
        let found = RepoAppDetailsResponse {
            r#type: "Helm".into(),
            helm: Some(HelmAppSpec {
                name: "guestbook".into(),
                parameters: vec![parameter("image.tag", "1")],
                ..HelmAppSpec::default()
            }),
            ..RepoAppDetailsResponse::default()
        };
        let source = ApplicationSource {
            helm: Some(ApplicationSourceHelm {
                parameters: vec![parameter("image.tag", "7")],
                ..ApplicationSourceHelm::default()
            }),
            ..ApplicationSource::default()
        };
        let details = details(found, &source);
        let helm = details.helm.expect("a chart");
        assert_eq!((details.kind.as_str(), details.directory), ("Helm", false));
        assert_eq!(helm.overrides, [("image.tag".to_owned(), "7".to_owned(), false)]);
        assert_eq!(helm.parameters, [("image.tag".to_owned(), "1".to_owned(), false)]);
    }
}
