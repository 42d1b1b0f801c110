//! Settings and clusters that mean ill, or are broken: the object and the cause are named, and everybody else goes on.

use crate::installation::{Installation, NAMESPACE, Part, condition, config_map, installation, sync_status};
use serde_json::{Value, json};
use testkit::git_repo::GitRepo;

const VERSION: &str = "argoproj.io/v1alpha1";
const CRD: [&str; 2] = ["apiextensions.k8s.io/v1", "CustomResourceDefinition"];

/// A kind of its own, in versions `v1` and, where a webhook is to convert, `v2`.
fn definition(kind: &str, plural: &str, conversion: Option<Value>) -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let version = |name: &str, storage: bool| json!({"name": name, "served": true, "storage": storage, "schema": schema});
    let mut versions = vec![version("v1", true)];
    let mut spec = json!({
        "group": "hostile.example", "scope": "Namespaced",
        "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
    });
    if let Some(conversion) = conversion {
        versions.push(version("v2", false));
        spec["conversion"] = conversion;
    }
    spec["versions"] = versions.into();
    json!({"apiVersion": CRD[0], "kind": CRD[1], "metadata": {"name": format!("{plural}.hostile.example")}, "spec": spec})
}

fn served(installation: &Installation, version: &str, plural: &str) {
    let path = format!("/apis/hostile.example/{version}/{plural}?limit=1");
    installation.until("the kind is served", || installation.kube.raw(&path).ok());
}

/// Waits until version 2 of a kind is known to the API server, and cannot be listed.
fn served_not(installation: &Installation, plural: &str) {
    let path = format!("/apis/hostile.example/v2/{plural}?limit=1");
    installation.until("the kind cannot be listed", || {
        let told = installation.kube.raw(&path).err()?.to_string();
        told.contains("conversion webhook").then_some(())
    });
}

fn thing(kind: &str, version: &str) -> String {
    json!({"apiVersion": format!("hostile.example/{version}"), "kind": kind, "metadata": {"name": "thing"}})
        .to_string()
}

/// Somebody else's application, which must go on whatever happens.
struct Bystander {
    repository: GitRepo,
    name: &'static str,
    pushes: u32,
}

impl Bystander {
    fn start(installation: &Installation, name: &'static str) -> Self {
        let repository = GitRepo::from_files(name, &[("app/map.yaml", &config_map("map", "0"))]).unwrap();
        installation.create(name, &repository, "app", &["--sync-policy", "auto"]);
        let bystander = Self { repository, name, pushes: 0 };
        bystander.until(installation);
        bystander
    }

    fn until(&self, installation: &Installation) {
        let value = self.pushes.to_string();
        installation.until("the bystander has what was pushed", || {
            (installation.value(self.name, "map")? == value).then_some(())
        });
    }

    /// A push of theirs becomes live as ever.
    fn goes_on(&mut self, installation: &Installation) {
        self.pushes += 1;
        self.repository.change("app/map.yaml", &config_map("map", &self.pushes.to_string())).unwrap();
        installation.succeed(&["app", "get", self.name, "--refresh"]);
        self.until(installation);
    }

    fn end(self, installation: &Installation) {
        installation.succeed(&["app", "delete", self.name, "--yes", "--wait"]);
    }
}

