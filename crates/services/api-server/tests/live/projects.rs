//! Projects: how they are kept, and what of them is told to whom.

use crate::bench::{Bench, two_users};
use serde_json::{Value, json};

const URL: &str = "https://git.example/red.git";

fn red(policy: &str) -> Value {
    json!({"project": {
        "metadata": {"name": "red", "labels": {"global": "yes"}},
        "spec": {"roles": [{"name": "ci", "policies": [policy]}]},
    }})
}

#[tokio::test]
async fn policies_are_kept_evenly_spaced() {
    let bench = Bench::start("spaced", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let even = "p, proj:red:ci, applications, get, red/*, allow";
    let given = red("p,proj:red:ci, applications,get,  red/*,allow ");
    let mut made = bench.post("/api/v1/projects", &admin, given.clone()).await.good().json();
    assert_eq!(made["spec"]["roles"][0]["policies"], json!([even]));
    // What is declared once more is the same.
    bench.post("/api/v1/projects", &admin, given).await.good();
    let other = "p, proj:red:ci, applications, sync, red/*, allow";
    made["spec"]["roles"][0]["policies"] = json!([other.replace(", ", ",")]);
    let body = Some(json!({"project": made}));
    let updated = bench.rest("PUT", "/api/v1/projects/red", &admin, body).await.good().json();
    assert_eq!(updated["spec"]["roles"][0]["policies"], json!([other]));
}

#[tokio::test]
async fn the_details_of_a_project_tell_of_what_belongs_to_it_only_to_who_may_see_that() {
    let (mut settings, _) = two_users();
    settings["globalProjects"] =
        "- projectName: default\n  labelSelector: {matchLabels: {global: \"yes\"}}\n".into();
    let policy = "p, alice, projects, get, red, allow\np, alice, repositories, get, red/*, allow\n\
                  p, alice, clusters, get, red/*, allow\np, bob, projects, get, red, allow\n";
    let bench = Bench::start("details", settings, json!({"policy.csv": policy})).await;
    let admin = bench.admin().await;
    let (alice, bob) = (bench.user(&admin, "alice").await, bench.user(&admin, "bob").await);
    let project = red("p, proj:red:ci, applications, get, red/*, allow");
    bench.post("/api/v1/projects", &admin, project).await.good();
    let repository = json!({"repo": URL, "type": "git", "username": "u", "password": "p", "project": "red"});
    bench.post("/api/v1/repositories", &admin, repository).await.good();
    let labels = json!({"argocd.argoproj.io/secret-type": "cluster", "team": "x"});
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "c", "namespace": "details", "labels": labels},
        "stringData": {"server": "https://c.example", "name": "c", "project": "red", "config": "{}"},
    });
    crate::bench::apply(&bench.store, &crate::bench::object(secret)).await;
    crate::bench::eventually("the cluster is known", || bench.store.clusters(true).len() == 2).await;
    let details = async |token: &str| bench.get("/api/v1/projects/red/detailed", token).await.good().json();
    let told = details(&alice).await;
    assert_eq!(told["repositories"][0]["username"], "u");
    assert_eq!(told["clusters"][0]["labels"]["team"], "x");
    let told = details(&bob).await;
    let (repository, cluster) = (&told["repositories"][0], &told["clusters"][0]);
    assert_eq!((&repository["repo"], repository.get("username")), (&json!(URL), None));
    assert_eq!((&cluster["name"], cluster.get("labels")), (&json!("c"), None));
    // What a global project permits is the project's, too.
    assert_eq!(told["project"]["spec"]["sourceRepos"], json!(["*"]));
    assert_eq!(told["globalProjects"][0]["metadata"]["name"], "default");
    let own = bench.get("/api/v1/projects/red", &bob).await.good().json();
    assert_eq!(own["spec"].get("sourceRepos"), None);
}
