//! What credentials are found with: variables, files, programs, requests.

use bytes::Bytes;
use reqsign_core::{CommandExecute, CommandOutput, Context, Error, HttpSend, Result, StaticEnv};
use reqsign_file_read_tokio::TokioFileRead;
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest answer.
const LARGEST: usize = 1 << 20;
const CONNECT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(20);
const COMMAND: Duration = Duration::from_secs(30);

pub(crate) fn context(environment: &BTreeMap<String, String>) -> std::result::Result<Context, String> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("argocd-k8s-auth/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| format!("set up requests: {error}"))?;
    Ok(variables(environment)
        .with_http_send(Requests(client))
        .with_command_execute(Programs(environment.clone())))
}

/// With the variables and files alone.
pub(crate) fn variables(environment: &BTreeMap<String, String>) -> Context {
    let home = environment.get("HOME").filter(|home| !home.is_empty()).map(Into::into);
    let envs = environment.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Context::new().with_file_read(TokioFileRead).with_env(StaticEnv { home_dir: home, envs })
}

#[derive(Debug)]
struct Requests(reqwest::Client);

impl HttpSend for Requests {
    async fn http_send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let failed = |error: reqwest::Error| {
            let said = causes(&error.without_url());
            Error::unexpected(format!("ask {host}: {said}")).set_retryable(true)
        };
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut answer = self.0.execute(request).await.map_err(failed)?;
        let mut built = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            built = built.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(Error::unexpected(format!(
                    "ask {host}: the answer is larger than {LARGEST} bytes"
                )));
            }
            body.extend_from_slice(&chunk);
        }
        built.body(body.into()).map_err(|error| Error::unexpected(format!("ask {host}: {error}")))
    }
}

/// An error with what it came from; the address, which may hold a key, is not in it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        told = format!("{told}: {cause}");
        next = cause.source();
    }
    told
}

/// Programs that users name in their profiles.
#[derive(Debug)]
struct Programs(BTreeMap<String, String>);

impl CommandExecute for Programs {
    async fn command_execute(&self, program: &str, arguments: &[&str]) -> Result<CommandOutput> {
        let failed = |said: String| Error::unexpected(format!("run {program}: {said}"));
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).env_clear().envs(&self.0).kill_on_drop(true);
        let output = tokio::time::timeout(COMMAND, command.output())
            .await
            .map_err(|_| failed(format!("no answer after {} s", COMMAND.as_secs())))?
            .map_err(|error| failed(error.to_string()))?;
        Ok(CommandOutput {
            status: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }
}
