//! A notifications controller that is killed again and again loses nothing, and repeats only what was in flight.

use crate::installation::{Installation, LIMIT, NAMESPACE, Part, installation};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::sink::{Answer, HttpSink};

/// Writes the configuration, and has the controller running.
fn configured(installation: &mut Installation, data: &Value) {
    installation.kube.apply(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-notifications-cm", "namespace": NAMESPACE},
        "data": data,
    }));
    if !installation.runs(Part::Notifications) {
        installation.run(Part::Notifications);
    }
}

fn until<T>(installation: &Installation, what: &str, probe: impl FnMut() -> Option<T>) -> T {
    testkit::poll(LIMIT, probe).unwrap_or_else(|| {
        let log = installation.log(Part::Notifications);
        let tail: Vec<&str> = log.lines().rev().take(60).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        panic!("waited for: {what}\n{}\n{}", tail.join("\n"), installation.last_words())
    })
}

/// Applications of the storm, and who wants to hear of each.
const APPLICATIONS: usize = 60;
const RECIPIENTS: [&str; 3] = ["a", "b", "c"];
const KILLS: usize = 12;

#[test]
fn a_controller_killed_in_a_storm_loses_nothing_and_repeats_only_what_was_in_flight() {
    let mut installation = installation();
    let sink = HttpSink::start().unwrap();
    let slow = Answer { delay: Duration::from_millis(30), ..Answer::new(200, "{}") };
    sink.answer("POST /storm", [slow]);
    configured(
        &mut installation,
        &json!({
            "service.webhook.storm": format!("url: {}/storm\n", sink.url()),
            "trigger.on-storm": "- when: app.metadata.labels.storm == '1'\n  send: [storm]\n",
            "template.storm": "webhook:\n  storm:\n    method: POST\n    path: /{{.app.metadata.name}}/{{.recipient}}\n    body: told\n",
        }),
    );
    for number in 0..APPLICATIONS {
        installation
            .kube
            .create(json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {
                    "name": format!("storm-{number}"), "namespace": NAMESPACE, "labels": {"storm": "1"},
                    "annotations": {"notifications.argoproj.io/subscribe.on-storm.storm": RECIPIENTS.join(";")},
                },
                "spec": {
                    "project": "default", "source": {"repoURL": "file:///nowhere", "path": "."},
                    "destination": {"server": "https://kubernetes.default.svc", "namespace": "storm"},
                },
            }))
            .unwrap();
        if number % (APPLICATIONS / KILLS) == 0 {
            // Killed in the middle of deliveries: once some more have come than when it started.
            let before = sink.requests().len();
            testkit::poll(Duration::from_secs(4), || {
                (sink.requests().len() > before + number % 7).then_some(())
            });
            installation.kill(Part::Notifications);
            installation.launch(Part::Notifications);
        }
    }
    let told = |sink: &HttpSink| {
        let mut told = BTreeMap::<String, usize>::new();
        for request in sink.requests() {
            *told.entry(request.target).or_default() += 1;
        }
        told
    };
    let wanted = APPLICATIONS * RECIPIENTS.len();
    until(&installation, "everybody is told", || (told(&sink).len() == wanted).then_some(()));
    until(&installation, "everything is written down", || {
        let applications = installation.kube.list("argoproj.io/v1alpha1", "Application", NAMESPACE);
        let noted = |application: &Value| {
            let text = application["metadata"]["annotations"]["notified.notifications.argoproj.io"].as_str();
            text.unwrap_or_default().matches("on-storm").count()
        };
        (applications.iter().map(noted).sum::<usize>() == wanted).then_some(())
    });
    let repeats: usize = told(&sink).values().map(|times| times - 1).sum();
    // Each destination has one delivery in flight.
    assert!(repeats <= KILLS * RECIPIENTS.len(), "{repeats} repeats for {KILLS} kills");
    println!("{wanted} notifications, {KILLS} kills, {repeats} repeats");
    for number in 0..APPLICATIONS {
        installation.kube.delete(
            "argoproj.io/v1alpha1",
            "Application",
            NAMESPACE,
            &format!("storm-{number}"),
        );
    }
}
