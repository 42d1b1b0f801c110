//! Who tells: the account of `pullrequests.accounts` for the repository, else what the repository itself is opened with.

use super::findings::{context, page};
use super::judging;
use crate::authorization::project_name;
use crate::hub::Hub;
use api::v1alpha1::{Application, Repository};
use deliver::feedback::{Account, AppKey, CommitStatus, Feedback, Host, Proof, Proxy};
use deliver::{Failure, World};
use object::Secret;
use preview::{Comment, State};
use settings::{PullRequestAccount, PullRequests};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use webhook::{Provider, PullRequest, RepositoryKey};

/// Tries of one thing that is told, and the pause before the second of them.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause that a provider may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Tells a repository's pull requests.
pub(super) struct Teller(Feedback);

impl Teller {
    pub(super) fn new(
        hub: &Hub,
        settings: &PullRequests,
        pull: &PullRequest,
        application: &Application,
    ) -> Result<Self, String> {
        let source =
            judging::source_of(application, pull).ok_or("the application does not follow its branch")?;
        let host = host(pull.provider).ok_or("its provider has no pull requests")?;
        let chosen = chosen(&settings.accounts, &source.repo_url);
        let account = match chosen {
            Some(chosen) => of_settings(host, &source.repo_url, chosen),
            None => {
                let found = hub.repository(&source.repo_url, project_name(application));
                let found = found.map_err(|status| status.message().to_owned())?;
                of_repository(host, &source.repo_url, &found)?
            }
        };
        Feedback::new(&account, &world(hub)).map(Self)
    }

    /// Sets the status of an application. What goes wrong is told in the log.
    pub(super) async fn status(
        &self,
        hub: &Hub,
        application: &Application,
        commit: &str,
        state: State,
        words: &str,
    ) {
        if !self.0.has_statuses() {
            return;
        }
        let name = context(hub, application);
        let (of, url) = (format!("argocd/{name}"), page(hub, application));
        let status = CommitStatus { commit, context: &of, state, text: words, url: &url };
        let told = persistently(|| self.0.status(&status)).await;
        hub.metrics.pull_request("status", told.is_ok());
        if let Err(failure) = told {
            tracing::warn!(application = name, commit, "the status of a commit: {failure}");
        }
    }

    /// Writes the comment, unless the request is closed or has newer commits.
    pub(super) async fn comment(
        &self,
        hub: &Hub,
        pull: &PullRequest,
        commit: &str,
        comment: &Comment<'_>,
        wanted: bool,
    ) -> Result<(), String> {
        let told = async {
            let Some(newest) = persistently(|| self.0.head(pull.number)).await? else { return Ok(()) };
            // Some providers tell a commit by its first digits.
            if !newest.is_empty() && !commit.starts_with(&newest) {
                return Ok(());
            }
            let text = comment.text(self.0.style());
            persistently(|| self.0.comment(pull.number, comment.marker, &text, wanted)).await
        };
        let told: Result<(), Failure> = told.await;
        hub.metrics.pull_request("comment", told.is_ok());
        told.map_err(|failure| format!("its comment: {failure}"))
    }
}

/// Tries again what may work later.
async fn persistently<T, F: Future<Output = Result<T, Failure>>>(
    mut work: impl FnMut() -> F,
) -> Result<T, Failure> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match work().await {
            Err(failure) if failure.retry => {
                tokio::time::sleep(failure.after.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                pause *= 4;
            }
            other => return other,
        }
    }
    work().await
}

fn host(provider: Provider) -> Option<Host> {
    Some(match provider {
        Provider::GitHub => Host::GitHub,
        Provider::GitLab => Host::GitLab,
        Provider::Gitea | Provider::Forgejo => Host::Gitea,
        Provider::Gogs => Host::Gogs,
        Provider::Bitbucket => Host::Bitbucket,
        Provider::BitbucketServer => Host::BitbucketServer,
        Provider::AzureDevOps => Host::AzureDevOps,
        _ => return None,
    })
}

/// The account with the longest address that a repository is at or below.
fn chosen<'a>(accounts: &'a [PullRequestAccount], repository: &str) -> Option<&'a PullRequestAccount> {
    let keys: Vec<String> = RepositoryKey::of_repo_url(repository).iter().map(ToString::to_string).collect();
    let covers = |account: &PullRequestAccount| {
        let Ok(own) = RepositoryKey::from_web_url(account.url.trim_end_matches('/')) else { return false };
        let own = own.to_string();
        let own = own.trim_end_matches('/');
        keys.iter().any(|key| key == own || key.strip_prefix(own).is_some_and(|rest| rest.starts_with('/')))
    };
    accounts.iter().filter(|account| covers(account)).max_by_key(|account| account.url.len())
}

fn of_settings(host: Host, repository: &str, chosen: &PullRequestAccount) -> Account {
    let proof = match &chosen.app {
        Some(app) => Proof::App(AppKey {
            id: app.id,
            installation: app.installation,
            private_key: app.private_key.clone(),
        }),
        None if chosen.username.is_empty() => Proof::Token(chosen.token.clone()),
        None => Proof::Password(chosen.username.clone(), chosen.token.clone()),
    };
    Account {
        host,
        repository: repository.to_owned(),
        api: chosen.api.clone(),
        origin: chosen.url.clone(),
        proof,
        insecure: chosen.insecure,
        proxy: proxy(&chosen.proxy, &chosen.no_proxy),
    }
}

