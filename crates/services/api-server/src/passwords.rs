//! The administrator's first password, and changing one.

use crate::hub::Hub;
use auth::Password;
use jiff::Timestamp;
use object::Secret;
use rand::Rng as _;
use store::{AdminPassword, Generated, StoreError};

/// Length of generated passwords, and the characters they are made of.
const LENGTH: usize = 16;
const CHARACTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
const KEY_BYTES: usize = 32;

/// Fills in the signing key and the administrator's password where they are missing.
pub(crate) async fn ensure(hub: &Hub) -> Result<(), StoreError> {
    let snapshot = hub.snapshot();
    let enabled = snapshot.accounts.get("admin").is_some_and(|admin| admin.enabled);
    let generated = Generated {
        secret_key: Secret::new(rand::random::<[u8; KEY_BYTES]>().to_vec()),
        admin: enabled.then(|| AdminPassword { password: Secret::new(generate()), hash }),
        now: Timestamp::now(),
    };
    hub.store.ensure_argocd_secret(&generated).await
}

/// A password's hash, with a salt of its own.
pub(crate) fn hash(password: &str) -> String {
    Password::new(password).hash(rand::random())
}

/// Whether a password is that of a hash; takes as long when there is none. Hashing blocks, so it is done elsewhere.
pub(crate) async fn matches(password: String, hash: Option<String>) -> bool {
    let work = tokio::task::spawn_blocking(move || Password::new(password).matches(hash.as_deref()));
    work.await.unwrap_or(false)
}

fn generate() -> String {
    let mut random = rand::rng();
    (0..LENGTH).map(|_| char::from(CHARACTERS[random.random_range(0..CHARACTERS.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_2020_8828_the_first_password_is_random() {
        let (one, other) = (generate(), generate());
        assert_eq!((one.len(), other.len()), (LENGTH, LENGTH));
        assert_ne!(one, other);
    }
}
