//! One profile with those that it leads to by `source_profile`.
//! Source: aws-sdk-go-v2, `config/shared_config.go`, `setFromIniSections`.

use super::profiles::{Profiles, Settings};
use reqsign_core::{Error, Result};
use std::collections::BTreeSet;

/// Settings that say whose role a profile takes.
const OF_ROLES: [&str; 5] = ["role_arn", "external_id", "mfa_serial", "role_session_name", "source_profile"];
/// Settings that say where keys come from, beside `source_profile`: a profile has one.
const WAYS: [&str; 3] = ["credential_source", "web_identity_token_file", "credential_process"];
/// Settings of a login by SSO.
const SSO: [&str; 5] = ["sso_session", "sso_account_id", "sso_region", "sso_role_name", "sso_start_url"];
const KEYS: [&str; 3] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

/// A profile, without what counts for nothing where it stands.
pub(super) struct Link {
    pub(super) name: String,
    settings: Settings,
    pub(super) source: Option<Box<Link>>,
}

impl Link {
    pub(super) fn of(profiles: &Profiles, name: &str) -> Result<Self> {
        Self::after(profiles, name, &mut BTreeSet::new())
    }

    /// The profile as one that is come to after others: who leads back to one that was there has its keys alone.
    fn after(profiles: &Profiles, name: &str, before: &mut BTreeSet<String>) -> Result<Self> {
        let settings = profiles.settings(name).cloned().unwrap_or_default();
        let mut link = Self { name: name.to_owned(), settings, source: None };
        if before.contains(name) {
            link.forget(&OF_ROLES);
        } else if link.value("role_arn").is_none() {
            let needs = ["source_profile", "credential_source", "web_identity_token_file"];
            if let Some(key) = needs.iter().find(|key| link.value(key).is_some()) {
                return Err(wrong(name, &format!("has {key} and no role_arn")));
            }
        }
        if !before.is_empty() && link.keys().is_some() {
            link.forget(&["source_profile"]);
            return Ok(link);
        }
        before.insert(name.to_owned());
        let ways = ["source_profile"].iter().chain(&WAYS).filter(|key| link.value(key).is_some()).count();
        if ways > 1 {
            let all = "source_profile, credential_source, web_identity_token_file and credential_process";
            return Err(wrong(name, &format!("has more than one of {all}")));
        }
        let Some(source) = link.value("source_profile").map(str::to_owned) else { return Ok(link) };
        for keys in [&WAYS[..], &SSO[..], &KEYS[..]] {
            link.forget(keys);
        }
        if !profiles.has(&source) {
            return Err(wrong(
                name,
                &format!("has the source_profile {source:?}, which is in no file of profiles"),
            ));
        }
        let source = Self::after(profiles, &source, before)?;
        if !source.has_credentials() {
            return Err(wrong(
                name,
                &format!("has the source_profile {:?}, which has no credentials", source.name),
            ));
        }
        link.source = Some(Box::new(source));
        Ok(link)
    }

    /// What it says, when it says something.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Key and secret that stand in the file.
    pub(super) fn keys(&self) -> Option<(&str, &str)> {
        Some((self.value("aws_access_key_id")?, self.value("aws_secret_access_key")?))
    }

    /// Whether somebody logs in by SSO.
    pub(super) fn has_sso(&self) -> bool {
        SSO.iter().any(|key| self.value(key).is_some())
    }

    fn has_credentials(&self) -> bool {
        let login = ["source_profile", "login_session"];
        self.has_sso()
            || self.keys().is_some()
            || login.iter().chain(&WAYS).any(|key| self.value(key).is_some())
    }

    fn forget(&mut self, keys: &[&str]) {
        for key in keys {
            self.settings.remove(*key);
        }
    }
}

pub(super) fn wrong(profile: &str, said: &str) -> Error {
    Error::config_invalid(format!("the profile {profile:?} {said}"))
}
