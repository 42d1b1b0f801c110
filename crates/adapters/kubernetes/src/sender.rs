//! What requests are sent with: a connection whose credentials stay, or one whose credentials a program prints and that is
//! made again when they end.

use crate::connect::chain;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use kube::Config;
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use std::io::IsTerminal;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use tokio::process::Command;
use tokio::sync::Mutex;

/// Credentials that end within this time are as good as ended.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// A program that failed is not run again before, nor one whose credentials were refused twice.
const PAUSE: Duration = Duration::from_secs(5);

pub(crate) enum Sender {
    Lasting(kube::Client),
    Renewed(Box<Renewed>),
}

/// Credentials a program prints.
pub(crate) struct Renewed {
    /// Without credentials.
    config: Config,
    program: ExecConfig,
    /// How long the program may take; one that asks somebody takes as long as they do.
    patience: Option<Duration>,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    client: Option<kube::Client>,
    ends: Option<Timestamp>,
    refused: bool,
    refused_at: Option<Instant>,
    failure: String,
    ran_at: Option<Instant>,
    runs: u64,
}

/// What the program prints, of which the status alone counts.
#[derive(Deserialize)]
struct Printed {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<String>,
}

impl Sender {
    /// Prepares to send; runs the program, if there is one, which may take as long as `patience`.
    pub(crate) async fn new(mut config: Config, patience: Duration) -> Result<Self, String> {
        let own = &config.auth_info;
        let named = own.username.is_some() && own.password.is_some();
        if named || own.token.is_some() || own.token_file.is_some() {
            config.auth_info.exec = None;
        }
        let Some(program) = config.auth_info.exec.take() else {
            return Ok(Self::Lasting(client(config).await?));
        };
        let asks = program.interactive_mode != Some(ExecInteractiveMode::Never);
        let patience = (!asks).then_some(patience);
        let renewed = Renewed { config, program, patience, current: Mutex::default() };
        renewed.client().await?;
        Ok(Self::Renewed(Box::new(renewed)))
    }

    /// A connection, and which credentials it has, for [`Sender::refused`].
    pub(crate) async fn client(&self) -> Result<(kube::Client, u64), String> {
        match self {
            Self::Lasting(client) => Ok((client.clone(), 0)),
            Self::Renewed(renewed) => renewed.client().await,
        }
    }

    /// Takes note that the server knows nobody by these credentials; says whether there may be others.
    pub(crate) async fn refused(&self, run: u64) -> bool {
        let Self::Renewed(renewed) = self else { return false };
        let mut current = renewed.current.lock().await;
        if current.runs != run {
            return true;
        }
        if current.refused_at.is_none_or(|at| at.elapsed() >= PAUSE) {
            current.refused = true;
            current.refused_at = Some(Instant::now());
        }
        current.refused
    }
}

