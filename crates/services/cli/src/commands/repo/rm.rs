//! `argocd repo rm`.

use wire::repository::RepoQuery;

use crate::command::{Command, Running, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd repo rm https://git.example.com/repos/repo",
    flags: &[&[text("project", "The project that the repository belongs to")]],
    run: Some(start),
    ..Command::new("rm", "REPO ...", "Remove configured repositories")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let urls = session.arguments().to_vec();
    if urls.is_empty() {
        return Err(Failure::usage());
    }
    let server = session.server().await?;
    for repo in urls {
        if !session.confirm(&format!("Are you sure you want to delete repository '{repo}'? [y/n]"))? {
            session.line(&format!("The command to delete '{repo}' was cancelled."));
            continue;
        }
        let app_project = session.text("project");
        let query = RepoQuery { repo: repo.clone(), app_project, ..RepoQuery::default() };
        server.repositories().delete_repository(query).await?;
        session.line(&format!("Repository '{repo}' removed"));
    }
    Ok(())
}
