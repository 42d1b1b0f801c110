//! Where the settings, the application and the repository come from: files or the cluster.

use deliver::World;
use kubernetes::ApiResource;
use notifications::{Ready, RepoServer, Silent, read_secret};
use notify::{Config, Origin, Repository, SecretData};
use object::{GroupVersionKind, Object};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read as _;
use store::{Store, StoreOptions};
use wire::repository::repo_server_service_client::RepoServerServiceClient;

use super::super::hub::Hub;
use crate::failure::io_error;
use crate::log::Level;
use crate::session::Session;

const CONFIG_MAP: &str = "argocd-notifications-cm";
const SECRET: &str = "argocd-notifications-secret";
/// Bytes of a file that are read.
const LARGEST_FILE: u64 = 16 << 20;

/// The data and the secrets, and whose they are.
pub(super) struct Settings {
    data: BTreeMap<String, String>,
    secrets: SecretData,
    origin: Origin,
}

impl Settings {
    pub(super) async fn read(session: &mut Session<'_>, hub: &Hub) -> Result<Self, String> {
        let (map_file, secret_file) = (session.text("config-map"), session.text("secret"));
        let secrets = match secret_file.as_str() {
            ":empty" => SecretData::new(),
            file => read_secret(&find(session, hub, "Secret", SECRET, file).await?),
        };
        let config_map = find(session, hub, "ConfigMap", CONFIG_MAP, &map_file).await?;
        let origin = Origin { namespace: hub.namespace.clone(), ..Origin::default() };
        Ok(Self { data: data(&config_map)?, secrets, origin })
    }

    /// These, and before them those of users' own in the application's namespace, as the controller takes them that lets users
    /// have some.
    pub(super) async fn with_own(
        mut self,
        session: &mut Session<'_>,
        hub: &Hub,
        application: &Value,
    ) -> Vec<Self> {
        let namespace = application.pointer("/metadata/namespace").and_then(Value::as_str);
        let namespace = namespace.filter(|namespace| !namespace.is_empty() && *namespace != hub.namespace);
        let Some(namespace) = namespace else { return vec![self] };
        match Self::own(hub, namespace).await {
            Ok(Some(own)) => {
                // Where users have configurations of their own, none shows the Secret.
                self.origin.hides_secrets = true;
                vec![own, self]
            }
            Ok(None) => vec![self],
            Err(error) => {
                let text = format!("the configuration of namespace {namespace} cannot be read: {error}");
                session.log(Level::Warning, &text);
                vec![self]
            }
        }
    }

    async fn own(hub: &Hub, namespace: &str) -> Result<Option<Self>, String> {
        let get = async |kind: &str, plural: &str, name: &str| {
            let resource = resource("", "v1", kind, plural);
            hub.cluster.find(&resource, namespace, name).await.map_err(|error| error.message())
        };
        let Some(config_map) = get("ConfigMap", "configmaps", CONFIG_MAP).await? else { return Ok(None) };
        let secret = get("Secret", "secrets", SECRET).await?;
        let secrets = secret.as_ref().map(read_secret).unwrap_or_default();
        let origin = Origin { namespace: namespace.to_owned(), self_service: true, hides_secrets: true };
        Ok(Some(Self { data: data(&config_map)?, secrets, origin }))
    }

    /// Whose they are, in words.
    pub(super) fn title(&self) -> String {
        let namespace = &self.origin.namespace;
        let users =
            if self.origin.self_service { ", which counts where users may have their own" } else { "" };
        format!("configuration of namespace {namespace}{users}:")
    }

    /// The configuration with its services, warnings told.
    pub(super) fn ready(&self, session: &mut Session<'_>, world: &World) -> Result<Ready, String> {
        let origin = &self.origin;
        let parsed = Config::parse(&self.data, self.secrets.clone(), origin.clone());
        for warning in parsed.iter().flat_map(|config| &config.warnings) {
            session.log(Level::Warning, warning);
        }
        Ready::new(&self.data, self.secrets.clone(), origin.clone(), world).map_err(|error| {
            let text = format!("error getting api from namespace: {} error: {error}", origin.namespace);
            session.log(Level::Error, &text);
            format!("errors getting apis: [{error}]")
        })
    }

    /// The ConfigMap's data.
    pub(super) fn data(&self) -> BTreeMap<String, String> {
        self.data.clone()
    }

    /// The Secret's.
    pub(super) fn secrets(&self) -> SecretData {
        self.secrets.clone()
    }

    /// Whether a text of it asks the repository.
    pub(super) fn asks_repository(&self) -> bool {
        self.data.values().any(|text| text.contains("repo."))
    }
}

/// The data of a ConfigMap.
fn data(config_map: &Object) -> Result<BTreeMap<String, String>, String> {
    match config_map.at(&["data"]).cloned().unwrap_or_default() {
        Value::Null => Ok(BTreeMap::new()),
        data => serde_json::from_value(data).map_err(|error| format!("{CONFIG_MAP}: data: {error}")),
    }
}

