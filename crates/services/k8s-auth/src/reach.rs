//! What credentials are found with: programs, beside variables, files and requests.

use cloud_reach::{Requests, variables};
use reqsign_core::{CommandExecute, CommandOutput, Context, Error, Result};
use std::collections::BTreeMap;
use std::time::Duration;

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
