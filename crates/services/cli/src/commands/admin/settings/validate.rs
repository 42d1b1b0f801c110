//! `argocd admin settings validate`.

use auth::Accounts;
use settings::{Kustomize, Problem, SingleSignOn, Tracking, Ui};

use super::source::Settings;
use crate::command::{Command, Running, array};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// The groups, in the order they are told.
const GROUPS: [&str; 4] = ["accounts", "general", "kustomize", "resource-overrides"];

pub(super) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd admin settings validate --argocd-cm-path ./argocd-cm.yaml\n  argocd admin settings validate --group accounts --load-cluster-settings",
    flags: &[&[array(
        "group",
        "Only this group of settings: accounts, general, kustomize or resource-overrides",
    )]],
    run: Some(start),
    ..Command::new("validate", "", "Validate settings")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let settings = Settings::read(session).await?;
    let named = session.matches.list("group").to_vec();
    if let Some(unknown) = named.iter().find(|group| !GROUPS.contains(&group.as_str())) {
        let message = format!("there is no group of settings {unknown:?}: {} are", GROUPS.join(", "));
        return Err(Failure::fatal(message));
    }
    let groups = if named.is_empty() { GROUPS.map(str::to_owned).to_vec() } else { named };
    let mut broken = false;
    for (place, group) in groups.iter().enumerate() {
        if place > 0 {
            session.print("\n");
        }
        let (mark, text) = match look(group, &settings) {
            Ok(summary) => ("✅", summary),
            Err(problems) => ("❌", problems.join("\n")),
        };
        broken |= mark == "❌";
        session.print(&format!("{mark} {group}\n{text}\n"));
    }
    // Scripts that check settings before they count must be able to ask for the exit code.
    if broken { Err(Failure::Exit(1)) } else { Ok(()) }
}

/// What is found in a group, or what is wrong in it.
fn look(group: &str, settings: &Settings) -> Result<String, Vec<String>> {
    let told = |problems: Vec<Problem>| {
        problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.key, problem.message))
            .collect::<Vec<_>>()
    };
    let (summary, problems) = match group {
        "accounts" => {
            let secrets = settings.secrets.clone().unwrap_or_default();
            let (accounts, problems) = Accounts::parse(&settings.data, &secrets);
            (format!("{} accounts", accounts.0.len()), problems)
        }
        "general" => general(settings),
        "kustomize" => {
            let (kustomize, problems) = Kustomize::parse(&settings.data);
            (described(&kustomize), told(problems))
        }
        _ => {
            let (customizations, problems) = settings::Customizations::parse(&settings.data);
            (format!("{} resource overrides", customizations.overrides.len()), told(problems))
        }
    };
    if problems.is_empty() { Ok(summary) } else { Err(problems) }
}

fn general(settings: &Settings) -> (String, Vec<String>) {
    let secrets = settings.secrets.clone().unwrap_or_default();
    // Secrets that were not given are not looked up: what refers to one is taken as it stands.
    let elsewhere = |reference: &str| settings.secrets.is_none() || reference.contains(':');
    let lookup = |reference: &str| {
        let here = secrets.get(reference).cloned();
        here.or_else(|| elsewhere(reference).then(|| format!("${reference}")))
    };
    let (sso, mut problems) = SingleSignOn::parse(&settings.data, &lookup);
    problems.extend(Tracking::parse(&settings.data).1);
    problems.extend(Ui::parse(&settings.data).1);
    let mut told: Vec<String> =
        problems.into_iter().map(|problem| format!("{}: {}", problem.key, problem.message)).collect();
    let without_key = |secrets: &settings::Data| secrets.get("server.secretkey").is_none_or(String::is_empty);
    if settings.secrets.as_ref().is_some_and(without_key) {
        told.push("server.secretkey is missing".into());
    }
    let addressed = settings.data.get("url").is_some_and(|url| !url.is_empty());
    let summary = match sso {
        None => "SSO is not configured".to_owned(),
        Some(sso) => {
            let provider = if matches!(sso, SingleSignOn::Direct(_)) { "OIDC" } else { "Dex" };
            let missing = if addressed { "" } else { " ('url' field is missing)" };
            format!("{provider} is configured{missing}")
        }
    };
    (summary, told)
}

fn described(kustomize: &Kustomize) -> String {
    let given = kustomize.build_options.as_str();
    let options = if given.is_empty() { "default options" } else { given };
    match kustomize.versions.len() {
        0 => options.to_owned(),
        versions => format!("{options} ({versions} versions)"),
    }
}
