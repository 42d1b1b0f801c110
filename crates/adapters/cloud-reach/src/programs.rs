//! Programs that users name in their profiles.

use reqsign_core::{CommandExecute, CommandOutput, Error, Result};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// As long as Amazon's SDK waits for one.
const LIMIT: Duration = Duration::from_secs(60);
/// The longest output, in bytes.
const LARGEST: u64 = 1 << 20;

/// Runs programs with these variables beside this process' own. What they say on standard error may hold a key and is not
/// read.
#[derive(Debug)]
pub struct Programs(pub BTreeMap<String, String>);

impl CommandExecute for Programs {
    async fn command_execute(&self, program: &str, arguments: &[&str]) -> Result<CommandOutput> {
        let failed = |said: String| Error::unexpected(format!("run {program}: {said}")).set_retryable(true);
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).envs(&self.0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let answered = async {
            let mut stdout = Vec::new();
            if let Some(pipe) = child.stdout.take() {
                pipe.take(LARGEST).read_to_end(&mut stdout).await?;
            }
            Ok::<_, std::io::Error>((child.wait().await?, stdout))
        };
        let (status, stdout) = tokio::time::timeout(LIMIT, answered)
            .await
            .map_err(|_| failed(format!("no answer after {} s", LIMIT.as_secs())))?
            .map_err(|error| failed(error.to_string()))?;
        Ok(CommandOutput { status: status.code().unwrap_or(-1), stdout, stderr: Vec::new() })
    }
}
