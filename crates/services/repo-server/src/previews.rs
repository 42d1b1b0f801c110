//! Our own questions about pull requests: what one changes, and what that renders to.

use crate::changes::changed_files;
use crate::repository::git_repository;
use crate::restrained::Care;
use crate::server::RepoServer;
use crate::status;
use tonic::{Request, Response, Status};
use wire::previews::previews_service_server::PreviewsService;
use wire::previews::{ChangedRequest, ChangedResponse, RenderRequest};
use wire::repository::ManifestResponse;

#[tonic::async_trait]
impl PreviewsService for RepoServer {
    async fn changed(&self, request: Request<ChangedRequest>) -> Result<Response<ChangedResponse>, Status> {
        let ChangedRequest { repo, target, head } = request.into_inner();
        let repository = git_repository(repo, self.trust_with(Care::Stranger))?;
        // It was told because something moved.
        let head = self.sources.commit(&repository, &head, true).await?;
        let branch = self.sources.commit(&repository, &target, true).await?;
        let left = self.sources.git.left_at(&repository, &head, &branch).await;
        let left = left.map_err(|error| status::git(&error))?;
        // Without a common history the tip of the branch will do: at most more seems changed.
        let before = left.map_or(branch, git::ResolvedRevision::from);
        let new = self.sources.git_tree(&repository, &head).await?;
        let old = self.sources.git_tree(&repository, &before).await?;
        let work = tokio::task::spawn_blocking(move || changed_files(&old, &new));
        let files = work.await.map_err(|error| status::broken("compare commits", &error))?;
        let files = files.map_err(|error| status::unknown(&error))?;
        let complete = files.is_some();
        let files = files.unwrap_or_default().iter().map(ToString::to_string).collect();
        Ok(Response::new(ChangedResponse { commit: head.commit.to_string(), files, complete }))
    }

    async fn render(&self, request: Request<RenderRequest>) -> Result<Response<ManifestResponse>, Status> {
        let request = request.into_inner().request.ok_or_else(|| status::missing("request"))?;
        if request.application_source.as_ref().is_some_and(|source| source.plugin.is_some()) {
            return Err(Status::failed_precondition(
                "config management plugins do not run for a pull request",
            ));
        }
        let made = self.rendered(request, Care::Stranger, None).await?;
        Ok(Response::new(made.response()))
    }
}
