//! Keys and signatures made by the real `gpg`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the real program makes what is judged"
)]

use signature::{InvalidKey, Keyring, Verdict};
use std::io::Write;
use std::process::{Command, Stdio};

struct Gpg {
    home: tempfile::TempDir,
}

impl Gpg {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::set_permissions(home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        Self { home }
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = Command::new("gpg")
            .arg("--homedir")
            .arg(self.home.path())
            .args(["--batch", "--no-tty", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("gpg is missing: install gnupg");
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn make(&self, name: &str, algorithm: &str, expires: &str) -> String {
        self.run(&["--quick-generate-key", name, algorithm, "sign,cert", expires], b"");
        self.fingerprint(name)
    }

    fn fingerprint(&self, name: &str) -> String {
        let listed = String::from_utf8(self.run(&["--with-colons", "--list-keys", name], b"")).unwrap();
        let line = listed.lines().find(|line| line.starts_with("fpr:")).unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    fn export(&self, name: &str) -> String {
        String::from_utf8(self.run(&["--armor", "--export", name], b"")).unwrap()
    }

    fn sign(&self, name: &str, text: &[u8], more: &[&str]) -> Vec<u8> {
        let arguments = [&["--armor", "--detach-sign", "--local-user", name], more].concat();
        self.run(&arguments, text)
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        // The agent ends with its folder; asked, it ends at once.
        let agent =
            Command::new("gpgconf").arg("--homedir").arg(self.home.path()).args(["--kill", "all"]).status();
        assert!(agent.is_ok());
    }
}

fn now() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap()
}

const TEXT: &[u8] = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nsigned \xff\n";

#[test]
fn signatures_of_every_kind_of_key_are_verified() {
    let gpg = Gpg::new();
    for (algorithm, shown) in [("ed25519", "ed25519"), ("rsa2048", "rsa2048"), ("nistp256", "nistp256")] {
        let name = format!("Key {algorithm} <{algorithm}@example.org>");
        let fingerprint = gpg.make(&name, algorithm, "0");
        let mut keyring = Keyring::default();
        let added = keyring.add(&gpg.export(&fingerprint)).unwrap();
        let id = &fingerprint[24..];
        let key = &added[0];
        assert_eq!((key.id.as_str(), key.fingerprint.as_str()), (id, fingerprint.as_str()));
        assert_eq!((key.owner.as_str(), key.algorithm.as_str()), (name.as_str(), shown));
        assert_eq!(keyring.get(id), Some(key));
        // What is shown can be read again.
        assert_eq!(Keyring::default().add(&key.text).unwrap(), added);

        let signature = gpg.sign(&fingerprint, TEXT, &[]);
        let good = keyring.verify(&signature, TEXT, now());
        assert_eq!((good.verdict, good.key_id.as_str(), good.primary_id.as_str()), (Verdict::Good, id, id));
        let mut other = TEXT.to_vec();
        other[3] ^= 1;
        assert_eq!(keyring.verify(&signature, &other, now()).verdict, Verdict::Bad);
        let stranger = Keyring::default().verify(&signature, TEXT, now());
        assert_eq!((stranger.verdict, stranger.key_id.as_str()), (Verdict::MissingKey, id));
        assert_eq!(
            keyring.verify(&signature, TEXT, now() - 3 * 24 * 3600).verdict,
            Verdict::Bad,
            "from the future"
        );
    }
}

#[test]
fn a_subkey_signs_for_its_primary_key() {
    let gpg = Gpg::new();
    gpg.run(&["--quick-generate-key", "Sub <sub@example.org>", "ed25519", "cert", "0"], b"");
    let primary = gpg.fingerprint("Sub");
    gpg.run(&["--quick-add-key", &primary, "ed25519", "sign", "0"], b"");
    let signature = gpg.sign("Sub", TEXT, &[]);
    let mut keyring = Keyring::default();
    keyring.add(&gpg.export(&primary)).unwrap();
    let found = keyring.verify(&signature, TEXT, now());
    assert_eq!(found.verdict, Verdict::Good);
    assert_eq!(found.primary_id, primary[24..]);
    assert_ne!(found.key_id, found.primary_id);
}

#[test]
fn time_and_revocation_count() {
    let gpg = Gpg::new();
    let short = gpg.make("Short <short@example.org>", "ed25519", "2d");
    let mut keyring = Keyring::default();
    keyring.add(&gpg.export(&short)).unwrap();
    let signature = gpg.sign(&short, TEXT, &[]);
    assert_eq!(keyring.verify(&signature, TEXT, now()).verdict, Verdict::Good);
    assert_eq!(keyring.verify(&signature, TEXT, now() + 3 * 24 * 3600).verdict, Verdict::ExpiredKey);

    let long = gpg.make("Long <long@example.org>", "ed25519", "0");
    keyring.add(&gpg.export(&long)).unwrap();
    let signature = gpg.sign(&long, TEXT, &["--default-sig-expire", "1d"]);
    assert_eq!(keyring.verify(&signature, TEXT, now()).verdict, Verdict::Good);
    assert_eq!(keyring.verify(&signature, TEXT, now() + 2 * 24 * 3600).verdict, Verdict::ExpiredSignature);

    let signature = gpg.sign(&long, TEXT, &[]);
    let revocation = gpg.home.path().join(format!("openpgp-revocs.d/{long}.rev"));
    let text = std::fs::read_to_string(revocation).unwrap().replace(":-----", "-----");
    gpg.run(&["--import"], text.as_bytes());
    keyring.add(&gpg.export(&long)).unwrap();
    assert_eq!(keyring.verify(&signature, TEXT, now()).verdict, Verdict::RevokedKey);
}

#[test]
fn weak_hashes_sign_nothing() {
    let gpg = Gpg::new();
    let fingerprint = gpg.make("Weak <weak@example.org>", "rsa2048", "0");
    let mut keyring = Keyring::default();
    keyring.add(&gpg.export(&fingerprint)).unwrap();
    for (hash, expected) in [("SHA1", Verdict::Bad), ("SHA256", Verdict::Good), ("SHA512", Verdict::Good)] {
        let signature = gpg.sign(&fingerprint, TEXT, &["--digest-algo", hash]);
        assert_eq!(keyring.verify(&signature, TEXT, now()).verdict, expected, "{hash}");
    }
}

#[test]
fn what_is_no_key_and_no_signature() {
    let gpg = Gpg::new();
    let first = gpg.make("First <first@example.org>", "ed25519", "0");
    let second = gpg.make("Second <second@example.org>", "ed25519", "0");
    let mut keyring = Keyring::default();
    // One block with both, and two blocks.
    let both = String::from_utf8(gpg.run(&["--armor", "--export", &first, &second], b"")).unwrap();
    assert_eq!(keyring.add(&both).unwrap().len(), 2);
    assert_eq!(keyring.add(&format!("{}\n{}", gpg.export(&first), gpg.export(&second))).unwrap().len(), 2);
    assert_eq!(keyring.keys().count(), 2);

    assert_eq!(Keyring::default().add("junk"), Err(InvalidKey::None));
    let begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    for text in [begin.to_owned(), format!("{begin}\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n")] {
        assert!(matches!(keyring.add(&text), Err(InvalidKey::Unreadable(_) | InvalidKey::None)), "{text}");
    }
    let private = String::from_utf8(gpg.run(&["--armor", "--export-secret-keys", &first], b"")).unwrap();
    assert_eq!(Keyring::default().add(&private), Err(InvalidKey::None));
    assert_eq!(keyring.keys().count(), 2, "nothing is lost by a mistake");
    for text in [
        &b""[..],
        b"-----BEGIN PGP SIGNATURE-----",
        b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n",
    ] {
        assert_eq!(keyring.verify(text, TEXT, now()).verdict, Verdict::Bad);
    }
}
