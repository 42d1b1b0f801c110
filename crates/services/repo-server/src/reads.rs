//! Our own questions: what renders read.

use crate::server::RepoServer;
use tonic::{Request, Response, Status};
use wire::reads::reads_service_server::ReadsService;
use wire::reads::{ConcernedRequest, ConcernedResponse};

/// Candidates and files of one question, at most.
const MOST: usize = 100_000;

#[tonic::async_trait]
impl ReadsService for RepoServer {
    async fn concerned(
        &self,
        request: Request<ConcernedRequest>,
    ) -> Result<Response<ConcernedResponse>, Status> {
        let request = request.into_inner();
        if request.candidates.len() > MOST || request.files.len() > MOST {
            return Err(Status::invalid_argument(format!("more than {MOST} candidates or files")));
        }
        let concerned = self.concerned(request.candidates, &request.files).await;
        Ok(Response::new(ConcernedResponse { concerned }))
    }
}
