//! Keys and signatures made by the real `ssh-keygen`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the real program makes what is judged"
)]

use signature::Verdict;
use signature::ssh::{fingerprint, verify};
use std::process::Command;

const TEXT: &[u8] = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\na message\n";

struct Key {
    folder: tempfile::TempDir,
}

fn run(arguments: &[&str]) -> String {
    let output = Command::new("ssh-keygen").args(arguments).output();
    let output = output.expect("ssh-keygen is missing: install openssh-client");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Key {
    fn make(kind: &str, bits: &str) -> Self {
        let key = Self { folder: tempfile::tempdir().unwrap() };
        run(&["-q", "-t", kind, "-b", bits, "-N", "", "-f", &key.at("key")]);
        key
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn fingerprint(&self) -> String {
        run(&["-l", "-f", &self.at("key.pub")]).split(' ').nth(1).unwrap().to_owned()
    }

    fn sign(&self, namespace: &str, text: &[u8], key: &str) -> String {
        std::fs::write(self.at("text"), text).unwrap();
        run(&["-Y", "sign", "-q", "-n", namespace, "-f", &self.at(key), &self.at("text")]);
        let signature = std::fs::read_to_string(self.at("text.sig")).unwrap();
        std::fs::remove_file(self.at("text.sig")).unwrap();
        signature
    }
}

#[test]
fn keys_of_every_kind_sign() {
    for (kind, bits) in
        [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "2048")]
    {
        let key = Key::make(kind, bits);
        let found = verify(key.sign("git", TEXT, "key").as_bytes(), TEXT);
        assert_eq!((found.verdict, found.key_id), (Verdict::Good, key.fingerprint()), "{kind} {bits}");
    }
}

#[test]
fn what_does_not_fit_is_bad() {
    let (key, other) = (Key::make("ed25519", "256"), Key::make("ed25519", "256"));
    let signature = key.sign("git", TEXT, "key");
    let verdict = |signature: &str, text: &[u8]| verify(signature.as_bytes(), text).verdict;
    assert_eq!(verdict(&signature, b"another text"), Verdict::Bad);
    assert_eq!(verdict(&signature, b""), Verdict::Bad);
    assert_eq!(verdict(&key.sign("file", TEXT, "key"), TEXT), Verdict::Bad, "signed for something else");
    let first = signature.find("\n").unwrap() + 1;
    let mut still_good = 0;
    for at in first..signature.len() {
        // Each letter of it, as another one.
        let mut changed = signature.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let found = verify(&changed, TEXT);
        assert!(found.verdict == Verdict::Bad || found.key_id == key.fingerprint(), "{at}");
        still_good += usize::from(found.verdict == Verdict::Good);
        assert_eq!(
            verify(&signature.as_bytes()[..at], TEXT).verdict == Verdict::Good,
            at == signature.len() - 1
        );
    }
    // Of the envelope, the version and a length may be others: neither says who signed what.
    assert!(still_good < 12, "{still_good}");
    // The key of somebody else in the place of the own one.
    let others = other.sign("git", TEXT, "key");
    let spliced: String =
        others.lines().take(2).chain(signature.lines().skip(2)).map(|line| format!("{line}\n")).collect();
    assert_eq!(verdict(&spliced, TEXT), Verdict::Bad);
    for text in [
        "",
        "-----BEGIN SSH SIGNATURE-----\n",
        "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n",
    ] {
        assert_eq!(verify(text.as_bytes(), TEXT).verdict, Verdict::Bad);
    }
}

#[test]
fn a_certificate_is_no_key() {
    let (key, authority) = (Key::make("ed25519", "256"), Key::make("ed25519", "256"));
    run(&["-q", "-s", &authority.at("key"), "-I", "someone", "-n", "git", &key.at("key.pub")]);
    let signature = key.sign("git", TEXT, "key-cert.pub");
    assert_eq!(verify(signature.as_bytes(), TEXT).verdict, Verdict::Bad);
}

#[test]
fn fingerprints_are_what_ssh_keygen_shows() {
    let shown = Key::make("ed25519", "256").fingerprint();
    assert_eq!(fingerprint(&shown), Some(shown.as_str()));
    assert_eq!(fingerprint(&format!(" {shown}=\n")), Some(shown.as_str()));
    for text in [
        "",
        "SHA256:",
        "MD5:00",
        &shown[1..],
        &shown[..40],
        &format!("{shown}A"),
        "SHA256:%AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert_eq!(fingerprint(text), None, "{text}");
    }
}
