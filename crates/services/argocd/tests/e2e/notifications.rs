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

/// What replicas lead by.
const LEASE: &str = "argocd-notifications-controller";

fn forget_lease(installation: &Installation) {
    let version = "coordination.k8s.io/v1";
    if installation.kube.find(version, "Lease", NAMESPACE, LEASE).is_some() {
        installation.kube.delete(version, "Lease", NAMESPACE, LEASE);
    }
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
            // It knows that its predecessor is gone, and does not wait until that one's lease is over.
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

/// An application that wants to be told of by one trigger at these services.
fn subscribed(name: &str, trigger: &str, services: &[&str]) -> Value {
    let annotations: BTreeMap<String, &str> = services
        .iter()
        .map(|service| (format!("notifications.argoproj.io/subscribe.{trigger}.{service}"), ""))
        .collect();
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": annotations},
        "spec": {
            "project": "default", "source": {"repoURL": "file:///nowhere", "path": "."},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "nowhere"},
        },
    })
}

/// How often each path was asked for.
fn asked(sink: &HttpSink) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for request in sink.requests() {
        *told.entry(request.target).or_default() += 1;
    }
    told
}

#[test]
fn of_two_replicas_one_tells_whether_the_other_is_killed_or_stands_still() {
    let mut installation = installation();
    installation.kill(Part::Notifications);
    forget_lease(&installation);
    let sink = HttpSink::start().unwrap();
    configured(
        &mut installation,
        &json!({
            "service.webhook.pair": format!("url: {}/pair\n", sink.url()),
            "trigger.on-pair": "- when: 'true'\n  send: [pair]\n",
            "template.pair": "webhook:\n  pair:\n    method: POST\n    path: /{{.app.metadata.name}}\n    body: told\n",
        }),
    );
    let holder = |installation: &Installation| {
        let lease = installation.kube.find("coordination.k8s.io/v1", "Lease", NAMESPACE, LEASE)?;
        lease["spec"]["holderIdentity"].as_str().filter(|holder| !holder.is_empty()).map(str::to_owned)
    };
    let tell = |installation: &Installation, name: &str| {
        installation.kube.create(subscribed(name, "on-pair", &["pair"])).unwrap();
        until(installation, name, || asked(&sink).contains_key(&format!("/pair/{name}")).then_some(()));
        // Who is killed before it is written down tells again.
        until(installation, "it is written down", || {
            let found = installation.kube.find("argoproj.io/v1alpha1", "Application", NAMESPACE, name)?;
            let noted = found["metadata"]["annotations"]["notified.notifications.argoproj.io"].as_str();
            noted.is_some_and(|text| text.contains("on-pair")).then_some(())
        });
    };
    let first = until(&installation, "one leads", || holder(&installation));
    let log = installation.home.path().join("replica.log");
    let mut second = installation.replica(Part::Notifications, &log);
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    until(&installation, "the other waits", || said().contains("another replica leads").then_some(()));
    tell(&installation, "pair-1");
    // Killed: nothing is lost, nothing is told again.
    installation.kill(Part::Notifications);
    installation.kube.create(subscribed("pair-2", "on-pair", &["pair"])).unwrap();
    let next =
        until(&installation, "the other leads", || holder(&installation).filter(|next| *next != first));
    until(&installation, "pair-2", || asked(&sink).contains_key("/pair/pair-2").then_some(()));
    // Stands still: another takes over, and the first has no say when it goes on.
    installation.launch(Part::Notifications);
    let signal = |name: &str, process: &testkit::process::Process| {
        let id = process.id().to_string();
        let status = std::process::Command::new("kill").args([name, &id]).status().unwrap();
        assert!(status.success());
    };
    signal("-STOP", &second);
    until(&installation, "the third leads", || holder(&installation).filter(|third| *third != next));
    tell(&installation, "pair-3");
    signal("-CONT", &second);
    until(&installation, "it sees that another leads", || {
        let (said, ends) = (said(), ["stepping down", "another replica leads now"]);
        ends.iter().any(|end| said.contains(end)).then_some(())
    });
    tell(&installation, "pair-4");
    let told = asked(&sink);
    let once: BTreeMap<String, usize> = (1..=4).map(|number| (format!("/pair/pair-{number}"), 1)).collect();
    assert_eq!(told, once, "each is told once");
    second.kill();
    for number in 1..=4 {
        let name = format!("pair-{number}");
        installation.kube.delete("argoproj.io/v1alpha1", "Application", NAMESPACE, &name);
    }
}

