//! What `argocd-cm`, `argocd-rbac-cm` and `argocd-secret` say at one moment, parsed once per change.

use crate::broken;
use actions::Actions;
use auth::{Accounts, TokenKey};
use lua_sandbox::{Interrupt, Limits};
use manifest_request::RenderSettings;
use rbac::{Enforcer, MatchMode, Policy};
use settings::{Data, Problem, RbacPolicy};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use store::Store;

const SETTINGS: &str = "argocd-cm";
const POLICY: &str = "argocd-rbac-cm";
const SECRET: &str = "argocd-secret";

/// How long one script of a user's action may take, as in the controller.
const SCRIPT_TIME: Duration = Duration::from_secs(2);

/// What tells one state of the settings from another: how many changes of ConfigMaps there were, and the version of
/// `argocd-secret`.
pub(crate) type Versions = (u64, Arc<str>);

/// A part of the settings that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Broken {
    /// The object it is in.
    pub(crate) object: &'static str,
    /// The key, and what is wrong with its value.
    pub(crate) message: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.object, self.message)
    }
}

/// Parsed settings.
pub(crate) struct Snapshot {
    versions: Versions,
    /// `argocd-cm`.
    pub(crate) data: Data,
    /// Local accounts with their secrets.
    pub(crate) accounts: Accounts,
    /// Sessions, anonymous access, the rule for passwords.
    pub(crate) sessions: settings::Sessions,
    /// The server's own settings.
    pub(crate) server: settings::Server,
    /// How objects are tracked.
    pub(crate) tracking: settings::Tracking,
    /// What renders depend on.
    pub(crate) rendering: RenderSettings,
    /// The policy.
    pub(crate) enforcer: Arc<Enforcer>,
    /// Claims of a provider's tokens that name groups.
    pub(crate) scopes: Vec<String>,
    /// Signs and verifies tokens; none while `argocd-secret` has no key.
    pub(crate) key: Option<TokenKey>,
    /// Secrets of those who send webhooks.
    pub(crate) webhooks: webhook::Secrets,
    /// Whether pull requests are answered, and as whom.
    pub(crate) pull_requests: settings::PullRequests,
    /// Which parts cannot be read, and why; the rest counts all the same.
    pub(crate) problems: Vec<Broken>,
    /// Annotations masked on Secrets.
    pub(crate) masked_annotations: std::collections::BTreeSet<String>,
    actions: OnceLock<Arc<Actions>>,
}

impl Snapshot {
    /// Those of the problems that are not among the snapshot's own.
    pub(crate) fn other_problems(&self, problems: Vec<Problem>) -> impl Iterator<Item = Problem> {
        problems.into_iter().filter(|problem| {
            let message = format!("{}: {}", problem.key, problem.message);
            !self.problems.iter().any(|known| known.message == message)
        })
    }

    /// Which objects it is of.
    pub(crate) fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Actions on objects, compiled when first asked for.
    pub(crate) fn actions(&self) -> Arc<Actions> {
        let compile = || {
            let (customizations, _) = settings::Customizations::parse(&self.data);
            Arc::new(Actions::new(&customizations, script_limits(SCRIPT_TIME)))
        };
        self.actions.get_or_init(compile).clone()
    }

    /// Reads them. `before` is what stands where a new policy cannot be read.
    pub(crate) fn read(store: &Store, before: Option<&Self>) -> Self {
        let versions = versions(store);
        let data = store.config_map(SETTINGS);
        let (keys, secrets) = secrets(store);
        let (accounts, told) = Accounts::parse(&data, &secrets);
        let mut problems: Vec<Broken> =
            told.into_iter().map(|message| Broken { object: SETTINGS, message }).collect();
        let mut note = |object: &'static str, told: Vec<Problem>| {
            let broken = |problem: Problem| Broken {
                object,
                message: format!("{}: {}", problem.key, problem.message),
            };
            problems.extend(told.into_iter().map(broken));
        };
        let (sessions, told) = settings::Sessions::parse(&data);
        note(SETTINGS, told);
        let (tracking, told) = settings::Tracking::parse(&data);
        note(SETTINGS, told);
        let (server, told) = settings::Server::parse(&data);
        note(SETTINGS, told);
        let (rendering, told) = RenderSettings::parse(&data, tracking.clone());
        note(SETTINGS, told);
        note(SETTINGS, settings::Customizations::parse(&data).1);
        // Read where they are used; what they refer to may come later, so only their own text is judged here.
        let there = |key: &str| {
            crate::sso::secret_text(store, key).or_else(|| Some("https://later.invalid".to_owned()))
        };
        note(SETTINGS, settings::SingleSignOn::parse(&data, &there).1);
        note(SETTINGS, settings::extensions(&data, &there).1);
        note(SETTINGS, settings::DeepLinks::parse(&data).1);
        note(SETTINGS, settings::GlobalProjects::parse(&data).1);
        note(SETTINGS, settings::CompareOptions::parse(&data).1);
        note(SETTINGS, settings::Impersonation::parse(&data).1);
        note(SETTINGS, settings::Ui::parse(&data).1);
        let (pull_requests, told) = pull_requests(store, &data);
        note(SETTINGS, told);
        let policy = store.config_map(POLICY);
        let (rules, told) = RbacPolicy::parse(&policy);
        note(POLICY, told);
        let (enforcer, unread) = enforcer(&rules, before.map(|before| &before.enforcer));
        problems.extend(unread.map(|message| Broken { object: POLICY, message }));
        problems.extend(broken::trusted(store));
        problems.sort();
        problems.dedup();
        Self {
            pull_requests,
            scopes: rules.scopes,
            enforcer,
            server,
            rendering,
            problems,
            tracking,
            masked_annotations: settings::ResourceLabels::parse(&data)
                .masked_annotations
                .into_iter()
                .collect(),
            webhooks: webhook::Secrets::from_data(|key| webhook_secret(store, secrets.get(key)?)),
            key: keys.map(|secret| TokenKey::new(&secret)),
            actions: OnceLock::new(),
            versions,
            data,
            accounts,
            sessions,
        }
    }
}

