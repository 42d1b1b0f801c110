//! Requests that no recording has, as they are to be byte for byte, or member for member.

mod common;
mod setup;

use common::Application;
use deliver::Progress;
use notify::Destination;
use serde_json::{Value, json};
use setup::Setup;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use testkit::git_http::{GitHttp, Options};
use testkit::sink::{Answer, Received};

/// Sends one notification; what came is given back.
fn sent(service: &str, options: &str, template: &str, recipient: &str) -> Vec<Received> {
    let setup = Setup::new(service, options, template, false);
    setup.send(service, recipient).expect("delivered");
    setup.sink.requests()
}

fn only(service: &str, options: &str, template: &str, recipient: &str) -> Received {
    let mut requests = sent(service, options, template, recipient);
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests.remove(0)
}

fn body(request: &Received) -> Value {
    serde_json::from_str(&request.body).unwrap_or_else(|error| panic!("{error}: {}", request.body))
}

#[test]
fn slack_takes_blocks_and_the_address_of_an_icon() {
    let template = "message: m\nslack:\n  icon: https://icon.example/x.png\n  blocks: |\n    [{\"type\": \"section\", \"text\": \
         {\"type\": \"mrkdwn\", \"text\": \"a & <b>\"}}]\n";
    let setup = Setup::new("slack", "apiURL: <sink>/\ntoken: $token\nicon: ':rocket:'\n", template, false);
    setup.sink.answer("POST /", [Answer::new(200, r#"{"ok": true, "ts": "7.1", "channel": "C7"}"#)]);
    setup.send("slack", "chan").expect("delivered");
    let request = setup.sink.requests().remove(0);
    assert_eq!(request.target, "/chat.postMessage");
    let blocks = "%5B%7B%22text%22%3A%7B%22text%22%3A%22a+%5Cu0026+%5Cu003cb%5Cu003e%22%2C%22type%22%3A%22mrkdwn%22%7D%2C%22type%22%3A%22section%22%7D%5D";
    assert_eq!(
        request.body,
        format!(
            "attachments=%5B%5D&blocks={blocks}&channel=chan&icon_url=https%3A%2F%2Ficon.example%2Fx.png&text=m&token=canary-token"
        )
    );
}

#[test]
fn a_whole_card_is_sent_to_teams_as_it_is() {
    let template = "message: m\nteams:\n  template: '{\"own\": \"{{.app.metadata.name}}\", \"a\": 1}'\n";
    let setup = Setup::new("teams", "recipientUrls: {chan: <sink>/hook}\n", template, false);
    setup.sink.answer("POST /hook", [Answer::new(200, "1")]);
    setup.send("teams", "chan").expect("delivered");
    assert_eq!(setup.sink.requests()[0].body, r#"{"own": "notif", "a": 1}"#);
    let template = "message: m\nteams-workflows:\n  adaptiveCard: '{\"type\": \"AdaptiveCard\", \"body\": [{\"type\": \"Table\"}]}'\n";
    let request =
        only("teams-workflows", "recipientUrls: {chan: <sink>/powerautomate/x}\n", template, "chan");
    assert_eq!(
        body(&request),
        json!({"type": "message", "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {"type": "AdaptiveCard", "body": [{"type": "Table"}]},
        }]})
    );
    let setup =
        Setup::new("teams-workflows", "recipientUrls: {chan: https://x.example/}\n", "message: m", false);
    let failure = setup.send("teams-workflows", "chan").expect_err("no workflow");
    assert!(!failure.message.contains("  "), "{failure}");
}

#[test]
fn cards_of_both_kinds_go_to_google_chat() {
    let template = "message: m\ngooglechat:\n  cards: |\n    - header: {title: \"{{.app.metadata.name}}\"}\n  cardsV2: |\n    \
         - header: {title: two}\n      unknown: x\n  threadKey: '{{.app.metadata.name}} 1'\n";
    let request = only("googlechat", "webhooks: {room: '<sink>/hook?key=k'}\n", template, "room");
    assert_eq!(
        request.target,
        "/hook?key=k&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD&threadKey=notif+1"
    );
    let mut body = body(&request);
    let id = body["cardsV2"][0]["cardId"].take();
    assert_eq!(id.as_str().map(str::len), Some(36));
    assert_eq!(
        body,
        json!({
            "text": "", "cards": [{"header": {"title": "notif"}}],
            "cardsV2": [{"cardId": null, "card": {"header": {"title": "two"}}}],
        })
    );
}

#[test]
fn every_alertmanager_is_told_and_one_that_takes_it_is_enough() {
    let template = "message: m\nalertmanager:\n  labels: {app: '{{.app.metadata.name}}'}\n  generatorURL: https://u.example\n";
    let sink = || testkit::sink::HttpSink::start().expect("a sink");
    let (down, up) = (sink(), sink());
    down.answer("POST /", [Answer::new(503, "down")]);
    let targets =
        format!("targets: ['127.0.0.1:{}', '127.0.0.1:{}']\nbearerToken: $token\n", down.port, up.port);
    let setup = Setup::new("alertmanager", &targets, template, false);
    setup.send("alertmanager", "").expect("one took it");
    for sink in [&down, &up] {
        let request = sink.requests().remove(0);
        assert_eq!(
            (request.target.as_str(), request.header("authorization")),
            ("/api/v2/alerts", Some("Bearer canary-token"))
        );
        let mut body = body(&request);
        assert!(body[0]["startsAt"].take().is_string());
        assert_eq!(
            body,
            json!([{
                "labels": {"app": "notif", "alertname": "t"}, "annotations": null, "generatorURL": "https://u.example",
                "startsAt": null,
            }])
        );
    }
    up.answer("POST /", [Answer::new(202, "")]);
    assert!(setup.send("alertmanager", "").is_err(), "200 alone is an alert that was taken");
}

#[test]
fn opsgenie_is_told_who_may_see_an_alert() {
    let template = "message: m\nopsgenie:\n  description: d\n  priority: '{{\"p2\"}}'\n  actions: ['open {{.app.metadata.name}}']\n  \
         details: {app: '{{.app.metadata.name}}', none: '{{\"\"}}'}\n  visibleTo: [{Type: team, Id: '{{.app.metadata.name}}-team'}]\n";
    let request = only("opsgenie", "apiUrl: <sink>\napiKeys: {ops: $token}\n", template, "ops");
    assert_eq!(request.header("authorization"), Some("GenieKey canary-token"));
    assert_eq!(
        request.body.trim_end(),
        r#"{"message":"m","description":"d","responders":[{"type":"team","id":"ops","username":""}],"visibleTo":[{"type":"team","id":"notif-team","username":""}],"actions":["open notif"],"details":{"app":"notif","none":""},"source":"Argo CD","priority":"P2"}"#
    );
}

#[test]
fn a_message_of_a_group_goes_to_sqs() {
    let template = "message: m\nawssqs:\n  messageGroupId: '{{.app.metadata.name}}-deployments'\n";
    let setup = Setup::new(
        "awssqs",
        "queue: q.fifo\nregion: eu-north-1\nendpointUrl: <sink>\nkey: AK\nsecret: $token\n",
        template,
        false,
    );
    setup.sink.answer("POST /", [Answer::new(200, r#"{"QueueUrl": "https://q.example/1"}"#)]);
    setup.send("awssqs", "").expect("delivered");
    let last = setup.sink.requests().pop().expect("a message");
    assert_eq!(last.header("x-amz-target"), Some("AmazonSQS.SendMessage"));
    assert_eq!(
        body(&last),
        json!({"DelaySeconds": 10, "MessageBody": "m", "MessageGroupId": "notif-deployments", "QueueUrl": "https://q.example/1"})
    );
}

/// Sends to SQS with what the process is given; what the sink was asked comes back.
fn by_ambient(
    environment: &[(&str, &str)],
    options: &str,
    self_service: bool,
) -> Result<Vec<Received>, String> {
    let sink = testkit::sink::HttpSink::start().expect("a sink");
    let keys = r#"{"AccessKeyId": "AKPOD", "SecretAccessKey": "s", "Token": "pod-session", "Expiration": "2999-01-01T00:00:00Z"}"#;
    sink.answer("GET /creds", [Answer::new(200, keys)]);
    let credentials = "<Credentials><AccessKeyId>ASIAROLEROLEROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
         <SessionToken>role-session</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>";
    let results = ["AssumeRoleWithWebIdentityResult", "AssumeRoleResult"]
        .map(|name| format!("<{name}>{credentials}</{name}>"))
        .concat();
    for method in ["GET", "POST"] {
        let role = Answer::new(200, &format!("<Response>{results}</Response>"));
        sink.answer(&format!("{method} /@sts.eu-north-1.amazonaws.com"), [role]);
    }
    let queue = Answer::new(200, r#"{"QueueUrl": "https://q.example/1"}"#);
    sink.answer("POST /", [queue.clone()]);
    sink.answer("POST /@sqs.cn-north-1.amazonaws.com.cn", [queue]);
    let url = sink.url();
    let environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), value.replace("<sink>", &url))).collect();
    let setup = Setup::within(sink, environment, "awssqs", options, "message: m", self_service);
    setup.send("awssqs", "").map_err(|failure| failure.message)?;
    Ok(setup.sink.requests())
}

/// Who signed the last request, and with which session.
fn signer(requests: &[Received]) -> (String, String) {
    let last = requests.last().expect("a request");
    let signed = last.header("authorization").unwrap_or_default();
    let key = signed.split("Credential=").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    (key.to_owned(), last.header("x-amz-security-token").unwrap_or_default().to_owned())
}

#[test]
fn sqs_is_signed_by_whoever_amazon_says_this_process_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.to_string_lossy().into_owned()
    };
    let token = file("token", "jwt");
    let profiles = file(
        "credentials",
        "[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key = s\n[other]\naws_access_key_id = AKOTHER\naws_secret_access_key = s\n",
    );
    let options = "queue: q\nregion: eu-north-1\nendpointUrl: <sink>\n";
    let check = |environment: &[(&str, &str)], expected: (&str, &str)| {
        let requests = by_ambient(environment, options, false).expect("delivered");
        assert_eq!(signer(&requests), (expected.0.to_owned(), expected.1.to_owned()), "{environment:?}");
    };
    check(
        &[("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "t")],
        ("AKENV", "t"),
    );
    check(
        &[("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/r"), ("AWS_WEB_IDENTITY_TOKEN_FILE", &token)],
        ("ASIAROLEROLEROLE", "role-session"),
    );
    check(&[("AWS_SHARED_CREDENTIALS_FILE", &profiles), ("AWS_PROFILE", "other")], ("AKOTHER", ""));
    check(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "<sink>/creds")], ("AKPOD", "pod-session"));
    let config = file(
        "config",
        "[default]\nregion = eu-north-1\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = program\n[profile program]\n\
         credential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"AKPROGRAM\", \"SecretAccessKey\": \"s\"}'\n",
    );
    check(&[("AWS_CONFIG_FILE", &config)], ("ASIAROLEROLEROLE", "role-session"));
    check(&[("AWS_CONFIG_FILE", &config), ("AWS_PROFILE", "program")], ("AKPROGRAM", ""));
    // The region may be the profile's, too.
    let without = "queue: q\nendpointUrl: <sink>\n";
    let requests = by_ambient(&[("AWS_CONFIG_FILE", &config)], without, false).expect("delivered");
    let signed = requests.last().and_then(|last| last.header("authorization")).unwrap_or_default();
    assert!(signed.contains("/eu-north-1/sqs/"), "{signed}");
    let said = by_ambient(&[("AWS_CONFIG_FILE", &config), ("AWS_PROFILE", "none")], options, false);
    assert!(said.expect_err("no such profile").contains("\"none\", which AWS_PROFILE names"));
}

#[test]
fn so_many_connections_to_a_host_there_are_at_once() {
    let options = "url: <sink>\nmaxConnsPerHost: 1\nmaxIdleConnsPerHost: -1\n";
    let setup = Setup::new("webhook.one", options, "message: m\nwebhook:\n  one: {method: POST}\n", false);
    let slow = Answer { delay: std::time::Duration::from_millis(300), ..Answer::new(200, "") };
    setup.sink.answer("POST /", [slow]);
    let began = std::time::Instant::now();
    setup.send_at_once(3, "one", "").expect("delivered");
    let took = began.elapsed();
    assert!(took >= std::time::Duration::from_millis(900), "one waits for the other: {took:?}");
    assert_eq!(setup.sink.requests().len(), 3);
}

#[test]
fn users_do_not_act_as_this_process_and_china_has_its_own_domain() {
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let said = by_ambient(&keys, "queue: q\nregion: eu-north-1\n", true).expect_err("no keys of their own");
    assert!(said.contains("no credentials"), "{said}");
    let requests = by_ambient(&keys, "queue: q\nregion: cn-north-1\n", false).expect("delivered");
    assert_eq!(requests.last().expect("a request").target, "/@sqs.cn-north-1.amazonaws.com.cn/");
    let said = by_ambient(&[("AWS_EC2_METADATA_DISABLED", "true")], "queue: q\nregion: eu-north-1\n", false);
    assert!(said.expect_err("nobody").contains("credentials"));
}

#[test]
fn an_incident_of_pagerduty_has_its_key() {
    let template = "message: m\npagerdutyv2:\n  summary: s\n  severity: warning\n  source: argo\n  dedupKey: '{{.app.metadata.name}}'\n";
    let setup = Setup::new("pagerdutyv2", "serviceKeys: {svc: $token}\n", template, false);
    setup.sink.answer("POST /@events.pagerduty.com/v2/enqueue", [Answer::new(202, "{}")]);
    setup.send("pagerdutyv2", "svc").expect("delivered");
    assert_eq!(
        body(&setup.sink.requests()[0]),
        json!({
            "routing_key": "canary-token", "event_action": "trigger", "dedup_key": "notif", "client": "ArgoCD",
            "payload": {"summary": "s", "source": "argo", "severity": "warning"},
        })
    );
}

#[test]
fn rocket_chat_shows_an_avatar() {
    let setup = Setup::new(
        "rocketchat",
        "serverUrl: <sink>\nemail: a@x\npassword: $token\navatar: https://a.example/x.png\nicon: nonsense\n",
        "message: m",
        false,
    );
    setup.sink.answer(
        "POST /api/v1/login",
        [Answer::new(200, r#"{"status": "success", "data": {"authToken": "t", "userId": "u"}}"#)],
    );
    setup.sink.answer("POST /api/v1/chat.postMessage", [Answer::new(200, r#"{"success": true}"#)]);
    setup.send("rocketchat", "#ops").expect("delivered");
    let last = setup.sink.requests().pop().expect("a message");
    assert_eq!(body(&last), json!({"channel": "#ops", "text": "m", "avatar": "https://a.example/x.png"}));
}

#[test]
fn telegram_writes_into_a_topic() {
    let setup = Setup::new("telegram", "token: $token\n", "message: m", false);
    setup.sink.answer("POST /", [Answer::new(200, r#"{"ok": true}"#)]);
    setup.send("telegram", "-1007|12").expect("delivered");
    let last = setup.sink.requests().pop().expect("a message");
    assert_eq!(last.target, "/@api.telegram.org/botcanary-token/sendMessage");
    let fields: Vec<&str> =
        last.body.split('&').filter(|field| field.contains("thread") || field.starts_with("chat")).collect();
    assert_eq!(fields, ["chat_id=-1007", "message_thread_id=12"]);
}

#[test]
fn new_relic_is_told_the_revision_the_template_names() {
    let template = "message: m\nnewrelic: {revision: 'v{{.app.metadata.name}}', changelog: c, user: u}\n";
    let request = only("newrelic", "apiURL: <sink>\napiKey: $token\n", template, "7");
    assert_eq!(request.target, "/v2/applications/7/deployments.json");
    assert_eq!(
        body(&request),
        json!({"deployment": {"revision": "vnotif", "changelog": "c", "description": "m", "user": "u"}})
    );
}

#[test]
fn grafana_and_webex_take_200_alone_for_good() {
    for (service, options, recipient) in [
        ("grafana", "apiUrl: <sink>\napiKey: $token\n", "a|b"),
        ("webex", "apiURL: <sink>\ntoken: $token\n", "room"),
    ] {
        let setup = Setup::new(service, options, "message: m", false);
        setup.sink.answer("POST /", [Answer::new(202, "later"), Answer::new(200, "{}")]);
        let failure = setup.send(service, recipient).expect_err("not 200");
        assert!(failure.message.contains("error code 202 : later"), "{failure}");
        setup.send(service, recipient).expect("delivered");
    }
}

/// A GitHub App's service and the answers it needs.
fn github(template: &str) -> Setup {
    use rsa::pkcs1::EncodeRsaPrivateKey as _;
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a key");
    let key = key.to_pkcs1_pem(rsa::pkcs1::LineEnding::LF).expect("PEM").to_string();
    let key: String = key.lines().map(|line| format!("  {line}\n")).collect();
    let options =
        format!("appID: 1\ninstallationID: 2\nenterpriseBaseURL: <sink>/api/v3\nprivateKey: |\n{key}");
    let setup = Setup::new("github", &options, template, false);
    let token = Answer::new(201, r#"{"token": "canary", "expires_at": "2999-01-01T00:00:00Z"}"#);
    setup.sink.answer("POST /api/v3/app/installations/2/access_tokens", [token]);
    setup
}

const REPOSITORY: &str = "/api/v3/repos/org/repo";

#[test]
fn github_starts_a_workflow() {
    let setup = github(
        "message: m\ngithub:\n  repositoryDispatch:\n    event_type: deployed-{{.app.metadata.name}}\n    client_payload: |\n      \
         {\"app\": \"{{.app.metadata.name}}\", \"n\": 1}\n",
    );
    setup.sink.answer(&format!("POST {REPOSITORY}/dispatches"), [Answer::new(204, "")]);
    setup.send("github", "").expect("delivered");
    let last = setup.sink.requests().pop().expect("a request");
    assert_eq!(last.target, format!("{REPOSITORY}/dispatches"));
    assert_eq!(
        body(&last),
        json!({"event_type": "deployed-notif", "client_payload": {"app": "notif", "n": 1}})
    );
    let setup = github("message: m\ngithub: {repositoryDispatch: {event_type: x, client_payload: '{'}}\n");
    let failure = setup.send("github", "").expect_err("no JSON");
    assert!(!failure.retry && failure.message.contains("client_payload"), "{failure}");
}

#[test]
fn a_check_run_says_what_is_known_of_it() {
    let check = |own: &str| {
        let setup = github(&format!("message: m\ngithub: {{checkRun: {{name: c, {own}}}}}\n"));
        let outcome = setup.send("github", "").map_err(|failure| failure.message);
        let last = setup.sink.requests().pop();
        outcome.map(|()| {
            let mut body = body(&last.expect("a request"));
            for name in ["name", "head_sha", "external_id", "details_url"] {
                assert!(body[name].is_string(), "{name}");
                body[name] = Value::Null;
            }
            body.as_object_mut().expect("members").retain(|_, value| !value.is_null());
            body
        })
    };
    assert_eq!(check("status: in_progress"), Ok(json!({"status": "in_progress"})));
    assert_eq!(
        check(
            "conclusion: success, started_at: '2026-01-02T03:04:05Z', completed_at: '2026-01-02T03:04:06+02:00', output: {title: t}"
        ),
        Ok(json!({
            "status": "completed", "conclusion": "success", "started_at": "2026-01-02T03:04:05Z",
            "completed_at": "2026-01-02T03:04:06+02:00", "output": {"title": "t", "summary": "", "text": ""},
        }))
    );
    for wrong in ["status: completed", "completed_at: '2026-01-02T03:04:05Z'"] {
        assert_eq!(
            check(wrong),
            Err("github checkrun: conclusion is required when status is completed or completed_at is set"
                .to_owned())
        );
    }
    for wrong in ["yesterday", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05"] {
        let said = check(&format!("started_at: '{wrong}'")).expect_err("no time");
        assert!(said.contains("started_at"), "{said}");
    }
}

#[test]
fn a_status_that_github_takes_no_more_is_done_with() {
    let setup = github("message: m\ngithub:\n  status: {state: success, label: l}\n  checkRun: {name: c}\n");
    setup.sink.answer(
        &format!("POST {REPOSITORY}/statuses"),
        [Answer::new(422, r#"{"message": "Validation Failed"}"#)],
    );
    setup.send("github", "").expect("done with");
    assert!(!setup.sink.requests().iter().any(|request| request.target.contains("check-runs")));
}

#[test]
fn a_deployment_is_of_its_reference_and_a_comment_is_found_again() {
    let setup = github(
        "message: m\ngithub:\n  deployment: {state: success, environment: prod, reference: 'v{{.app.metadata.name}}'}\n  \
         pullRequestComment: {content: hello, commentTag: tag}\n",
    );
    setup.sink.answer(&format!("GET {REPOSITORY}/deployments"), [Answer::new(200, "[]")]);
    setup.sink.answer(&format!("POST {REPOSITORY}/deployments"), [Answer::new(201, r#"{"id": 5}"#)]);
    setup.sink.answer(&format!("GET {REPOSITORY}/commits"), [Answer::new(200, r#"[{"number": 7}]"#)]);
    let comments =
        r#"[{"id": 8, "body": "another"}, {"id": 9, "body": "old\n<!-- argocd-notifications tag -->"}]"#;
    setup.sink.answer(&format!("GET {REPOSITORY}/issues/7/comments"), [Answer::new(200, comments)]);
    setup.send("github", "").expect("delivered");
    let requests = setup.sink.requests();
    let made =
        requests.iter().find(|request| request.method == "POST" && request.target.ends_with("/deployments"));
    assert_eq!(body(made.expect("a deployment"))["ref"], "vnotif");
    let last = requests.last().expect("a comment");
    assert_eq!(
        (last.method.as_str(), last.target.as_str()),
        ("PATCH", format!("{REPOSITORY}/issues/comments/9").as_str())
    );
    let text = body(last)["body"].as_str().map(str::to_owned).unwrap_or_default();
    assert!(text.starts_with("hello\n") && text.ends_with("<!-- argocd-notifications tag -->"), "{text}");
}

#[test]
fn a_comment_that_was_written_is_not_written_again_where_the_rest_is_refused_for_good() {
    let setup =
        github("message: m\ngithub:\n  pullRequestComment: {content: hello}\n  checkRun: {name: c}\n");
    setup.sink.answer(&format!("GET {REPOSITORY}/commits"), [Answer::new(200, r#"[{"number": 7}]"#)]);
    let refused = Answer::new(403, r#"{"message": "Resource not accessible by integration"}"#);
    setup.sink.answer(&format!("POST {REPOSITORY}/check-runs"), [refused, Answer::new(201, "{}")]);
    let destination = Destination { service: "github".into(), recipient: String::new() };
    let progress = Progress::default();
    let told = |application: &Application| {
        let notification = application.notification(&setup.config, "t", &destination).expect("a text");
        setup.runtime.block_on(setup.services.go_on(&notification, &destination, &progress))
    };
    let comments = || {
        let requests = setup.sink.requests();
        requests.iter().filter(|request| request.target.ends_with("/issues/7/comments")).count()
    };
    let mut application = Application::recorded();
    let failure = told(&application).expect_err("it has no right to");
    assert!(!failure.retry && failure.message.contains("not accessible"), "{failure}");
    told(&application).expect("it was given the right");
    assert_eq!(comments(), 1);
    // The next commit has a comment of its own.
    application.0["status"]["operationState"]["syncResult"]["revision"] = "5".repeat(40).into();
    told(&application).expect("delivered");
    assert_eq!(comments(), 2);
}

#[test]
fn a_comment_is_found_among_many_long_ones() {
    let setup = github("message: m\ngithub:\n  pullRequestComment: {content: hello, commentTag: tag}\n");
    setup.sink.answer(&format!("GET {REPOSITORY}/commits"), [Answer::new(200, r#"[{"number": 7}]"#)]);
    let long = "x".repeat(65_536);
    let page: Vec<Value> = (0..30).map(|id| json!({"id": id, "body": long})).collect();
    let comments = format!("GET {REPOSITORY}/issues/7/comments");
    setup.sink.answer(&comments, [Answer::new(200, &Value::from(page).to_string())]);
    let ours = r#"[{"id": 99, "body": "old\n<!-- argocd-notifications tag -->"}]"#;
    setup.sink.answer(&format!("{comments}?page=3"), [Answer::new(200, ours)]);
    setup.send("github", "").expect("delivered");
    let last = setup.sink.requests().pop().expect("a comment");
    assert_eq!(
        (last.method.as_str(), last.target.as_str()),
        ("PATCH", format!("{REPOSITORY}/issues/comments/99").as_str())
    );
}

#[test]
fn a_certificate_nobody_vouches_for_is_taken_only_where_that_was_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let server =
        GitHttp::serve_files(folder.path(), &Options { tls: true, ..Options::default() }).expect("a server");
    let url = server.url("");
    let url = url.trim_end_matches('/');
    for (service, options, template, recipient) in [
        ("opsgenie", "apiUrl: <url>\napiKeys: {r: k}", "message: m", "r"),
        (
            "newrelic",
            "apiURL: <url>\napiKey: k",
            "message: m\nnewrelic: {revision: r, changelog: c, user: u}",
            "1",
        ),
        ("grafana", "apiUrl: <url>\napiKey: k", "message: m", "r"),
        ("webex", "apiURL: <url>\ntoken: k", "message: m", "r"),
        ("slack", "apiURL: <url>\ntoken: k", "message: m", "r"),
        ("mattermost", "apiURL: <url>\ntoken: k", "message: m", "r"),
        ("rocketchat", "serverUrl: <url>\nemail: a@x\npassword: k", "message: m", "#r"),
        ("teams", "recipientUrls: {r: <url>/x}", "message: m", "r"),
        ("teams-workflows", "recipientUrls: {r: <url>/powerautomate/x}", "message: m", "r"),
        ("googlechat", "webhooks: {r: <url>/x}", "message: m", "r"),
        ("webhook", "url: <url>/x\nretryMax: 1\nretryWaitMin: 1\nretryWaitMax: 1", "message: m", ""),
        ("gitlab", "baseURL: <url>\ntoken: k", "message: m\ngitlab: {status: {state: success}}", ""),
    ] {
        let failure = |more: &str| {
            let options = format!("{}\n{more}", options.replace("<url>", url));
            let setup = Setup::new(service, &options, template, false);
            setup.send(service, recipient).err().map(|failure| failure.message).unwrap_or_default()
        };
        let (before, said) = (server.requests().len(), failure(""));
        assert!(said.contains("ertificate") && server.requests().len() == before, "{service}: {said}");
        let said = failure("insecureSkipVerify: true\n");
        assert!(!said.contains("ertificate") && server.requests().len() > before, "{service}: {said}");
    }
}

/// A server that speaks as NATS does: what it is told comes back when the client is done.
fn nats(
    greeting: &'static str,
    refusal: Option<&'static str>,
) -> (u16, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).expect("a limit");
        stream.write_all(format!("INFO {greeting}\r\n").as_bytes()).expect("written");
        let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
        let mut told = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return told;
            }
            let line = line.trim_end().to_owned();
            if line == "PING" {
                let answer = refusal.filter(|_| told.len() > 1).unwrap_or("PONG");
                stream.write_all(format!("{answer}\r\n").as_bytes()).expect("written");
            } else if line.starts_with("PUB") || line.starts_with("HPUB") {
                let size: usize = line.rsplit(' ').next().and_then(|size| size.parse().ok()).expect("a size");
                let mut payload = vec![0; size + 2];
                reader.read_exact(&mut payload).expect("a payload");
                told.push(line);
                told.push(String::from_utf8(payload).expect("a text"));
            } else {
                told.push(line);
            }
        }
    });
    (port, thread)
}

#[test]
fn nats_gets_the_message_with_its_headers() {
    let hello = r#"{"server_id":"S","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}"#;
    let (port, thread) = nats(hello, None);
    let options =
        format!("url: nats://127.0.0.1:{port}\nusername: nu\npassword: $token\nheaders: {{X-A: b}}\n");
    let setup = Setup::new("nats", &options, "message: m", false);
    setup.send("nats", "subject.one").expect("delivered");
    let told = thread.join().expect("a conversation");
    let connect: Value =
        serde_json::from_str(told[0].strip_prefix("CONNECT ").expect("a greeting")).expect("JSON");
    assert_eq!((connect["user"].as_str(), connect["pass"].as_str()), (Some("nu"), Some("canary-token")));
    assert_eq!(
        told[1..],
        ["HPUB subject.one 20 21".to_owned(), "NATS/1.0\r\nX-A: b\r\n\r\nm\r\n".to_owned()]
    );
    let (port, thread) = nats(hello, None);
    let setup = Setup::new("nats", &format!("url: nats://127.0.0.1:{port}\n"), "message: m", false);
    setup.send("nats", "subject.two").expect("delivered");
    assert_eq!(
        thread.join().expect("a conversation")[1..],
        ["PUB subject.two 1".to_owned(), "m\r\n".to_owned()]
    );
}

#[test]
fn what_nats_refuses_is_told() {
    let (port, thread) = nats("{}", Some("-ERR 'Permissions Violation'"));
    let setup = Setup::new("nats", &format!("url: nats://127.0.0.1:{port}\n"), "message: m", false);
    let failure = setup.send("nats", "subject.one").expect_err("refused");
    assert!(failure.message.contains("Permissions Violation"), "{failure}");
    thread.join().expect("a conversation");
    let setup = Setup::new("nats", "url: nats://127.0.0.1:1\n", "message: m", false);
    assert!(!setup.send("nats", "no subject").expect_err("refused").retry);
    assert!(setup.send("nats", "subject").expect_err("nobody is there").retry);
}
