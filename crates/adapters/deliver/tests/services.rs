//! What no recording has: Slack's threads and updates, comments that are found again, redirects, addresses out of reach, and
//! failures that hold no secret.

mod common;
mod setup;

use setup::Setup;
use testkit::sink::Answer;

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
