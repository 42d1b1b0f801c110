//! GitHub: statuses of commits, deployments, comments on pull requests, check runs; as a GitHub App.

use super::github_app::App;
use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::{Answer, Client, Outlet, Request, form, shown};
use crate::json::{is_empty, plain, read, short, truncated};
use crate::progress::Progress;
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use serde::Serialize;
use serde_json::{Value, json};

const DESCRIPTION: usize = 140;
const COMMENT: usize = 65_536;
const VERSION: &str = "application/vnd.github.v3+json";
const DEPLOYMENTS: &str =
    "application/vnd.github.ant-man-preview+json, application/vnd.github.flash-preview+json";
/// Pull requests that are commented on.
const MOST_PULLS: usize = 30;
/// Items of a page, where nobody asks for another number, and pages that are looked through.
const PAGE: usize = 30;
const PAGES: usize = 100;
/// Bytes of an answer: a page of comments is long.
const LARGEST_ANSWER: usize = 16 << 20;

struct GitHub {
    client: Client,
    api: String,
    app: App,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let number = |name: &str| match options.get(name) {
        None => Err(format!("github: {name} is missing")),
        Some(_) => options.integer(name),
    };
    let enterprise = options.text("enterpriseBaseURL")?;
    let base = match enterprise.trim_end_matches('/') {
        "" => "https://api.github.com".to_owned(),
        url => url.to_owned(),
    };
    let api = if enterprise.is_empty() || base.ends_with("/api/v3") || base.contains("://api.") {
        base.clone()
    } else {
        format!("{base}/api/v3")
    };
    let key = options.text("privateKey")?;
    let app = App::new(number("appID")?, number("installationID")?, &key, base.clone())?;
    Ok(Box::new(GitHub { client: outlet.client(&base, &connection(options)?)?, api, app }))
}

/// What a notification is about.
struct Subject {
    owner: String,
    repository: String,
    revision: String,
}

impl Subject {
    /// What a step of a delivery is called: what was done for one commit is not done for the next.
    fn step(&self, what: &str) -> String {
        format!("{}/{} {} {what}", self.owner, self.repository, self.revision)
    }
}

/// Owner and repository of an address in any of Git's forms.
pub(crate) fn parts(url: &str) -> Vec<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => url.split_once(':').map_or(url, |(_, path)| path),
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_suffix(".git").unwrap_or(path);
    path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[derive(Serialize)]
struct Status {
    state: String,
    target_url: String,
    description: String,
    context: String,
}

#[derive(Serialize)]
struct Deployment {
    #[serde(rename = "ref")]
    reference: String,
    auto_merge: bool,
    required_contexts: Option<Vec<String>>,
    environment: String,
    transient_environment: bool,
}

#[derive(Serialize)]
struct DeploymentStatus {
    state: String,
    log_url: String,
    description: String,
    environment: String,
    environment_url: String,
}

#[derive(Serialize)]
struct CheckRun {
    name: String,
    head_sha: String,
    details_url: String,
    external_id: &'static str,
    #[serde(skip_serializing_if = "is_empty")]
    status: String,
    #[serde(skip_serializing_if = "is_empty")]
    conclusion: String,
    #[serde(skip_serializing_if = "is_empty")]
    started_at: String,
    #[serde(skip_serializing_if = "is_empty")]
    completed_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Output>,
}

#[derive(Serialize)]
struct Output {
    title: String,
    summary: String,
    text: String,
}

#[derive(Serialize)]
struct Dispatch {
    event_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_payload: Option<Value>,
}

/// A time as GitHub takes it.
fn rfc3339(name: &str, text: String) -> Result<String, Failure> {
    let formed = text.get(10..11) == Some("T")
        && (text.ends_with('Z') || text.get(text.len().saturating_sub(6)..).is_some_and(is_offset));
    if text.is_empty() || (formed && text.parse::<jiff::Timestamp>().is_ok()) {
        return Ok(text);
    }
    Err(Failure::lasting(format!("github checkrun: {name} {text:?} is no time like 2006-01-02T15:04:05Z")))
}

/// `+07:00`.
fn is_offset(text: &str) -> bool {
    let mut bytes = text.bytes();
    matches!(bytes.next(), Some(b'+' | b'-')) && text.get(3..4) == Some(":")
}

