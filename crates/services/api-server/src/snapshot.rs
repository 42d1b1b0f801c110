//! What `argocd-cm`, `argocd-rbac-cm` and `argocd-secret` say at one moment, parsed once per change.

use crate::broken;
use crate::sso::secret_text;
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

/// What tells one state of the settings from another: how many changes of ConfigMaps there were, and of Secrets.
pub(crate) type Versions = (u64, u64);

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
        let there = |key: &str| secret_text(store, key).or_else(|| Some("https://later.invalid".to_owned()));
        note(SETTINGS, settings::SingleSignOn::parse(&data, &there).1);
        note(SETTINGS, settings::extensions(&data, &there).1);
        note(SETTINGS, settings::DeepLinks::parse(&data).1);
        note(SETTINGS, settings::GlobalProjects::parse(&data).1);
        note(SETTINGS, settings::CompareOptions::parse(&data).1);
        note(SETTINGS, settings::Impersonation::parse(&data).1);
        note(SETTINGS, settings::Ui::parse(&data).1);
        let found = |reference: &str| secret_text(store, reference).filter(|text| !text.is_empty());
        let (pull_requests, told) = settings::PullRequests::parse(&data, &found);
        note(SETTINGS, told);
        let (hooks, told) = hooks(&secrets, &found);
        note(SECRET, told);
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
            webhooks: webhook::Secrets::from_data(|key| hooks.get(key).cloned()),
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

/// The secrets of webhooks, by their keys, each as it stands or as what it refers to. One that refers to nothing is asked for
/// as it stands, which nobody proves: that a Secret is missing opens no door.
fn hooks(
    secrets: &BTreeMap<String, String>,
    found: settings::Lookup<'_>,
) -> (BTreeMap<String, String>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut followed = |(key, text): (&String, &String)| {
        let mut missing = Vec::new();
        let text = settings::resolve_text(text, found, &mut missing);
        // It may be a secret that happens to begin so.
        problems.extend(missing.into_iter().map(|_| Problem {
            key: key.clone(),
            message: "begins with $ and refers to nothing: it is taken as it stands".into(),
        }));
        (key.clone(), text)
    };
    let hooks = secrets.iter().filter(|(key, _)| key.starts_with("webhook.")).map(&mut followed).collect();
    (hooks, problems)
}

/// The versions now. Settings may refer to any Secret.
pub(crate) fn versions(store: &Store) -> Versions {
    (store.config_maps().generation(), store.secrets().generation())
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
    fn a_secret_of_webhooks_that_refers_to_nothing_opens_no_door_and_is_told_nowhere() {
        let texts = [
            ("webhook.github.secret", "$hooks:github"),
            ("webhook.gitlab.secret", "$shared"),
            ("webhook.gogs.secret", "plain"),
            ("webhook.harbor.secret", "$canary"),
            ("server.secretkey", "$canary"),
        ];
        let secrets = texts.map(|(key, text)| (key.to_owned(), text.to_owned())).into();
        let found = |key: &str| (key == "shared").then(|| "s3cret\n".to_owned());
        let (hooks, problems) = hooks(&secrets, &found);
        let of = |key: &str| hooks.get(key).map(String::as_str);
        assert_eq!(of("webhook.github.secret"), Some("$hooks:github"));
        assert_eq!(of("webhook.gitlab.secret"), Some("s3cret"));
        assert_eq!(of("webhook.gogs.secret"), Some("plain"));
        assert_eq!(of("server.secretkey"), None);
        let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["webhook.github.secret", "webhook.harbor.secret"]);
        assert!(!problems.iter().any(|problem| problem.message.contains("canary")));
    }

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
