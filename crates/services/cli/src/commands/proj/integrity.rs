//! `argocd proj source-integrity git policies`: which commits count as signed.

use api::v1alpha1::{
    AppProject, SourceIntegrityGitPolicy, SourceIntegrityGitPolicyGPG, SourceIntegrityGitPolicyRepo,
};
use std::collections::BTreeSet;
use wire::gpgkey::GnuPgPublicKeyQuery;
use wire::project::{ProjectQuery, ProjectUpdateRequest};

use super::signature_key::key_id;
use crate::command::{Command, Running, list, switch, text};
use crate::connection::Server;
use crate::failure::{Failure, Outcome, rpc_error};
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command =
    Command { commands: &[&GIT], ..Command::new("source-integrity", "", "Manage source integrity settings") };

static GIT: Command = Command {
    commands: &[&POLICIES],
    ..Command::new("git", "", "Manage source integrity of Git repositories")
};

static POLICIES: Command = Command {
    commands: &[&ADD, &DELETE, &LIST, &UPDATE],
    ..Command::new("policies", "", "Manage policies for Git repositories")
};

static ADD: Command = Command {
    flags: &[&[
        list("gpg-key", "ID of a GnuPG key (can be repeated)"),
        text("gpg-mode", "What must be signed: strict, head, or none"),
        list("repo-url", "Pattern of repository URLs (can be repeated)"),
    ]],
    run: Some(start_add),
    ..Command::new("add", "PROJECT", "Add a git source integrity policy")
};

static DELETE: Command = Command {
    flags: &[&[switch("yes", "Do not ask").short('y')]],
    run: Some(start_delete),
    ..Command::new("delete", "PROJECT POLICY_ID...", "Delete a git source integrity policy")
};

static LIST: Command = Command {
    run: Some(start_list),
    ..Command::new(
        "list",
        "PROJECT",
        "List git source integrity policies, with the IDs that delete and update take",
    )
};

static UPDATE: Command = Command {
    flags: &[&[
        list("add-gpg-key", "ID of a GnuPG key to add"),
        list("add-repo-url", "Pattern of repository URLs to add"),
        list("delete-gpg-key", "ID of a GnuPG key to take out"),
        list("delete-repo-url", "Pattern of repository URLs to take out"),
        list("gpg-key", "IDs of the GnuPG keys, instead of those there are"),
        text("gpg-mode", "What must be signed: strict, head, or none"),
        list("repo-url", "Patterns of repository URLs, instead of those there are"),
        switch("yes", "Do not ask").short('y'),
    ]],
    run: Some(start_update),
    ..Command::new("update", "PROJECT POLICY_ID", "Update a git source integrity policy")
};

fn start_add<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { add(session).await })
}

fn start_delete<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { delete(session).await })
}

fn start_list<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { show(session).await })
}

fn start_update<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { update(session).await })
}

fn told(message: impl Into<String>) -> Failure {
    Failure::Told(message.into())
}

async fn read(server: &Server, name: &str) -> Outcome<AppProject> {
    let answer = server.projects().get(ProjectQuery { name: name.to_owned() }).await;
    let found =
        answer.map_err(|status| told(format!("failed getting project {name:?}: {}", rpc_error(&status))))?;
    Ok(found.into_inner())
}

async fn write(server: &Server, project: AppProject) -> Outcome {
    let name = project.metadata.name.clone();
    let answer = server.projects().update(ProjectUpdateRequest { project: Some(project) }).await;
    answer
        .map(drop)
        .map_err(|status| told(format!("failed updating project {name:?}: {}", rpc_error(&status))))
}

/// The policies there are; none is an error.
fn policies(project: &mut AppProject) -> Outcome<&mut Vec<SourceIntegrityGitPolicy>> {
    let name = project.metadata.name.clone();
    let missing = || told(format!("no source integrity git policies defined for project {name:?}"));
    let git = project.spec.source_integrity.as_mut().and_then(|integrity| integrity.git.as_mut());
    git.map(|git| &mut git.policies).filter(|policies| !policies.is_empty()).ok_or_else(missing)
}