#[test]
fn a_destination_that_fails_or_is_slow_holds_up_nobody_and_is_seen_where_users_look() {
    let mut installation = installation();
    let sink = HttpSink::start().unwrap();
    let slow = Answer { delay: Duration::from_secs(25), ..Answer::new(200, "") };
    sink.answer("POST /slow", [slow]);
    sink.answer("POST /refused", [Answer::new(400, "not like this")]);
    sink.answer("POST /down", [Answer::new(503, "down")]);
    let services = ["slow", "refused", "down", "fast"];
    let url = sink.url();
    let data = |note: &str| {
        let mut data = serde_json::Map::new();
        let mut template = format!("message: {note:?}\nwebhook:\n");
        for service in services {
            let options =
                format!("url: {url}/{service}\nretryMax: 1\nretryWaitMin: 1ms\nretryWaitMax: 1ms\n");
            data.insert(format!("service.webhook.{service}"), options.into());
            template.push_str(&format!("  {service}: {{method: POST, path: /x, body: told}}\n"));
        }
        data.insert("template.each".into(), template.into());
        data.insert("trigger.on-each".into(), "- when: 'true'\n  send: [each]\n".into());
        Value::Object(data)
    };
    configured(&mut installation, &data("first"));
    let times = |service: &str| asked(&sink).get(&format!("/{service}/x")).copied().unwrap_or(0);
    installation.kube.create(subscribed("each", "on-each", &services)).unwrap();
    until(&installation, "it is on its way to all", || {
        services.iter().all(|service| times(service) > 0).then_some(())
    });
    // The slow one has not answered yet, and another application is told at the fast one meanwhile.
    let began = std::time::Instant::now();
    installation.kube.create(subscribed("each-2", "on-each", &["fast"])).unwrap();
    until(&installation, "the fast one is told", || (times("fast") == 2).then_some(()));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // What is refused rests a minute; what is down is tried again as soon as the application changes.
    let event = |installation: &Installation, reason: &str, kind: &str| {
        let events = installation.kube.list("v1", "Event", NAMESPACE);
        let found =
            events.iter().find(|event| event["reason"] == reason && event["involvedObject"]["kind"] == kind);
        found.and_then(|event| event["message"].as_str()).map(str::to_owned)
    };
    let said = until(&installation, "the application has an event", || {
        event(&installation, "NotificationFailed", "Application")
    });
    assert!(
        said.contains("on-each") && said.contains("{refused }") && said.contains("not like this"),
        "{said}"
    );
    let before = times("down");
    std::thread::sleep(Duration::from_secs(3));
    let change = json!({"metadata": {"labels": {"changed": "yes"}}});
    installation.kube.merge("argoproj.io/v1alpha1", "Application", NAMESPACE, "each", change);
    until(&installation, "it is tried again", || (times("down") > before).then_some(()));
    assert_eq!(times("refused"), 1, "it rests");
    // Another configuration may have mended it.
    sink.answer("POST /refused", [Answer::new(200, "")]);
    configured(&mut installation, &data("second"));
    until(&installation, "it is told now", || (times("refused") == 2).then_some(()));
    // A mistake is seen at the ConfigMap.
    let broken = json!({"template.each": "message: '{{.app'\n"});
    configured(&mut installation, &broken);
    let said = until(&installation, "the ConfigMap has an event", || {
        event(&installation, "NotificationsConfigInvalid", "ConfigMap")
    });
    assert!(said.contains("template: each:1: unclosed action"), "{said}");
    configured(&mut installation, &json!({}));
    for name in ["each", "each-2"] {
        installation.kube.delete("argoproj.io/v1alpha1", "Application", NAMESPACE, name);
    }
}

