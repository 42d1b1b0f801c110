//! What a pull request is told at its provider: a status of its newest commit, and one comment that is found again by a
//! mark and edited. Each provider is a file that knows its requests; finding the comment is the same for all.

use crate::failure::Failure;
pub use crate::http::Proxy;
use crate::http::{Client, Connection, Outlet, Request, shown};
use crate::json::short;
use crate::reach::Reach;
use crate::services::github::parts;
use crate::world::World;
use async_trait::async_trait;
use notify::Redactor;
use notify::secrets::percent_encoded;
use object::Secret;
use preview::{State, Style};
use serde_json::Value;
use url::{Url, form_urlencoded};

mod azure_devops;
mod bitbucket;
mod bitbucket_server;
mod gitea;
mod github;
mod gitlab;

/// Comments of one request.
const PAGE: usize = 50;
/// Pages that are looked through for the comment.
const PAGES: usize = 40;
/// Bytes of a page: comments are long.
const LARGEST_PAGE: usize = 16 << 20;

/// Where pull requests are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// GitHub and GitHub Enterprise.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
    /// Gogs, which has no statuses.
    Gogs,
    /// Bitbucket Cloud.
    Bitbucket,
    /// Bitbucket Server and Data Center.
    BitbucketServer,
    /// Azure DevOps.
    AzureDevOps,
}

/// A GitHub App.
#[derive(Clone, Debug)]
pub struct AppKey {
    /// Its id.
    pub id: i64,
    /// Of its installation; zero to look for it.
    pub installation: i64,
    /// Its key, PEM.
    pub private_key: Secret<String>,
}

/// What proves who tells.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A token.
    Token(Secret<String>),
    /// A user with a password, or with a token in its place.
    Password(String, Secret<String>),
    /// A GitHub App.
    App(AppKey),
}

/// Who tells, and where.
#[derive(Clone, Debug)]
pub struct Account {
    /// The provider.
    pub host: Host,
    /// The repository, as applications write it.
    pub repository: String,
    /// Address of the provider's API, where it is not the usual one below `origin`.
    pub api: String,
    /// Scheme and host the proof is for.
    pub origin: String,
    /// The proof.
    pub proof: Proof,
    /// Whether certificates are not looked at.
    pub insecure: bool,
    /// What the provider is reached through, where that is not for the environment to say.
    pub proxy: Option<Proxy>,
}

/// A commit's status.
#[derive(Clone, Copy, Debug)]
pub struct CommitStatus<'a> {
    /// The commit.
    pub commit: &'a str,
    /// What the status is of; there is one for each.
    pub context: &'a str,
    /// How it stands.
    pub state: State,
    /// In words.
    pub text: &'a str,
    /// Where there is more to read; empty for nowhere.
    pub url: &'a str,
}

/// A comment that is there.
pub(crate) struct Known {
    id: u64,
    /// What it belongs to, or which version it is, where that is asked for.
    beside: u64,
    text: String,
}

/// Comments, and where the next ones begin.
pub(crate) struct Page {
    comments: Vec<Known>,
    next: Option<u64>,
}

