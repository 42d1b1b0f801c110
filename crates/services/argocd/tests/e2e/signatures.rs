//! What a project demands of signatures: commits made with the real `gpg`, and applications that wait for them.

use crate::installation::{NAMESPACE, condition, config_map, installation, sync_status};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use testkit::git_repo::GitRepo;

/// A key of its own, and a program that signs with it.
struct Signer {
    home: tempfile::TempDir,
    id: String,
}

impl Signer {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut signer = Self { home, id: String::new() };
        signer.gpg(&[
            "--passphrase",
            "",
            "--quick-generate-key",
            "Signer <signer@example.com>",
            "ed25519",
            "sign",
            "0",
        ]);
        let listed = signer.gpg(&["--with-colons", "--list-keys"]);
        let line = listed.lines().find(|line| line.starts_with("pub:")).unwrap();
        signer.id = line.split(':').nth(4).unwrap().to_owned();
        let program = signer.program();
        let script = format!(
            "#!/bin/sh\nexec gpg --homedir {} --batch --no-tty \"$@\"\n",
            signer.home.path().display()
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        signer
    }

    fn gpg(&self, arguments: &[&str]) -> String {
        let output = Command::new("gpg")
            .arg("--homedir")
            .arg(self.home.path())
            .args(["--batch", "--no-tty", "--quiet"])
            .args(arguments)
            .output()
            .expect("gpg is missing: install gnupg");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn program(&self) -> std::path::PathBuf {
        self.home.path().join("sign")
    }

    fn publish(&self, folder: &Path) {
        std::fs::write(folder.join(&self.id), self.gpg(&["--armor", "--export"])).unwrap();
    }

    /// Commits and pushes, signed.
    fn change(&self, repository: &GitRepo, path: &str, text: &str) {
        repository.write(path, text).unwrap();
        repository.git(&["add", "-A"]).unwrap();
        let program = format!("gpg.program={}", self.program().display());
        let sign = format!("--gpg-sign={}", self.id);
        repository.git(&["-c", &program, "commit", "-q", &sign, "-m", "signed"]).unwrap();
        repository.push().unwrap();
    }
}

impl Signer {
    /// Tags the newest commit and pushes the tag, signed.
    fn tag(&self, repository: &GitRepo, name: &str) {
        let program = format!("gpg.program={}", self.program().display());
        let sign = ["-c", &program, "tag", "-s", "-u", &self.id, "-m", "signed", name];
        repository.git(&sign).unwrap();
        repository.git(&["push", "-q", "origin", &format!("refs/tags/{name}")]).unwrap();
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        let ended =
            Command::new("gpgconf").arg("--homedir").arg(self.home.path()).args(["--kill", "all"]).status();
        assert!(ended.is_ok());
    }
}

#[test]
fn only_what_an_allowed_key_signed_is_synced() {
    let installation = installation();
    let (signer, stranger) = (Signer::new(), Signer::new());
    let keys = installation.public_keys();
    signer.publish(&keys);
    stranger.publish(&keys);
    let repository =
        GitRepo::from_files("signed", &[("app/map.yaml", &config_map("map", "unsigned"))]).unwrap();
    installation.kube.apply(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "signed", "namespace": NAMESPACE},
        "spec": {
            "sourceRepos": ["*"], "destinations": [{"namespace": "*", "server": "*"}],
            "signatureKeys": [{"keyID": signer.id}],
        },
    }));
    installation.create("signed", &repository, "app", &["--project", "signed"]);
    let refused = |what: &str| {
        installation.succeed(&["app", "get", "signed", "--refresh"]);
        installation.until_application("signed", what, |application| {
            condition(application, "ComparisonError").contains(what)
        });
        let told = condition(&installation.application("signed"), "ComparisonError");
        let head = repository.head().unwrap();
        let author = "Test Author <author@example.com>";
        assert_eq!(told, format!("GIT/GPG: Failed verifying revision {head} by '{author}': {what}"));
    };
    refused("unsigned (key_id=)");
    assert_eq!(sync_status(&installation.application("signed")), "OutOfSync", "what would change is shown");
    let said = installation.cli(&["app", "sync", "signed"]).unwrap_err();
    assert!(said.contains("ComparisonError: GIT/GPG: Failed verifying revision"), "{said}");
    assert_eq!(installation.value("signed", "map"), None);

    stranger.change(&repository, "app/map.yaml", &config_map("map", "strange"));
    refused(&format!("signed with unallowed key (key_id={})", stranger.id));
    assert_eq!(installation.value("signed", "map"), None);

    // A tag that an allowed key signed vouches for a commit that none did, in a sync that says the commit, too.
    signer.tag(&repository, "v1");
    installation.succeed(&["app", "set", "signed", "--revision", "v1"]);
    installation.succeed(&["app", "sync", "signed"]);
    installation.until_synced("signed");
    assert_eq!(installation.value("signed", "map").as_deref(), Some("strange"));
    installation.succeed(&["app", "set", "signed", "--revision", "HEAD"]);
    refused(&format!("signed with unallowed key (key_id={})", stranger.id));

    signer.change(&repository, "app/map.yaml", &config_map("map", "signed"));
    installation.succeed(&["app", "sync", "signed"]);
    installation.until_synced("signed");
    assert_eq!(installation.value("signed", "map").as_deref(), Some("signed"));
    assert_eq!(condition(&installation.application("signed"), "ComparisonError"), "");

    // A key that is taken away counts at once, and what is live stays.
    std::fs::remove_file(keys.join(&signer.id)).unwrap();
    refused(&format!("signed with key not in keyring (key_id={})", signer.id));
    assert_eq!(installation.value("signed", "map").as_deref(), Some("signed"));
    installation.succeed(&["app", "delete", "signed", "--yes"]);
    installation.kube.delete("argoproj.io/v1alpha1", "AppProject", NAMESPACE, "signed");
}

