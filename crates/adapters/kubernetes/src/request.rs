//! One HTTP request and its answer: throttled, timed, tried again where that is safe.

use crate::answer::AnswerBody;
use crate::cluster::Cluster;
use crate::connect::{Impersonation, chain};
use crate::error::{Error, Status};
use crate::meter::{Measured, verb};
use bytes::Bytes;
use futures::StreamExt;
use http::{Method, Request, Response, header};
use http_body_util::BodyExt;
use kube::client::Body;
use std::time::{Duration, Instant};

/// Answers that are read whole must not be larger; lists and logs are streamed and have no such limit.
const LARGEST_ANSWER: usize = 256 << 20;
/// Longest wait a server may ask for before we give the error back instead.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// An answer as it came, for callers that forward it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAnswer {
    /// `Content-Type` of the answer.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

/// A connection that fails faster than this is tried again.
const QUICK_FAILURE: Duration = Duration::from_secs(5);

/// A request, built apart from being sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// What is tried, for messages: `get apps/v1/Deployment default/web`.
    pub(crate) action: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) content_type: &'static str,
    pub(crate) accept: &'static str,
    /// Whether the answer lasts, as those to watches and logs do.
    pub(crate) lasting: bool,
}

impl Call {
    pub(crate) fn new(method: Method, action: String, path: String) -> Self {
        Self {
            action,
            method,
            path,
            query: Vec::new(),
            body: None,
            content_type: "application/json",
            accept: "application/json",
            lasting: false,
        }
    }

    pub(crate) fn get(action: String, path: String) -> Self {
        Self::new(Method::GET, action, path)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.query.push((name, value));
        }
        self
    }

    fn request(&self, acting: Option<&Impersonation>) -> Result<Request<Body>, Error> {
        let mut uri = self.path.clone();
        if !self.query.is_empty() {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in &self.query {
                query.append_pair(name, value);
            }
            uri = format!("{uri}?{}", query.finish());
        }
        let mut builder = Request::builder()
            .method(self.method.clone())
            .uri(uri)
            .header(header::ACCEPT, self.accept)
            .header(header::USER_AGENT, "argocd");
        if self.body.is_some() {
            builder = builder.header(header::CONTENT_TYPE, self.content_type);
        }
        if let Some(acting) = acting {
            builder = builder.header("Impersonate-User", &acting.user);
            for group in &acting.groups {
                builder = builder.header("Impersonate-Group", group);
            }
        }
        builder
            .body(Body::from(self.body.clone().unwrap_or_default()))
            .map_err(|error| Error::InvalidObject(format!("{}: {error}", self.action)))
    }
}

impl Cluster {
    /// Sends a request until it is answered or trying again would not help. Gives successes only.
    pub(crate) async fn send(&self, call: &Call) -> Result<Response<AnswerBody>, Error> {
        let limits = &self.inner().limits;
        let mut backoff = limits.backoff;
        let mut tries_left = limits.retries;
        let mut refused = false;
        loop {
            let began = Instant::now();
            self.inner().throttle.pass().await;
            let held = began.elapsed();
            let (client, run) = self.client(&call.action).await?;
            let (error, wait) = match self.send_once(&client, call).await {
                Ok(answer) => {
                    self.count(call, Some(answer.status().as_u16()), (held, began.elapsed() - held), false);
                    return Ok(answer);
                }
                Err(failed) => failed,
            };
            // Nothing was done: with the next credentials it may be.
            if error.code() == Some(401) && !refused && self.inner().sender.refused(run).await {
                refused = true;
                self.count(call, error.code(), (held, began.elapsed() - held), true);
                continue;
            }
            let wait = wait.filter(|_| tries_left > 0);
            self.count(call, error.code(), (held, began.elapsed() - held), wait.is_some());
            let Some(wait) = wait else { return Err(error) };
            tries_left -= 1;
            tracing::debug!(action = %call.action, %error, "will be tried again");
            tokio::time::sleep(wait.unwrap_or(backoff)).await;
            backoff *= 2;
        }
    }

    fn count(&self, call: &Call, code: Option<u16>, (held, took): (Duration, Duration), again: bool) {
        let Some(meter) = self.inner().meter.get() else { return };
        let set = |name: &str| call.query.iter().any(|(known, _)| *known == name);
        meter.requested(&Measured {
            host: self.host(),
            method: call.method.as_str(),
            verb: verb(&call.method, &call.path, set("watch")),
            path: &call.path,
            dry_run: set("dryRun"),
            code,
            took,
            held,
            sent: call.body.as_ref().map_or(0, Bytes::len),
            again,
        });
    }