/// One provider's requests.
#[async_trait]
pub(crate) trait Provider: Send + Sync {
    /// Sets a commit's status.
    async fn status(&self, status: &CommitStatus<'_>) -> Result<(), Failure>;
    /// The newest commit of an open pull request; nothing when it is closed.
    async fn head(&self, number: u64) -> Result<Option<String>, Failure>;
    /// Some of its comments; the first ones at zero.
    async fn comments(&self, number: u64, from: u64) -> Result<Page, Failure>;
    /// Writes a new comment.
    async fn write(&self, number: u64, text: &str) -> Result<(), Failure>;
    /// Writes a comment anew.
    async fn edit(&self, number: u64, known: &Known, text: &str) -> Result<(), Failure>;
}

/// A repository's pull requests, told as somebody.
pub struct Feedback {
    provider: Box<dyn Provider>,
    host: Host,
    redactor: Redactor,
}

impl Feedback {
    /// Makes ready; nothing is asked of anybody yet.
    pub fn new(account: &Account, world: &World) -> Result<Self, String> {
        let mut redactor = Redactor::default();
        match &account.proof {
            Proof::Token(secret) | Proof::Password(_, secret) => redactor.learn(secret.reveal().as_bytes()),
            Proof::App(app) => redactor.learn(app.private_key.reveal().as_bytes()),
        }
        if let Some(proxy) = &account.proxy {
            learn_proxy(&mut redactor, proxy.url.reveal());
        }
        let outlet = Outlet::new(world, Reach::Ours);
        let place = Place::of(account)?;
        let caller = || Caller::new(account, &outlet);
        let provider: Box<dyn Provider> = match account.host {
            Host::GitHub => Box::new(github::GitHub::new(account, &place, caller()?)?),
            Host::GitLab => Box::new(gitlab::GitLab::new(&place, caller()?)),
            Host::Gitea => Box::new(gitea::Gitea::new(&place, caller()?, true)?),
            Host::Gogs => Box::new(gitea::Gitea::new(&place, caller()?, false)?),
            Host::Bitbucket => Box::new(bitbucket::Bitbucket::new(account, &place, caller()?)?),
            Host::BitbucketServer => {
                Box::new(bitbucket_server::BitbucketServer::new(account, &place, caller()?)?)
            }
            Host::AzureDevOps => Box::new(azure_devops::AzureDevOps::new(account, &place, caller()?)?),
        };
        Ok(Self { provider, host: account.host, redactor })
    }

    /// How comments look there.
    pub fn style(&self) -> Style {
        match self.host {
            Host::GitHub | Host::Gitea => Style { folds: true, longest: 60_000 },
            Host::GitLab => Style { folds: true, longest: 200_000 },
            Host::AzureDevOps => Style { folds: true, longest: 100_000 },
            Host::Gogs => Style { folds: false, longest: 60_000 },
            Host::Bitbucket | Host::BitbucketServer => Style { folds: false, longest: 30_000 },
        }
    }

    /// Whether there are statuses at all.
    pub fn has_statuses(&self) -> bool {
        self.host != Host::Gogs
    }

    /// Sets a commit's status.
    pub async fn status(&self, status: &CommitStatus<'_>) -> Result<(), Failure> {
        self.clean(self.provider.status(status).await)
    }

    /// The newest commit of a pull request that is open; nothing when it is closed.
    pub async fn head(&self, number: u64) -> Result<Option<String>, Failure> {
        self.clean(self.provider.head(number).await)
    }

    /// Writes the comment with that mark anew. Where there is none yet, it is made if that is `wanted`.
    pub async fn comment(&self, number: u64, mark: &str, text: &str, wanted: bool) -> Result<(), Failure> {
        self.clean(self.comment_as_it_goes(number, mark, text, wanted).await)
    }

    async fn comment_as_it_goes(
        &self,
        number: u64,
        mark: &str,
        text: &str,
        wanted: bool,
    ) -> Result<(), Failure> {
        let mut known: Option<Known> = None;
        let mut from = Some(0);
        for _ in 0..PAGES {
            let Some(start) = from else { break };
            let page = self.provider.comments(number, start).await?;
            let marked = page.comments.into_iter().filter(|comment| comment.text.contains(mark));
            // Whoever copies the mark comes later than ours.
            known = marked.chain(known).min_by_key(|comment| comment.id);
            from = page.next;
        }
        match known {
            Some(known) if same(&known.text, text) => Ok(()),
            Some(known) => self.provider.edit(number, &known, text).await,
            None if wanted => self.provider.write(number, text).await,
            None => Ok(()),
        }
    }

    fn clean<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        result.map_err(|failure| Failure { message: self.redactor.redact(&failure.message), ..failure })
    }
}

/// What proves who uses a proxy, as it stands in its address and as it is sent: a proxy may repeat it in what it answers.
fn learn_proxy(redactor: &mut Redactor, address: &str) {
    redactor.learn(address.as_bytes());
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((proof, _)) = authority.rsplit_once('@') else { return };
    // A name without a password is a token.
    let password = proof.split_once(':').map_or(proof, |(_, password)| password);
    for escaped in [proof, password] {
        let field = format!("x={}", escaped.replace('+', "%2B").replace('&', "%26"));
        let plain: String = form_urlencoded::parse(field.as_bytes()).map(|(_, plain)| plain).collect();
        redactor.learn(escaped.as_bytes());
        redactor.learn(plain.as_bytes());
    }
}

