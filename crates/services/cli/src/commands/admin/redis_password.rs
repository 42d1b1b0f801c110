//! `argocd admin redis-initial-password`: makes the password of Redis where there is none.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kubernetes::{Patch, WriteOptions};
use object::{GroupVersionKind, Object};
use serde_json::json;

use super::hub::Hub;
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::options::KUBERNETES;
use crate::session::Session;

const SECRET: &str = "argocd-redis";
const KEY: &str = "auth";
const PASSWORD_BYTES: usize = 24;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    run: Some(start),
    ..Command::new(
        "redis-initial-password",
        "",
        "Ensure the Redis password exists, creating a new one if necessary.",
    )
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let hub = Hub::connect(session).await.map_err(Failure::fatal)?;
    session.line(&format!(
        "Checking for initial Redis password in secret {}/{SECRET} at key {KEY}. ",
        hub.namespace
    ));
    let failed = |error: kubernetes::Error| Failure::fatal(error.message());
    let kind = GroupVersionKind::new("", "v1", "Secret");
    let resource = hub.cluster.resource(&kind).await.map_err(failed)?;
    let password = STANDARD.encode(URL_SAFE_NO_PAD.encode(rand::random::<[u8; PASSWORD_BYTES]>()));
    let fresh = Object::from_value(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": SECRET, "namespace": hub.namespace}, "data": {KEY: password},
    }));
    let fresh = fresh.map_err(|error| Failure::generic(error.to_string()))?;
    let options = WriteOptions::manager("argocd");
    match hub.cluster.create(&resource, &fresh, &options).await {
        Ok(_) => session.line(&format!("Initial Redis password generated and stored in secret {SECRET}.")),
        Err(error) if error.is_already_exists() => {
            session.line(&format!("Argo CD Redis secret state confirmed: secret name {SECRET}."));
            let live = hub.cluster.get(&resource, &hub.namespace, SECRET).await.map_err(failed)?;
            if live.text_at(&["data", KEY]).is_empty() {
                let patch = Patch::Merge(json!({
                    "metadata": {"resourceVersion": live.resource_version()}, "data": {KEY: password},
                }));
                let written = hub.cluster.patch(&resource, &hub.namespace, SECRET, &patch, &options).await;
                written.map_err(failed)?;
            }
        }
        Err(error) => return Err(failed(error)),
    }
    session.line("Password secret is configured properly.");
    Ok(())
}
