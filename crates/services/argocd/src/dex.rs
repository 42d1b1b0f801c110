//! `argocd-dex`: makes Dex's configuration from the settings and runs Dex with it, anew whenever it changes.

use crate::hub;
use anyhow::{Context, Result, anyhow, bail};
use auth::oidc::dex_client_secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use boot::flags::Flags;
use boot::stop::Stop;
use kubernetes::{Cluster, ListOptions};
use object::{GroupVersionKind, Object, Secret};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use settings::{DexFacts, SingleSignOn};
use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;
use tokio::process::{Child, Command};

/// What the process is called then.
pub(crate) const NAME: &str = "argocd-dex";
/// Flags of the two commands.
pub(crate) const RUN: &str = "argocd-dex rundex";
/// Flags of the two commands.
pub(crate) const GENERATE: &str = "argocd-dex gendexcfg";
/// The help of the name alone.
pub(crate) const HELP: &str = "argocd-dex has internal utility tools used by Argo CD\n\n\
Usage:\n  argocd-dex [command]\n\nAvailable Commands:\n  gendexcfg   Generates a dex config from Argo CD settings\n  \
rundex      Runs dex generating a config using settings from the Argo CD configmap and secret\n";

const CONFIG: &str = "/tmp/dex.yaml";
/// Where the user's certificate is mounted.
const MOUNTED: [&str; 2] = ["/tls/tls.crt", "/tls/tls.key"];
/// How often the settings are looked at.
const LOOK: Duration = Duration::from_secs(10);
/// Dex has this long to end when asked to.
const GRACE: Duration = Duration::from_secs(10);
/// Secrets that settings may refer to.
const PART_OF: &str = "app.kubernetes.io/part-of=argocd";

/// Prints or writes the configuration.
pub(crate) async fn generate(
    flags: &Flags,
    environment: &BTreeMap<String, String>,
) -> Result<Option<String>> {
    let cluster = hub::connect(flags, environment).await?;
    let namespace = hub::namespace(flags, &cluster);
    let Some(config) = configuration(&cluster, &namespace, flags).await? else {
        tracing::info!("dex is not configured");
        return Ok(None);
    };
    let out = flags.text("out");
    if out.is_empty() {
        return Ok(Some(object::yaml::encode(&settings::masked(config))));
    }
    write(Path::new(&out), &object::yaml::encode(&config))?;
    Ok(None)
}

/// Runs Dex until it is told to stop, or Dex ends by itself.
pub(crate) async fn run(flags: &Flags, environment: &BTreeMap<String, String>, stop: Stop) -> Result<()> {
    let cluster = hub::connect(flags, environment).await?;
    let namespace = hub::namespace(flags, &cluster);
    if !flags.bool("disable-tls") {
        certificate()?;
    }
    let mut running: Option<(String, Child)> = None;
    let mut first = true;
    loop {
        match configuration(&cluster, &namespace, flags).await {
            Ok(config) => {
                let wanted = config.map(|config| object::yaml::encode(&config));
                let has = running.as_ref().map(|(config, _)| config);
                if has != wanted.as_ref() || first {
                    first = false;
                    running = exchange(running.take(), wanted).await?;
                }
            }
            Err(error) if first => return Err(error),
            // Dex goes on with what it has.
            Err(error) => tracing::error!("dex.config cannot be used: {error:#}"),
        }
        let ended = async {
            match &mut running {
                Some((_, child)) => child.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = ended => bail!("dex ended by itself: {}", status.context("wait for dex")?),
            () = tokio::time::sleep(LOOK) => {}
            () = stop.asked() => break,
        }
    }
    if let Some((_, child)) = running {
        end(child).await?;
    }
    Ok(())
}

/// Ends the Dex that runs, and starts another one where there is a configuration.
async fn exchange(
    before: Option<(String, Child)>,
    wanted: Option<String>,
) -> Result<Option<(String, Child)>> {
    if let Some((_, child)) = before {
        tracing::info!("dex config modified. restarting dex");
        end(child).await?;
    }
    let Some(config) = wanted else {
        tracing::info!("dex is not configured");
        return Ok(None);
    };
    write(Path::new(CONFIG), &config)?;
    let child = Command::new("dex").args(["serve", CONFIG]).kill_on_drop(true).spawn();
    Ok(Some((config, child.context("start dex: is it in PATH?")?)))
}

async fn end(mut child: Child) -> Result<()> {
    let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(id) = id {
        // It may have ended by itself.
        let _ = kill_process(id, Signal::TERM);
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        child.kill().await.context("end dex")?;
    }
    Ok(())
}

/// The user's certificate, else one made now, where Dex's configuration says.
fn certificate() -> Result<()> {
    let (certificate, key) = match (std::fs::read_to_string(MOUNTED[0]), std::fs::read_to_string(MOUNTED[1]))
    {
        (Ok(certificate), Ok(key)) => (certificate, key),
        _ => {
            let made = transport::SelfSigned::new(&["localhost", "dexserver", "argocd-dex-server"])?;
            (made.certificate, made.key)
        }
    };
    write(Path::new(settings::CERTIFICATE), &certificate)?;
    write(Path::new(settings::CERTIFICATE_KEY), &key)
}

/// Writes a file that nobody else can read, not even while it is written.
fn write(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let at = || format!("write {}", path.display());
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error).with_context(at);
    }
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(at)?;
    file.write_all(text.as_bytes()).with_context(at)
}

