//! The plugins of one folder of sockets: which there are, which one a source is for, and asking it.

use crate::PluginError;
use crate::archive::{Archive, Exclusions, Limits, pack};
use crate::stream::{messages, metadata};
use source_tree::{ContentId, Tree, TreePath};
use std::collections::VecDeque;
use std::fmt;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Request, Status};
use wire::plugin::config_management_plugin_service_client::ConfigManagementPluginServiceClient;
use wire::plugin::{AppStreamRequest, CheckPluginConfigurationResponse};
use wire::repository::ParameterAnnouncement;

/// A name and a value of the environment a plugin's commands get.
pub type Variable = (String, String);

/// Packed trees kept for the next question: applications of one commit ask one after the other.
const MOST_ARCHIVES: usize = 4;
/// What a plugin may take to say how it is configured.
const QUICK: Duration = Duration::from_secs(10);
/// Added to the time a plugin has, so that its own error comes before ours.
const GRACE: Duration = Duration::from_secs(15);

/// Where plugins are and what they get.
#[derive(Clone)]
pub struct Options {
    /// The folder of sockets (`ARGOCD_PLUGINSOCKFILEPATH`).
    pub folder: PathBuf,
    /// Files and folders that are not sent (`--plugin-tar-exclude`).
    pub exclusions: Exclusions,
    /// Bytes of one message (`ARGOCD_CMP_CHUNK_SIZE`).
    pub piece: usize,
    /// What a command may take (`ARGOCD_EXEC_TIMEOUT`).
    pub timeout: Duration,
    /// What may be sent.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            folder: "/home/argocd/cmp-server/plugins".into(),
            exclusions: Exclusions::default(),
            piece: 32 * 1024,
            timeout: Duration::from_secs(90),
            limits: Limits::default(),
        }
    }
}

/// The files a plugin is asked about.
#[derive(Clone)]
pub struct Files {
    /// Everything there is.
    pub tree: Arc<dyn Tree>,
    /// The application's folder.
    pub path: TreePath,
    /// What is sent; everything when empty.
    pub include: Vec<TreePath>,
}

/// All plugins. Cheap to clone.
#[derive(Clone)]
pub struct Plugins {
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    archives: Mutex<VecDeque<(Key, Arc<Archive>)>>,
}

/// What makes an archive what it is.
type Key = (ContentId, Vec<TreePath>);

/// A plugin that takes a source.
#[derive(Clone)]
pub struct Plugin {
    name: String,
    client: ConfigManagementPluginServiceClient<Channel>,
    configuration: CheckPluginConfigurationResponse,
    plugins: Plugins,
}

impl fmt::Debug for Plugins {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Plugins").field("folder", &self.shared.options.folder).finish_non_exhaustive()
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Plugin").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Plugins {
    /// The plugins of a folder, which may come and go.
    pub fn new(options: Options) -> Self {
        Self { shared: Arc::new(Shared { options, archives: Mutex::default() }) }
    }

