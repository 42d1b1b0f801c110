//! The methods of `plugin.ConfigManagementPluginService`.

use crate::command::{self, CommandError, Limits};
use crate::configuration::{Announcement, Command, Configuration};
use crate::discovery;
use crate::receive::Received;
use plugin::pattern::Syntax;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};
use wire::plugin::config_management_plugin_service_server::ConfigManagementPluginService;
use wire::plugin::{
    AppStreamRequest, CheckPluginConfigurationResponse, ManifestResponse, ParametersAnnouncementResponse,
    RepositoryResponse,
};
use wire::repository::ParameterAnnouncement;
use wire::version::VersionMessage;
use wire::version::version_service_server::VersionService;

/// Our own error must be there before the caller gives up.
const MARGIN: Duration = Duration::from_millis(100);
/// Bytes of manifests.
const MOST_OUTPUT: usize = 100 << 20;

/// Folders and limits.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files of calls lie below it; it is emptied at the start.
    pub work_folder: PathBuf,
    /// What a command may take.
    pub timeout: Duration,
    /// What it may take to end once it was asked to.
    pub grace: Duration,
    /// Bytes it may write.
    pub output: usize,
}

impl Options {
    /// From the environment.
    pub fn from_environment(configuration: &Configuration, environment: &BTreeMap<String, String>) -> Self {
        let given = environment.get("ARGOCD_CMP_WORKDIR").filter(|folder| !folder.is_empty());
        let parent = given.map_or_else(std::env::temp_dir, PathBuf::from);
        let duration = |name: &str, default: u64| {
            let value = environment.get(name).and_then(|text| boot::duration::parse(text));
            value.filter(|value| !value.is_zero()).unwrap_or(Duration::from_secs(default))
        };
        Self {
            // Plugins that share a folder keep apart in it.
            work_folder: parent.join("_cmp_server").join(configuration.full_name()),
            timeout: duration("ARGOCD_EXEC_TIMEOUT", 90),
            grace: duration("ARGOCD_EXEC_FATAL_TIMEOUT", 10),
            output: MOST_OUTPUT,
        }
    }
}

/// The server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PluginServer {
    configuration: Arc<Configuration>,
    options: Arc<Options>,
}

impl PluginServer {
    /// The server of a plugin. What an earlier life left in the work folder is removed; the error names the folder.
    pub fn new(configuration: Configuration, options: Options) -> Result<Self, (PathBuf, io::Error)> {
        let folder = &options.work_folder;
        let made = (|| {
            match std::fs::remove_dir_all(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            std::fs::create_dir_all(folder)?;
            std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))
        })();
        made.map_err(|error| (folder.clone(), error))?;
        Ok(Self { configuration: Arc::new(configuration), options: Arc::new(options) })
    }

    async fn take(&self, call: Call) -> Result<(Received, Instant), String> {
        let modes = self.configuration.spec.preserve_file_mode;
        let received = Received::take(call.stream, &self.options.work_folder, modes).await?;
        Ok((received, call.deadline))
    }

    async fn run(
        &self,
        command: &Command,
        folder: &Path,
        environment: &[(String, String)],
        deadline: Instant,
    ) -> Result<String, CommandError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let limits = Limits {
            timeout: self.options.timeout.min(left),
            grace: self.options.grace,
            output: self.options.output,
        };
        command::run(command, folder, environment, limits).await
    }

    async fn generate(&self, received: &Received, deadline: Instant) -> Result<Vec<String>, String> {
        let spec = &self.configuration.spec;
        let folder = received.application()?;
        let environment = received.environment();
        let failed = |error: CommandError| format!("error generating manifests: {error}");
        if spec.init.is_given() {
            self.run(&spec.init, &folder, &environment, deadline).await.map_err(failed)?;
        }
        let output = self.run(&spec.generate, &folder, &environment, deadline).await.map_err(failed)?;
        let documents = object::yaml::decode_documents(output.as_bytes(), &object::yaml::Limits::default());
        let documents = documents.map_err(|error| {
            let place = error.line.map_or_else(String::new, |line| format!(" (line {line} of the output)"));
            format!("error generating manifests: failed to unmarshal manifest: {error}{place}")
        })?;
        Ok(documents.iter().map(|document| object::to_go_json(&document.value)).collect())
    }

    async fn matches(&self, received: &Received, deadline: Instant) -> Result<bool, String> {
        let discover = &self.configuration.spec.discover;
        let folder = received.application()?;
        let glob = if !discover.file_name.is_empty() {
            Some((discover.file_name.clone(), Syntax::Plain, "filename"))
        } else if !discover.find.glob.is_empty() {
            Some((discover.find.glob.clone(), Syntax::Deep, "glob"))
        } else {
            None
        };
        if let Some((pattern, syntax, what)) = glob {
            let (root, text) = (received.root().to_owned(), pattern.clone());
            let work = tokio::task::spawn_blocking(move || discovery::matches(&root, &folder, &text, syntax));
            let found = work.await.map_err(|error| error.to_string())?;
            return found
                .map_err(|error| format!("error finding {what} match for pattern {pattern:?}: {error}"));
        }
        if !discover.find.command.is_given() {
            return Ok(false);
        }
        let found = self.run(&discover.find.command, &folder, &received.environment(), deadline).await;
        Ok(!found.map_err(|error| format!("error running find command: {error}"))?.is_empty())
    }

    async fn parameters(
        &self,
        received: &Received,
        deadline: Instant,
    ) -> Result<Vec<ParameterAnnouncement>, String> {
        let parameters = &self.configuration.spec.parameters;
        let folder = received.application()?;
        let mut all: Vec<Announcement> = Vec::new();
        if parameters.dynamic.is_given() {
            let found = self.run(&parameters.dynamic, &folder, &received.environment(), deadline).await;
            let found = found.map_err(|error| {
                format!("get parameters announcement error: error executing dynamic parameter output command: {error}")
            })?;
            let found: Option<Vec<Announcement>> = serde_json::from_str(&found).map_err(|error| {
                format!("get parameters announcement error: error unmarshaling dynamic parameter output into ParametersAnnouncementResponse: {error}")
            })?;
            all = found.unwrap_or_default();
        }
        // What stands later wins.
        all.extend(parameters.fixed.iter().cloned());
        Ok(all.into_iter().map(ParameterAnnouncement::from).collect())
    }
}

