//! `~/.aws/config` and `~/.aws/credentials`, as far as they say where credentials come from.

use crate::{Refusal, variable};
use reqsign_core::Context;
use std::collections::BTreeMap;

/// All profiles, and what the files were read with.
pub(crate) struct Profiles {
    sections: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) context: Context,
}

impl Profiles {
    /// What both files say; a file that is not there says nothing.
    pub(crate) async fn read(context: &Context) -> Result<Self, Refusal> {
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
                    return Err(Refusal::lasting(format!("read {path}, which {name} names: {error}")));
                }
            }
        }
        Ok(Self { sections, context: context.clone() })
    }

    pub(crate) fn has(&self, profile: &str) -> bool {
        self.sections.contains_key(profile)
    }

    /// What a profile says, when it says something.
    pub(crate) fn value(&self, profile: &str, key: &str) -> Option<String> {
        self.sections.get(profile)?.get(key).filter(|value| !value.is_empty()).cloned()
    }
}

fn add(sections: &mut BTreeMap<String, BTreeMap<String, String>>, text: &str) {
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
