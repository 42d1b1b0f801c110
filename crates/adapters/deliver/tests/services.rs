//! What no recording has: Slack's threads and updates, comments that are found again, redirects, addresses out of reach, and
//! failures that hold no secret.

mod common;
mod setup;

use common::Application;
use deliver::{Failure, Progress};
use notify::Destination;
use setup::Setup;
use std::time::Duration;
use testkit::sink::Answer;

/// Sends the template `t`, of which some steps may be done already.
fn go_on(setup: &Setup, service: &str, recipient: &str, progress: &Progress) -> Result<(), Failure> {
    let destination = Destination { service: service.into(), recipient: recipient.into() };
    let notification =
        Application::recorded().notification(&setup.config, "t", &destination).expect("a text");
    setup.runtime.block_on(setup.services.go_on(&notification, &destination, progress))
}

/// Sends several at once, and gives up after a time.
fn try_for(setup: &Setup, time: Duration, times: usize, service: &str) {
    let destination = Destination { service: service.into(), recipient: String::new() };
    let notification =
        Application::recorded().notification(&setup.config, "t", &destination).expect("a text");
    let sends = (0..times).map(|_| setup.services.send(&notification, &destination));
    let all = futures::future::join_all(sends);
    // Whether they all ended is not asked.
    let _ = setup.runtime.block_on(async { tokio::time::timeout(time, all).await });
}

/// Path, and fields of the form that matter.
fn forms(setup: &Setup) -> Vec<String> {
    let wanted = ["channel=", "thread_ts=", "ts=", "reply_broadcast=", "as_user=", "unfurl_links="];
    let each = |request: testkit::sink::Received| {
        let fields =
            request.body.split('&').filter(|field| wanted.iter().any(|name| field.starts_with(name)));
        format!("{} {}", request.target, fields.collect::<Vec<_>>().join(" "))
    };
    setup.sink.requests().into_iter().map(each).collect()
}