/// Providers keep a text without the blanks at its ends, some with line ends of another kind.
fn same(one: &str, other: &str) -> bool {
    one.trim().lines().map(str::trim_end).eq(other.trim().lines().map(str::trim_end))
}

/// Where a repository lies.
pub(crate) struct Place {
    /// Scheme, host and port.
    origin: String,
    /// What is given instead of the usual address; without a slash at its end.
    api: String,
    /// Parts of the path.
    parts: Vec<String>,
}

impl Place {
    fn of(account: &Account) -> Result<Self, String> {
        let web = |text: &str| {
            let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            let url = url.ok_or_else(|| format!("{} is not an http or https address", shown(text)))?;
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Ok::<_, String>(format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default()))
        };
        let api = account.api.trim_end_matches('/').to_owned();
        if !api.is_empty() {
            web(&api)?;
        }
        Ok(Self { origin: web(&account.origin)?, api, parts: parts(&account.repository) })
    }

    /// The API's address: what was given, or what the provider's own is.
    fn api(&self, usual: impl FnOnce(&str) -> String) -> String {
        if self.api.is_empty() { usual(&self.origin) } else { self.api.clone() }
    }

    /// The last two parts of the path, escaped.
    fn owner_and_name(&self) -> Result<(String, String), String> {
        match self.parts.as_slice() {
            [.., owner, name] => Ok((percent_encoded(owner), percent_encoded(name))),
            _ => Err("the repository's address has no owner and no name".to_owned()),
        }
    }
}

/// Sends requests with a proof.
pub(crate) struct Caller {
    client: Client,
    proof: Proof,
}

impl Caller {
    fn new(account: &Account, outlet: &Outlet) -> Result<Self, String> {
        let (insecure, proxy) = (account.insecure, account.proxy.clone());
        let connection = Connection { insecure, proxy, ..Connection::default() };
        let reached = if account.api.is_empty() { &account.origin } else { &account.api };
        Ok(Self { client: outlet.client(reached, &connection)?, proof: account.proof.clone() })
    }

    /// Sends a request that is proven already; what is answered must be good.
    async fn send(&self, request: Request, method: &str, url: &str) -> Result<Value, Failure> {
        let answer = self.client.send(request).await?;
        if !answer.is_good() {
            let text = format!("{method} {}: {} {}", shown(url), answer.status, short(&answer.body));
            return Err(answer.failure(text));
        }
        if answer.body.trim().is_empty() {
            return Ok(Value::Null);
        }
        answer.json(&format!("{method} {}", shown(url)))
    }

    /// A request with the proof as most providers take it: a token as a bearer's, a password as basic authentication.
    async fn call(&self, method: &str, url: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let request = match &self.proof {
            Proof::Token(token) => {
                Request::new(method, url).header("Authorization", format!("Bearer {}", token.reveal()))
            }
            Proof::Password(user, password) => Request::new(method, url).basic(user, password.reveal()),
            Proof::App(_) => return Err(Failure::lasting("a GitHub App is known to GitHub only")),
        };
        self.send(with_body(request, body), method, url).await
    }
}

/// A request that takes and gives JSON.
fn with_body(request: Request, body: Option<&Value>) -> Request {
    let request = request.header("Accept", "application/json").up_to(LARGEST_PAGE);
    match body {
        Some(body) => request.json(body.to_string()),
        None => request,
    }
}

/// A text of an answer, by its way in; empty when it is not there.
fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A number of an answer.
fn number(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer).and_then(Value::as_u64)
}

/// The comments of a list, where ids and texts stand there.
fn listed(list: Option<&Value>, id: &str, body: &str) -> Vec<Known> {
    let entries = list.and_then(Value::as_array).into_iter().flatten();
    let known =
        |entry: &Value| Some(Known { id: number(entry, id)?, beside: 0, text: text(entry, body).into() });
    entries.filter_map(known).collect()
}
