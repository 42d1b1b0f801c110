//! Who counts requests: hears of each one after it was answered, or failed, and how large the answer was.

use http::Method;
use std::time::Duration;

/// One try of one request.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// Host and port of the API server.
    pub host: &'a str,
    /// HTTP method.
    pub method: &'a str,
    /// What it did, in Kubernetes' words: `Get`, `List`, `Watch`, `Create`, `Update`, `Patch`, `Delete`.
    pub verb: &'static str,
    /// Path, without the query.
    pub path: &'a str,
    /// Whether the server only pretended.
    pub dry_run: bool,
    /// Status of the answer; nothing when there was none.
    pub code: Option<u16>,
    /// Until the answer began.
    pub took: Duration,
    /// How long it was held back.
    pub held: Duration,
    /// Bytes of the request's body.
    pub sent: usize,
    /// Whether it is tried again.
    pub again: bool,
}

/// Hears of requests. It is called where they are made: within the task, and at once.
pub trait Meter: Send + Sync {
    /// A try was answered, or was not.
    fn requested(&self, measured: &Measured<'_>);

    /// The body of an answer ended, or is read no further, after so many bytes, unpacked. Watches and logs last: nothing is
    /// said of their sizes.
    fn received(&self, host: &str, method: &str, bytes: u64);
}

/// The verb of a request. A path that ends in a plural is a list; whether it does can be told by its depth.
pub(crate) fn verb(method: &Method, path: &str, watches: bool) -> &'static str {
    match *method {
        Method::POST => "Create",
        Method::PUT => "Update",
        Method::PATCH => "Patch",
        Method::DELETE => "Delete",
        _ if watches => "Watch",
        _ if resource(path).is_some_and(|resource| resource.name.is_empty()) => "List",
        _ => "Get",
    }
}

/// What a path of the API server names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourcePath<'a> {
    /// Plural of the kind.
    pub plural: &'a str,
    /// Namespace; empty where there is none.
    pub namespace: &'a str,
    /// Name; empty for a collection.
    pub name: &'a str,
}

/// Reads a path; nothing for discovery, the version and the like.
pub fn resource(path: &str) -> Option<ResourcePath<'_>> {
    let mut segments = path.trim_matches('/').split('/');
    let root = segments.next()?;
    // `api/v1` or `apis/group/version` come first.
    let version = if root == "apis" { segments.nth(1)? } else { segments.next()? };
    if !matches!(root, "api" | "apis") || version.is_empty() {
        return None;
    }
    let first = segments.next()?;
    let second = segments.next().unwrap_or_default();
    match segments.next() {
        Some(plural) if first == "namespaces" => {
            Some(ResourcePath { plural, namespace: second, name: segments.next().unwrap_or_default() })
        }
        _ => Some(ResourcePath { plural: first, namespace: "", name: second }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_it_is_about() {
        let path = |plural, namespace, name| Some(ResourcePath { plural, namespace, name });
        assert_eq!(resource("/api/v1/namespaces/a/configmaps/b"), path("configmaps", "a", "b"));
        assert_eq!(resource("/apis/apps/v1/namespaces/a/deployments"), path("deployments", "a", ""));
        assert_eq!(resource("/api/v1/namespaces/a"), path("namespaces", "", "a"));
        assert_eq!(resource("/apis/apps/v1/deployments"), path("deployments", "", ""));
        assert_eq!(resource("/apis/apps/v1"), None);
        assert_eq!(resource("/version"), None);
        assert_eq!(verb(&Method::GET, "/apis/apps/v1/deployments", false), "List");
        assert_eq!(verb(&Method::GET, "/apis/apps/v1/deployments", true), "Watch");
        assert_eq!(verb(&Method::GET, "/apis", false), "Get");
        assert_eq!(verb(&Method::PATCH, "/api/v1/namespaces/a", false), "Patch");
    }
}
