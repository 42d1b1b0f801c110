//! `credential_process`: a program that prints credentials.

use reqsign_aws_v4::Credential;
use reqsign_core::time::Timestamp;
use reqsign_core::{Context, Error, ProvideCredential, Result};
use serde::Deserialize;
use std::fmt;

/// The program a profile names, for a shell as Amazon's SDK has it.
pub(super) struct Process {
    pub(super) profile: String,
    pub(super) command: String,
}

/// What it prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: i64,
    #[serde(default)]
    access_key_id: String,
    #[serde(default)]
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

impl fmt::Debug for Process {
    /// The command may hold a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Process").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl ProvideCredential for Process {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>> {
        // What it printed may hold a key.
        let wrong = |said: String| {
            Error::unexpected(format!("credential_process of the profile {:?}: {said}", self.profile))
        };
        let output = context.command_execute("sh", &["-c", &self.command]).await?;
        if !output.success() {
            return Err(wrong(format!("it ended with the status {}", output.status)));
        }
        let printed: Printed = serde_json::from_slice(&output.stdout)
            .map_err(|_| wrong("it did not print JSON with Version and keys".to_owned()))?;
        if printed.version != 1 {
            return Err(wrong(format!("it printed the version {}, and 1 is known", printed.version)));
        }
        if printed.access_key_id.is_empty() || printed.secret_access_key.is_empty() {
            return Err(wrong("it printed no AccessKeyId or no SecretAccessKey".to_owned()));
        }
        let expires = printed.expiration.map(|text| text.parse::<Timestamp>()).transpose();
        Ok(Some(Credential {
            access_key_id: printed.access_key_id,
            secret_access_key: printed.secret_access_key,
            session_token: printed.session_token.filter(|token| !token.is_empty()),
            expires_in: expires.map_err(|_| wrong("it printed an Expiration that is no time".to_owned()))?,
        }))
    }
}