/// What opens the repository, if that is something a provider's API takes.
fn of_repository(host: Host, url: &str, found: &Repository) -> Result<Account, String> {
    let proof = if found.github_app_id != 0 {
        Proof::App(AppKey {
            id: found.github_app_id,
            installation: found.github_app_installation_id,
            private_key: found.github_app_private_key.clone().into(),
        })
    } else if !found.bearer_token.is_empty() {
        Proof::Token(found.bearer_token.clone().into())
    } else if !found.password.is_empty() && found.username.is_empty() {
        Proof::Token(found.password.clone().into())
    } else if !found.password.is_empty() {
        Proof::Password(found.username.clone(), found.password.clone().into())
    } else {
        return Err("there is no account in pullrequests.accounts for its repository, which is opened without a token itself".into());
    };
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err("there is no account in pullrequests.accounts for its repository, which is not reached over https itself".into());
    }
    Ok(Account {
        host,
        repository: url.to_owned(),
        api: found.github_app_enterprise_base_url.clone(),
        origin: url.to_owned(),
        proof,
        insecure: found.insecure,
        proxy: proxy(&found.proxy.clone().into(), &found.no_proxy),
    })
}

fn proxy(url: &Secret<String>, exceptions: &str) -> Option<Proxy> {
    (!url.is_empty()).then(|| Proxy { url: url.clone(), exceptions: exceptions.to_owned() })
}

/// Certificates of hosts are those of repositories.
fn world(hub: &Hub) -> World {
    let mut world = World::new(BTreeMap::new());
    let store = hub.store.clone();
    world.authorities = Arc::new(move |host| {
        let mut known = store.config_map("argocd-tls-certs-cm");
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare).to_owned();
        known.remove(host).or_else(|| known.remove(&bare)).map(String::into_bytes)
    });
    world
}

#[cfg(test)]
mod tests {
    use super::{chosen, of_repository, of_settings};
    use api::v1alpha1::Repository;
    use deliver::feedback::{Account, Host, Proof};
    use settings::PullRequestAccount;

    #[test]
    fn an_account_is_for_what_lies_below_its_address() {
        let accounts: Vec<PullRequestAccount> =
            ["https://github.com", "https://github.com/org/", "https://git.example/a/b.git"]
                .map(|url| PullRequestAccount { url: url.into(), ..PullRequestAccount::default() })
                .into();
        let of = |repository: &str| chosen(&accounts, repository).map(|account| account.url.as_str());
        assert_eq!(of("https://github.com/org/app.git"), Some("https://github.com/org/"));
        assert_eq!(of("git@github.com:org/app"), Some("https://github.com/org/"));
        assert_eq!(of("ssh://git@github.com:22/other/app"), Some("https://github.com"));
        assert_eq!(of("https://github.com/organisation/app"), Some("https://github.com"));
        assert_eq!(of("https://github.com.evil.example/org/app"), None);
        assert_eq!(of("https://git.example/a/b"), None, "it is named with its ending there");
        assert_eq!(of("https://git.example/a/b.git"), Some("https://git.example/a/b.git"));
        assert_eq!(of("/srv/git"), None);
    }

    #[test]
    fn a_repository_speaks_for_itself_where_it_has_a_token() {
        let of = |url: &str, change: fn(&mut Repository)| {
            let mut found = Repository::default();
            change(&mut found);
            of_repository(Host::GitHub, url, &found).map(|account| account.proof)
        };
        let https = "https://git.example/org/app";
        assert!(matches!(of(https, |it| it.password = "x".into()), Ok(Proof::Token(_))));
        assert!(matches!(of(https, |it| it.bearer_token = "x".into()), Ok(Proof::Token(_))));
        assert!(matches!(of(https, |it| it.github_app_id = 1), Ok(Proof::App(_))));
        let with_user = |it: &mut Repository| (it.username, it.password) = ("ann".into(), "x".into());
        assert!(matches!(of(https, with_user), Ok(Proof::Password(..))));
        assert!(of(https, |it| it.ssh_private_key = "x".into()).is_err());
        assert!(of("git@git.example:org/app", |it| it.password = "x".into()).is_err());
    }

    #[test]
    fn an_account_is_reached_through_the_proxy_that_was_said_for_it() {
        let said = |account: &Account| {
            let proxy = account.proxy.as_ref();
            proxy.map(|proxy| (proxy.url.reveal().clone(), proxy.exceptions.clone()))
        };
        let (url, address, exceptions) =
            ("https://git.example/org/app", "http://proxy.example:3128", "10.0.0.0/8");
        let wanted = Some((address.to_owned(), exceptions.to_owned()));
        let mut found =
            Repository { password: "x".into(), no_proxy: exceptions.into(), ..Repository::default() };
        let of_found = |found: &Repository| of_repository(Host::GitHub, url, found).expect("an account");
        assert_eq!(said(&of_found(&found)), None, "that of the environment");
        found.proxy = address.into();
        assert_eq!(said(&of_found(&found)), wanted);
        let mut account = PullRequestAccount { no_proxy: exceptions.into(), ..PullRequestAccount::default() };
        assert_eq!(said(&of_settings(Host::GitHub, url, &account)), None);
        account.proxy = address.into();
        assert_eq!(said(&of_settings(Host::GitHub, url, &account)), wanted);
    }
}