impl Renewed {
    async fn client(&self) -> Result<(kube::Client, u64), String> {
        // Held while the program runs, so that many who need it run it once.
        let mut current = self.current.lock().await;
        let soon = Timestamp::now().saturating_add(MARGIN).unwrap_or(Timestamp::MAX);
        let lasts = !current.refused && current.ends.is_none_or(|ends| ends > soon);
        if let Some(client) = current.client.as_ref().filter(|_| lasts) {
            return Ok((client.clone(), current.runs));
        }
        if !current.failure.is_empty() && current.ran_at.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(current.failure.clone());
        }
        let renewed = self.renew().await;
        current.ran_at = Some(Instant::now());
        current.runs += 1;
        match renewed {
            Ok((client, ends)) => {
                current.client = Some(client.clone());
                current.ends = ends;
                current.refused = false;
                current.failure.clear();
                Ok((client, current.runs))
            }
            Err(reason) => {
                current.failure = format!("getting credentials: {reason}");
                Err(current.failure.clone())
            }
        }
    }

    async fn renew(&self) -> Result<(kube::Client, Option<Timestamp>), String> {
        let status = self.run().await?;
        let command = self.program.command.as_deref().unwrap_or_default();
        let ends = status.expiration_timestamp.as_deref().map(str::parse::<Timestamp>).transpose();
        let ends =
            ends.map_err(|_| format!("exec: {command} printed an expirationTimestamp that is no time"))?;
        let mut config = self.config.clone();
        if let Some(token) = status.token {
            config.auth_info.token = Some(token.into());
        }
        if let (Some(certificate), Some(key)) = (status.client_certificate_data, status.client_key_data) {
            config.auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
            config.auth_info.client_key_data = Some(STANDARD.encode(key).into());
        }
        Ok((client(config).await?, ends))
    }

    /// Runs the program. What it complains of goes to our own standard error, and into no message: it may hold secrets.
    async fn run(&self) -> Result<Status, String> {
        let program = &self.program;
        let name = program.command.as_deref().filter(|name| !name.is_empty());
        let name = name.ok_or("exec: the configuration names no command")?;
        let asks = self.patience.is_none() && std::io::stdin().is_terminal();
        if program.interactive_mode == Some(ExecInteractiveMode::Always) && !asks {
            return Err(format!("exec: {name} wants to ask somebody, and nobody is at a terminal"));
        }
        let mut spec = json!({"interactive": asks});
        if program.provide_cluster_info {
            spec["cluster"] = serde_json::to_value(&program.cluster).unwrap_or_default();
        }
        let told = json!({"kind": "ExecCredential", "apiVersion": program.api_version, "spec": spec});
        let mut command = Command::new(name);
        command.args(program.args.iter().flatten());
        for variable in program.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                command.env(name, value);
            }
        }
        command.env("KUBERNETES_EXEC_INFO", told.to_string());
        for dropped in program.drop_env.iter().flatten() {
            command.env_remove(dropped);
        }
        command.stdin(if asks { Stdio::inherit() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let running = async {
            let child = command.spawn().map_err(|error| self.not_started(name, &error))?;
            child.wait_with_output().await.map_err(|error| format!("exec: {name}: {error}"))
        };
        let output = match self.patience {
            None => running.await?,
            Some(patience) => tokio::time::timeout(patience, running).await.map_err(|_| {
                format!(
                    "exec: executable {name} printed nothing within {} s and was stopped",
                    patience.as_secs()
                )
            })??,
        };
        read(name, &output)
    }

    fn not_started(&self, name: &str, error: &std::io::Error) -> String {
        if error.kind() != std::io::ErrorKind::NotFound {
            return format!("exec: {name} could not be started: {error}");
        }
        let hint = self.program.install_hint.as_deref().unwrap_or_default();
        let space = if hint.is_empty() { "" } else { ": " };
        format!("exec: executable {name} not found{space}{hint}")
    }
}

fn read(name: &str, output: &Output) -> Result<Status, String> {
    if !output.status.success() {
        return Err(match output.status.code() {
            Some(code) => format!("exec: executable {name} failed with exit code {code}"),
            None => format!("exec: executable {name} was stopped ({})", output.status),
        });
    }
    // What is YAML is read as well: clients written in Go do.
    let value = object::yaml::decode(&output.stdout).ok();
    let printed = value.and_then(|value| serde_json::from_value::<Printed>(value).ok());
    let printed = printed.ok_or_else(|| format!("exec: what {name} printed is no ExecCredential"))?;
    let mut status = printed.status.ok_or_else(|| format!("exec: {name} printed no status"))?;
    for text in [&mut status.token, &mut status.client_certificate_data, &mut status.client_key_data] {
        *text = text.take().filter(|text| !text.is_empty());
    }
    match (&status.client_certificate_data, &status.client_key_data) {
        (None, None) if status.token.is_none() => {
            Err(format!("exec: {name} printed neither a token nor a certificate with its key"))
        }
        (Some(_), None) | (None, Some(_)) => {
            Err(format!("exec: {name} printed a certificate or a key, but not both"))
        }
        _ => Ok(status),
    }
}

/// Builds the client off the runtime's threads: it may read files.
async fn client(config: Config) -> Result<kube::Client, String> {
    let handle = tokio::runtime::Handle::current();
    let built = tokio::task::spawn_blocking(move || {
        let _context = handle.enter();
        kube::Client::try_from(config)
    });
    built.await.map_err(|error| error.to_string())?.map_err(|error| chain(&error))
}
