//! Teams that tell of their own applications, each by a configuration in its own namespace.

use crate::installation::{Installation, LIMIT, NAMESPACE, Part, installation};
use serde_json::{Value, json};
use testkit::sink::{HttpSink, Received};

const TEAMS: [&str; 2] = ["team-a", "team-b"];
const APPLICATION: &str = "argoproj.io/v1alpha1";
const CONFIG: &str = "argocd-notifications-cm";
const SECRET: &str = "argocd-notifications-secret";

fn config_map(namespace: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG, "namespace": namespace}, "data": data})
}

fn shop(namespace: &str) -> Value {
    let annotations: serde_json::Map<String, Value> = ["on-central.central", "on-team.own", "on-here.here"]
        .map(|wish| (format!("notifications.argoproj.io/subscribe.{wish}"), "".into()))
        .into_iter()
        .collect();
    json!({
        "apiVersion": APPLICATION, "kind": "Application",
        "metadata": {"name": "shop", "namespace": namespace, "annotations": annotations},
        "spec": {
            "project": "default", "source": {"repoURL": "file:///nowhere", "path": "."},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "nowhere"},
        },
    })
}

/// What the control plane and each team configure.
fn configure(installation: &Installation, sink: &HttpSink) {
    let kube = &installation.kube;
    let path = "/{{.app.metadata.namespace}}?sees={{if .secrets}}secrets{{else}}none{{end}}";
    let template = |service: &str| {
        format!("webhook:\n  {service}: {{method: POST, path: '{path}', body: '{{{{.recipient}}}}'}}\n")
    };
    let trigger = |template: &str| format!("- when: 'true'\n  send: [{template}]\n");
    kube.apply(config_map(
        NAMESPACE,
        &json!({
            "service.webhook.central": format!("url: {}/central\n", sink.url()),
            "trigger.on-central": trigger("central"), "template.central": template("central"),
        }),
    ));
    for team in TEAMS {
        kube.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": team}}));
        kube.apply(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": team},
            "stringData": {"token": format!("token-of-{team}")},
        }));
        let headers = "headers: [{name: X-Token, value: $token}]\n";
        kube.apply(config_map(
            team,
            &json!({
                "service.webhook.own": format!("url: http://hooks.{team}.example/own\n{headers}"),
                "service.webhook.here": format!("url: {}/here\nbasicAuth: {{username: u, password: $nope}}\n", sink.url()),
                "trigger.on-team": trigger("own"), "template.own": template("own"),
                "trigger.on-here": trigger("here"), "template.here": template("here"),
            }),
        ));
    }
}

/// Paths, with the token that came along, in their order.
fn told(requests: &[Received]) -> Vec<String> {
    let each = |request: &Received| {
        let path = request.target.strip_prefix("http://").unwrap_or(&request.target);
        format!("{path} {}", request.header("x-token").unwrap_or_default())
    };
    let mut all: Vec<String> = requests.iter().map(each).collect();
    all.sort();
    all
}

fn until<T>(installation: &Installation, what: &str, probe: impl FnMut() -> Option<T>) -> T {
    testkit::poll(LIMIT, probe)
        .unwrap_or_else(|| panic!("waited for: {what}\n{}", installation.log(Part::Notifications)))
}

fn notified(installation: &Installation, namespace: &str) -> String {
    let found = installation.kube.find(APPLICATION, "Application", namespace, "shop").unwrap();
    let text = found["metadata"]["annotations"]["notified.notifications.argoproj.io"].as_str();
    text.unwrap_or_default().to_owned()
}

#[test]
fn each_team_tells_of_its_own_by_its_own_configuration_and_reaches_no_other() {
    let mut installation = installation();
    installation.kill(Part::Notifications);
    let sink = HttpSink::start().unwrap();
    configure(&installation, &sink);
    let proxy = sink.url();
    let variables = [
        ("ARGOCD_APPLICATION_NAMESPACES", "team-*"),
        ("ARGOCD_NOTIFICATION_CONTROLLER_SELF_SERVICE_NOTIFICATION_ENABLED", "true"),
        // Hosts of the outside world are there, too.
        ("HTTP_PROXY", proxy.as_str()),
        ("NO_PROXY", "localhost,127.0.0.1"),
    ];
    let before = installation.environment.clone();
    installation.environment.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    installation.run(Part::Notifications);
    for namespace in TEAMS.into_iter().chain(["elsewhere"]) {
        installation
            .kube
            .apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
        installation.kube.create(shop(namespace)).unwrap();
    }
    let wanted = [
        "/central/team-a?sees=none ",
        "/central/team-b?sees=none ",
        "hooks.team-a.example/own/team-a?sees=none token-of-team-a",
        "hooks.team-b.example/own/team-b?sees=none token-of-team-b",
    ];
    until(&installation, "everybody is told", || (sink.requests().len() >= wanted.len()).then_some(()));
    assert_eq!(told(&sink.requests()), wanted);
    for team in TEAMS {
        until(&installation, "it is written down, each under its configuration", || {
            let text = notified(&installation, team);
            let own = text.contains(&format!("\"{team}:on-team:[0]."));
            (own && text.contains("\"on-central:[0].")).then_some(())
        });
        until(&installation, "what is missing is seen", || {
            let events = installation.kube.list("v1", "Event", team);
            let seen = |event: &Value| {
                let message = event["message"].as_str().unwrap_or_default();
                event["reason"] == "NotificationsConfigIncomplete" && message.contains("$nope")
            };
            events.iter().any(seen).then_some(())
        });
        // This machine is not for them to reach.
        let said = until(&installation, "the application has an event", || {
            let events = installation.kube.list("v1", "Event", team);
            let messages = events.iter().filter_map(|event| event["message"].as_str());
            let mut messages = messages.filter(|message| message.contains("must not be reached"));
            messages.next().map(str::to_owned)
        });
        assert!(said.contains("on-here") && said.contains("{here }"), "{said}");
        assert!(!said.contains("token-of"), "{said}");
    }
    // Started anew, it knows what was told; a mistake of one team is its own.
    installation.kill(Part::Notifications);
    let kube = &installation.kube;
    kube.merge("v1", "ConfigMap", "team-a", CONFIG, json!({"data": {"template.own": "message: '{{'\n"}}));
    for team in TEAMS {
        let wish = "notifications.argoproj.io/subscribe.on-team.own";
        let patch = json!({"metadata": {"annotations": {wish: "again"}}});
        kube.merge(APPLICATION, "Application", team, "shop", patch);
    }
    installation.run(Part::Notifications);
    until(&installation, "the other team is told", || (sink.requests().len() > wanted.len()).then_some(()));
    until(&installation, "the mistake is seen", || {
        let events = installation.kube.list("v1", "Event", "team-a");
        events.iter().any(|event| event["reason"] == "NotificationsConfigInvalid").then_some(())
    });
    let last = sink.requests().split_off(wanted.len());
    assert_eq!(told(&last), ["hooks.team-b.example/own/team-b?sees=none token-of-team-b"]);
    assert_eq!(last[0].body, "again");
    let log = installation.log(Part::Notifications);
    assert!(!log.contains("token-of"), "a secret is in the log");
    for namespace in TEAMS.into_iter().chain(["elsewhere"]) {
        installation.kube.delete(APPLICATION, "Application", namespace, "shop");
    }
    for team in TEAMS {
        installation.kube.delete("v1", "ConfigMap", team, CONFIG);
    }
    installation.kube.delete("v1", "ConfigMap", NAMESPACE, CONFIG);
    installation.kill(Part::Notifications);
    installation.environment = before;
}