    /// The names of the plugins there are now, each with its version, in order.
    pub fn names(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.shared.options.folder) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_socket()))
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".sock").map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    /// The plugin of that name, if it takes the files; by discovery among all when the name is empty.
    pub async fn find(
        &self,
        name: &str,
        files: &Files,
        environment: &[Variable],
    ) -> Result<Plugin, PluginError> {
        if name.is_empty() {
            return self.discover(files, environment).await?.ok_or(PluginError::NoneFits);
        }
        let missing = |reason| PluginError::Missing { name: name.to_owned(), reason };
        // The name becomes part of a path.
        if name.contains(['/', '\0'])
            || name.starts_with('.')
            || !self.names().iter().any(|known| known == name)
        {
            return Err(missing(String::new()));
        }
        let plugin = self.open(name).await.map_err(|status| missing(status.message().to_owned()))?;
        if plugin.configuration.is_discovery_configured && !plugin.takes(files, environment).await? {
            return Err(missing(String::new()));
        }
        Ok(plugin)
    }

    /// The first plugin that says it takes the files. One that cannot be asked is an error: what it would have said
    /// decides what the files mean.
    pub async fn discover(
        &self,
        files: &Files,
        environment: &[Variable],
    ) -> Result<Option<Plugin>, PluginError> {
        for name in self.names() {
            let failed = |error| PluginError::Discovery { name: name.clone(), error: Box::new(error) };
            let plugin = self.open(&name).await.map_err(failed)?;
            if plugin.configuration.is_discovery_configured && plugin.takes(files, environment).await? {
                return Ok(Some(plugin));
            }
        }
        Ok(None)
    }

    async fn open(&self, name: &str) -> Result<Plugin, Status> {
        let socket = self.shared.options.folder.join(format!("{name}.sock"));
        let channel =
            transport::connect_unix(&socket).map_err(|error| Status::internal(error.to_string()))?;
        let mut client = ConfigManagementPluginServiceClient::new(channel)
            .max_encoding_message_size(wire::MESSAGE_LIMIT)
            .max_decoding_message_size(wire::MESSAGE_LIMIT);
        let asked = in_time(QUICK, client.check_plugin_configuration(())).await;
        let configuration = asked?.into_inner();
        Ok(Plugin { name: name.to_owned(), client, configuration, plugins: self.clone() })
    }

    async fn archive(&self, files: &Files) -> Result<Arc<Archive>, PluginError> {
        let options = &self.shared.options;
        let key = files.tree.content_id(&TreePath::root())?.map(|id| (id, files.include.clone()));
        if let Some(key) = &key {
            let archives = self.shared.archives.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, archive)) = archives.iter().find(|(known, _)| known == key) {
                return Ok(archive.clone());
            }
        }
        let (wanted, exclusions, limits) = (files.clone(), options.exclusions.clone(), options.limits);
        let work = tokio::task::spawn_blocking(move || {
            pack(wanted.tree.as_ref(), &wanted.include, &exclusions, limits).map(Arc::new)
        });
        let broken = |error: tokio::task::JoinError| PluginError::System {
            what: "pack the plugin's files",
            cause: error.to_string(),
        };
        let archive = work.await.map_err(broken)??;
        if let Some(key) = key {
            let mut archives = self.shared.archives.lock().unwrap_or_else(PoisonError::into_inner);
            archives.truncate(MOST_ARCHIVES - 1);
            archives.push_front((key, archive.clone()));
        }
        Ok(archive)
    }

    fn limit(&self) -> Duration {
        self.shared.options.timeout + GRACE
    }
}

impl Plugin {
    /// Its name, with its version.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its commands may use the repository's credentials.
    pub fn provides_git_credentials(&self) -> bool {
        self.configuration.provide_git_creds
    }

    async fn takes(&self, files: &Files, environment: &[Variable]) -> Result<bool, PluginError> {
        let request = self.request(files, environment).await?;
        let mut client = self.client.clone();
        let answer = in_time(self.plugins.limit(), client.match_repository(request)).await;
        let failed = |error| PluginError::Discovery { name: self.name.clone(), error: Box::new(error) };
        Ok(answer.map_err(failed)?.into_inner().is_supported)
    }

    /// Has it render the files.
    pub async fn manifests(
        &self,
        files: &Files,
        environment: &[Variable],
    ) -> Result<Vec<String>, PluginError> {
        let request = self.request(files, environment).await?;
        let mut client = self.client.clone();
        let answer = in_time(self.plugins.limit(), client.generate_manifest(request)).await;
        let what = "error generating manifests in cmp";
        let failed = |error| PluginError::Failed { what, error: Box::new(error) };
        Ok(answer.map_err(failed)?.into_inner().manifests)
    }

    /// Has it say which parameters it knows.
    pub async fn parameters(
        &self,
        files: &Files,
        environment: &[Variable],
    ) -> Result<Vec<ParameterAnnouncement>, PluginError> {
        let request = self.request(files, environment).await?;
        let mut client = self.client.clone();
        let answer = in_time(self.plugins.limit(), client.get_parameters_announcement(request)).await;
        let what = "failed to get parameter announcement";
        let failed = |error| PluginError::Failed { what, error: Box::new(error) };
        Ok(answer.map_err(failed)?.into_inner().parameter_announcements)
    }

    async fn request(
        &self,
        files: &Files,
        environment: &[Variable],
    ) -> Result<Request<impl futures::Stream<Item = AppStreamRequest> + Send + 'static>, PluginError> {
        let archive = self.plugins.archive(files).await?;
        let metadata = metadata(&archive, files.path.as_str(), environment);
        let mut request = Request::new(messages(archive, metadata, self.plugins.shared.options.piece));
        request.set_timeout(self.plugins.limit());
        Ok(request)
    }
}

async fn in_time<T>(limit: Duration, answer: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Status::deadline_exceeded(format!("no answer within {} s", limit.as_secs()))),
    }
}