/// An SSH key in a folder of its own, with what `ssh-keygen -l` calls it.
fn ssh_key() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let keygen = |arguments: &[&str]| {
        let output =
            Command::new("ssh-keygen").args(arguments).arg("-f").arg(folder.path().join("key")).output();
        let output = output.expect("ssh-keygen is missing: install openssh-client");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    keygen(&["-q", "-t", "ed25519", "-N", ""]);
    let shown = keygen(&["-l"]).split(' ').nth(1).unwrap().to_owned();
    (folder, shown)
}

#[test]
fn only_what_an_allowed_ssh_key_signed_is_synced() {
    let installation = installation();
    let ((signer, fingerprint), (stranger, other)) = (ssh_key(), ssh_key());
    let mut repository =
        GitRepo::from_files("sealed", &[("app/map.yaml", &config_map("map", "unsigned"))]).unwrap();
    let git = |repository: &GitRepo, key: &tempfile::TempDir, arguments: &[&str]| {
        let key = format!("user.signingkey={}", key.path().join("key").display());
        repository.git(&[&["-c", "gpg.format=ssh", "-c", &key], arguments].concat()).unwrap();
    };
    let change = |repository: &GitRepo, key: &tempfile::TempDir, value: &str| {
        repository.write("app/map.yaml", config_map("map", value)).unwrap();
        repository.git(&["add", "-A"]).unwrap();
        git(repository, key, &["commit", "-q", "-S", "-m", "signed"]);
        repository.push().unwrap();
    };
    installation.kube.apply(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "sealed", "namespace": NAMESPACE},
        "spec": {"sourceRepos": ["*"], "destinations": [{"namespace": "*", "server": "*"}]},
    }));
    installation.succeed(&["proj", "add-signature-key", "sealed", &fingerprint]);
    installation.create("sealed", &repository, "app", &["--project", "sealed"]);
    let refused = |what: &str| {
        installation.succeed(&["app", "get", "sealed", "--refresh"]);
        installation.until_application("sealed", what, |application| {
            let told = condition(application, "ComparisonError");
            told.starts_with("GIT/GPG: Failed verifying revision ") && told.ends_with(what)
        });
        assert!(installation.cli(&["app", "sync", "sealed"]).is_err());
    };
    refused("unsigned (key_id=)");
    change(&repository, &stranger, "strange");
    refused(&format!("signed with unallowed key (key_id={other})"));
    assert_eq!(installation.value("sealed", "map"), None);

    change(&repository, &signer, "signed");
    installation.succeed(&["app", "sync", "sealed"]);
    installation.until_synced("sealed");
    assert_eq!(installation.value("sealed", "map").as_deref(), Some("signed"));

    // An annotated tag is asked for its own signature.
    repository.change("app/map.yaml", &config_map("map", "tagged")).unwrap();
    git(&repository, &signer, &["tag", "-s", "-m", "signed", "v1"]);
    git(&repository, &stranger, &["tag", "-s", "-m", "strange", "v2"]);
    repository.push().unwrap();
    installation.succeed(&["app", "set", "sealed", "--revision", "v2"]);
    refused(&format!("signed with unallowed key (key_id={other})"));
    installation.succeed(&["app", "set", "sealed", "--revision", "v1"]);
    installation.succeed(&["app", "get", "sealed", "--refresh"]);
    installation.until_application("sealed", "the signed tag is compared", |application| {
        application["status"]["sync"]["comparedTo"]["source"]["targetRevision"] == "v1"
            && sync_status(application) == "OutOfSync"
            && condition(application, "ComparisonError").is_empty()
    });
    installation.succeed(&["app", "delete", "sealed", "--yes"]);
    installation.kube.delete("argoproj.io/v1alpha1", "AppProject", NAMESPACE, "sealed");
}
