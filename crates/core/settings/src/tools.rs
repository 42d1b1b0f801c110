//! Which kinds of source are allowed, and how they are built.

use crate::reader::{Data, Problem, Reader};
use std::collections::BTreeMap;

/// Which kinds of source may be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceTypes {
    /// Charts.
    pub helm: bool,
    /// Kustomizations.
    pub kustomize: bool,
    /// Plain files and Jsonnet.
    pub directory: bool,
}

/// How charts are rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helm {
    /// Schemes of addresses values files may be read from.
    pub values_file_schemes: Vec<String>,
}

/// How kustomizations are built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kustomize {
    /// Arguments of `kustomize build`.
    pub build_options: String,
    /// The same for single versions.
    pub version_build_options: BTreeMap<String, String>,
    /// Paths of registered versions.
    pub versions: BTreeMap<String, String>,
}

impl SourceTypes {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let types = Self {
            helm: reader.flag("helm.enable", true),
            kustomize: reader.flag("kustomize.enable", true),
            directory: reader.flag("jsonnet.enable", true),
        };
        (types, reader.problems)
    }
}

impl Helm {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> Self {
        let reader = Reader::new(data);
        let values_file_schemes = if data.contains_key("helm.valuesFileSchemes") {
            reader.list("helm.valuesFileSchemes")
        } else {
            vec!["https".to_owned(), "http".to_owned()]
        };
        Self { values_file_schemes }
    }
}

impl Kustomize {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let mut kustomize =
            Self { build_options: reader.text("kustomize.buildOptions").to_owned(), ..Self::default() };
        for (key, value) in data {
            if let Some(version) = key.strip_prefix("kustomize.buildOptions.") {
                kustomize.version_build_options.insert(version.to_owned(), value.clone());
            }
            let path = key.strip_prefix("kustomize.path.").or_else(|| key.strip_prefix("kustomize.version."));
            let Some(version) = path else { continue };
            if kustomize.versions.insert(version.to_owned(), value.clone()).is_some() {
                reader.problem(key, format!("version {version:?} is registered twice"));
            }
        }
        (kustomize, reader.problems)
    }
}
