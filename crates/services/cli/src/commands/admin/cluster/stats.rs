//! `argocd admin cluster stats` and `shards`: what the controllers keep of each cluster, as they told the cache.

use std::collections::BTreeMap;

use api::v1alpha1::{Cluster, ClusterInfo};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cache::{Cache, RedisOptions};
use kubernetes::ListOptions;
use object::GroupVersionKind;
use store::{Algorithm, shard_of};

use super::registered::{Registered, namespaces};
use crate::command::{Command, Flag, Running, array, duration, int, switch, text};
use crate::connection::cluster;
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::options::KUBERNETES;
use crate::output::table::Table;
use crate::session::Session;

const REDIS_PORT: u16 = 6379;
/// Where there is no address.
const REDIS: &str = "localhost:6379";

const OWN: &[Flag] = &[
    int("shard", "Only clusters of this controller").or("-1"),
    int("replicas", "How many controllers there are; by default as many as run"),
    text("sharding-method", "How clusters are shared out: legacy (when nothing is said) or round-robin"),
    switch("port-forward-redis", "Reach Redis through a port of the Kubernetes API").or("true"),
    text("redis", "Address of Redis, as host:port"),
    int("redisdb", "Number of the database in Redis"),
    switch("redis-use-tls", "Speak TLS with Redis"),
    switch("redis-insecure-skip-tls-verify", "Do not verify the certificate of Redis"),
    text("redis-ca-certificate", "File with the certificate authority of Redis"),
    text("redis-client-certificate", "File with a certificate for Redis"),
    text("redis-client-key", "File with the key of the certificate for Redis"),
    array("sentinel", "Addresses of Redis Sentinels, which are not supported yet"),
    text("sentinelmaster", "The name that Sentinels have for Redis").or("master"),
    duration("app-state-cache-expiration", "Has no effect: nothing is written").or("1h0m0s"),
    duration("default-cache-expiration", "Has no effect: nothing is written").or("24h0m0s"),
];

pub(super) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    flags: &[OWN],
    run: Some(stats),
    ..Command::new("stats", "", "Prints information cluster statistics and inferred shard number")
};

pub(super) static SHARDS: Command = Command {
    inherited: &[KUBERNETES],
    flags: &[OWN],
    run: Some(shards),
    ..Command::new(
        "shards",
        "",
        "Print information about each controller shard and the estimated portion of Kubernetes resources it is responsible for.",
    )
};

fn stats<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { print_stats(session).await })
}

fn shards<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { print_shards(session).await })
}

/// One cluster as its controller sees it.
struct Seen {
    server: String,
    shard: u32,
    namespaces: usize,
    info: ClusterInfo,
}

async fn print_stats(session: &mut Session<'_>) -> Outcome {
    let registered = Registered::read(session).await?;
    let replicas = replicas(session, &registered).await?;
    let seen = seen(session, &registered, replicas).await?;
    let mut table = Table::new();
    table.row(&["SERVER", "SHARD", "CONNECTION", "NAMESPACES COUNT", "APPS COUNT", "RESOURCES COUNT"]);
    for cluster in &seen {
        let Seen { server, shard, namespaces, info } = cluster;
        table.row(&[
            server,
            &shard.to_string(),
            &info.connection_state.status,
            &namespaces.to_string(),
            &info.applications_count.to_string(),
            &info.cache_info.resources_count.to_string(),
        ]);
    }
    session.print(&table.finish());
    registered.end().await;
    Ok(())
}

async fn print_shards(session: &mut Session<'_>) -> Outcome {
    let registered = Registered::read(session).await?;
    let replicas = replicas(session, &registered).await?;
    if replicas > 0 {
        let seen = seen(session, &registered, replicas).await?;
        let counts = seen.iter().map(|cluster| (cluster.shard, cluster.info.cache_info.resources_count));
        session.print(&summary(counts));
    }
    registered.end().await;
    Ok(())
}

/// What each controller has, and how that compares with the average of those that have something.
fn summary(counts: impl Iterator<Item = (u32, i64)>) -> String {
    let mut of_shards: BTreeMap<u32, i64> = BTreeMap::new();
    for (shard, count) in counts {
        *of_shards.entry(shard).or_default() += count;
    }
    if of_shards.is_empty() {
        return String::new();
    }
    let total: i64 = of_shards.values().sum();
    let average = total / i64::try_from(of_shards.len()).unwrap_or(1);
    let mut table = Table::new();
    table.row(&["SHARD", "RESOURCES COUNT"]);
    for (shard, count) in of_shards {
        let share = if average == 0 { 0 } else { (count * 100 + average / 2) / average };
        table.row(&[&shard.to_string(), &format!("{count} ({share}%)")]);
    }
    table.finish()
}