impl GitHub {
    async fn call(
        &self,
        method: &str,
        path: &str,
        accept: &str,
        body: Option<String>,
    ) -> Result<Value, Failure> {
        let token = self.app.token(&self.client).await?;
        let url = format!("{}{path}", self.api);
        let mut request = Request::new(method, &url)
            .up_to(LARGEST_ANSWER)
            .header("Accept", accept)
            .header("Authorization", format!("token {}", token.reveal()))
            .header("X-Github-Api-Version", "2022-11-28");
        if let Some(body) = body {
            request = request.json(format!("{body}\n"));
        }
        let answer: Answer = self.client.send(request).await?;
        if answer.is_good() && answer.body.trim().is_empty() {
            return Ok(Value::Null);
        }
        if answer.is_good() {
            return answer.json(&format!("{method} {}", shown(&url)));
        }
        let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let said = said.get("message").and_then(Value::as_str).unwrap_or(&answer.body);
        let text = format!("{method} {}: {} {}", shown(&url), answer.status, short(said));
        Err(answer.failure(text))
    }

    /// Sets a status. False where GitHub takes no more of them for that commit.
    async fn status(
        &self,
        about: &str,
        subject: &Subject,
        words: &str,
        own: &Members<'_>,
    ) -> Result<bool, Failure> {
        let body = plain(&Status {
            state: own.text("state")?,
            target_url: own.text("targetURL")?,
            description: truncated(words, DESCRIPTION),
            context: own.text("label")?,
        });
        let path = format!("{about}/statuses/{}", subject.revision);
        match self.call("POST", &path, VERSION, Some(body)).await {
            // A commit takes a thousand statuses: the next one will fail as this one did.
            Err(failure) if failure.message.contains(": 422 ") => {
                tracing::warn!(
                    "too many commit statuses for sha {} and context {}: {failure}",
                    subject.revision,
                    own.text("label")?
                );
                Ok(false)
            }
            other => other.map(|_| true),
        }
    }

    async fn deployment(
        &self,
        about: &str,
        subject: &Subject,
        words: &str,
        own: &Members<'_>,
    ) -> Result<(), Failure> {
        let environment = own.text("environment")?;
        let query = form(&[("ref", &subject.revision), ("environment", &environment)]);
        let known = self.call("GET", &format!("{about}/deployments?{query}"), VERSION, None).await?;
        let known = known.get(0).and_then(|deployment| deployment.get("id")).and_then(Value::as_i64);
        let id = match known {
            Some(id) => Some(id),
            None => {
                let reference = own.text("reference")?;
                let contexts =
                    own.get("requiredContexts").map(|_| own.texts("requiredContexts")).transpose()?;
                let body = plain(&Deployment {
                    reference: if reference.is_empty() { subject.revision.clone() } else { reference },
                    auto_merge: own.flag("autoMerge")?.unwrap_or(true),
                    required_contexts: contexts,
                    environment: environment.clone(),
                    transient_environment: own.flag("transientEnvironment")?.unwrap_or_default(),
                });
                let made =
                    self.call("POST", &format!("{about}/deployments"), DEPLOYMENTS, Some(body)).await?;
                made.get("id").and_then(Value::as_i64)
            }
        };
        let id = id.ok_or_else(|| Failure::lasting("github: the deployment has no id"))?;
        let body = plain(&DeploymentStatus {
            state: own.text("state")?,
            log_url: own.text("logURL")?,
            description: truncated(words, DESCRIPTION),
            environment,
            environment_url: own.text("environmentURL")?,
        });
        self.call("POST", &format!("{about}/deployments/{id}/statuses"), DEPLOYMENTS, Some(body)).await?;
        Ok(())
    }

    /// The comment that holds a tag; on some later page where there are many.
    async fn tagged(&self, comments: &str, tag: &str) -> Result<Option<i64>, Failure> {
        let accept = "application/vnd.github.squirrel-girl-preview";
        let holds = |comment: &&Value| {
            comment.get("body").and_then(Value::as_str).is_some_and(|body| body.contains(tag))
        };
        for page in 1..=PAGES {
            let path = match page {
                1 => comments.to_owned(),
                page => format!("{comments}?page={page}"),
            };
            let known = self.call("GET", &path, accept, None).await?;
            let known = known.as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some(found) = known.iter().find(holds) {
                return Ok(found.get("id").and_then(Value::as_i64));
            }
            if known.len() < PAGE {
                return Ok(None);
            }
        }
        Ok(None)
    }

    async fn comment(
        &self,
        about: &str,
        subject: &Subject,
        own: &Members<'_>,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let content = truncated(&own.text("content")?, COMMENT);
        let tag = match own.text("commentTag")?.as_str() {
            "" => None,
            tag => Some(format!("<!-- argocd-notifications {tag} -->")),
        };
        let path = format!("{about}/commits/{}/pulls", subject.revision);
        let pulls = self.call("GET", &path, "application/vnd.github.groot-preview+json", None).await?;
        let numbers = pulls.as_array().into_iter().flatten();
        let numbers = numbers.filter_map(|pull| pull.get("number").and_then(Value::as_i64)).take(MOST_PULLS);
        for number in numbers {
            let comments = format!("{about}/issues/{number}/comments");
            let step = subject.step(&format!("comment {number}"));
            progress.once(&step, self.comment_once(about, &comments, &content, tag.as_deref())).await?;
        }
        Ok(())
    }

