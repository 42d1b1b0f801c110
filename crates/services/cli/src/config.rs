//! The configuration file: contexts, servers and users. Its rules are the original's, because scripts read it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::failure::{Failure, Outcome, io_error};
use crate::manifests::local;

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Config {
    pub(crate) current_context: String,
    pub(crate) contexts: Vec<Context>,
    pub(crate) servers: Vec<Server>,
    pub(crate) users: Vec<User>,
    pub(crate) prompts_enabled: bool,
}

/// A server and a user under one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Context {
    pub(crate) name: String,
    pub(crate) server: String,
    pub(crate) user: String,
}

/// PEM of a certificate, and of its key.
pub(crate) type Identity = (Vec<u8>, Vec<u8>);

/// How to reach a server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Server {
    pub(crate) server: String,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) insecure: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) grpc_web: bool,
    pub(crate) grpc_web_root_path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) certificate_authority_data: String,
    /// The file with the client's certificate.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) client_certificate: String,
    /// The file with its key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) client_certificate_key: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) client_certificate_data: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) client_certificate_key_data: String,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) plain_text: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) core: bool,
}

impl Server {
    /// The client's certificate and its key as PEM, if there are any. Files come before what the entry holds itself: they are
    /// read at every call, so that what renews them need not log in.
    pub(crate) fn identity(&self) -> Result<Option<Identity>, String> {
        let data =
            |text: &str| STANDARD.decode(text).map_err(|error| format!("illegal base64 data: {error}"));
        let together = |names: &str| Err(format!("{names} must always be specified together"));
        match (self.client_certificate.as_str(), self.client_certificate_key.as_str()) {
            ("", "") => {}
            ("", _) | (_, "") => return together("client-certificate and client-certificate-key"),
            (certificate, key) => return Ok(Some((local(certificate)?, local(key)?))),
        }
        match (self.client_certificate_data.as_str(), self.client_certificate_key_data.as_str()) {
            ("", "") => Ok(None),
            ("", _) | (_, "") => together("client-certificate-data and client-certificate-key-data"),
            (certificate, key) => Ok(Some((data(certificate)?, data(key)?))),
        }
    }
}

/// What a user authenticates with.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct User {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) auth_token: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) refresh_token: String,
}

impl std::fmt::Debug for User {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A context with what it names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) name: String,
    pub(crate) server: Server,
    pub(crate) user: User,
}

impl Config {
    /// The current context, or the one called `name`; none when there is no current one.
    pub(crate) fn resolve(&self, name: &str) -> Result<Option<Resolved>, String> {
        let name = if name.is_empty() { self.current_context.as_str() } else { name };
        if name.is_empty() {
            return Ok(None);
        }
        let context = self.context(name).ok_or_else(|| format!("Context '{name}' undefined"))?;
        let server = self.servers.iter().find(|server| server.server == context.server).cloned();
        let user = self.users.iter().find(|user| user.name == context.user).cloned();
        Ok(Some(Resolved {
            name: name.to_owned(),
            server: server.ok_or_else(|| format!("Server '{}' undefined", context.server))?,
            user: user.ok_or_else(|| format!("User '{}' undefined", context.user))?,
        }))
    }

    /// The context called `name`.
    pub(crate) fn context(&self, name: &str) -> Option<&Context> {
        self.contexts.iter().find(|context| context.name == name)
    }

    /// Adds or replaces.
    pub(crate) fn put_context(&mut self, context: Context) {
        put(&mut self.contexts, context, |context| &context.name);
    }

    /// Adds or replaces.
    pub(crate) fn put_server(&mut self, server: Server) {
        put(&mut self.servers, server, |server| &server.server);
    }

    /// Adds or replaces.
    pub(crate) fn put_user(&mut self, user: User) {
        put(&mut self.users, user, |user| &user.name);
    }
}

fn put<T>(entries: &mut Vec<T>, entry: T, name: impl Fn(&T) -> &String) {
    match entries.iter_mut().find(|known| name(known) == name(&entry)) {
        Some(known) => *known = entry,
        None => entries.push(entry),
    }
}

/// Where the file is: `--config`, or its usual place.
pub(crate) fn path(flag: &str, environment: &Environment) -> PathBuf {
    if flag.is_empty() { environment.config_folder().join("config") } else { PathBuf::from(flag) }
}

/// The file's content; none when there is no file. The text of an error has no prefix.
pub(crate) fn read(path: &Path) -> Result<Option<Config>, String> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("open {}: {}", path.display(), io_error(&error))),
    };
    let mode = fs::metadata(path).map_err(|error| io_error(&error))?.permissions().mode() & 0o777;
    if mode != 0o600 && mode != 0o400 {
        return Err(format!(
            "config file has incorrect permission flags {}, change the file permission either to 0400 or 0600",
            mode_text(mode)
        ));
    }
    let value = object::yaml::decode(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if value.is_null() {
        return Ok(Some(Config::default()));
    }
    serde_json::from_value(value).map(Some).map_err(|error| format!("{}: {error}", path.display()))
}

/// As `read`, for commands that end with exit code 20 when the file cannot be used.
pub(crate) fn load(path: &Path) -> Outcome<Option<Config>> {
    read(path).map_err(Failure::generic)
}

/// Writes the file so that no one else can read it, not even while it is written.
pub(crate) fn write(path: &Path, config: &Config) -> Outcome {
    let value = serde_json::to_value(config).expect("the configuration is JSON");
    let text = object::yaml::encode(&value);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

/// Mode bits as `ls` and Go print them.
fn mode_text(mode: u32) -> String {
    let mut text = String::from("-");
    for (bit, letter) in (0..9).rev().zip("rwxrwxrwx".chars()) {
        text.push(if mode & (1 << bit) == 0 { '-' } else { letter });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Identity, Server};

    #[test]
    fn a_client_certificate_and_its_key_come_together_and_files_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(file("crt"), "certificate").unwrap();
        std::fs::write(file("key"), "key").unwrap();
        let entry = |[certificate, key, certificate_data, key_data]: [&str; 4]| Server {
            client_certificate: certificate.into(),
            client_certificate_key: key.into(),
            client_certificate_data: certificate_data.into(),
            client_certificate_key_data: key_data.into(),
            ..Server::default()
        };
        let pair = |certificate: &str, key: &str| -> Result<Option<Identity>, String> {
            Ok(Some((certificate.into(), key.into())))
        };
        let (crt, key, missing) = (file("crt"), file("key"), file("missing"));
        let (crt, key, missing) = (crt.as_str(), key.as_str(), missing.as_str());
        for (given, expected) in [
            (["", "", "", ""], Ok(None)),
            (["", "", "Y3J0", "a2V5"], pair("crt", "key")),
            ([crt, key, "", ""], pair("certificate", "key")),
            ([crt, key, "Y3J0", "a2V5"], pair("certificate", "key")),
            ([crt, missing, "", ""], Err(format!("open {missing}: no such file or directory"))),
            (
                ["", key, "Y3J0", "a2V5"],
                Err("client-certificate and client-certificate-key must always be specified together".into()),
            ),
            (
                ["", "", "", "a2V5"],
                Err("client-certificate-data and client-certificate-key-data must always be specified together"
                    .into()),
            ),
        ] {
            assert_eq!(entry(given).identity(), expected, "{given:?}");
        }
    }
}