    /// The body of an answer, whose size is told where somebody counts.
    fn body(&self, call: &Call, body: Body) -> AnswerBody {
        match self.inner().meter.get() {
            Some(meter) if !call.lasting => {
                AnswerBody::weighed(body, meter.clone(), self.host(), call.method.clone())
            }
            _ => AnswerBody::unweighed(body),
        }
    }

    /// Host and port of the API server.
    fn host(&self) -> &str {
        self.inner().server.split_once("://").map_or("", |(_, host)| host)
    }

    /// A connection with credentials that last, and which those are.
    pub(crate) async fn client(&self, action: &str) -> Result<(kube::Client, u64), Error> {
        let sender = &self.inner().sender;
        sender.client().await.map_err(|reason| Error::Transport { action: action.to_owned(), reason })
    }

    /// One try. The second half of a failure says whether to try again, and when the server wants that.
    async fn send_once(
        &self,
        client: &kube::Client,
        call: &Call,
    ) -> Result<Response<AnswerBody>, (Error, Option<Option<Duration>>)> {
        let request = call.request(self.acting()).map_err(|error| (error, None))?;
        let patience = self.inner().limits.answer_timeout;
        let transport = |reason: String| Error::Transport { action: call.action.clone(), reason };
        let began = tokio::time::Instant::now();
        let answer = match tokio::time::timeout(patience, client.send(request)).await {
            Err(_) => {
                return Err((transport(format!("no answer within {}s", patience.as_secs())), None));
            }
            Ok(Err(error)) => {
                // A host that swallows packets would be waited for as often as it is tried.
                let again = (call.method == Method::GET && began.elapsed() < QUICK_FAILURE).then_some(None);
                return Err((transport(chain(&error)), again));
            }
            Ok(Ok(answer)) => answer.map(|body| self.body(call, body)),
        };
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = read_status(answer, patience).await;
        let asked = status.retry_after.map(Duration::from_secs).filter(|wait| *wait <= LONGEST_RETRY_AFTER);
        let again = match status.code {
            429 if status.retry_after.is_none() => Some(None),
            429 | 500..=599 => asked.map(Some),
            _ => None,
        };
        Err((Error::Api { action: call.action.clone(), status: Box::new(status) }, again))
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn fetch(&self, call: &Call) -> Result<Bytes, Error> {
        let answer = self.send(call).await?;
        read_body(answer, self.inner().limits.answer_timeout)
            .await
            .map_err(|reason| Error::Transport { action: call.action.clone(), reason })
    }

    /// Sends a request and reads its JSON answer.
    pub(crate) async fn fetch_json<T: serde::de::DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        let body = self.fetch(call).await?;
        serde_json::from_slice(&body)
            .map_err(|error| Error::Decode { action: call.action.clone(), reason: error.to_string() })
    }

    /// Reads a path of the server that is no object: version, OpenAPI documents, metrics.
    pub async fn raw(&self, path: &str, accept: &'static str) -> Result<RawAnswer, Error> {
        let mut call = Call::get(format!("get {path}"), path.to_owned());
        call.accept = accept;
        let answer = self.send(&call).await?;
        let content_type = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let body = read_body(answer, self.inner().limits.answer_timeout)
            .await
            .map_err(|reason| Error::Transport { action: call.action, reason })?;
        Ok(RawAnswer { content_type, body })
    }
}

async fn read_body(answer: Response<AnswerBody>, patience: Duration) -> Result<Bytes, String> {
    let mut chunks = answer.into_body().into_data_stream();
    let mut whole = Vec::new();
    loop {
        match tokio::time::timeout(patience, chunks.next()).await {
            Err(_) => return Err(format!("the answer stopped for {}s", patience.as_secs())),
            Ok(None) => return Ok(whole.into()),
            Ok(Some(Err(error))) => return Err(chain(&error)),
            Ok(Some(Ok(chunk))) => {
                if whole.len() + chunk.len() > LARGEST_ANSWER {
                    return Err(format!("the answer is larger than {} MiB", LARGEST_ANSWER >> 20));
                }
                whole.extend_from_slice(&chunk);
            }
        }
    }
}

/// Reads an error answer: a `Status` where the server sends one, else what proxies and the like say.
async fn read_status(answer: Response<AnswerBody>, patience: Duration) -> Status {
    let code = answer.status().as_u16();
    let retry_after = answer
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse().ok());
    let reason = answer.status().canonical_reason().unwrap_or_default().to_owned();
    let body = read_body(answer, patience).await.unwrap_or_default();
    let mut status = match serde_json::from_slice::<Status>(&body) {
        Ok(status) if status.code != 0 || !status.message.is_empty() => status,
        _ => {
            let text = String::from_utf8_lossy(&body);
            let message = text.trim().chars().take(1024).collect();
            Status { reason, message, ..Status::default() }
        }
    };
    status.code = code;
    status.retry_after = retry_after;
    status
}
