//! Signatures made with SSH keys, in the format of `ssh-keygen -Y sign`. They bring their key along, so that there is no
//! keyring: what a project names is the fingerprint.

use crate::{Verdict, Verification};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, PublicKey, SshSig};

/// What git signs for.
const NAMESPACE: &str = "git";
const LARGEST_SIGNATURE: usize = 256 << 10;
/// What a fingerprint starts with.
const FINGERPRINT: &str = "SHA256:";
/// Characters of a hash in base64, without padding.
const HASH_DIGITS: usize = 43;
/// The bit of a security key that says somebody touched it.
const TOUCHED: u8 = 1;
/// Flags and counter at the end of a security key's signature.
const TRAILER: usize = 5;

/// The fingerprint of an SSH key, if the text is one: `SHA256:` and the hash, as `ssh-keygen -l` shows it.
pub fn fingerprint(text: &str) -> Option<&str> {
    let text = text.trim();
    let digits = text.strip_prefix(FINGERPRINT)?.trim_end_matches('=');
    let plain = digits.len() == HASH_DIGITS
        && digits.bytes().all(|digit| digit.is_ascii_alphanumeric() || matches!(digit, b'+' | b'/'));
    plain.then(|| &text[..FINGERPRINT.len() + HASH_DIGITS])
}

/// Judges an armoured signature of a text. The id of the key is its fingerprint; that the signature is good says nothing of
/// whose key it is.
pub fn verify(signature: &[u8], text: &[u8]) -> Verification {
    let bad = |key_id: String| Verification { verdict: Verdict::Bad, primary_id: key_id.clone(), key_id };
    if signature.len() > LARGEST_SIGNATURE {
        return bad(String::new());
    }
    let Ok(signature) = SshSig::from_pem(signature) else { return bad(String::new()) };
    let key = PublicKey::from(signature.public_key().clone());
    let key_id = key.fingerprint(HashAlg::Sha256).to_string();
    // It verifies the namespace, too.
    if !usable(&signature) || key.verify(NAMESPACE, text, &signature).is_err() {
        return bad(key_id);
    }
    Verification { verdict: Verdict::Good, primary_id: key_id.clone(), key_id }
}

/// Whether the key is of a kind that signs, and of a security key, whether somebody touched it.
fn usable(signature: &SshSig) -> bool {
    let touched = || {
        let bytes = signature.signature_bytes();
        let at = bytes.len().checked_sub(TRAILER);
        at.and_then(|at| bytes.get(at)).is_some_and(|flags| flags & TOUCHED != 0)
    };
    match signature.public_key() {
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) => true,
        KeyData::Rsa(_) => matches!(signature.algorithm(), Algorithm::Rsa { hash: Some(_) }),
        KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => touched(),
        _ => false,
    }
}