/// What one run of a user's script may take.
fn script_limits(time: Duration) -> Limits {
    let watch = move || -> Interrupt {
        let began = Instant::now();
        Box::new(move || began.elapsed() > time)
    };
    Limits { watch: Some(Arc::new(watch)), ..Limits::default() }
}

/// A secret as it stands, or the one that `$name:key` points to.
fn webhook_secret(store: &Store, text: &str) -> Option<String> {
    let Some((name, key)) = text.strip_prefix('$').and_then(|rest| rest.split_once(':')) else {
        return Some(text.to_owned());
    };
    store.secret(name).map(|entry| entry.text(key))
}

/// Settings of pull requests; what they refer to is in `argocd-secret`, or in a Secret that is named.
fn pull_requests(store: &Store, data: &Data) -> (settings::PullRequests, Vec<settings::Problem>) {
    let lookup = |reference: &str| {
        let (name, key) = reference.split_once(':').unwrap_or((SECRET, reference));
        store.secret(name).map(|entry| entry.text(key)).filter(|text| !text.is_empty())
    };
    settings::PullRequests::parse(data, &lookup)
}

/// The versions now.
pub(crate) fn versions(store: &Store) -> Versions {
    let secret = store.secrets().get(store.namespace(), SECRET);
    let secret = secret.map_or_else(|| Arc::from(""), |stored| stored.resource_version.clone());
    (store.config_maps().generation(), secret)
}

/// The signing key, and what else `argocd-secret` holds as text.
fn secrets(store: &Store) -> (Option<Vec<u8>>, BTreeMap<String, String>) {
    let Some(entry) = store.secret(SECRET) else { return (None, BTreeMap::new()) };
    let key =
        entry.data.get("server.secretkey").map(|key| key.reveal().clone()).filter(|key| !key.is_empty());
    (key, entry.data.keys().map(|name| (name.clone(), entry.text(name))).collect())
}

/// The policy compiled. One that cannot be read changes nothing; with nothing before it, only the built-in roles
/// count and nobody has a default role.
fn enforcer(settings: &RbacPolicy, before: Option<&Arc<Enforcer>>) -> (Arc<Enforcer>, Option<String>) {
    let mode = match settings.match_mode {
        settings::MatchMode::Glob => MatchMode::Glob,
        settings::MatchMode::Regex => MatchMode::Regex,
    };
    let mut policy = rbac::builtin();
    match Policy::parse(&settings.policy) {
        Ok(own) => {
            policy.extend(own);
            (Arc::new(Enforcer::new(&policy, &settings.default_role, mode)), None)
        }
        Err(error) => {
            let stands = before.cloned().unwrap_or_else(|| Arc::new(Enforcer::new(&policy, "", mode)));
            (stands, Some(format!("policy: {error}; the policy before it stays in force")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use object::Object;
    use serde_json::json;

    #[test]
    fn an_action_that_takes_too_long_is_stopped() {
        let key = "resource.customizations.actions.acme.io_Widget".to_owned();
        let text = "discovery.lua: |\n  while true do end\n  return {}\ndefinitions: []\n";
        let (customizations, problems) =
            settings::Customizations::parse(&Data::from([(key, text.to_owned())]));
        assert_eq!(problems, []);
        let limits = Limits { steps: u64::MAX, ..script_limits(Duration::from_millis(50)) };
        let actions = Actions::new(&customizations, limits);
        let widget = json!({"apiVersion": "acme.io/v1", "kind": "Widget", "metadata": {"name": "w"}});
        let said = actions.discover(&Object::from_value(widget).unwrap(), Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(said.to_string().contains("the script takes too long"), "{said}");
    }
}
