//! What a build may read and make, and what `kustomize.buildOptions` says.

use crate::error::Error;

/// Which files a kustomization may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadRestrictions {
    /// Those in or below its own folder.
    #[default]
    RootOnly,
    /// Any of its tree.
    None,
}

/// The order of the output where the kustomization says none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reorder {
    /// Namespaces and definitions first, webhooks last.
    #[default]
    Legacy,
    /// As the resources were read.
    None,
}

/// Sizes beyond which a build is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Kustomizations within each other.
    pub depth: usize,
    /// Kustomizations read, one that is read twice counted twice.
    pub folders: usize,
    /// Resources.
    pub resources: usize,
    /// Bytes read.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 100, folders: 10_000, resources: 100_000, bytes: 512 << 20 }
    }
}

/// The flags of `kustomize build`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which files may be read.
    pub load_restrictions: LoadRestrictions,
    /// The order of the output.
    pub reorder: Reorder,
    /// Whether all resources get the label that says who manages them.
    pub managed_by_label: bool,
    /// Whether Helm charts are rendered.
    pub enable_helm: bool,
    /// API versions for charts that name none.
    pub helm_api_versions: Vec<String>,
    /// The Kubernetes version for charts that name none.
    pub helm_kube_version: String,
    /// Sizes.
    pub limits: Limits,
}

impl Options {
    /// Reads flags as `kustomize.buildOptions` of `argocd-cm` has them, separated by spaces.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            let (flag, inline) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (word, None),
            };
            let on = inline != Some("false");
            let mut value = || {
                inline.or_else(|| words.next()).ok_or_else(|| {
                    Error::invalid(format!(
                        "kustomize build options {text:?}: flag needs an argument: {flag}"
                    ))
                })
            };
            match flag {
                "--load-restrictor" => {
                    options.load_restrictions = match value()? {
                        "LoadRestrictionsNone" | "none" => LoadRestrictions::None,
                        "LoadRestrictionsRootOnly" | "rootOnly" | "" => LoadRestrictions::RootOnly,
                        other => {
                            return Err(Error::invalid(format!(
                                "illegal flag value --load-restrictor {other}; legal values: \
                                 [LoadRestrictionsRootOnly LoadRestrictionsNone]"
                            )));
                        }
                    };
                }
                "--reorder" => {
                    options.reorder = match value()? {
                        "none" => Reorder::None,
                        "legacy" => Reorder::Legacy,
                        other => {
                            return Err(Error::invalid(format!(
                                "illegal flag value --reorder {other}; legal values: [legacy none]"
                            )));
                        }
                    };
                }
                "--enable-helm" => options.enable_helm = on,
                "--enable-managedby-label" => options.managed_by_label = on,
                "--helm-kube-version" => options.helm_kube_version = value()?.to_owned(),
                "--helm-api-versions" => options.helm_api_versions.push(value()?.to_owned()),
                // Charts are rendered here, whatever the command; plugins that are programs fail where they are used.
                "--helm-command" => drop(value()?),
                "--helm-debug"
                | "--enable-alpha-plugins"
                | "--enable-exec"
                | "--enable-star"
                | "--network"
                | "--as-current-user" => {}
                "--network-name" | "--env" | "-e" | "--mount" => drop(value()?),
                other => {
                    return Err(Error::invalid(format!(
                        "kustomize build options {text:?}: unknown flag: {other}"
                    )));
                }
            }
        }
        Ok(options)
    }
}
