//! Contexts of kubeconfig files: which there are, and what one of them connects to.

use crate::connect::chain;
use crate::error::Error;
use api::v1alpha1::ClusterConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::config::{AuthInfo, Cluster as ClusterEntry, Kubeconfig};
use object::Secret;
use std::path::PathBuf;

/// Kubeconfig files, the first of which decides what the current context is.
pub struct Kubeconfigs(Vec<(PathBuf, Kubeconfig)>);

/// One context, for people who choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeContext {
    /// Its name.
    pub name: String,
    /// The name of its cluster.
    pub cluster: String,
    /// The address of its cluster.
    pub server: String,
    /// Whether it is the current one.
    pub current: bool,
}

/// What a context connects to, as it is registered.
pub struct KubeEndpoint {
    /// The file that holds the context.
    pub path: PathBuf,
    /// Address of the API server.
    pub server: String,
    /// TLS options and the credentials of the context.
    pub config: Secret<ClusterConfig>,
}

impl Kubeconfigs {
    /// Reads the files; those that are not there are left out.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut files = Vec::new();
        for path in paths.iter().filter(|path| path.exists()) {
            let read = Kubeconfig::read_from(path).map_err(|error| Error::Configuration {
                server: path.display().to_string(),
                reason: chain(&error),
            })?;
            files.push((path.clone(), read));
        }
        Ok(Self(files))
    }

    /// All contexts whose cluster is there, by name.
    pub fn contexts(&self) -> Vec<KubeContext> {
        let current = self.0.iter().find_map(|(_, file)| file.current_context.as_deref()).unwrap_or_default();
        let named = self.0.iter().flat_map(|(_, file)| &file.contexts);
        let mut found: Vec<KubeContext> = named
            .filter_map(|named| {
                let context = named.context.as_ref()?;
                let cluster = self.cluster(&context.cluster)?;
                Some(KubeContext {
                    name: named.name.clone(),
                    cluster: context.cluster.clone(),
                    server: cluster.server.clone().unwrap_or_default(),
                    current: named.name == current,
                })
            })
            .collect();
        found.sort_by(|left, right| left.name.cmp(&right.name));
        // The first file that names a context counts.
        found.dedup_by(|later, first| later.name == first.name);
        found
    }

    /// What a context connects to; none when there is no such context.
    pub fn endpoint(&self, name: &str) -> Result<Option<KubeEndpoint>, Error> {
        let holds = |file: &Kubeconfig| file.contexts.iter().any(|context| context.name == name);
        let Some((path, file)) = self.0.iter().find(|(_, file)| holds(file)) else { return Ok(None) };
        let context = file.contexts.iter().find(|context| context.name == name);
        let context = context.and_then(|context| context.context.clone()).unwrap_or_default();
        let unusable = |reason: String| Error::Configuration { server: format!("context {name}"), reason };
        let cluster = self
            .cluster(&context.cluster)
            .ok_or_else(|| unusable(format!("cluster {:?} does not exist", context.cluster)))?;
        let user = context.user.as_deref().unwrap_or_default();
        let user = self.user(user).cloned().unwrap_or_default();
        let config = config(cluster, &user).map_err(unusable)?;
        let server = cluster.server.clone().unwrap_or_default().trim_end_matches('/').to_owned();
        Ok(Some(KubeEndpoint { path: path.clone(), server, config: Secret::new(config) }))
    }

    fn cluster(&self, name: &str) -> Option<&ClusterEntry> {
        let named = self.0.iter().flat_map(|(_, file)| &file.clusters);
        named.filter(|cluster| cluster.name == name).find_map(|cluster| cluster.cluster.as_ref())
    }

    fn user(&self, name: &str) -> Option<&AuthInfo> {
        let named = self.0.iter().flat_map(|(_, file)| &file.auth_infos);
        named.filter(|user| user.name == name).find_map(|user| user.auth_info.as_ref())
    }
}

/// What of a context is registered: how the server is recognised, and the client's certificate. Passwords, tokens and
/// commands of a person's own are not.
fn config(cluster: &ClusterEntry, user: &AuthInfo) -> Result<ClusterConfig, String> {
    let mut config = ClusterConfig {
        disable_compression: cluster.disable_compression.unwrap_or_default(),
        proxy_url: cluster.proxy_url.clone().unwrap_or_default(),
        ..ClusterConfig::default()
    };
    let tls = &mut config.tls_client_config;
    tls.insecure = cluster.insecure_skip_tls_verify.unwrap_or_default();
    tls.server_name = cluster.tls_server_name.clone().unwrap_or_default();
    let (data, path) = (&cluster.certificate_authority_data, &cluster.certificate_authority);
    tls.ca_data = material("certificate authority", data.as_deref(), path.as_deref())?;
    let (data, path) = (&user.client_certificate_data, &user.client_certificate);
    tls.cert_data = material("client certificate", data.as_deref(), path.as_deref())?;
    // The key has a type that shows itself to a serializer only.
    let written = serde_json::to_value(user).map_err(|_| "the user cannot be read".to_owned())?;
    let data = written.get("client-key-data").and_then(serde_json::Value::as_str);
    tls.key_data = material("client key", data, user.client_key.as_deref())?;
    Ok(config)
}

/// What stands in the file itself, or in the file it names.
fn material(what: &str, data: Option<&str>, path: Option<&str>) -> Result<Vec<u8>, String> {
    if let Some(data) = data.filter(|data| !data.is_empty()) {
        return STANDARD.decode(data.trim()).map_err(|_| format!("the {what} is not base64"));
    }
    match path.filter(|path| !path.is_empty()) {
        Some(path) => std::fs::read(path).map_err(|error| format!("read the {what} {path}: {error}")),
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_listed_and_one_is_what_it_connects_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let text = "apiVersion: v1\nkind: Config\ncurrent-context: b\n\
            clusters: [{name: c, cluster: {server: 'https://h:6443/', certificate-authority-data: Y2E=}}]\n\
            users: [{name: u, user: {client-certificate-data: Y2VydA==, client-key-data: a2V5, token: hunter2}}]\n\
            contexts: [{name: b, context: {cluster: c, user: u}}, {name: a, context: {cluster: c, user: u}}, \
            {name: z, context: {cluster: none, user: u}}]\n";
        std::fs::write(&path, text).unwrap();
        let files = Kubeconfigs::read(&[folder.path().join("missing"), path.clone()]).unwrap();
        let listed: Vec<_> =
            files.contexts().into_iter().map(|context| (context.name, context.current)).collect();
        assert_eq!(listed, [("a".to_owned(), false), ("b".to_owned(), true)]);
        let endpoint = files.endpoint("a").unwrap().unwrap();
        assert_eq!((endpoint.server.as_str(), &endpoint.path), ("https://h:6443", &path));
        let tls = &endpoint.config.reveal().tls_client_config;
        assert_eq!((&*tls.ca_data, &*tls.cert_data, &*tls.key_data), (&b"ca"[..], &b"cert"[..], &b"key"[..]));
        assert_eq!(endpoint.config.reveal().bearer_token, "");
        assert!(files.endpoint("none").unwrap().is_none());
        assert!(files.endpoint("z").is_err());
    }
}