/// How many controllers there are.
async fn replicas(session: &Session<'_>, registered: &Registered) -> Outcome<u32> {
    let given = u32::try_from(session.matches.number("replicas")).unwrap_or(0);
    if given > 0 {
        return Ok(given);
    }
    let failed = |error: kubernetes::Error| Failure::fatal(error.message());
    let kind = GroupVersionKind::new("", "v1", "Pod");
    let pods = registered.connected.resource(&kind).await.map_err(failed)?;
    let selector = format!("app.kubernetes.io/name={}", session.text("controller-name"));
    let options = ListOptions { label_selector: selector, ..ListOptions::default() };
    let (found, _) =
        registered.connected.list(&pods, &registered.namespace, &options).await.map_err(failed)?;
    Ok(u32::try_from(found.len()).unwrap_or(u32::MAX))
}

async fn seen(session: &mut Session<'_>, registered: &Registered, replicas: u32) -> Outcome<Vec<Seen>> {
    let algorithm = match session.text("sharding-method").as_str() {
        "" | "legacy" => Algorithm::Legacy,
        "round-robin" => Algorithm::RoundRobin,
        other => {
            return Err(Failure::fatal(format!(
                "--sharding-method {other} is not one of legacy and round-robin"
            )));
        }
    };
    let cache = cache(session, registered).await?;
    let uids = registered.store.cluster_uids();
    let id = |cluster: &Cluster| {
        uids.get(cluster.server.trim_end_matches('/')).map(String::as_str).unwrap_or_default()
    };
    let ids: Vec<&str> = registered.clusters.iter().map(id).collect();
    let only = session.matches.number("shard");
    let mut all = Vec::new();
    for (cluster, applications) in registered.of(session) {
        let shard =
            if replicas > 0 { shard_of(id(cluster), cluster.shard, &ids, replicas, algorithm) } else { 0 };
        if only >= 0 && i64::from(shard) != only {
            continue;
        }
        let told = cache.get(&format!("cluster|info|{}", cluster.server)).await;
        let info = match told {
            Ok(told) => told.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default(),
            Err(error) => {
                session.log(
                    Level::Warning,
                    &format!("what is kept of {} is not known: {error}", cluster.server),
                );
                ClusterInfo::default()
            }
        };
        let namespaces = namespaces(&applications).len();
        all.push(Seen { server: cluster.server.clone(), shard, namespaces, info });
    }
    Ok(all)
}

/// Redis, directly or through Kubernetes.
async fn cache(session: &Session<'_>, registered: &Registered) -> Outcome<Cache> {
    if !session.matches.list("sentinel").is_empty() {
        return Err(Failure::fatal("--sentinel is not supported yet: give the address of Redis as --redis"));
    }
    let file = |flag: &str| match session.text(flag) {
        path if path.is_empty() => Ok(None),
        path => {
            std::fs::read(&path).map(Some).map_err(|error| Failure::fatal(format!("read {path}: {error}")))
        }
    };
    let mut options = RedisOptions {
        address: Some(session.text("redis")).filter(|address| !address.is_empty()).unwrap_or(REDIS.into()),
        database: session.matches.number("redisdb"),
        username: session.environment.variable("REDIS_USERNAME").unwrap_or_default().to_owned(),
        password: session.environment.variable("REDIS_PASSWORD").unwrap_or_default().to_owned(),
        tls: session.is("redis-use-tls"),
        insecure_skip_verify: session.is("redis-insecure-skip-tls-verify"),
        certificate_authority: file("redis-ca-certificate")?,
        client_certificate: file("redis-client-certificate")?,
        client_key: file("redis-client-key")?,
        key_prefix: session.environment.variable("ARGOCD_REDIS_KEY_PREFIX").unwrap_or_default().to_owned(),
        compress: session.text("redis-compress") != "none",
    };
    if session.is("port-forward-redis") {
        let (proxy, redis) = (session.text("redis-haproxy-name"), session.text("redis-name"));
        let port =
            cluster::forward(&registered.connected, &registered.namespace, &[&proxy, &redis], REDIS_PORT)
                .await;
        options.address = format!("127.0.0.1:{}", port.map_err(Failure::fatal)?);
        let kind = GroupVersionKind::new("", "v1", "Secret");
        let secret = registered.connected.find_kind(&kind, &registered.namespace, "argocd-redis").await;
        let secret = secret.map_err(|error| Failure::fatal(error.message()))?;
        let password = secret.and_then(|secret| STANDARD.decode(secret.text_at(&["data", "auth"])).ok());
        options.password = password.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    }
    Cache::redis(options).map_err(|error| Failure::fatal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_compared_with_their_average() {
        let text = summary([(0, 300), (1, 60), (0, 40)].into_iter());
        assert_eq!(text, "SHARD  RESOURCES COUNT\n0      340 (170%)\n1      60 (30%)\n");
        assert_eq!(summary([(0, 0)].into_iter()), "SHARD  RESOURCES COUNT\n0      0 (0%)\n");
        assert_eq!(summary(std::iter::empty()), "");
    }
}