/// All conditions in one text.
fn told(application: &Value) -> String {
    let conditions = application["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let texts: Vec<&str> = conditions.iter().filter_map(|it| it["message"].as_str()).collect();
    texts.join("\n")
}

#[test]
fn a_query_that_never_ends_and_a_script_that_loops_end_for_their_own_application_only() {
    let installation = installation();
    let mut bystander = Bystander::start(&installation, "bystander-a");
    installation.kube.apply(definition("Spinner", "spinners", None));
    served(&installation, "v1", "spinners");
    let health = "resource.customizations.health.hostile.example_Spinner";
    installation.set("argocd-cm", health, Some("while true do end"));
    let (map, spinner) = (config_map("map", "git"), thing("Spinner", "v1"));
    let files = [("query/map.yaml", map.as_str()), ("script/spinner.json", &spinner)];
    let repository = GitRepo::from_files("endless-code", &files).unwrap();
    installation.create("query", &repository, "query", &[]);
    installation.succeed(&["app", "sync", "query", "--timeout", "60"]);
    let ignore = json!([{"kind": "ConfigMap", "jqPathExpressions": [".data | until(false; .)"]}]);
    let spec = json!({"spec": {"ignoreDifferences": ignore}});
    installation.kube.merge(VERSION, "Application", NAMESPACE, "query", spec);
    installation.create("script", &repository, "script", &[]);
    installation.cli(&["app", "sync", "script", "--timeout", "60"]).ok();
    installation.until_application("query", "told which query is to blame", |it| {
        told(it).contains("until(false; .)") && sync_status(it) != "Synced"
    });
    installation.until_application("script", "Unknown, and told why", |it| {
        it["status"]["health"]["status"] == "Unknown"
            && it["status"]["health"]["message"].as_str().unwrap_or_default().contains("Spinner:script/thing")
            && condition(it, "UnknownError")
                .contains("health for \"Spinner\" with name \"thing\" in namespace \"script\"")
    });
    let tree = installation.succeed(&["app", "get", "script"]);
    assert!(tree.contains("Unknown"), "{tree}");
    bystander.goes_on(&installation);
    installation.set("argocd-cm", health, None);
    for name in ["query", "script"] {
        installation.succeed(&["app", "delete", name, "--yes", "--wait"]);
    }
    bystander.end(&installation);
    installation.kube.delete(CRD[0], CRD[1], "", "spinners.hostile.example");
}

#[test]
fn a_kind_that_vanished_is_named_and_nothing_else_is_touched() {
    let installation = installation();
    let mut bystander = Bystander::start(&installation, "bystander-b");
    installation.kube.apply(definition("Ghost", "ghosts", None));
    served(&installation, "v1", "ghosts");
    let (map, ghost) = (config_map("map", "git"), thing("Ghost", "v1"));
    let repository =
        GitRepo::from_files("vanishing", &[("app/map.yaml", &map), ("app/ghost.json", &ghost)]).unwrap();
    installation.create(
        "vanishing",
        &repository,
        "app",
        &["--sync-policy", "auto", "--auto-prune", "--self-heal"],
    );
    installation.until_application("vanishing", "Synced", |it| sync_status(it) == "Synced");
    installation.kube.delete(CRD[0], CRD[1], "", "ghosts.hostile.example");
    installation.until_application("vanishing", "told which kind is not there", |it| {
        installation.succeed(&["app", "get", "vanishing", "--refresh"]);
        let operation = it["status"]["operationState"].to_string();
        sync_status(it) != "Synced" && (told(it) + &operation).contains("Ghost")
    });
    assert_eq!(installation.value("vanishing", "map").as_deref(), Some("git"));
    bystander.goes_on(&installation);
    installation.succeed(&["app", "delete", "vanishing", "--yes", "--wait"]);
    assert_eq!(installation.value("vanishing", "map"), None);
    bystander.end(&installation);
}

#[test]
fn a_conversion_webhook_that_fails_is_told_to_those_who_need_it() {
    let installation = installation();
    let mut bystander = Bystander::start(&installation, "bystander-c");
    // Nobody listens there, so that nothing of version 2 can be read.
    let webhook =
        json!({"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:1/convert"}});
    let conversion = json!({"strategy": "Webhook", "webhook": webhook});
    installation.kube.apply(definition("Chameleon", "chameleons", None));
    served(&installation, "v1", "chameleons");
    let (map, chameleon) = (config_map("map", "git"), thing("Chameleon", "v1"));
    let mut repository =
        GitRepo::from_files("converting", &[("app/map.yaml", &map), ("app/chameleon.json", &chameleon)])
            .unwrap();
    installation.create("converting", &repository, "app", &["--sync-policy", "auto", "--auto-prune"]);
    installation.until_application("converting", "Synced", |it| sync_status(it) == "Synced");
    installation.kube.apply(definition("Chameleon", "chameleons", Some(conversion)));
    repository.change("app/chameleon.json", &thing("Chameleon", "v2")).unwrap();
    installation.until_application("converting", "told of the webhook", |it| {
        installation.succeed(&["app", "get", "converting", "--refresh"]);
        let operation = it["status"]["operationState"].to_string();
        let said = told(it) + &operation;
        sync_status(it) != "Synced" && said.contains("conversion webhook") && said.contains("hameleon")
    });
    assert_eq!(installation.value("converting", "map").as_deref(), Some("git"), "nothing was pruned");
    bystander.goes_on(&installation);
    installation.kube.apply(definition("Chameleon", "chameleons", None));
    repository.change("app/chameleon.json", &chameleon).unwrap();
    installation.until_application("converting", "Synced again", |it| {
        installation.succeed(&["app", "get", "converting", "--refresh"]);
        sync_status(it) == "Synced"
    });
    installation.succeed(&["app", "delete", "converting", "--yes", "--wait"]);
    installation.kube.delete(CRD[0], CRD[1], "", "chameleons.hostile.example");
    bystander.end(&installation);
}