/// An object out of a file, or of the cluster.
async fn find(
    session: &mut Session<'_>,
    hub: &Hub,
    kind: &str,
    name: &str,
    file: &str,
) -> Result<Object, String> {
    if file.is_empty() {
        let gvk = GroupVersionKind::new("", "v1", kind);
        let found = hub.cluster.find_kind(&gvk, &hub.namespace, name).await;
        let plural = format!("{}s", kind.to_lowercase());
        let missing = || format!("{plural} \"{name}\" not found");
        return found.map_err(|error| error.message())?.ok_or_else(missing);
    }
    let mut text = Vec::new();
    let read = match file {
        "-" => (&mut session.environment.input).take(LARGEST_FILE).read_to_end(&mut text),
        path => std::fs::File::open(path).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut text)),
    };
    read.map_err(|error| format!("open {file}: {}", io_error(&error)))?;
    let documents = object::yaml::decode_documents(&text, &object::yaml::Limits::default());
    let documents = documents.map_err(|error| format!("failed to unmarshal manifest: {error}"))?;
    let objects = documents.into_iter().filter_map(|document| Object::from_value(document.value).ok());
    let mut those = objects.filter(|object| object.kind() == kind && object.name() == name);
    those.next().ok_or_else(|| format!("file '{file}' does not have '/{kind}/{name}'"))
}

/// An application: a file of that name, or one of the cluster, which may be named with its namespace: `NAMESPACE/NAME`.
pub(super) async fn application(hub: &Hub, name: &str) -> Result<Value, String> {
    if std::fs::metadata(name).is_ok_and(|found| found.is_file()) {
        let text = std::fs::read(name).map_err(|error| format!("open {name}: {}", io_error(&error)))?;
        return object::yaml::decode(&text).map_err(|error| error.to_string());
    }
    let resource = resource(api::GROUP, "v1alpha1", "Application", "applications");
    let (namespace, own_name) = name.split_once('/').unwrap_or((hub.namespace.as_str(), name));
    let found = hub.cluster.find(&resource, namespace, own_name).await.map_err(|error| error.message())?;
    let object = found.ok_or_else(|| format!("applications.argoproj.io \"{name}\" not found"))?;
    Ok(Value::Object(object.0))
}

/// An application's project, where it can be read.
pub(super) async fn project(hub: &Hub, application: &Value) -> Option<Value> {
    let name = application.get("spec").and_then(|spec| spec.get("project")).and_then(Value::as_str);
    let name = name.filter(|name| !name.is_empty()).unwrap_or("default");
    let resource = resource(api::GROUP, "v1alpha1", "AppProject", "appprojects");
    let found = hub.cluster.find(&resource, &hub.namespace, name).await;
    found.ok().flatten().map(|object| Value::Object(object.0))
}

fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource {
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
        plural: plural.into(),
        namespaced: true,
        ..ApiResource::default()
    }
}

/// What is asked of the installation's other parts, when something is.
pub(super) struct Installation {
    store: Option<Store>,
    pub(super) world: World,
}

impl Installation {
    /// Without the store, nothing is known of repositories and certificates.
    pub(super) async fn new(session: &Session<'_>, hub: &Hub, needed: bool) -> Result<Self, String> {
        let known = deliver::AMAZON_VARIABLES
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), session.environment.variable(name)?.to_owned())));
        let environment: BTreeMap<String, String> = known.collect();
        if !needed {
            return Ok(Self { store: None, world: World::new(environment) });
        }
        let store = Store::start(hub.cluster.clone(), StoreOptions::new(hub.namespace.clone()));
        store.ready().await.map_err(|error| error.to_string())?;
        let world = notifications::world(&store, &environment);
        Ok(Self { store: Some(store), world })
    }

    /// The repository of an application.
    pub(super) fn repository(
        &self,
        session: &Session<'_>,
        application: &Value,
    ) -> Result<Repository, String> {
        let Some(store) = &self.store else {
            return Ok(Repository::unreachable("the repository is not asked here"));
        };
        let server = RepoServer {
            address: session.text("argocd-repo-server"),
            plaintext: session.is("argocd-repo-server-plaintext"),
            strict: session.is("argocd-repo-server-strict-tls"),
            authority: session.text("repo-server-ca-cert-path"),
            certificate: session.text("repo-server-client-cert-path"),
            key: session.text("repo-server-client-cert-key-path"),
            mounted: session.environment.variable("ARGOCD_APP_CONF_PATH").unwrap_or_default().to_owned(),
            timeout: None,
        };
        let channel = server.channel()?;
        let (client, silent) = (RepoServerServiceClient::new(channel), Silent::default());
        Ok(notifications::repository(store, &client, &silent, application))
    }
}
