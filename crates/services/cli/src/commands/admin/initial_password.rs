//! `argocd admin initial-password`: the password that the server generated.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use object::GroupVersionKind;

use super::hub::Hub;
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::options::KUBERNETES;
use crate::session::Session;

/// Where the server put it.
const SECRET: &str = "argocd-initial-admin-secret";

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    run: Some(start),
    ..Command::new("initial-password", "", "Prints initial password to log in to Argo CD for the first time")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let Hub { cluster, namespace } = Hub::connect(session).await.map_err(Failure::generic)?;
    let failed = |error: kubernetes::Error| Failure::generic(error.message());
    let kind = GroupVersionKind::new("", "v1", "Secret");
    let secret = cluster.find_kind(&kind, &namespace, SECRET).await.map_err(failed)?;
    let secret = secret.ok_or_else(|| Failure::generic(format!("secrets \"{SECRET}\" not found")))?;
    let password = STANDARD.decode(secret.text_at(&["data", "password"]));
    let password = password.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let password =
        password.filter(|text| !text.is_empty()).ok_or_else(|| Failure::generic("password not found"))?;
    session.line(&password);
    session.line(
        "\n This password must be only used for first time login. We strongly recommend you update the password using \
         `argocd account update-password`.",
    );
    Ok(())
}
