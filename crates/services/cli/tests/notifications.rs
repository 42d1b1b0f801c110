//! `argocd admin notifications` on files: each file of `cases/notifications` is a call. The cluster they name is not there. What is
//! read out of a cluster is tried with one that knows a few objects.

mod common;

use std::path::Path;

use common::{Home, failures, records};
use testkit::sink::{Answer, HttpSink};
use transcripts::Call;

const FILES: &str = "cases/notifications/files";

#[test]
fn notifications_are_tried_before_they_count() {
    let mut failed = Vec::new();
    for (name, mut record) in records("cases/notifications") {
        for word in &mut record.call.words {
            if Path::new(FILES).join(&word).is_file() {
                *word = format!("<files>/{word}");
            }
        }
        failed.extend(Home::new().check(&name, &record, &[("<files>", FILES)]));
    }
    failures(&failed);
}

/// What is seen of an application of a team, whose configuration says this; nothing else is in the cluster.
fn seen(argument: &str, own: &str) -> (Option<i32>, String) {
    let cluster = HttpSink::start().expect("a sink");
    cluster.answer("GET /", [Answer::new(404, "")]);
    let application = "/apis/argoproj.io/v1alpha1/namespaces/team-a/applications/shop";
    let shop = r#"{"metadata": {"name": "shop", "namespace": "team-a", "annotations": {
        "notifications.argoproj.io/subscribe.on-degraded.hook": "",
        "notifications.argoproj.io/subscribe.on-team.own": "ops"
    }}, "spec": {}, "status": {"health": {"status": "Degraded"}}}"#;
    cluster.answer(&format!("GET {application}"), [Answer::new(200, shop)]);
    let config_map = "/api/v1/namespaces/team-a/configmaps/argocd-notifications-cm";
    cluster.answer(&format!("GET {config_map}"), [Answer::new(200, own)]);
    let secret = "/api/v1/namespaces/team-a/secrets/argocd-notifications-secret";
    cluster.answer(&format!("GET {secret}"), [Answer::new(200, r#"{"data": {"token": "dG9rZW4="}}"#)]);
    let home = Home::new();
    let kubeconfig = Path::new(home.path()).join("kubeconfig");
    let text = std::fs::read_to_string(Path::new(FILES).join("kubeconfig.yaml")).expect("a kubeconfig");
    std::fs::write(&kubeconfig, text.replace("http://127.0.0.1:1", &cluster.url())).expect("written");
    let words = ["admin", "notifications", "preview", argument, "--secret", ":empty", "--config-map"];
    let files = [format!("{FILES}/cm.yaml"), "--kubeconfig".to_owned(), kubeconfig.display().to_string()];
    let words = words.map(str::to_owned).into_iter().chain(files).collect();
    let answer = home.run(&Call { words, ..Call::default() }, &[]);
    (answer.exit, answer.output)
}

#[test]
fn what_a_team_configures_for_its_own_applications_is_shown_before_what_is_configured_for_all() {
    let own = r#"{"data": {
        "service.webhook.own": "url: https://hooks.example/own\nheaders: [{name: X, value: $token}]\n",
        "trigger.on-team": "- when: 'true'\n  send: [team]\n",
        "template.team": "message: 'told {{.recipient}}{{if .secrets}} all{{end}}'\n"
    }}"#;
    let (exit, shown) = seen("team-a/shop", own);
    let (team, all) = shown.split_once("configuration of namespace argocd:").expect("both");
    assert!(team.starts_with("configuration of namespace team-a, which counts where users may"), "{shown}");
    assert!(team.contains("due: on-team to {own ops}\n  message: told ops\n"), "{shown}");
    assert!(team.contains("on-degraded: trigger 'on-degraded' is not configured"), "{shown}");
    assert!(all.contains("due: on-degraded to {hook }\n  message: shop of map[] is degraded\n"), "{shown}");
    assert_eq!(exit, Some(0));
    // A mistake of a team is its own; what is not there is not spoken of.
    let (exit, shown) = seen("team-a/shop", r#"{"data": {"service.bogus": "url: x"}}"#);
    assert!(shown.contains("nothing is sent: errors getting apis: [service type 'bogus' is not"), "{shown}");
    assert!(shown.contains("due: on-degraded to {hook }"), "{shown}");
    assert_eq!(exit, Some(0));
    // An application of that name is not in the control plane's own namespace.
    assert_ne!(seen("shop", "{}").0, Some(0));
}
