//! Which container is meant.

use super::Refused;
use http::StatusCode;
use std::collections::BTreeMap;

/// Where a program is to run, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) pod: String,
    pub(crate) container: String,
    pub(crate) application: String,
    pub(crate) application_namespace: String,
    pub(crate) project: String,
    pub(crate) namespace: String,
    /// The shell that is wanted; empty for whichever is there.
    pub(crate) shell: String,
}

impl Place {
    /// From a query.
    pub(super) fn parse(query: &str) -> Result<Self, Refused> {
        let mut pairs: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            pairs.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        let mut take = |name: &str| pairs.remove(name).unwrap_or_default();
        let place = Self {
            pod: take("pod"),
            container: take("container"),
            application: take("appName"),
            application_namespace: take("appNamespace"),
            project: take("projectName"),
            namespace: take("namespace"),
            shell: take("shell"),
        };
        let needed = [&place.pod, &place.container, &place.application, &place.project, &place.namespace];
        if needed.iter().any(|text| text.is_empty()) {
            return Err((StatusCode::BAD_REQUEST, "Missing required parameters".to_owned()));
        }
        for (text, longest, dots, complaint) in [
            (&place.pod, 253, true, "Pod name is not valid"),
            (&place.container, 63, false, "Container name is not valid"),
            (&place.application, 253, true, "App name is not valid"),
            (&place.project, 253, true, "Project name is not valid"),
            (&place.namespace, 63, false, "Namespace name is not valid"),
            (&place.application_namespace, 63, false, "App namespace name is not valid"),
        ] {
            if !is_name(text, longest, dots) {
                return Err((StatusCode::BAD_REQUEST, complaint.to_owned()));
            }
        }
        Ok(place)
    }
}

/// Whether Kubernetes takes it as a name. An empty one is judged elsewhere.
pub(crate) fn is_name(text: &str, longest: usize, dots: bool) -> bool {
    let is_edge = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let part = |part: &str| {
        part.starts_with(is_edge)
            && part.ends_with(is_edge)
            && part.chars().all(|letter| is_edge(letter) || letter == '-')
    };
    text.is_empty() || text.len() <= longest && if dots { text.split('.').all(part) } else { part(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_no_name_is_told() {
        let good = "pod=p-1&container=c&appName=a.b&projectName=default&namespace=n&shell=bash";
        let place = Place::parse(good).unwrap();
        assert_eq!((place.pod.as_str(), place.shell.as_str()), ("p-1", "bash"));
        let refused = |query: &str| Place::parse(query).unwrap_err().1;
        assert_eq!(refused(""), "Missing required parameters");
        assert_eq!(refused(&good.replace("p-1", "")), "Missing required parameters");
        for (from, to, complaint) in [
            ("pod=p-1", "pod=../x", "Pod name is not valid"),
            ("container=c", "container=c.d", "Container name is not valid"),
            ("appName=a.b", "appName=A", "App name is not valid"),
            ("namespace=n", "namespace=n/../x", "Namespace name is not valid"),
        ] {
            assert_eq!(refused(&good.replace(from, to)), complaint);
        }
        assert_eq!(refused(&format!("{good}&appNamespace=-")), "App namespace name is not valid");
    }
}
