//! Every reader of outside input as a function of bytes. What a target must hold: it ends, soon, in bounded memory,
//! without a panic, and with the answer its own assertions demand. [`TARGETS`] is the list; how its functions are
//! driven (by libFuzzer, or over what lies in `seeds/` and `found/`) is none of their business.

mod calls;
mod inputs;
mod packs;
mod payloads;
mod rendering;
mod serving;

pub use inputs::{Inputs, mutated};

/// One reader under test.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folders in `seeds/` and `found/`.
    pub name: &'static str,
    /// What it reads.
    pub about: &'static str,
    /// Takes any bytes. A panic is a finding.
    pub run: fn(&[u8]),
}

/// All of them: a new one is a line here and a folder with at least one seed.
pub const TARGETS: &[Target] = &[
    target("yaml", "a text of YAML documents, read and written again", rendering::yaml),
    target("template", "a template, parsed and executed", rendering::template),
    target("archive", "a tar archive, unpacked", rendering::archive),
    target("chart-archive", "a packed chart, loaded and rendered", rendering::chart_archive),
    target("chart", "the files of a chart, loaded and rendered", rendering::chart),
    target("kustomization", "the files of a kustomization, built", rendering::kustomization),
    target("jsonnet", "a Jsonnet file, evaluated", rendering::jsonnet),
    target("set", "what stands behind --set, --set-string and --set-json", rendering::set),
    target(
        "token",
        "a session token, a provider's token, a login's cookie, an address to return to",
        serving::token,
    ),
    target("policy", "an RBAC policy, compiled and asked", serving::policy),
    target("glob", "a glob and a text", serving::glob),
    target("rest", "a REST request: path, query and body", serving::rest),
    target("message", "a gRPC message, as JSON and back", serving::message),
    target("web", "a call over gRPC-web: frames and what is in them", calls::web),
    target("payload", "a webhook of any provider", serving::payload),
    target("payload-github", "what GitHub sends", payloads::github),
    target("payload-gitlab", "what GitLab sends", payloads::gitlab),
    target("payload-bitbucket", "what Bitbucket Cloud sends", payloads::bitbucket),
    target("payload-bitbucket-server", "what Bitbucket Server sends", payloads::bitbucket_server),
    target("payload-gogs", "what Gogs sends", payloads::gogs),
    target("payload-gitea", "what Gitea and Forgejo send", payloads::gitea),
    target("payload-azure-devops", "what Azure DevOps sends", payloads::azure_devops),
    target("payload-code-commit", "what a topic of CodeCommit sends", payloads::code_commit),
    target("payload-ghcr", "what GitHub's registry sends", payloads::ghcr),
    target("payload-docker-hub", "what Docker Hub sends", payloads::docker_hub),
    target("payload-harbor", "what Harbor sends", payloads::harbor),
    target("payload-distribution", "what a registry of CNCF distribution sends", payloads::distribution),
    target("tracking-id", "a tracking id", serving::tracking_id),
    target("provider", "what an identity provider publishes of itself", serving::provider),
    target("expression", "an expression of a notification's trigger, run", serving::expression),
    target("notifications", "entries of argocd-notifications-cm", serving::notifications),
    target("pack", "a pack of a Git remote, but for its checksum", packs::pack),
    target("pack-objects", "objects and deltas, packed well, that say what they like", packs::pack_objects),
];

const fn target(name: &'static str, about: &'static str, run: fn(&[u8])) -> Target {
    Target { name, about, run }
}

/// The target of that name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
