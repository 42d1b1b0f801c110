//! What this build says of itself, whichever server is asked.

use crate::version::VersionMessage;
use api::build;

/// The Helm whose charts are rendered exactly so.
const HELM: &str = "v3.20.2";
/// The Kustomize whose kustomizations are built exactly so.
const KUSTOMIZE: &str = "v5.8.1";
/// The Jsonnet whose programs are evaluated exactly so.
const JSONNET: &str = "v0.21.0";

/// The version alone: what anybody may know.
#[must_use]
pub fn brief() -> VersionMessage {
    VersionMessage { version: build::version(), ..Default::default() }
}

/// The version, and how it was built: all that a server without renderers has to say.
#[must_use]
pub fn of_build() -> VersionMessage {
    VersionMessage {
        build_date: build::DATE.to_owned(),
        git_commit: build::COMMIT.to_owned(),
        git_tree_state: build::TREE_STATE.to_owned(),
        go_version: build::LANGUAGE.to_owned(),
        compiler: build::COMPILER.to_owned(),
        platform: build::platform(),
        ..brief()
    }
}

/// The version, how it was built, and which renderers it is.
#[must_use]
pub fn whole() -> VersionMessage {
    VersionMessage {
        helm_version: HELM.to_owned(),
        kustomize_version: KUSTOMIZE.to_owned(),
        jsonnet_version: JSONNET.to_owned(),
        ..of_build()
    }
}