fn index(text: &str, count: usize) -> Outcome<usize> {
    let number = crate::parse::parse_int(text).ok_or_else(|| told(format!("invalid POLICY_ID '{text}'")))?;
    usize::try_from(number)
        .ok()
        .filter(|index| *index < count)
        .ok_or_else(|| told(format!("the POLICY_ID {number} is out of range (0-{})", count - 1)))
}

fn mode(text: &str) -> Outcome<String> {
    match text {
        "strict" | "head" | "none" => Ok(text.to_owned()),
        "" => Err(told("gpg-mode must be set")),
        _ => Err(told("gpg-mode must be one of: strict, head, none")),
    }
}

fn valid_keys(keys: &[String]) -> Outcome {
    match keys.iter().find(|key| key_id(key).is_none()) {
        None => Ok(()),
        Some(key) => Err(told(format!("invalid GPG key ID '{key}': '{key}' is not a valid GnuPG key ID"))),
    }
}

fn repositories(urls: &[String]) -> Vec<SourceIntegrityGitPolicyRepo> {
    urls.iter().map(|url| SourceIntegrityGitPolicyRepo { url: url.clone() }).collect()
}

async fn show(session: &mut Session<'_>) -> Outcome {
    let name = session.only_argument()?;
    let server = session.server().await?;
    let mut project = read(&server, &name).await?;
    let table = table(policies(&mut project)?);
    session.print(&table);
    Ok(())
}

fn table(policies: &[SourceIntegrityGitPolicy]) -> String {
    let joined = |list: Vec<&str>| if list.is_empty() { "<none>".to_owned() } else { list.join(", ") };
    let mut table = Table::new();
    table.row(&["ID", "GPG-MODE", "GPG-KEYS", "REPO-URLS"]);
    for (id, policy) in policies.iter().enumerate() {
        let gpg = policy.gpg.as_ref();
        let keys = gpg.map(|gpg| gpg.keys.iter().map(String::as_str).collect()).unwrap_or_default();
        let urls = policy.repos.iter().map(|repo| repo.url.as_str()).collect();
        table.row(&[
            &id.to_string(),
            gpg.map_or("<none>", |gpg| gpg.mode.as_str()),
            &joined(keys),
            &joined(urls),
        ]);
    }
    table.finish()
}

async fn delete(session: &mut Session<'_>) -> Outcome {
    let [name, ids @ ..] = session.arguments() else { return Err(Failure::usage()) };
    if ids.is_empty() {
        return Err(Failure::usage());
    }
    let (name, ids) = (name.clone(), ids.to_vec());
    let server = session.server().await?;
    let mut project = read(&server, &name).await?;
    let known = policies(&mut project)?;
    let chosen: BTreeSet<usize> = ids.iter().map(|id| index(id, known.len())).collect::<Outcome<_>>()?;
    let numbers: Vec<String> = chosen.iter().map(usize::to_string).collect();
    let question = format!(
        "Are you sure you want to delete policies {} from project {name:?}? [y/N] ",
        numbers.join(", ")
    );
    if !session.is("yes") && !sure(session, &question)? {
        session.line("Aborted by user.");
        return Ok(());
    }
    let mut position = 0;
    known.retain(|_| {
        position += 1;
        !chosen.contains(&(position - 1))
    });
    if known.is_empty() {
        project.spec.source_integrity = None;
    }
    write(&server, project).await
}

/// Whether the answer is a plain yes; anything else is a no.
fn sure(session: &mut Session<'_>, question: &str) -> Outcome<bool> {
    session.print(question);
    Ok(session.read_line()?.trim().eq_ignore_ascii_case("y"))
}

async fn add(session: &mut Session<'_>) -> Outcome {
    let name = session.only_argument()?;
    let server = session.server().await?;
    let mut project = read(&server, &name).await?;
    let mode = mode(session.matches.text("gpg-mode"))?;
    let keys = session.matches.list("gpg-key").to_vec();
    valid_keys(&keys)?;
    let policy = SourceIntegrityGitPolicy {
        repos: repositories(session.matches.list("repo-url")),
        gpg: Some(SourceIntegrityGitPolicyGPG { mode, keys }),
    };
    warn(session, &server, &policy).await?;
    let integrity = project.spec.source_integrity.get_or_insert_default();
    integrity.git.get_or_insert_default().policies.push(policy);
    let shown = table(policies(&mut project)?);
    write(&server, project).await?;
    session.print(&shown);
    Ok(())
}

