//! `admin export` and `admin import`: what is lost comes back, what is not asked for stays.

use crate::installation::{Installation, binary, config_map, installation, said};
use std::path::Path;
use std::process::Command;
use testkit::git_repo::GitRepo;

const NAMESPACE: &str = "argocd";

fn admin(installation: &Installation, kubeconfig: &Path, words: &[&str]) -> Result<String, String> {
    let mut command = Command::new(binary());
    command.arg("admin").args(words).env("KUBECONFIG", kubeconfig);
    said(command.env("ARGOCD_CONFIG_DIR", installation.home.path().join("config")))
}

#[test]
fn what_a_backup_has_comes_back_and_what_an_application_made_stays() {
    let installation = installation();
    let repository =
        GitRepo::from_files("backed", &[("app/settings.yaml", &config_map("settings", "one"))]).unwrap();
    installation.create("backed", &repository, "app", &["--set-finalizer"]);
    installation.succeed(&["app", "sync", "backed", "--timeout", "100"]);
    let folder = tempfile::tempdir().unwrap();
    let (kubeconfig, backup) = (folder.path().join("kubeconfig"), folder.path().join("backup.yaml"));
    std::fs::write(&kubeconfig, installation.kubeconfig_in(NAMESPACE)).unwrap();
    let file = backup.to_str().unwrap();
    let admin = |words: &[&str]| admin(&installation, &kubeconfig, words);
    admin(&["export", "-o", file]).unwrap();
    let text = std::fs::read_to_string(&backup).unwrap();
    assert!(text.contains("name: argocd-cm") && text.contains("name: backed"), "{text}");
    assert!(!text.contains("resourceVersion") && !text.contains("managedFields"), "{text}");

    // What is as it was is not written.
    let said = admin(&["import", file, "--verbose", "--dry-run"]).unwrap();
    assert!(said.contains("/ConfigMap argocd-cm unchanged (dry run)"), "{said}");
    assert!(!said.contains("created"), "{said}");

    // An application that the backup does not have: named, and only pruned when that is asked for. What it made stays.
    installation.create("surplus", &repository, "app", &["--set-finalizer"]);
    installation.succeed(&["app", "sync", "surplus", "--timeout", "100"]);
    let said = admin(&["import", file]).unwrap();
    assert!(said.contains("argoproj.io/Application surplus needs pruning"), "{said}");
    assert!(installation.cli(&["app", "get", "surplus"]).is_ok());
    let said = admin(&["import", file, "--prune"]).unwrap();
    assert!(said.contains("argoproj.io/Application surplus pruned"), "{said}");
    installation.until("it is gone", || installation.cli(&["app", "get", "surplus"]).err());
    assert_eq!(installation.value("surplus", "settings").as_deref(), Some("one"));

    // A change is taken back, and what was lost comes again.
    installation.succeed(&["app", "set", "backed", "--path", "elsewhere", "--validate=false"]);
    let said = admin(&["import", file]).unwrap();
    assert!(said.contains("argoproj.io/Application backed in namespace argocd updated"), "{said}");
    assert_eq!(installation.application("backed")["spec"]["source"]["path"], "app");
    installation.succeed(&["app", "delete", "backed", "--cascade=false", "--yes"]);
    let said = admin(&["import", file]).unwrap();
    assert!(said.contains("argoproj.io/Application backed in namespace argocd created"), "{said}");
    installation.until_synced("backed");

    // Half a backup changes nothing.
    std::fs::write(&backup, format!("{text}\napiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\n")).unwrap();
    installation.succeed(&["app", "delete", "backed", "--cascade=false", "--yes"]);
    let refused = admin(&["import", file]).unwrap_err();
    assert!(refused.contains("is no kind that a backup has"), "{refused}");
    assert!(installation.cli(&["app", "get", "backed"]).is_err());
}
