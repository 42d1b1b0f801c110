//! `argocd proj add-signature-key` and `remove-signature-key`, which source integrity has taken the place of.

use api::v1alpha1::SignatureKey;

use super::{Change, arguments, changed};
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static ADD: Command = Command {
    details: "\nKEY-ID is the id or the fingerprint of a GnuPG key, or the fingerprint of an SSH key (SHA256:..., as \
              'ssh-keygen -l' shows it).",
    run: Some(start_add),
    ..Command::new("add-signature-key", "PROJECT KEY-ID", "Add GnuPG signature key to project")
};

pub(crate) static REMOVE: Command = Command {
    run: Some(start_remove),
    ..Command::new("remove-signature-key", "PROJECT KEY-ID", "Remove GnuPG signature key from project")
};

fn start_add<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { add(session).await })
}

fn start_remove<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { remove(session).await })
}

/// The id of a GnuPG key, given as such or as the whole fingerprint; the fingerprint of an SSH key.
pub(super) fn key_id(text: &str) -> Option<String> {
    if let Some(fingerprint) = signature::ssh::fingerprint(text) {
        return Some(fingerprint.to_owned());
    }
    let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.len() {
        16 if hexadecimal => Some(text.to_owned()),
        40 if hexadecimal => Some(text[24..].to_owned()),
        _ => None,
    }
}

fn deprecated(session: &mut Session<'_>, command: &str) {
    session.warn_plainly(&format!(
        "Command \"{command}\" is deprecated, Managing project signature keys through CLI is deprecated, \
         migrate to Source Integrity defined in AppProject manifest\n"
    ));
}

async fn add(session: &mut Session<'_>) -> Outcome {
    deprecated(session, ADD.name);
    let [name, key] = arguments(session)?;
    if key_id(&key).is_none() {
        return Err(Failure::fatal(format!("'{key}' is not a valid GnuPG key ID")));
    }
    changed(session, &name, |_, project| {
        let keys = &mut project.spec.signature_keys;
        if keys.iter().any(|known| known.key_id == key) {
            return Err(Failure::fatal("Specified signature key is already defined in project"));
        }
        keys.push(SignatureKey { key_id: key });
        Ok(Change::Made)
    })
    .await
}

async fn remove(session: &mut Session<'_>) -> Outcome {
    deprecated(session, REMOVE.name);
    let [name, key] = arguments(session)?;
    changed(session, &name, |_, project| {
        let keys = &mut project.spec.signature_keys;
        let found = keys.iter().position(|known| known.key_id == key);
        let missing = || Failure::fatal("Specified signature key is not configured for project");
        keys.remove(found.ok_or_else(missing)?);
        Ok(Change::Made)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::key_id;

    #[test]
    fn ids_and_fingerprints_are_keys() {
        assert_eq!(key_id("4AEE18F83AFDEB23").as_deref(), Some("4AEE18F83AFDEB23"));
        let fingerprint = "5DE3E0509C47EA3CF04A42D34AEE18F83AFDEB23";
        assert_eq!(key_id(fingerprint).as_deref(), Some("4AEE18F83AFDEB23"));
        let of_ssh = "SHA256:jgEhWvNSFoehvNEHLGd7LLWm9ZqKUOIbW3Ja7bBsM2g";
        assert_eq!(key_id(of_ssh).as_deref(), Some(of_ssh));
        assert_eq!(key_id("SHA256:short"), None);
        assert_eq!(key_id("bad").or(key_id("4AEE18F83AFDEB2X")), None);
    }
}