async fn update(session: &mut Session<'_>) -> Outcome {
    let [name, id] = super::arguments(session)?;
    let server = session.server().await?;
    let mut project = read(&server, &name).await?;
    let known = policies(&mut project)?;
    let index = index(&id, known.len())?;
    let policy = &mut known[index];
    change(session, policy)?;
    let changed = policy.clone();
    warn(session, &server, &changed).await?;
    let question = format!("Are you sure you want to update policy {index} of project {name:?}? [y/N] ");
    if !session.is("yes") && !sure(session, &question)? {
        session.line("Aborted by user.");
        return Ok(());
    }
    let shown = table(policies(&mut project)?);
    write(&server, project).await?;
    session.print(&shown);
    Ok(())
}

/// Applies the flags to a policy.
fn change(session: &Session<'_>, policy: &mut SourceIntegrityGitPolicy) -> Outcome {
    let list = |name: &str| session.matches.list(name).to_vec();
    let [keys, added_keys, deleted_keys] = ["gpg-key", "add-gpg-key", "delete-gpg-key"].map(list);
    let [urls, added_urls, deleted_urls] = ["repo-url", "add-repo-url", "delete-repo-url"].map(list);
    let together = |whole: &[String], added: &[String], deleted: &[String]| {
        !whole.is_empty() && (!added.is_empty() || !deleted.is_empty())
    };
    if together(&keys, &added_keys, &deleted_keys) {
        return Err(told("option --gpg-key, cannot be combined with --add-gpg-key or --delete-gpg-key"));
    }
    if together(&urls, &added_urls, &deleted_urls) {
        return Err(told("option --repo-url, cannot be combined with --add-repo-url or --delete-repo-url"));
    }
    if !urls.is_empty() {
        policy.repos = repositories(&urls);
    }
    policy.repos.retain(|repo| !deleted_urls.contains(&repo.url));
    for repo in repositories(&added_urls) {
        if !policy.repos.contains(&repo) {
            policy.repos.push(repo);
        }
    }
    let gpg = policy.gpg.get_or_insert_default();
    match session.matches.text("gpg-mode") {
        "" if !gpg.mode.is_empty() => {}
        text => gpg.mode = mode(text)?,
    }
    valid_keys(&keys)?;
    valid_keys(&added_keys)?;
    if !keys.is_empty() {
        gpg.keys = keys;
    }
    gpg.keys.retain(|key| !deleted_keys.contains(key));
    for key in added_keys {
        if !gpg.keys.contains(&key) {
            gpg.keys.push(key);
        }
    }
    Ok(())
}

/// Says what keeps a policy from ever counting.
async fn warn(session: &mut Session<'_>, server: &Server, policy: &SourceIntegrityGitPolicy) -> Outcome {
    if policy.repos.is_empty() {
        session.warn_plainly("Warning: Policy has no repository URLs and will never be used\n");
    }
    let keys = policy.gpg.as_ref().map_or(&[][..], |gpg| &gpg.keys);
    if keys.is_empty() {
        session.warn_plainly("Warning: Policy has no GPG keys and will never validate any revision\n");
        return Ok(());
    }
    let answer = server.gpg_keys().list(GnuPgPublicKeyQuery::default()).await;
    let ring = answer
        .map_err(|status| told(format!("failed listing GPG keys: {}", rpc_error(&status))))?
        .into_inner()
        .items;
    let absent: BTreeSet<&str> = keys
        .iter()
        .map(String::as_str)
        .filter(|key| !ring.iter().any(|known| known.key_id == *key))
        .collect();
    if !absent.is_empty() {
        let absent: Vec<&str> = absent.into_iter().collect();
        session.warn_plainly(&format!(
            "Warning: Following GPG keys are not in repo-server keyring: {}\n",
            absent.join(", ")
        ));
    }
    Ok(())
}
