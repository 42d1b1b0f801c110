//! `~/.aws/config` and `~/.aws/credentials`, as far as they say where credentials come from.

use super::variable;
use reqsign_core::{Context, Error, Result};
use std::collections::BTreeMap;

/// What a profile or another section says, by lower-cased names.
pub(super) type Settings = BTreeMap<String, String>;

/// All profiles.
pub struct Profiles(BTreeMap<String, Settings>);

impl Profiles {
    /// What both files say; a file that is not there says nothing.
    pub async fn read(context: &Context) -> Result<Self> {
        let mut sections = BTreeMap::new();
        for (name, usual) in
            [("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")]
        {
            let given = variable(context, name);
            let Some(path) = context.expand_home_dir(given.as_deref().unwrap_or(usual)) else { continue };
            match context.file_read(&path).await {
                Ok(bytes) => add(&mut sections, &String::from_utf8_lossy(&bytes)),
                Err(_) if given.is_none() => {}
                Err(error) => {
                    return Err(Error::config_invalid(format!("read {path}, which {name} names: {error}")));
                }
            }
        }
        Ok(Self(sections))
    }

    /// The profile that variables choose. One that `AWS_PROFILE` names must be there.
    pub fn chosen(&self, context: &Context) -> Result<String> {
        match variable(context, "AWS_PROFILE") {
            Some(named) if !self.has(&named) => Err(Error::config_invalid(format!(
                "the profile {named:?}, which AWS_PROFILE names, is in no file of profiles"
            ))),
            Some(named) => Ok(named),
            None => Ok(variable(context, "AWS_DEFAULT_PROFILE").unwrap_or_else(|| "default".to_owned())),
        }
    }

    /// Whether a profile is there.
    pub fn has(&self, profile: &str) -> bool {
        self.0.contains_key(profile)
    }

    /// The region of variables, or else of a profile.
    pub fn region(&self, context: &Context, profile: &str) -> Option<String> {
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let given = variables.iter().find_map(|name| variable(context, name));
        given.or_else(|| self.0.get(profile)?.get("region").filter(|region| !region.is_empty()).cloned())
    }

    pub(super) fn settings(&self, profile: &str) -> Option<&Settings> {
        self.0.get(profile)
    }
}

fn add(sections: &mut BTreeMap<String, Settings>, text: &str) {
    let mut section: Option<String> = None;
    for line in text.lines() {
        // An indented line belongs to the setting before it: none of ours has such.
        if line.trim().is_empty() || line.starts_with(['#', ';', ' ', '\t']) {
            continue;
        }
        if let Some(name) = line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            let name = name.trim();
            let name =
                name.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(name);
            let name = name.trim().trim_matches('"').to_owned();
            sections.entry(name.clone()).or_default();
            section = Some(name);
        } else if let (Some(section), Some((key, value))) = (&section, line.split_once('=')) {
            let value = value.split(" #").next().unwrap_or_default().split(" ;").next().unwrap_or_default();
            let settings = sections.entry(section.clone()).or_default();
            settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
}
