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
/// Kills of a run of all tests; `ARGOCD_E2E_KILLS` says how many others there are to be.
const KILLS: usize = 12;

#[test]
fn a_controller_killed_in_a_storm_loses_nothing_and_repeats_only_what_was_in_flight() {
    let mut installation = installation();
    let wanted_kills = std::env::var("ARGOCD_E2E_KILLS").ok().and_then(|kills| kills.parse().ok());
    let kills: usize = wanted_kills.unwrap_or(KILLS);
    let applications = APPLICATIONS.max(kills);
    let mut killed = 0;
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
    for number in 0..applications {
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
        if number % (applications / kills) == 0 {
            killed += 1;
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
    let wanted = applications * RECIPIENTS.len();
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
    assert!(repeats <= killed * RECIPIENTS.len(), "{repeats} repeats for {killed} kills");
    println!("{wanted} notifications, {killed} kills, {repeats} repeats");
    for number in 0..applications {
        installation.kube.delete(
            "argoproj.io/v1alpha1",
            "Application",
            NAMESPACE,
            &format!("storm-{number}"),
        );
    }
}

/// Applications whose health changes at once.
const MANY: usize = 1_000;
/// How long they may wait to be told of, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
fn a_thousand_applications_that_degrade_at_once_are_all_told_and_a_chat_is_not_flooded() {
    let mut installation = installation();
    // Who would know better what their health is.
    installation.kill(Part::Controller);
    let (machine, chat) = (HttpSink::start().unwrap(), HttpSink::start().unwrap());
    let posted = Answer::new(200, r#"{"ok": true, "ts": "7.1", "channel": "C7"}"#);
    chat.answer("POST /", [Answer { delay: Duration::from_millis(100), ..posted }]);
    configured(
        &mut installation,
        &json!({
            "service.webhook.many": format!("url: {}/many\n", machine.url()),
            "service.slack": format!("apiURL: {}/\ntoken: x\n", chat.url()),
            "trigger.on-many": "- when: app.status.health.status == 'Degraded'\n  send: [many]\n",
            "template.many": "message: '{{.app.metadata.name}} is degraded'\nwebhook:\n  many:\n    method: POST\n    path: /{{.app.metadata.name}}\n    body: told\n",
        }),
    );
    let name = |number: usize| format!("many-{number:04}");
    for number in 0..MANY {
        let application = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {
                "name": name(number), "namespace": NAMESPACE,
                "annotations": {
                    "notifications.argoproj.io/subscribe.on-many.many": "",
                    "notifications.argoproj.io/subscribe.on-many.slack": "ops",
                },
            },
            "spec": {
                "project": "default", "source": {"repoURL": "file:///nowhere", "path": "."},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "many"},
            },
        });
        installation.kube.create(application).unwrap();
    }
    let began = std::time::Instant::now();
    for number in 0..MANY {
        let status = json!({"status": {"health": {"status": "Degraded"}}});
        installation.kube.merge("argoproj.io/v1alpha1", "Application", NAMESPACE, &name(number), status);
    }
    let changed = began.elapsed();
    let told = || {
        let targets: std::collections::BTreeSet<String> =
            machine.requests().into_iter().map(|request| request.target).collect();
        (targets.len() == MANY).then_some(())
    };
    testkit::poll(PATIENCE, told)
        .unwrap_or_else(|| panic!("{} of {MANY} are told", machine.requests().len()));
    let all = began.elapsed();
    assert_eq!(machine.requests().len(), MANY, "each is told once");
    let in_chat = || -> usize {
        let count = |request: testkit::sink::Received| {
            let text = request.body.split("text=on-many%3A+").nth(1).map(str::to_owned);
            text.map_or(1, |text| text.split('+').next().and_then(|count| count.parse().ok()).unwrap_or(0))
        };
        chat.requests().into_iter().map(count).sum()
    };
    testkit::poll(PATIENCE, || (in_chat() == MANY).then_some(()))
        .unwrap_or_else(|| panic!("{} of {MANY} are told in the chat", in_chat()));
    let messages = chat.requests().len();
    assert!(messages < MANY / 4, "{messages} messages");
    println!(
        "{MANY} applications degraded within {:.1} s; all were told {:.1} s after the first; {messages} messages in the chat",
        changed.as_secs_f64(),
        all.as_secs_f64()
    );
    for number in 0..MANY {
        installation.kube.delete("argoproj.io/v1alpha1", "Application", NAMESPACE, &name(number));
    }
}
