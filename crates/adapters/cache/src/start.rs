//! The cache of a component, as its flags and environment say.

use crate::metrics::Metrics;
use crate::{Cache, CacheError, RedisOptions};
use boot::flags::Flags;
use boot::metrics::SharedRegistry;
use std::collections::BTreeMap;
use std::path::Path;

/// Where Redis is when nobody says: published manifests say nothing.
const DEFAULT_ADDRESS: &str = "argocd-redis:6379";

/// Opens the cache a component shares with the others. Nothing is connected yet.
pub fn start(
    flags: &Flags,
    environment: &BTreeMap<String, String>,
    registry: &SharedRegistry,
) -> Result<Cache, CacheError> {
    let variable = |name: &str| environment.get(name).cloned().unwrap_or_default();
    let metrics = Metrics::new(registry, flags.component(), &variable("HOSTNAME"));
    Cache::with_metrics(RedisOptions::from_flags(flags, environment)?, metrics)
}

impl RedisOptions {
    /// From flags and environment.
    pub fn from_flags(flags: &Flags, environment: &BTreeMap<String, String>) -> Result<Self, CacheError> {
        let variable = |name: &str| environment.get(name).cloned().unwrap_or_default();
        let file = |flag: &'static str| match flags.text(flag) {
            path if path.is_empty() => Ok(None),
            path => read(Path::new(&path)).map(Some),
        };
        if !flags.list("sentinel").is_empty() {
            let reason =
                "--sentinel is not supported yet: give the address of Redis or of its proxy as --redis";
            return Err(CacheError::Options(reason.into()));
        }
        let address = Some(flags.text("redis")).filter(|address| !address.is_empty());
        let folder = variable("REDIS_CREDS_DIR_PATH");
        let (username, password) = if folder.is_empty() {
            (variable("REDIS_USERNAME"), variable("REDIS_PASSWORD"))
        } else {
            (word(&folder, "auth_username")?, word(&folder, "auth")?)
        };
        Ok(Self {
            address: address.unwrap_or_else(|| DEFAULT_ADDRESS.into()),
            database: flags.int("redisdb"),
            username,
            password,
            tls: flags.bool("redis-use-tls"),
            insecure_skip_verify: flags.bool("redis-insecure-skip-tls-verify"),
            certificate_authority: file("redis-ca-certificate")?,
            client_certificate: file("redis-client-certificate")?,
            client_key: file("redis-client-key")?,
            key_prefix: variable("ARGOCD_REDIS_KEY_PREFIX"),
            compress: flags.text("redis-compress") != "none",
        })
    }
}

/// A mounted word; nothing when it is not mounted.
fn word(folder: &str, name: &str) -> Result<String, CacheError> {
    let path = Path::new(folder).join(name);
    if !path.exists() {
        return Ok(String::new());
    }
    Ok(String::from_utf8_lossy(&read(&path)?).trim().to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, CacheError> {
    std::fs::read(path).map_err(|error| CacheError::Options(format!("read {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str, environment: &[(&str, &str)]) -> Result<RedisOptions, CacheError> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let flags = Flags::parse("argocd-repo-server", &arguments, &environment).unwrap();
        RedisOptions::from_flags(&flags, &environment)
    }

    #[test]
    fn published_manifests_name_no_redis() {
        let found = options("", &[("REDIS_SERVER", ""), ("REDIS_PASSWORD", "s")]).unwrap();
        assert_eq!((found.address.as_str(), found.password.as_str()), ("argocd-redis:6379", "s"));
        assert!(found.compress && !found.tls);
        let found = options("--redis r:1 --redisdb 2 --redis-compress none", &[]).unwrap();
        assert_eq!((found.address.as_str(), found.database, found.compress), ("r:1", 2, false));
    }

    #[test]
    fn credentials_may_be_mounted() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("auth"), "mounted\n").unwrap();
        let path = folder.path().display().to_string();
        let found = options("", &[("REDIS_CREDS_DIR_PATH", &path), ("REDIS_PASSWORD", "s")]).unwrap();
        assert_eq!((found.username.as_str(), found.password.as_str()), ("", "mounted"));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let error = options("--sentinel a:1", &[]).unwrap_err();
        assert!(error.to_string().contains("--sentinel is not supported yet"), "{error}");
        let error = options("--redis-ca-certificate /nowhere/ca", &[]).unwrap_err();
        assert!(error.to_string().contains("read /nowhere/ca"), "{error}");
    }
}
