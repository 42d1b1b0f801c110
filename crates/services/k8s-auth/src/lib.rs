//! `argocd-k8s-auth`: a token for a cluster whose cloud knows who this is, printed as Kubernetes' clients want it.

mod aws;
mod azure;
mod gcp;
mod reach;

use boot::flags::Flags;
use jiff::Timestamp;
use reqsign_core::Context;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the process is called then.
pub const COMPONENT: &str = "argocd-k8s-auth";
/// All tries together.
const LIMIT: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(5);

const HELP: &str = "argocd-k8s-auth a set of commands to generate k8s auth token\n\n\
Usage:\n  argocd-k8s-auth [flags]\n  argocd-k8s-auth [command]\n\nAvailable Commands:\n  aws         \n  azure       \n  \
gcp         \n\nFlags:\n  -h, --help   help for argocd-k8s-auth\n\n\
Use \"argocd-k8s-auth [command] --help\" for more information about a command.\n";

/// A token and when it ends.
struct Token {
    text: String,
    expires: Timestamp,
}

/// Why there is no token, and whether another try may help.
struct Refusal {
    message: String,
    again: bool,
}

impl Refusal {
    fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), again: false }
    }
}

impl From<reqsign_core::Error> for Refusal {
    fn from(error: reqsign_core::Error) -> Self {
        // Sources may quote what was answered.
        Self { message: error.to_string(), again: error.is_retryable() }
    }
}

/// What is printed on standard output, or what is told on standard error.
pub async fn run(arguments: &[String], environment: &BTreeMap<String, String>) -> Result<String, String> {
    let Some((command, rest)) = arguments.split_first() else { return Ok(HELP.to_owned()) };
    if matches!(command.as_str(), "-h" | "--help" | "help") {
        return Ok(HELP.to_owned());
    }
    if command.starts_with('-') {
        return Err(format!("unknown flag: {command}"));
    }
    if !["aws", "gcp", "azure"].contains(&command.as_str()) {
        return Err(format!("unknown command {command:?} for {COMPONENT:?}: it has aws, azure and gcp"));
    }
    if rest.iter().any(|word| word == "-h" || word == "--help") {
        return Ok(help(command));
    }
    let context = reach::context(environment)?;
    let token = match command.as_str() {
        "aws" => {
            let flags = Flags::parse(COMPONENT, rest, environment).map_err(|error| error.to_string())?;
            let asked = aws::Asked {
                cluster: flags.text("cluster-name"),
                role: flags.text("role-arn"),
                profile: flags.text("profile"),
            };
            patiently(|| aws::token(&asked, &context, Timestamp::now())).await
        }
        _ if !rest.is_empty() => return Err(format!("unknown argument {:?} for {command:?}", rest[0])),
        "gcp" => patiently(|| gcp::token(&context, Timestamp::now())).await,
        _ => patiently(|| azure::token(&context, Timestamp::now())).await,
    };
    token.map(|token| credential(&token))
}

fn help(command: &str) -> String {
    let flags = if command == "aws" {
        "      --cluster-name string   AWS Cluster name\n  -h, --help                  help for aws\n      \
         --profile string        AWS Profile\n      --role-arn string       AWS Role ARN\n"
            .to_owned()
    } else {
        format!("  -h, --help   help for {command}\n")
    };
    format!("Usage:\n  {COMPONENT} {command} [flags]\n\nFlags:\n{flags}")
}

/// Tries until there is a token, no other try may help, or time is up.
async fn patiently<F: Future<Output = Result<Token, Refusal>>>(ask: impl Fn() -> F) -> Result<Token, String> {
    let mut last = "no answer".to_owned();
    let tries = async {
        loop {
            match ask().await {
                Ok(token) => return Ok(token),
                Err(refusal) if !refusal.again => return Err(refusal.message),
                Err(refusal) => last = refusal.message,
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::time::timeout(LIMIT, tries).await {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("no token within {} s: {last}", LIMIT.as_secs())),
    }
}

fn credential(token: &Token) -> String {
    json!({
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "spec": {"interactive": false},
        "status": {
            "expirationTimestamp": token.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "token": token.text,
        },
    })
    .to_string()
}

/// A variable, when it is not empty.
fn variable(context: &Context, name: &str) -> Option<String> {
    context.env_var(name).filter(|value| !value.is_empty())
}