/// A call and how long it may take.
struct Call {
    stream: Streaming<AppStreamRequest>,
    deadline: Instant,
}

impl Call {
    fn of(request: Request<Streaming<AppStreamRequest>>) -> Self {
        // Without the caller's limit only those of the commands count; an hour stands for none.
        let limit = timeout(request.metadata()).unwrap_or(Duration::from_secs(3600));
        let deadline = Instant::now() + limit.saturating_sub(MARGIN);
        Self { stream: request.into_inner(), deadline }
    }
}

/// `grpc-timeout`: digits and a unit.
fn timeout(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let unit = text.chars().next_back()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(number.min(1000) * 3600),
        'M' => Duration::from_secs(number.min(100_000) * 60),
        'S' => Duration::from_secs(number.min(10_000_000)),
        'm' => Duration::from_millis(number),
        'u' => Duration::from_micros(number),
        'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

#[tonic::async_trait]
impl ConfigManagementPluginService for PluginServer {
    async fn generate_manifest(
        &self,
        request: Request<Streaming<AppStreamRequest>>,
    ) -> Result<Response<ManifestResponse>, Status> {
        let taken = self.take(Call::of(request)).await;
        let (received, deadline) = taken
            .map_err(|error| Status::unknown(format!("generate manifest error receiving stream: {error}")))?;
        let manifests = self.generate(&received, deadline).await.map_err(|error| {
            tracing::error!(error, "generate manifests");
            Status::unknown(error)
        })?;
        Ok(Response::new(ManifestResponse { manifests, ..Default::default() }))
    }

    async fn match_repository(
        &self,
        request: Request<Streaming<AppStreamRequest>>,
    ) -> Result<Response<RepositoryResponse>, Status> {
        let taken = self.take(Call::of(request)).await;
        let (received, deadline) = taken
            .map_err(|error| Status::unknown(format!("match repository error receiving stream: {error}")))?;
        let is_supported = self
            .matches(&received, deadline)
            .await
            .map_err(|error| Status::unknown(format!("match repository error: {error}")))?;
        let is_discovery_enabled = self.configuration.spec.discover.is_configured();
        Ok(Response::new(RepositoryResponse { is_supported, is_discovery_enabled }))
    }

    async fn get_parameters_announcement(
        &self,
        request: Request<Streaming<AppStreamRequest>>,
    ) -> Result<Response<ParametersAnnouncementResponse>, Status> {
        let taken = self.take(Call::of(request)).await;
        let (received, deadline) = taken.map_err(|error| {
            Status::unknown(format!("parameters announcement error receiving stream: {error}"))
        })?;
        let parameter_announcements = self.parameters(&received, deadline).await.map_err(Status::unknown)?;
        Ok(Response::new(ParametersAnnouncementResponse { parameter_announcements }))
    }

    async fn check_plugin_configuration(
        &self,
        _: Request<()>,
    ) -> Result<Response<CheckPluginConfigurationResponse>, Status> {
        let spec = &self.configuration.spec;
        Ok(Response::new(CheckPluginConfigurationResponse {
            is_discovery_configured: spec.discover.is_configured(),
            provide_git_creds: spec.provide_git_creds,
        }))
    }
}

/// Versions.
pub(crate) struct Versions;

#[tonic::async_trait]
impl VersionService for Versions {
    async fn version(&self, _: Request<()>) -> Result<Response<VersionMessage>, Status> {
        Ok(Response::new(wire::versions::of_build()))
    }
}

#[cfg(test)]
mod tests {
    use super::timeout;
    use std::time::Duration;
    use tonic::metadata::MetadataMap;

    #[test]
    fn the_callers_limit_is_read() {
        for (text, expected) in [
            ("90S", Some(Duration::from_secs(90))),
            ("1500m", Some(Duration::from_millis(1500))),
            ("2000000u", Some(Duration::from_secs(2))),
            ("5", None),
            ("x", None),
        ] {
            let mut metadata = MetadataMap::new();
            metadata.insert("grpc-timeout", text.parse().unwrap());
            assert_eq!(timeout(&metadata), expected, "{text}");
        }
    }
}
