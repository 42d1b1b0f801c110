//! Secrets with names of their own are planted wherever an installation keeps some; then everything is asked that can
//! be read, and everything is tried that fails. None may be found in an answer, a log, an event, a status, a metric or
//! an entry of the cache, plain or encoded.

mod crawl;
mod planted;
mod scan;

use crate::installation::{Installation, NAMESPACE, Part, installation};
use crate::web;
use crawl::Crawl;
use planted::{APPLICATION, Planted, canary};
use scan::Found;
use serde_json::{Value, json};
use testkit::poll;

/// Every component says all it can say.
const LEVELS: [(&str, &str); 4] = [
    ("ARGOCD_SERVER_LOG_LEVEL", "debug"),
    ("ARGOCD_REPO_SERVER_LOGLEVEL", "debug"),
    ("ARGOCD_APPLICATION_CONTROLLER_LOGLEVEL", "debug"),
    ("ARGOCD_NOTIFICATIONS_CONTROLLER_LOGLEVEL", "debug"),
];
/// Applications that the command line asks about.
const COMMANDED: usize = 6;
const EVERYWHERE: [Part; 4] = [Part::RepoServer, Part::Server, Part::Controller, Part::Notifications];

#[test]
fn no_planted_secret_is_found_anywhere() {
    let mut installation = installation();
    let planted = Planted::plant(&installation);
    installation.environment.extend(LEVELS.map(|(name, level)| (name.to_owned(), level.to_owned())));
    for part in EVERYWHERE {
        installation.kill(part);
        installation.run(part);
    }
    planted.declare(&installation);
    planted.settle(&installation);

    let mut found = Found::new(&installation);
    found.knows_what_it_seeks(&installation);
    let crawl = Crawl::new(&installation);
    let mut answers = crawl.reads(&planted);
    answers.extend(command_line(&installation, &planted));
    answers.extend(crawl.writes(&planted));
    has_looked(&answers);
    // What failed is told after the last question at the latest.
    let failures = || installation.log(Part::Notifications).matches("canary").count();
    poll(std::time::Duration::from_secs(15), || (failures() > 5).then_some(()));

    for (what, text) in &answers {
        found.look(what, text.as_bytes());
    }
    for part in EVERYWHERE {
        found.look(&format!("log of {}", part.name()), installation.log(part).as_bytes());
        if let Some((_, text)) = web::get(installation.ports[&part].metrics, "/metrics") {
            found.look(&format!("metrics of {}", part.name()), text.as_bytes());
        }
    }
    for (kind, version) in
        [("Event", "v1"), ("Application", api::API_VERSION), ("AppProject", api::API_VERSION)]
    {
        for namespace in [NAMESPACE, APPLICATION] {
            for object in installation.kube.list(version, kind, namespace) {
                let what = format!("{kind} {}", object["metadata"]["name"]);
                found.look(&what, object.to_string().as_bytes());
            }
        }
    }
    let cached = installation.redis.contents().unwrap();
    assert!(cached.len() > 10, "the cache was looked at: {} entries", cached.len());
    for (key, value) in &cached {
        found.look(&format!("cache {key}"), key.as_bytes());
        found.look(&format!("cache {key}"), &scan::unpacked(value));
    }

    planted.uproot(&installation);
    installation.environment.clear();
    for part in EVERYWHERE {
        installation.kill(part);
    }
    found.nothing();
}

/// The command line asks over gRPC.
fn command_line(installation: &Installation, planted: &Planted) -> Vec<(String, String)> {
    let mut calls: Vec<Vec<String>> = Vec::new();
    let mut call = |words: &str| calls.push(words.split(' ').map(str::to_owned).collect());
    // Each kind of failure once: more of them say the same over REST.
    for name in planted.applications().iter().take(COMMANDED) {
        for words in ["get", "manifests", "diff", "resources", "history", "logs", "sync --timeout 20"] {
            let (verb, more) = words.split_once(' ').unwrap_or((words, ""));
            call(format!("app {verb} {name} {more}").trim());
        }
        call(&format!("app get {name} -o yaml"));
        call(&format!("app get {name} --hard-refresh -o json"));
        call(&format!("app manifests {name} --source live"));
        call(&format!("app get-resource {name} --kind Secret --resource-name planted"));
        call(&format!("app diff {name} --server-side-diff"));
    }
    for words in ["repo list -o yaml", "repocreds list -o yaml", "cluster list -o yaml", "proj list -o yaml"]
    {
        call(words);
    }
    for words in ["account list -o yaml", "cert list", "gpg list", "version -o json", "app list -o yaml"] {
        call(words);
    }
    let told = calls.iter().map(|words| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let answer = installation.cli(&words).unwrap_or_else(|refused| refused);
        (format!("argocd {}", words.join(" ")), answer)
    });
    told.collect()
}

/// The crawl is worth nothing when it reached nothing: the masked Secret must have been shown, and failures told.
fn has_looked(answers: &[(String, String)]) {
    let shows = |what: &str, text: &str| {
        answers.iter().any(|(asked, answer)| asked.contains(what) && answer.contains(text))
    };
    assert!(shows("/managed-resources", "++++++++"), "the Secret is shown masked");
    assert!(shows("/managed-resources", "planted"), "the Secret is shown");
    assert!(shows("/resource?", "++++++++"), "the live Secret is shown masked");
    assert!(shows("/manifests", "++++++++"), "the Secret's manifest is shown masked");
    assert!(shows("/repositories", "planted.git"), "the repository is listed");
    assert!(shows("/clusters", "planted"), "the cluster is listed");
    assert!(shows("argocd app diff", "++++++++"), "the command line shows the Secret");
    let good = answers.iter().filter(|(asked, _)| asked.contains(" 200 ")).count();
    assert!(good > 60, "{good} answers were good");
}

/// What a request is made of that must not come back.
fn repository(url: &str) -> Value {
    json!({
        "repo": url, "type": "git", "username": "bob", "password": canary("requestpassword"),
        "sshPrivateKey": canary("requestsshkey"), "bearerToken": canary("requestbearer"),
        "tlsClientCertData": canary("requestcertificate"), "tlsClientCertKey": canary("requestkey"),
        "githubAppPrivateKey": canary("requestgithubapp"), "proxy": format!("http://u:{}@127.0.0.1:1", canary("requestproxy")),
    })
}
