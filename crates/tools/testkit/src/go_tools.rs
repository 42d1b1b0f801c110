//! The original tools, published Go programs built by name and version, and the recorder of template answers.

use crate::compile::{self, Program};
use crate::error::Error;
use std::path::PathBuf;

/// `helm`, as Argo CD brings it along.
pub fn helm() -> Result<PathBuf, Error> {
    compile::published("helm.sh/helm/v3/cmd/helm", "v3.20.2", "helm")
}

/// `kustomize`.
pub fn kustomize() -> Result<PathBuf, Error> {
    compile::published("sigs.k8s.io/kustomize/kustomize/v5", "v5.8.1", "kustomize")
}

/// `jsonnet`.
pub fn jsonnet() -> Result<PathBuf, Error> {
    compile::published("github.com/google/go-jsonnet/cmd/jsonnet", "v0.21.0", "jsonnet")
}

/// The folder of Argo CD's own scripts for health and actions, `GROUP/KIND/…`.
pub fn argo_cd_scripts() -> Result<PathBuf, Error> {
    let sources = compile::sources("github.com/argoproj/argo-cd/v3", "v3.6.0", "argo-cd")?;
    Ok(sources.join("resource_customizations"))
}

/// The published `argocd` command line: the last release line whose module can be built as it is published.
pub fn argo_cd_cli() -> Result<PathBuf, Error> {
    compile::unpacked("github.com/argoproj/argo-cd/v3", "v3.2.11", "argo-cd", "./cmd")
}

/// `grpcurl`, which the conversations over gRPC were recorded with.
pub fn grpcurl() -> Result<PathBuf, Error> {
    compile::published("github.com/fullstorydev/grpcurl/cmd/grpcurl", "v1.9.3", "grpcurl")
}

/// Helm's engine behind a line of JSON for each template: `crates/core/gotemplate/cases/recorder`.
pub fn template_recorder() -> Result<PathBuf, Error> {
    compile::binary(&Program {
        module: "crates/core/gotemplate/cases/recorder",
        name: "gotemplate-recorder",
        title: "the recorder of template answers",
        package: ".",
        minutes: 3,
    })
}