#[test]
fn a_kind_that_a_new_controller_cannot_list_hides_nothing_and_leaves_nothing_behind() {
    let mut installation = installation();
    let bystander = Bystander::start(&installation, "bystander-u");
    let webhook =
        json!({"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:1/convert"}});
    let conversion = json!({"strategy": "Webhook", "webhook": webhook});
    installation.kube.apply(definition("Lizard", "lizards", None));
    served(&installation, "v1", "lizards");
    let (map, lizard) = (config_map("map", "git"), thing("Lizard", "v1"));
    let files = [("app/map.yaml", map.as_str()), ("app/lizard.json", lizard.as_str())];
    let mut repository = GitRepo::from_files("unseen", &files).unwrap();
    installation.create("unseen", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "unseen", "--timeout", "60"]);
    installation.until_application("unseen", "Synced", |it| sync_status(it) == "Synced");
    repository.remove("app/lizard.json").unwrap();
    crate::options::push(&mut repository);
    installation.succeed(&["app", "get", "unseen", "--refresh"]);
    installation.until_application("unseen", "OutOfSync", |it| sync_status(it) == "OutOfSync");
    installation.kube.apply(definition("Lizard", "lizards", Some(conversion)));
    served_not(&installation, "lizards");
    installation.kill(Part::Controller);
    installation.run(Part::Controller);
    // The object is there, and in no source any more: whoever cannot see it must not say Synced.
    installation.until_application("unseen", "told of the kind", |it| {
        installation.cli(&["app", "get", "unseen", "--refresh"]).ok();
        assert_ne!(sync_status(it), "Synced");
        told(it).contains("hostile.example/Lizard is not known now")
    });
    installation.succeed(&["app", "delete", "unseen", "--yes", "--wait=false"]);
    installation.until_application("unseen", "kept until its objects are known", |it| {
        condition(it, "DeletionError").contains("hostile.example/Lizard is not known now")
    });
    installation.kube.apply(definition("Lizard", "lizards", None));
    installation.until("the application and its objects are gone", || {
        let left = installation.kube.find("hostile.example/v1", "Lizard", "unseen", "thing").is_some()
            || installation.value("unseen", "map").is_some()
            || installation.kube.find(VERSION, "Application", NAMESPACE, "unseen").is_some();
        (!left).then_some(())
    });
    installation.kube.delete(CRD[0], CRD[1], "", "lizards.hostile.example");
    bystander.end(&installation);
}

#[test]
fn an_annotation_that_means_nothing_is_told_with_its_object() {
    let installation = installation();
    let mut odd: Value = serde_json::from_str(
        &json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "odd"}, "data": {}})
        .to_string(),
    )
    .unwrap();
    odd["metadata"]["annotations"] =
        json!({"argocd.argoproj.io/hook": "PreSnyc", "argocd.argoproj.io/sync-options": "Prnue=false"});
    let (map, odd) = (config_map("map", "git"), odd.to_string());
    let repository =
        GitRepo::from_files("spelling", &[("app/map.yaml", &map), ("app/odd.json", &odd)]).unwrap();
    installation.create("spelling", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "spelling", "--timeout", "60"]);
    installation.until_application("spelling", "told what is misspelt", |it| {
        let told = told(it);
        told.contains("ConfigMap odd")
            && told.contains("\"PreSnyc\"")
            && told.contains("\"Prnue=false\"")
            && !condition(it, "InvalidAnnotationWarning").is_empty()
    });
    assert_eq!(installation.value("spelling", "map").as_deref(), Some("git"));
    installation.succeed(&["app", "delete", "spelling", "--yes", "--wait"]);
}
