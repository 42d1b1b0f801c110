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
    /// Everybody may know the version; what it is made of is for those who are logged in.
    async fn version(&self, request: Request<()>) -> Result<Response<VersionMessage>, Status> {
        let (access, ()) = self.0.open(request);
        let brief = VersionMessage {
            version: concat!("v", env!("CARGO_PKG_VERSION")).to_owned(),
            ..Default::default()
        };
        if matches!(access.caller(), Caller::Nobody) {
            return Ok(Response::new(brief));
        }
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Ok(Response::new(VersionMessage {
            compiler: "rustc".to_owned(),
            platform: format!("{}/{architecture}", std::env::consts::OS),
            ..brief
        }))
    }
}
