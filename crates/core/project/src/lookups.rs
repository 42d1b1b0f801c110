//! What templates of a project's charts may look up in the cluster they are rendered for. Nothing, unless the project
//! says so: Argo CD has no such thing, so it stands in an annotation that the original ignores.

use api::names::HELM_LOOKUP;
use api::v1alpha1::AppProject;
use object::GroupVersionKind;
use std::collections::BTreeSet;

/// The kind that a `*` does not mean.
const SECRET: (&str, &str) = ("", "Secret");

/// The kinds that templates may look up, in namespaces that the project permits as destinations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermittedLookups {
    /// Every kind but Secrets.
    all: bool,
    kinds: BTreeSet<(String, String)>,
}

impl PermittedLookups {
    /// What a project says; nothing where it says nothing. An error names the word that cannot be read.
    pub fn of(project: &AppProject) -> Result<Option<Self>, String> {
        let text = project.metadata.annotations.get(HELM_LOOKUP).map_or("", String::as_str);
        let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Ok(None);
        }
        let mut permitted = Self { all: false, kinds: BTreeSet::new() };
        for word in words {
            if word == "*" {
                permitted.all = true;
                continue;
            }
            let kind = kind(word).ok_or_else(|| {
                format!(
                    "annotation {HELM_LOOKUP} of project {}: {word:?} is no kind; kinds are written as v1/ConfigMap or apps/v1/Deployment, and * means all but Secrets",
                    project.metadata.name
                )
            })?;
            permitted.kinds.insert(kind);
        }
        Ok(Some(permitted))
    }

    /// Whether objects of a kind may be looked up, at whatever version.
    pub fn permits(&self, gvk: &GroupVersionKind) -> bool {
        let secret = (gvk.group.as_str(), gvk.kind.as_str()) == SECRET;
        (self.all && !secret) || self.kinds.contains(&(gvk.group.clone(), gvk.kind.clone()))
    }
}

/// Group and kind of a word as `v1/ConfigMap` or `apps/v1/Deployment`.
fn kind(word: &str) -> Option<(String, String)> {
    let (api_version, kind) = word.rsplit_once('/')?;
    let (group, version) = match api_version.split_once('/') {
        Some((group, version)) if !group.is_empty() => (group, version),
        Some(_) => return None,
        None => ("", api_version),
    };
    let named = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let domain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    let good = named(kind) && named(version) && group.bytes().all(domain);
    good.then(|| (group.to_owned(), kind.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(text: &str) -> Result<Option<PermittedLookups>, String> {
        let mut project = AppProject::default();
        project.metadata.name = "team".into();
        project.metadata.annotations.insert(HELM_LOOKUP.to_owned(), text.to_owned());
        PermittedLookups::of(&project)
    }

    fn permits(text: &str, api_version: &str, kind: &str) -> bool {
        let gvk = GroupVersionKind::from_api_version(api_version, kind);
        permitted(text).expect("kinds").is_some_and(|permitted| permitted.permits(&gvk))
    }

    #[test]
    fn nothing_is_permitted_that_is_not_named() {
        assert_eq!(PermittedLookups::of(&AppProject::default()), Ok(None));
        assert_eq!(permitted(" , "), Ok(None));
        for (text, api_version, kind, expected) in [
            ("v1/ConfigMap", "v1", "ConfigMap", true),
            ("v1/ConfigMap", "v1", "Secret", false),
            ("apps/v1/Deployment, v1/Secret", "v1", "Secret", true),
            ("apps/v1/Deployment, v1/Secret", "apps/v1beta1", "Deployment", true),
            ("apps/v1/Deployment", "extensions/v1beta1", "Deployment", false),
            ("*", "v1", "ConfigMap", true),
            ("*", "v1", "Secret", false),
            ("*", "bitnami.com/v1alpha1", "SealedSecret", true),
            ("*,v1/Secret", "v1", "Secret", true),
            ("example.com/v1/Secret", "v1", "Secret", false),
        ] {
            assert_eq!(permits(text, api_version, kind), expected, "{text}: {api_version} {kind}");
        }
    }

    #[test]
    fn a_slip_is_named_and_permits_nothing() {
        for wrong in ["ConfigMap", "v1/", "/v1/ConfigMap/x", "a/b/c/D", "v1/Config Map", "v1/*", "true"] {
            let error = permitted(&format!("v1/Secret,{wrong}")).expect_err(wrong);
            assert!(error.contains(wrong) && error.contains("project team"), "{error}");
        }
    }
}