#[test]
fn what_was_done_of_a_delivery_is_not_done_again_where_the_rest_was_refused() {
    let mut installation = installation();
    let sink = HttpSink::start().unwrap();
    let project = "/api/v4/projects/g%2Fapp";
    sink.answer(&format!("GET {project}/repository"), [Answer::new(200, r#"[{"iid": 3}]"#)]);
    let answers = [Answer::new(403, "no right to comment"), Answer::new(201, "{}")];
    sink.answer(&format!("POST {project}/merge_requests"), answers);
    let template = "gitlab:\n  repoURLPath: https://gitlab.example/g/app\n  revisionPath: abc\n  \
         status: {state: success}\n  mergeRequestComment: {content: hello}\n";
    let data = |note: &str| {
        json!({
            "service.gitlab": format!("baseURL: {}\ntoken: x\n", sink.url()),
            "trigger.on-parts": "- when: 'true'\n  send: [parts]\n",
            "template.parts": format!("message: {note}\n{template}"),
        })
    };
    configured(&mut installation, &data("first"));
    installation.kube.create(subscribed("parts", "on-parts", &["gitlab"])).unwrap();
    until(&installation, "the comment is refused", || {
        let events = installation.kube.list("v1", "Event", NAMESPACE);
        let is_it = |event: &Value| {
            let message = event["message"].as_str().unwrap_or_default();
            message.contains("on-parts") && message.contains("no right to comment")
        };
        events.iter().any(is_it).then_some(())
    });
    // Another configuration may have mended it.
    configured(&mut installation, &data("second"));
    let comment = format!("{project}/merge_requests/3/notes");
    until(&installation, "the comment is written", || (asked(&sink).get(&comment) == Some(&2)).then_some(()));
    assert_eq!(asked(&sink).get(&format!("{project}/statuses/abc")), Some(&1), "the status was set before");
    installation.kube.delete("argoproj.io/v1alpha1", "Application", NAMESPACE, "parts");
}

#[test]
fn one_that_fails_again_and_again_holds_up_none_of_its_destination() {
    let mut installation = installation();
    let sink = HttpSink::start().unwrap();
    sink.answer("POST /lane/lane-0", [Answer::new(503, "not this one")]);
    configured(
        &mut installation,
        &json!({
            "service.webhook.lane": format!("url: {}/lane\nretryMax: 1\nretryWaitMin: 1ms\nretryWaitMax: 1ms\n", sink.url()),
            "trigger.on-lane": "- when: 'true'\n  send: [lane]\n",
            "template.lane": "webhook:\n  lane: {method: POST, path: '/{{.app.metadata.name}}', body: told}\n",
        }),
    );
    let names: Vec<String> = (0..6).map(|number| format!("lane-{number}")).collect();
    installation.kube.create(subscribed(&names[0], "on-lane", &["lane"])).unwrap();
    let times = |name: &str| asked(&sink).get(&format!("/lane/{name}")).copied().unwrap_or(0);
    until(&installation, "it has failed", || (times(&names[0]) >= 2).then_some(()));
    let began = std::time::Instant::now();
    for name in &names[1..] {
        installation.kube.create(subscribed(name, "on-lane", &["lane"])).unwrap();
    }
    until(&installation, "the others are told", || {
        names[1..].iter().all(|name| times(name) == 1).then_some(())
    });
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    // What could be told of it is told when it can be.
    sink.answer("POST /lane/lane-0", [Answer::new(200, "")]);
    until(&installation, "the first is told", || {
        let found = installation.kube.find("argoproj.io/v1alpha1", "Application", NAMESPACE, &names[0])?;
        let noted = found["metadata"]["annotations"]["notified.notifications.argoproj.io"].as_str();
        noted.is_some_and(|text| text.contains("on-lane")).then_some(())
    });
    assert!(names[1..].iter().all(|name| times(name) == 1), "{:?}", asked(&sink));
    for name in &names {
        installation.kube.delete("argoproj.io/v1alpha1", "Application", NAMESPACE, name);
    }
}

#[test]
fn a_repository_that_cannot_be_asked_neither_repeats_nor_loses_anything() {
    let mut installation = installation();
    let mut repository = testkit::git_repo::GitRepo::create("asks").unwrap();
    let text = crate::installation::config_map("asks", "v1");
    repository.write("app/cm.yaml", &text).unwrap();
    let revision = repository.commit("a message").unwrap();
    repository.push().unwrap();
    let sink = HttpSink::start().unwrap();
    configured(
        &mut installation,
        &json!({
            "service.webhook.asks": format!("url: {}/asks\n", sink.url()),
            "trigger.on-commit": "- when: repo.GetCommitMetadata(app.metadata.labels.rev).Message contains 'message'\n  send: [asks]\n",
            "trigger.on-plain": "- when: app.metadata.labels.plain == '1'\n  send: [says]\n",
            "template.asks": "webhook:\n  asks: {method: POST, path: '/{{.app.metadata.name}}', body: told}\n",
            "template.says": "webhook:\n  asks: {method: POST, path: '/says', body: '{{(call .repo.GetCommitMetadata .app.metadata.labels.rev).Message}}'}\n",
        }),
    );
    let mut application = subscribed("asks", "on-commit", &["asks"]);
    application["metadata"]["labels"] = json!({"rev": revision});
    application["metadata"]["annotations"]["notifications.argoproj.io/subscribe.on-plain.asks"] = "".into();
    application["spec"]["source"] = json!({"repoURL": repository.url(), "path": "app"});
    installation.kube.create(application).unwrap();
    let noted = |installation: &Installation, trigger: &str| {
        let found = installation.kube.find("argoproj.io/v1alpha1", "Application", NAMESPACE, "asks");
        let found = found.unwrap_or_default();
        let text = found["metadata"]["annotations"]["notified.notifications.argoproj.io"].as_str();
        text.is_some_and(|text| text.contains(trigger)).then_some(())
    };
    until(&installation, "it is told", || noted(&installation, "on-commit"));
    installation.kill(Part::RepoServer);
    let labels = json!({"metadata": {"labels": {"plain": "1"}}});
    installation.kube.merge("argoproj.io/v1alpha1", "Application", NAMESPACE, "asks", labels);
    until(&installation, "both are in doubt", || {
        let events = installation.kube.list("v1", "Event", NAMESPACE);
        let has = |reason: &str, text: &str| {
            events.iter().any(|event| {
                let message = event["message"].as_str().unwrap_or_default();
                event["reason"] == reason && message.contains(text)
            })
        };
        let log = installation.log(Part::Notifications);
        let tried = log.lines().any(|line| line.contains("Failed to notify recipient {asks }"));
        (has("NotificationTriggerUnknown", "on-commit") && tried).then_some(())
    });
    assert!(noted(&installation, "on-commit").is_some(), "what was told is remembered");
    installation.run(Part::RepoServer);
    until(&installation, "the other is told, too", || noted(&installation, "on-plain"));
    assert_eq!(asked(&sink), [("/asks/asks".to_owned(), 1), ("/asks/says".to_owned(), 1)].into());
    installation.kube.delete("argoproj.io/v1alpha1", "Application", NAMESPACE, "asks");
}
