//! What expressions and templates ask of an application's repository, through the repo-server.

use api::v1alpha1::ApplicationSource;
use notify::ExprValue as Value;
use notify::Repository;
use serde_json::Value as Json;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::runtime::Handle;
use tonic::transport::Channel;
use wire::repository::repo_server_service_client::RepoServerServiceClient;
use wire::repository::{RepoServerAppDetailsQuery, RepoServerRevisionMetadataRequest};

/// How long an answer may take: nobody else is told meanwhile of this application.
const PATIENCE: Duration = Duration::from_secs(20);

/// The repository of an application. Answers are waited for: call what it gives from threads that may block.
pub fn repository(
    store: &Store,
    client: &RepoServerServiceClient<Channel>,
    application: &Json,
) -> Repository {
    let spec = application.get("spec").cloned().unwrap_or_default();
    let source = spec.get("source").filter(|source| source.is_object()).cloned();
    let source = source.or_else(|| spec.get("sources").and_then(|sources| sources.get(0)).cloned());
    let project = spec.get("project").and_then(Json::as_str).unwrap_or("default").to_owned();
    let (runtime, source) = (Handle::current(), source.unwrap_or_default());
    let url = source.get("repoURL").and_then(Json::as_str).unwrap_or_default().to_owned();
    let asked = Asked { store: store.clone(), client: client.clone(), runtime, url, project };
    let (for_commit, for_details) = (asked.clone(), asked);
    Repository {
        commit: Arc::new(move |revision| for_commit.commit(revision)),
        details: Arc::new(move |_| for_details.details(&source)),
    }
}

#[derive(Clone)]
struct Asked {
    store: Store,
    client: RepoServerServiceClient<Channel>,
    runtime: Handle,
    url: String,
    project: String,
}

impl Asked {
    fn wait<T>(&self, what: &str, work: impl Future<Output = Result<T, tonic::Status>>) -> Result<T, String> {
        let answered = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await });
        let answered = answered.map_err(|_| format!("{what}: no answer of the repo-server in time"))?;
        answered.map_err(|status| format!("{what}: {}", status.message()))
    }

    fn repository(&self) -> Result<api::v1alpha1::Repository, String> {
        if self.url.is_empty() {
            return Err("failed to get application source repo URL".to_owned());
        }
        let found = self.store.repository(&self.url, &self.project);
        found.map(object::Secret::into_revealed).map_err(|error| error.to_string())
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
        let request = RepoServerAppDetailsQuery {
            repo: Some(self.repository()?),
            source: Some(source),
            ..RepoServerAppDetailsQuery::default()
        };
        let mut client = self.client.clone();
        let found = self.wait("app details", async move { client.get_app_details(request).await })?;
        Ok(notify::details(&found.into_inner().r#type))
    }
}