    async fn comment_once(
        &self,
        about: &str,
        comments: &str,
        content: &str,
        tag: Option<&str>,
    ) -> Result<(), Failure> {
        let Some(tag) = tag else {
            let body = plain(&json!({"body": content}));
            return self.call("POST", comments, VERSION, Some(body)).await.map(drop);
        };
        let body = plain(&json!({"body": format!("{content}\n{tag}")}));
        match self.tagged(comments, tag).await? {
            Some(id) => {
                let path = format!("{about}/issues/comments/{id}");
                self.call("PATCH", &path, VERSION, Some(body)).await.map(drop)
            }
            None => self.call("POST", comments, VERSION, Some(body)).await.map(drop),
        }
    }

    async fn check_run(&self, about: &str, subject: &Subject, own: &Members<'_>) -> Result<(), Failure> {
        let output = match own.section("output")? {
            Some(output) => Some(Output {
                title: output.text("title")?,
                summary: output.text("summary")?,
                text: output.text("text")?,
            }),
            None => None,
        };
        let (mut status, conclusion) = (own.text("status")?, own.text("conclusion")?);
        let completed_at = rfc3339("completed_at", own.text("completed_at")?)?;
        if status.is_empty() && !conclusion.is_empty() {
            "completed".clone_into(&mut status);
        }
        if conclusion.is_empty() && (status == "completed" || !completed_at.is_empty()) {
            return Err(Failure::lasting(
                "github checkrun: conclusion is required when status is completed or completed_at is set",
            ));
        }
        let body = plain(&CheckRun {
            name: own.text("name")?,
            head_sha: subject.revision.clone(),
            details_url: own.text("details_url")?,
            external_id: "argocd-notifications",
            status,
            conclusion,
            started_at: rfc3339("started_at", own.text("started_at")?)?,
            completed_at,
            output,
        });
        let accept = "application/vnd.github.antiope-preview+json";
        self.call("POST", &format!("{about}/check-runs"), accept, Some(body)).await?;
        Ok(())
    }

    async fn dispatch(&self, about: &str, own: &Members<'_>) -> Result<(), Failure> {
        let payload = own.text("client_payload")?;
        let client_payload = match payload.trim() {
            "" => None,
            text => Some(read("github repositoryDispatch: client_payload", text)?),
        };
        let body = plain(&Dispatch { event_type: own.text("event_type")?, client_payload });
        self.call("POST", &format!("{about}/dispatches"), VERSION, Some(body)).await?;
        Ok(())
    }
}

#[async_trait]
impl Delivery for GitHub {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        self.go_on(notification, destination, &Progress::default()).await
    }

    async fn go_on(
        &self,
        notification: &Notification,
        _: &Destination,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let Some(section) = notification.section("github") else {
            return Err(Failure::lasting("config is empty"));
        };
        let url = text(Some(&section), "repoURL")?;
        let parts = parts(&url);
        let [owner, repository, ..] = parts.as_slice() else {
            return Err(Failure::lasting(format!("GitHub.repoURL ({}) does not have a `/`", shown(&url))));
        };
        let encoded = notify::secrets::percent_encoded;
        let revision = encoded(&text(Some(&section), "revision")?);
        let subject = Subject { owner: encoded(owner), repository: encoded(repository), revision };
        let about = format!("/repos/{}/{}", subject.owner, subject.repository);
        let words = &notification.message;
        let status = subject.step("status");
        if let Some(own) = section.section("status")?
            && !progress.is_done(&status)
        {
            // Then it is done with, as in the original.
            if !self.status(&about, &subject, words, &own).await? {
                return Ok(());
            }
            progress.done(&status);
        }
        if let Some(own) = section.section("deployment")? {
            let step = subject.step("deployment");
            progress.once(&step, self.deployment(&about, &subject, words, &own)).await?;
        }
        if let Some(own) = section.section("pullRequestComment")? {
            self.comment(&about, &subject, &own, progress).await?;
        }
        if let Some(own) = section.section("checkRun")? {
            progress.once(&subject.step("check run"), self.check_run(&about, &subject, &own)).await?;
        }
        if let Some(own) = section.section("repositoryDispatch")? {
            progress.once(&subject.step("dispatch"), self.dispatch(&about, &own)).await?;
        }
        Ok(())
    }
}
