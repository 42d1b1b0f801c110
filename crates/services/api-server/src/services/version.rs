//! Versions.

use crate::authentication::Caller;
use crate::hub::Hub;
use api::build;
use std::sync::Arc;
use tonic::{Request, Response, Status};
use wire::version::VersionMessage;
use wire::version::version_service_server::VersionService;

/// The Helm whose charts are rendered exactly so.
const HELM: &str = "v3.20.2";
/// The Kustomize whose kustomizations are built exactly so.
const KUSTOMIZE: &str = "v5.8.1";
/// The Jsonnet whose programs are evaluated exactly so.
const JSONNET: &str = "v0.21.0";

/// Versions.
pub(crate) struct Versions(pub(crate) Arc<Hub>);

#[tonic::async_trait]
impl VersionService for Versions {
    /// Everybody may know the version; what it is made of is for those who are logged in.
    async fn version(&self, request: Request<()>) -> Result<Response<VersionMessage>, Status> {
        let (access, ()) = self.0.open(request);
        let brief = VersionMessage { version: build::version(), ..Default::default() };
        if matches!(access.caller(), Caller::Nobody) {
            return Ok(Response::new(brief));
        }
        Ok(Response::new(VersionMessage {
            build_date: build::DATE.to_owned(),
            git_commit: build::COMMIT.to_owned(),
            git_tree_state: build::TREE_STATE.to_owned(),
            go_version: build::LANGUAGE.to_owned(),
            compiler: build::COMPILER.to_owned(),
            platform: build::platform(),
            helm_version: HELM.to_owned(),
            kustomize_version: KUSTOMIZE.to_owned(),
            jsonnet_version: JSONNET.to_owned(),
            ..brief
        }))
    }
}