#[test]
fn slack_threads_by_key_and_brings_up_to_date() {
    let answer = Answer::new(200, r#"{"ok": true, "ts": "7.1", "channel": "C7"}"#);
    let check = |policy: &str, expected: [&str; 3]| {
        let template = format!("message: m\nslack:\n  groupingKey: k\n  deliveryPolicy: {policy}\n");
        let setup =
            Setup::new("slack", "apiURL: <sink>/\ntoken: $token\ndisableUnfurl: true\n", &template, false);
        setup.sink.answer("POST /", [answer.clone()]);
        setup.send("slack", "chan").expect("delivered");
        setup.send("slack", "chan").expect("delivered");
        let expected: Vec<&str> = expected.into_iter().filter(|line| !line.is_empty()).collect();
        assert_eq!(forms(&setup), expected, "{policy}");
    };
    let first = "/chat.postMessage channel=chan unfurl_links=false";
    let second = "/chat.postMessage channel=chan thread_ts=7.1 unfurl_links=false";
    let update = "/chat.update as_user=true channel=C7 thread_ts=7.1 ts=7.1 unfurl_links=false";
    check("Post", [first, second, ""]);
    check("Update", [first, update, ""]);
    check("PostAndUpdate", [first, second, update]);
}

#[test]
fn what_slack_refuses_is_told_and_a_limit_is_heeded() {
    let setup = Setup::new("slack", "apiURL: <sink>/\ntoken: $token\n", "message: m", false);
    setup.sink.answer("POST /", [Answer::new(200, r#"{"ok": false, "error": "channel_not_found"}"#)]);
    let failure = setup.send("slack", "chan").expect_err("refused");
    assert_eq!((failure.message.as_str(), failure.retry), ("channel_not_found", false));
    let limited = Answer { headers: vec![("Retry-After".into(), "7".into())], ..Answer::new(429, "") };
    setup.sink.answer("POST /", [limited]);
    let failure = setup.send("slack", "chan").expect_err("refused");
    assert_eq!((failure.retry, failure.after.map(|pause| pause.as_secs())), (true, Some(7)));
}

#[test]
fn mentions_become_ids_and_unknown_ones_stay() {
    let template = "message: '{{slackUserByEmail \"a@example.com\"}} {{slackUserByEmail \"b@example.com\"}}'";
    let setup = Setup::new("slack", "apiURL: <sink>/\ntoken: $token\n", template, false);
    setup.sink.answer("POST /chat", [Answer::new(200, r#"{"ok": true, "ts": "7.1", "channel": "C7"}"#)]);
    let found = Answer::new(200, r#"{"ok": true, "user": {"id": "U1"}}"#);
    let missing = Answer::new(200, r#"{"ok": false, "error": "users_not_found"}"#);
    setup.sink.answer("POST /users.lookupByEmail", [found, missing]);
    setup.send("slack", "chan").expect("delivered");
    let sent = setup.sink.requests().pop().expect("a message").body;
    assert!(sent.contains("text=%3C%40U1%3E+__SLACK_USER_EMAIL__b%40example.com__"), "{sent}");
}

#[test]
fn redirects_stay_with_the_host() {
    let setup = Setup::new(
        "webhook",
        "url: <sink>/hook\nretryMax: 1\nheaders: [{name: X-Key, value: $token}]\n",
        "message: m",
        false,
    );
    let to = |location: &str| Answer {
        headers: vec![("Location".into(), location.into())],
        ..Answer::new(307, "")
    };
    setup.sink.answer("GET /hook", [to("/moved")]);
    setup.send("webhook", "").expect("followed");
    assert_eq!(setup.sink.requests().last().expect("a request").target, "/moved");
    for elsewhere in ["http://localhost:1/x", "http://169.254.169.254/latest/meta-data"] {
        setup.sink.answer("GET /hook", [to(elsewhere)]);
        let failure = setup.send("webhook", "").expect_err("not followed");
        assert!(failure.message.contains("redirect") && !failure.retry, "{failure}");
    }
}

#[test]
fn metadata_is_out_of_reach_and_this_machine_for_users() {
    let check = |url: &str, self_service: bool| {
        let setup = Setup::new("webhook", &format!("url: {url}\n"), "message: m", self_service);
        let failure = setup.send("webhook", "").expect_err("out of reach");
        assert!(failure.message.contains("must not be reached"), "{failure}");
        assert!(setup.sink.requests().is_empty());
    };
    check("http://169.254.169.254/latest", false);
    check("http://[fd00:ec2::254]/latest", false);
    check("<sink>/hook", true);
}

#[test]
fn addresses_that_are_passwords_are_not_named() {
    let setup = Setup::new(
        "teams",
        "recipientUrls: {chan: 'http://127.0.0.1:1/canary-path?sig=canary'}\n",
        "message: m",
        false,
    );
    let failure = setup.send("teams", "chan").expect_err("nobody listens");
    assert!(failure.retry && failure.message.contains("recipient chan"), "{failure}");
    let setup = Setup::new(
        "webhook",
        "url: <sink>/hook?sig=$token\nretryMax: 1\n",
        "message: '{{.secrets.token | toString}}'",
        false,
    );
    setup.sink.answer("GET /hook", [Answer::new(400, "you said canary-token")]);
    let failure = setup.send("webhook", "").expect_err("refused");
    assert!(failure.message.contains("error code 400 : you said +++++"), "{failure}");
}

#[test]
fn an_address_that_is_a_password_is_not_told_by_a_webhook_whatever_it_answers() {
    let url = "<sink>/services/canary-T0/canary-B0?key=canary-key";
    let template =
        "message: m\nwebhook:\n  hook: {method: POST, body: b, path: '/{{.app.metadata.name}}?x=canary'}\n";
    let headers = "headers: [{name: Authorization, value: Bearer canary-bearer}]\n";
    let options = format!("url: {url}\nretryMax: 1\nretryWaitMin: 1ms\nretryWaitMax: 1ms\n{headers}");
    for template in ["message: m", template] {
        let setup = Setup::new("webhook.hook", &options, template, false);
        let said = "no route to /services/canary-T0/canary-B0 with key=canary-key, canary-B0 canary-bearer";
        for status in [400, 500] {
            for request in ["GET /", "POST /"] {
                setup.sink.answer(request, [Answer::new(status, said)]);
            }
            let message = setup.send("hook", "").expect_err("refused").message;
            assert!(message.contains("/+++++"), "{message}");
        }
    }
    let options = options.replace("<sink>", "http://127.0.0.1:1");
    let setup = Setup::new("webhook.hook", &options, "message: m", false);
    let message = setup.send("hook", "").expect_err("nobody listens").message;
    assert!(message.starts_with("GET http://127.0.0.1:1/+++++ giving up after 2 attempt(s): "), "{message}");
    // An address without anything behind its host is no secret.
    let setup = Setup::new("webhook.hook", "url: <sink>\n", template, false);
    setup.sink.answer("POST /", [Answer::new(400, "")]);
    let message = setup.send("hook", "").expect_err("refused").message;
    assert!(message.contains(&format!("{}/notif", setup.sink.url())), "{message}");
}

#[test]
fn a_webhook_that_waits_to_try_again_takes_no_others_place() {
    let options = "url: <sink>\nretryMax: 1\nretryWaitMin: 30s\nretryWaitMax: 30s\n";
    let setup = Setup::new("webhook.hook", options, "message: m", false);
    setup.sink.answer("GET /", [Answer::new(500, "")]);
    try_for(&setup, Duration::from_secs(3), 40, "hook");
    assert_eq!(setup.sink.requests().len(), 40);
}

#[test]
fn a_page_of_slacks_channels_may_be_long() {
    let template = "message: '{{slackChannel \"wanted\"}}'";
    let setup = Setup::new("slack", "apiURL: <sink>/\ntoken: $token\n", template, false);
    setup.sink.answer("POST /chat", [Answer::new(200, r#"{"ok": true, "ts": "7.1", "channel": "C7"}"#)]);
    let purpose = "p".repeat(1000);
    let mut channels: Vec<_> = (0..1000)
        .map(|n| serde_json::json!({"id": n, "name": format!("c{n}"), "purpose": purpose}))
        .collect();
    channels.push(serde_json::json!({"id": "C9", "name": "wanted"}));
    let page = serde_json::json!({"ok": true, "channels": channels}).to_string();
    setup.sink.answer("POST /conversations.list", [Answer::new(200, &page)]);
    setup.send("slack", "chan").expect("delivered");
    let sent = setup.sink.requests().pop().expect("a message").body;
    assert!(sent.contains("text=%3C%23C9%3E"), "{sent}");
}

#[test]
fn what_was_done_of_a_delivery_is_not_done_again() {
    let count = |setup: &Setup, wanted: &str| {
        let requests = setup.sink.requests();
        requests.iter().filter(|request| format!("{} {}", request.method, request.target) == wanted).count()
    };
    let template = "message: m\ngitlab:\n  repoURLPath: https://gitlab.example/g/app\n  revisionPath: abc\n  \
         status: {state: success}\n  mergeRequestComment: {content: hello}\n";
    let setup = Setup::new("gitlab", "baseURL: <sink>\ntoken: $token\n", template, false);
    let project = "/api/v4/projects/g%2Fapp";
    setup
        .sink
        .answer(&format!("GET {project}/repository"), [Answer::new(200, r#"[{"iid": 3}, {"iid": 4}]"#)]);
    let busy = [Answer::new(503, ""), Answer::new(201, "{}")];
    setup.sink.answer(&format!("POST {project}/merge_requests/4"), busy);
    let progress = Progress::default();
    assert!(go_on(&setup, "gitlab", "", &progress).expect_err("it is busy").retry);
    go_on(&setup, "gitlab", "", &progress).expect("delivered");
    for (wanted, times) in [
        (format!("POST {project}/statuses/abc"), 1),
        (format!("POST {project}/merge_requests/3/notes"), 1),
        (format!("POST {project}/merge_requests/4/notes"), 2),
    ] {
        assert_eq!(count(&setup, &wanted), times, "{wanted}");
    }
    // Another commit is told of from the beginning.
    let next =
        Setup::new("gitlab", "baseURL: <sink>\ntoken: $token\n", &template.replace("abc", "def"), false);
    next.sink.answer(&format!("GET {project}/repository"), [Answer::new(200, r#"[{"iid": 3}]"#)]);
    go_on(&next, "gitlab", "", &progress).expect("delivered");
    for wanted in [format!("POST {project}/statuses/def"), format!("POST {project}/merge_requests/3/notes")] {
        assert_eq!(count(&next, &wanted), 1, "{wanted}");
    }
    let template = "message: m\nslack: {groupingKey: k, deliveryPolicy: PostAndUpdate}\n";
    let setup = Setup::new("slack", "apiURL: <sink>/\ntoken: $token\n", template, false);
    let posted = Answer::new(200, r#"{"ok": true, "ts": "7.1", "channel": "C7"}"#);
    setup.sink.answer("POST /", [posted.clone()]);
    setup.send("slack", "chan").expect("delivered");
    setup.sink.answer("POST /chat.update", [Answer::new(503, ""), posted]);
    let progress = Progress::default();
    assert!(go_on(&setup, "slack", "chan", &progress).expect_err("it is busy").retry);
    go_on(&setup, "slack", "chan", &progress).expect("delivered");
    assert_eq!((count(&setup, "POST /chat.postMessage"), count(&setup, "POST /chat.update")), (2, 2));
}

#[test]
fn gitlab_is_told_of_status_deployment_and_merge_requests() {
    let template = "message: m\ngitlab:\n  repoURLPath: git@gitlab.example:group/sub/app.git\n  revisionPath: abc\n  \
         status: {state: success, label: argo, targetURL: https://a.example}\n  \
         deployment: {state: success, environment: prod}\n  mergeRequestComment: {content: hello}\n";
    let setup = Setup::new("gitlab", "baseURL: <sink>\ntoken: $token\n", template, false);
    let project = "/api/v4/projects/group%2Fsub%2Fapp";
    setup.sink.answer(&format!("GET {project}/repository"), [Answer::new(200, r#"[{"iid": 3}]"#)]);
    setup.send("gitlab", "").expect("delivered");
    let asked: Vec<String> = setup
        .sink
        .requests()
        .into_iter()
        .map(|request| {
            assert_eq!(request.header("private-token"), Some("canary-token"));
            format!("{} {} {}", request.method, request.target, request.body)
        })
        .collect();
    assert_eq!(
        asked,
        [
            format!(
                r#"POST {project}/statuses/abc {{"state":"success","name":"argo","target_url":"https://a.example","description":"m"}}"#
            ),
            format!(
                r#"POST {project}/deployments {{"environment":"prod","ref":"abc","sha":"abc","tag":false,"status":"success"}}"#
            ),
            format!("GET {project}/repository/commits/abc/merge_requests "),
            format!(r#"POST {project}/merge_requests/3/notes {{"body":"hello"}}"#),
        ]
    );
}

#[test]
fn services_that_are_not_there_are_named_in_the_originals_words() {
    // Recordings 35 and 49.
    let setup = Setup::new("webhook", "url: <sink>\n", "message: m", false);
    let failure = setup.send("nosuch", "x").expect_err("refused");
    assert_eq!(
        (failure.message.as_str(), failure.retry),
        ("notification service 'nosuch' is not supported", false)
    );
    let data = [("service.bogus".to_owned(), "url: x".to_owned())].into();
    let config = notify::Config::parse(&data, std::collections::BTreeMap::new(), notify::Origin::default());
    let world = deliver::World::new(std::collections::BTreeMap::new());
    let error = deliver::Services::new(&config.expect("it reads"), &world).err();
    assert_eq!(error.as_deref(), Some("service type 'bogus' is not supported"));
}
