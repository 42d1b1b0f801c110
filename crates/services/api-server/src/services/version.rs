//! Versions.

use crate::authentication::Caller;
use crate::hub::Hub;
use std::sync::Arc;
use tonic::{Request, Response, Status};
use wire::version::VersionMessage;
use wire::version::version_service_server::VersionService;

/// Versions.
pub(crate) struct Versions(pub(crate) Arc<Hub>);

#[tonic::async_trait]
impl VersionService for Versions {
    /// Everybody may know the version; what it is made of is for those who are logged in, or need not be.
    async fn version(&self, request: Request<()>) -> Result<Response<VersionMessage>, Status> {
        let (access, ()) = self.0.open(request);
        let nobody = matches!(access.caller(), Caller::Nobody) && !access.snapshot().sessions.anonymous;
        Ok(Response::new(if nobody { wire::versions::brief() } else { wire::versions::whole() }))
    }
}
