//! What the recorded calls about notifications were made against: the settings, an application and somebody to tell.

use super::stage::Stage;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;
use transcripts::Call;

const SETTINGS: &str = "notifications/00-config.yaml";
/// Needs a private key, which was not recorded.
const LEFT_OUT: &str = "service.github";
const SYNC_LIMIT: Duration = Duration::from_secs(60);

pub(super) fn prepare(stage: &mut Stage) -> Result<()> {
    stage.listen()?;
    stage.serve_repositories()?;
    let path = stage.corpora.join(SETTINGS);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let mut data: Value = object::yaml::decode(text.as_bytes())?;
    data.as_object_mut().context("the settings are no map")?.remove(LEFT_OUT);
    stage.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-notifications-cm"}, "data": data,
    }))?;
    stage.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-notifications-secret"},
        "stringData": {"slack-token": "slack", "hook-token": "bp", "hidden": "hidden-value"},
    }))?;
    stage.namespace("notif")?;
    let create = [
        "app",
        "create",
        "notif",
        "--repo",
        "<repo>/apps.git",
        "--path",
        "shared",
        "--dest-server",
        "https://kubernetes.default.svc",
        "--dest-namespace",
        "notif",
    ];
    for words in [&create[..], &["app", "sync", "notif"], &["app", "wait", "notif", "--health", "--sync"]] {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        // What fails is seen by the calls that are compared.
        stage.call(&Call { words, ..Call::default() }, Some(SYNC_LIMIT))?;
    }
    Ok(())
}