/// Dex's configuration; nothing when Dex is not configured.
async fn configuration(cluster: &Cluster, namespace: &str, flags: &Flags) -> Result<Option<Value>> {
    let settings = read(cluster, "ConfigMap", namespace, "argocd-cm").await?.unwrap_or_default();
    let mut secrets = read(cluster, "Secret", namespace, "argocd-secret").await?.unwrap_or_default();
    let Some(key) = secrets.remove("server.secretkey") else {
        bail!("argocd-secret has no server.secretkey yet: the API server makes it at its first start");
    };
    if settings.get("dex.config").is_some_and(|config| config.contains('$')) {
        secrets.extend(others(cluster, namespace).await?);
    }
    let mut data = settings;
    // A provider of one's own wins at the API server; Dex is run all the same while it is configured.
    data.remove("oidc.config");
    let (found, problems) = SingleSignOn::parse(&data, &|key| secrets.get(key).cloned());
    for problem in problems {
        tracing::warn!("argocd-cm {}: {}", problem.key, problem.message);
    }
    let Some(SingleSignOn::Dex(dex)) = found else { return Ok(None) };
    let (server, _) = settings::Server::parse(&data);
    let facts = DexFacts {
        url: server.url,
        additional_urls: server.additional_urls,
        client_secret: Secret::new(dex_client_secret(key.as_bytes())),
        disable_tls: flags.bool("disable-tls"),
        log_level: level(&flags.text("loglevel")).to_owned(),
        log_format: flags.text("logformat"),
    };
    settings::dex_configuration(&dex, &facts).map(Some).map_err(|reason| anyhow!(reason))
}

/// Dex's words for how much is logged.
fn level(ours: &str) -> &'static str {
    match ours.to_ascii_lowercase().as_str() {
        "debug" | "trace" => "DEBUG",
        "warn" | "warning" => "WARN",
        "error" | "fatal" | "panic" => "ERROR",
        _ => "INFO",
    }
}

/// The texts of a ConfigMap or a Secret; nothing when it is not there.
async fn read(
    cluster: &Cluster,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<Option<BTreeMap<String, String>>> {
    let kind = GroupVersionKind::new("", "v1", kind);
    let found = cluster.find_kind(&kind, namespace, name).await.with_context(|| format!("read {name}"))?;
    Ok(found.as_ref().map(texts))
}

/// Secrets that say they are Argo CD's, as settings refer to them: `name:key`.
async fn others(cluster: &Cluster, namespace: &str) -> Result<BTreeMap<String, String>> {
    let resource = cluster.resource(&GroupVersionKind::new("", "v1", "Secret")).await?;
    let options = ListOptions { label_selector: PART_OF.into(), ..ListOptions::default() };
    let (listed, _) = cluster.list(&resource, namespace, &options).await.context("list Secrets")?;
    let mut all = BTreeMap::new();
    for secret in &listed {
        let named = texts(secret).into_iter().map(|(key, value)| (format!("{}:{key}", secret.name()), value));
        all.extend(named);
    }
    Ok(all)
}

fn texts(object: &Object) -> BTreeMap<String, String> {
    let encoded = object.kind() == "Secret";
    let data = object.at(&["data"]).and_then(Value::as_object);
    data.into_iter()
        .flatten()
        .filter_map(|(key, value)| {
            let text = value.as_str()?;
            let text =
                if encoded { String::from_utf8(STANDARD.decode(text).ok()?).ok()? } else { text.to_owned() };
            Some((key.clone(), text))
        })
        .collect()
}
