//! Input that nobody should send: the right code and a message, never a panic, never a leaked detail.

use crate::bench::{Answer, Bench, CANARY, application, two_users};
use api::v1alpha1::ApplicationTree;
use api_server::Options;
use auth::{Subject, TokenKey};
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Request, Version};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use tower::ServiceExt as _;

/// What must not be in any answer: paths of this machine, places in the code, memory.
const DETAILS: [&str; 7] = ["panicked", "src/", ".rs:", "/home/", "/root/", "thread '", "0x7f"];

#[track_caller]
fn is_clean(what: &str, answer: &Answer) {
    for detail in DETAILS {
        assert!(!answer.text.contains(detail), "{what}: {answer:?}");
    }
    assert!(!answer.text.contains(CANARY), "{what}: {answer:?}");
}

/// A token whose parts are what the test says.
fn token(head: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(head), part(claims))
}

/// The same, signed with the server's own key: only what is said is wrong.
fn signed(secret: &[u8], head: &Value, claims: &[u8]) -> String {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(head.to_string()), URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key may have any length");
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn tob_argo_016_no_token_but_a_signed_and_valid_one_is_worth_anything() {
    let bench = Bench::start("forged", json!({"accounts.alice": "apiKey, login"}), json!({})).await;
    let admin = bench.admin().await;
    let secret = bench.store.secret("argocd-secret").expect("the secret");
    let secret = secret.data["server.secretkey"].reveal();
    let key = TokenKey::new(secret);
    let now = Timestamp::now();
    let subject = Subject::Login("admin".into());
    let (good, _) = key.issue(&subject, "id", now, Some(3600));
    bench.get("/api/v1/account", &good).await.good();
    let parts: Vec<&str> = good.split('.').collect();
    let (head, claims, signature) = (parts[0], parts[1], parts[2]);
    let decoded: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON");
    let with = |name: &str, value: Value| {
        let mut claims = decoded.clone();
        claims[name] = value;
        claims
    };
    let hs = json!({"alg": "HS256", "typ": "JWT"});
    let other = TokenKey::new(b"another key of thirty-two letters");
    let hour = jiff::SignedDuration::from_hours(1);
    let tokens = [
        ("forged", other.issue(&subject, "id", now, Some(3600)).0),
        ("expired", key.issue(&subject, "id", now - hour - hour, Some(60)).0),
        ("of tomorrow", key.issue(&subject, "id", now + hour * 24, Some(3600)).0),
        ("of nobody", key.issue(&Subject::Login("nobody".into()), "id", now, Some(3600)).0),
        ("of no capability", key.issue(&Subject::ApiKey("admin".into()), "id", now, Some(3600)).0),
        ("of a key that was never issued", key.issue(&Subject::ApiKey("alice".into()), "id", now, None).0),
        (
            "of a project that is not there",
            key.issue(&Subject::Project { project: "x".into(), role: "y".into() }, "id", now, None).0,
        ),
        ("unsigned", token(&json!({"alg": "none"}), &decoded, "")),
        ("unsigned, spelt otherwise", token(&json!({"alg": "nOnE"}), &decoded, "")),
        ("unsigned with a signature", token(&json!({"alg": "none"}), &decoded, signature)),
        ("without an algorithm", token(&json!({"typ": "JWT"}), &decoded, signature)),
        ("of another algorithm", token(&json!({"alg": "HS512"}), &decoded, signature)),
        (
            "with a public key",
            token(&json!({"alg": "RS256", "jwk": {"kty": "oct", "k": ""}}), &decoded, signature),
        ),
        (
            "compressed",
            signed(
                secret,
                &json!({"alg": "HS256", "zip": "DEF"}),
                &[0xab, 0x56, 0x4a, 0x2c, 0x2d, 0x01, 0x00],
            ),
        ),
        ("with other claims", token(&hs, &with("sub", json!("alice:login")), signature)),
        (
            "of another issuer",
            signed(secret, &hs, with("iss", json!("https://idp.example")).to_string().as_bytes()),
        ),
        ("without an issuer", signed(secret, &hs, with("iss", Value::Null).to_string().as_bytes())),
        (
            "with claims of other types",
            signed(secret, &hs, with("exp", json!("never")).to_string().as_bytes()),
        ),
        ("of nobody at all", signed(secret, &hs, with("sub", json!("")).to_string().as_bytes())),
        ("of a list", signed(secret, &hs, b"[]")),
        ("of no JSON", signed(secret, &hs, b"x")),
        ("of nothing", signed(secret, &hs, b"")),
        ("of two parts", format!("{head}.{claims}")),
        ("of four parts", format!("{good}.{signature}")),
        ("cut", good[..good.len() - 2].to_owned()),
        ("not base64", format!("{head}.!!.{signature}")),
        ("with padding", format!("{head}=.{claims}=.{signature}=")),
        ("of many parts", "a.".repeat(2000)),
        ("very long", format!("{head}.{}.{signature}", "A".repeat(60_000))),
        (
            "deep",
            token(
                &hs,
                &serde_json::from_str(&format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100)))
                    .expect("JSON"),
                signature,
            ),
        ),
    ];
    for (what, token) in tokens {
        let answer = bench.get("/api/v1/account", &token).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        assert!(
            answer.message().starts_with("invalid session: ") || answer.message() == "no session information",
            "{what}: {answer:?}"
        );
        is_clean(what, &answer);
        assert!(!answer.text.contains(claims), "{what} is repeated: {answer:?}");
        let cookie = Request::get("/api/v1/account").header("cookie", format!("argocd.token={token}"));
        let answer = bench.send(cookie.body(Body::empty()).expect("it is well formed")).await;
        assert_eq!(answer.status, 401, "{what} in a cookie: {answer:?}");
    }
    bench.get("/api/v1/account", &admin).await.good();
}

/// A raw request over gRPC or gRPC-web: HTTP status, gRPC status, message.
async fn raw(bench: &Bench, kind: &str, path: &str, token: &str, body: Vec<u8>) -> (u16, String, String) {
    let mut request =
        Request::post(format!("http://server{path}")).header("content-type", kind).header("token", token);
    if kind == "application/grpc" {
        request = request.version(Version::HTTP_2).header("te", "trailers");
    }
    let request = request.body(Body::from(body)).expect("it is well formed");
    let response = bench.router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    // Some of it is a good question: a watch would go on for ever.
    let Ok(collected) = tokio::time::timeout(std::time::Duration::from_secs(2), body.collect()).await else {
        return (parts.status.as_u16(), "a stream".into(), String::new());
    };
    let collected = collected.expect("a body");
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let text = String::from_utf8_lossy(&collected.to_bytes()).into_owned();
    let of = |name: &str| {
        let value = parts.headers.get(name).or_else(|| trailers.get(name));
        value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let status = if of("grpc-status").is_empty() && text.contains("grpc-status:") {
        "in the trailer".into()
    } else {
        of("grpc-status")
    };
    (parts.status.as_u16(), status, format!("{} {text}", of("grpc-message")))
}

#[tokio::test]
async fn malformed_frames_end_the_call_and_nothing_else() {
    let bench = Bench::start("frames", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let frame =
        |flag: u8, length: u32, message: &[u8]| [&[flag][..], &length.to_be_bytes()[..], message].concat();
    let frames: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("half a head", vec![0, 0]),
        ("shorter than it says", frame(0, 100, b"abc")),
        ("larger than may be", frame(0, u32::MAX, b"abc")),
        ("of an unknown flag", frame(7, 0, b"")),
        ("compressed without saying how", frame(1, 3, b"abc")),
        ("of no protobuf", frame(0, 3, &[0xff, 0xff, 0xff])),
        ("of text that is not UTF-8", frame(0, 4, &[0x0a, 2, 0xff, 0xfe])),
        ("with a length beyond the end", frame(0, 2, &[0x0a, 0x7f])),
        ("of groups in groups", frame(0, 200, &[0x0b; 200])),
        ("of wires that are none", frame(0, 2, &[0x0f, 0x0e])),
        ("two messages", [frame(0, 0, b""), frame(0, 0, b"")].concat()),
        ("junk", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
    ];
    for kind in ["application/grpc", "application/grpc-web+proto"] {
        for (what, frame) in &frames {
            for path in [
                "/application.ApplicationService/Get",
                "/application.ApplicationService/Watch",
                "/application.ApplicationService/GetManifestsWithFiles",
                "/session.SessionService/Create",
            ] {
                let (status, code, told) = raw(&bench, kind, path, &admin, frame.clone()).await;
                assert!(status < 500, "{kind} {path} {what}: {status} {code} {told}");
                for detail in DETAILS {
                    assert!(!told.contains(detail), "{kind} {path} {what}: {told}");
                }
            }
        }
    }
    bench.get("/api/v1/account", &admin).await.good();
}

#[tokio::test]
async fn paths_and_queries_of_all_kinds_are_answered_properly() {
    let bench = Bench::start("paths", json!({}), json!({})).await;
    let admin = bench.admin().await;
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    bench.found("a", &ApplicationTree::default(), &[]).await;
    let odd = [
        "%2F",
        "..%2F..%2Fetc%2Fpasswd",
        "%00",
        "%ff%fe",
        "%",
        "%zz",
        "a%2Fb",
        "%2e%2e",
        "a%20b",
        "%C3%A9",
        "%E2%80%AE",
        "a%0d%0aSet-Cookie:%20x=y",
        "{}",
        "*",
        "$(id)",
        "%3Cscript%3E",
        "a;b",
        "-1",
        "99999999999999999999",
        "null",
    ];
    let long = "a".repeat(8000);
    for value in odd.into_iter().chain([long.as_str()]) {
        for path in [
            format!("/api/v1/applications/{value}"),
            format!("/api/v1/applications/{value}?project=default"),
            format!("/api/v1/applications/a/revisions/{value}/metadata"),
            format!("/api/v1/applications/a/pods/{value}/logs"),
            format!(
                "/api/v1/applications?name={value}&selector={value}&fields={value}&resourceVersion={value}"
            ),
            format!("/api/v1/applications/a/events?resourceUID={value}"),
            format!("/api/v1/projects/{value}"),
            format!("/api/v1/projects/{value}/events"),
            format!("/api/v1/repositories/{value}"),
            format!("/api/v1/repositories/{value}/apps?revision={value}"),
            format!("/api/v1/clusters/{value}?id.type={value}"),
            format!("/api/v1/clusters/{value}?id.type=name_escaped"),
            format!("/api/v1/account/{value}"),
            format!("/api/v1/account/can-i/{value}/{value}/{value}"),
            format!("/api/v1/applicationsets/{value}?appsetNamespace={value}"),
            format!("/api/v1/gpgkeys/{value}"),
            format!("/api/v1/certificates?hostNamePattern={value}&certType={value}"),
            format!("/api/badge?name={value}&project={value}&width={value}"),
        ] {
            let Ok(request) =
                Request::get(&path).header("authorization", format!("Bearer {admin}")).body(Body::empty())
            else {
                continue;
            };
            let answer = bench.send(request).await;
            // What is wrong with a remote is told with 500 as the original does; a broken server would say so.
            assert!(
                [200, 307, 400, 401, 403, 404, 405, 409, 500, 501, 503].contains(&answer.status),
                "{path}: {answer:?}"
            );
            assert!(answer.status != 500 || !answer.text.contains("\"code\":13"), "{path}: {answer:?}");
            assert!(!answer.headers.contains_key("set-cookie"), "{path}: {answer:?}");
            assert!(!answer.text.contains("root:x:"), "{path}: {answer:?}");
            is_clean(&path, &answer);
        }
    }
}

#[tokio::test]
async fn bodies_of_all_kinds_are_answered_properly() {
    let bench = Bench::start("bodies", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let nested = format!("{}1{}", "{\"spec\":".repeat(5_000), "}".repeat(5_000));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", b"".to_vec()),
        ("null", b"null".to_vec()),
        ("list", b"[]".to_vec()),
        ("number", b"7".to_vec()),
        ("text", b"\"x\"".to_vec()),
        ("half", b"{".to_vec()),
        ("no UTF-8", b"{\"metadata\":{\"name\":\"\xff\xfe\"}}".to_vec()),
        ("half a letter", b"{\"metadata\":{\"name\":\"\\ud800\"}}".to_vec()),
        ("other type", b"{\"metadata\":{\"name\":7}}".to_vec()),
        ("no time", b"{\"metadata\":{\"name\":\"x\",\"generation\":\"7\",\"creationTimestamp\":\"yesterday\"}}".to_vec()),
        ("no project", b"{\"metadata\":{\"name\":\"x\"},\"spec\":{\"project\":\"nope\",\"unknown\":{\"a\":1}},\"unknown\":[1]}".to_vec()),
        ("path", b"{\"metadata\":{\"name\":\"../../x\"},\"spec\":{\"destination\":{\"server\":\"\\u0000\"}}}".to_vec()),
        ("no base64", b"{\"data\":\"%%%\",\"keyData\":\"%%%\",\"certificates\":{\"items\":[{\"certData\":\"%%%\"}]}}".to_vec()),
        ("out of range", b"{\"id\":1e400,\"expiresIn\":-9223372036854775808,\"a\":99999999999999999999999}".to_vec()),
        ("two", b"{}{}".to_vec()),
        ("twice", b"{\"a\":1,\"a\":2}".to_vec()),
        ("deep list", deep.into_bytes()),
        ("deep map", nested.into_bytes()),
        ("zeros", vec![0; 1000]),
    ];
    let routes = wire::route::routes().iter().filter(|route| route.verb != "GET");
    let mut told = String::new();
    for route in routes {
        let path = filled(&route.template);
        // What would end the session under which all is asked.
        if route.service == "session.SessionService" && route.method == "Delete"
            || route.method == "UpdatePassword"
        {
            continue;
        }
        told.push_str(&format!("{} {}\n", route.verb, route.template));
        let mut answers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, body) in &bodies {
            let request = Request::builder()
                .method(&route.verb)
                .uri(&path)
                .header("content-type", "application/json")
                .header("authorization", format!("Bearer {admin}"))
                .body(Body::from(body.clone()))
                .expect("it is well formed");
            let answer = bench.send(request).await;
            let what = format!("{} {path} {name}", route.verb);
            let mut code = "0".to_owned();
            if answer.status >= 400 {
                assert!(!answer.message().trim().is_empty(), "{what} is not told why: {answer:?}");
                code = answer.json()["code"].to_string();
            }
            is_clean(&what, &answer);
            answers.entry(format!("{} {code}", answer.status)).or_default().push(name);
        }
        for (answer, names) in answers {
            told.push_str(&format!("  {answer}: {}\n", names.join(", ")));
        }
    }
    bench.get("/api/v1/account", &admin).await.good();
    // HTTP status and code of each; `UPDATE=1` writes them anew.
    const RECORDED: &str = "tests/live/bodies.txt";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(RECORDED, &told).expect("written");
    }
    let recorded = std::fs::read_to_string(RECORDED).expect("the answers of before");
    let others: Vec<String> = told
        .lines()
        .zip(recorded.lines())
        .filter(|(now, before)| now != before)
        .map(|(now, before)| format!("recorded {before}\nanswered {now}"))
        .collect();
    assert!(
        told == recorded,
        "{} lines, recorded {}\n{}",
        told.lines().count(),
        recorded.lines().count(),
        others.join("\n")
    );
}

fn filled(template: &str) -> String {
    let mut path = template.to_owned();
    while let Some((before, rest)) = path.clone().split_once('{') {
        path = format!("{before}x{}", rest.split_once('}').map_or("", |(_, after)| after));
    }
    path
}

#[tokio::test]
async fn a_project_that_is_not_there_is_told_as_such() {
    let (settings, policy) = two_users();
    let bench = Bench::start("noproject", settings, policy).await;
    let admin = bench.admin().await;
    let mut lost = application("lost", "guestbook");
    lost["spec"]["project"] = "nope".into();
    let answer = bench.post("/api/v1/applications", &admin, lost).await;
    answer.is(400, "app is not allowed in project \"nope\", or the project does not exist");
    bench.get("/api/v1/projects/nope", &admin).await.is(404, "appprojects.argoproj.io \"nope\" not found");
    let alice = bench.user(&admin, "alice").await;
    let hidden = bench.get("/api/v1/projects/nope", &alice).await;
    let there = bench.get("/api/v1/projects/default", &alice).await;
    assert_eq!((hidden.status, there.status), (403, 403));
    assert_eq!(hidden.message().replace("nope", "default"), there.message());
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_told_in_these_words() {
    let bench = Bench::start("told-tokens", json!({"accounts.alice": "apiKey"}), json!({})).await;
    bench.admin().await;
    let secret = bench.store.secret("argocd-secret").expect("the secret");
    let key = TokenKey::new(secret.data["server.secretkey"].reveal());
    let other = TokenKey::new(b"another key of thirty-two letters");
    let (now, hour) = (Timestamp::now(), jiff::SignedDuration::from_hours(1));
    let admin = Subject::Login("admin".into());
    let role = Subject::Project { project: "x".into(), role: "y".into() };
    let claims = json!({"iss": "argocd", "sub": "admin:login", "iat": now.as_second(), "jti": "id"});
    let told = [
        (other.issue(&admin, "id", now, Some(3600)).0, "token signature is invalid: signature is invalid"),
        (key.issue(&admin, "id", now - hour, Some(60)).0, "token has invalid claims: token is expired"),
        (key.issue(&admin, "id", now + hour, Some(60)).0, "token has invalid claims: token is not valid yet"),
        (
            token(&json!({"alg": "HS512", "typ": "JWT"}), &claims, "c2lnbmVk"),
            "token signature is invalid: unexpected signing method",
        ),
        (
            key.issue(&Subject::Login("nobody".into()), "id", now, Some(60)).0,
            "account 'nobody' does not exist",
        ),
        (
            key.issue(&Subject::ApiKey("admin".into()), "id", now, None).0,
            "account admin does not have 'apiKey' capability",
        ),
        (
            key.issue(&Subject::ApiKey("alice".into()), "id", now, None).0,
            "account alice does not have token with id id",
        ),
        (key.issue(&role, "id", now, None).0, "appproject.argoproj.io \"x\" not found"),
    ];
    for (token, reason) in told {
        bench.get("/api/v1/account", &token).await.is(401, &format!("invalid session: {reason}"));
        let (status, code, message) =
            raw(&bench, "application/grpc", "/account.AccountService/ListAccounts", &token, vec![0; 5]).await;
        assert_eq!((status, code.as_str()), (200, "16"), "{message}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_frame_is_told_in_these_words() {
    let bench = Bench::start("told-frames", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let frame =
        |flag: u8, length: u32, message: &[u8]| [&[flag][..], &length.to_be_bytes()[..], message].concat();
    let flags = "(valid flags are 0 and 1), while sending request";
    let told = [
        (Vec::new(), "2", "EOF".to_owned()),
        (vec![0, 0], "2", "unexpected EOF".into()),
        (frame(0, 100, b"abc"), "2", "unexpected EOF".into()),
        (
            frame(0, u32::MAX, b"abc"),
            "8",
            format!("grpc: received message larger than max ({} vs. {})", u32::MAX, 200 << 20),
        ),
        (
            frame(7, 0, b""),
            "13",
            format!("protocol error: received message with invalid compression flag: 7 {flags}"),
        ),
        (
            frame(1, 3, b"abc"),
            "13",
            "protocol error: received message with compressed-flag but no grpc-encoding was specified".into(),
        ),
        (frame(0, 3, &[0xff; 3]), "13", "grpc: error unmarshalling request: ".into()),
    ];
    for (frame, code, text) in told {
        let path = "/application.ApplicationService/Get";
        let (status, answered, message) = raw(&bench, "application/grpc", path, &admin, frame.clone()).await;
        let message = message.replace("%20", " ");
        assert_eq!((status, answered.as_str()), (200, code), "{message}");
        assert!(message.starts_with(&text), "{message}");
        // Whoever has no session learns nothing of that.
        let (_, answered, message) = raw(&bench, "application/grpc", path, "", frame).await;
        assert_eq!((answered.as_str(), message.trim()), ("16", "no%20session%20information"));
    }
}

#[tokio::test]
async fn what_is_too_large_or_of_another_type_is_told_in_these_words() {
    let options = Options { insecure: true, message_limit: 1 << 20, ..Options::default() };
    let bench = Bench::with("told-bodies", json!({}), json!({}), &[], options).await;
    let admin = bench.admin().await;
    let send = async |kind: Option<&str>, body: Vec<u8>| {
        let mut request = Request::post("/api/v1/session");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        bench.send(request.body(Body::from(body)).expect("it is well formed")).await
    };
    let login = json!({"username": "admin", "password": "wrong"}).to_string();
    let padded = |length: usize| [login.as_bytes(), &vec![b' '; length - login.len()]].concat();
    let json = Some("application/json");
    for kind in [
        None,
        Some("text/plain"),
        Some("application/json; charset=utf-8"),
        Some("multipart/form-data; boundary=x"),
    ] {
        let answer = send(kind, padded(100)).await;
        assert_eq!((answer.status, answer.text.as_str()), (415, "Invalid content type\n"), "{kind:?}");
    }
    send(json, padded(1 << 20)).await.is(401, "Invalid username or password");
    send(json, padded((1 << 20) + 1)).await.is(429, "grpc: received message larger than max (1048576)");
    let frame = [&[0_u8][..], &(2_u32 << 20).to_be_bytes()[..], &b"abc"[..]].concat();
    let path = "/application.ApplicationService/Get";
    let (status, code, message) = raw(&bench, "application/grpc", path, &admin, frame).await;
    assert_eq!((status, code.as_str()), (200, "8"), "{message}");
    let text = "grpc: received message larger than max (2097152 vs. 1048576)";
    assert_eq!(message.replace("%20", " ").trim(), text);
}

#[tokio::test]
async fn names_and_values_that_cannot_be_are_told_in_these_words() {
    let bench = Bench::start("told-names", json!({}), json!({})).await;
    let admin = bench.admin().await;
    // An escaped slash separates the parts of a path like another one, so that there is no such method.
    for path in ["a%2Fb", "..%2F..%2Fetc%2Fpasswd", "a/../b/c"] {
        let path = format!("/api/v1/applications/{path}");
        let answer = bench.get(&path, &admin).await;
        let wanted = if path.contains("/../") { (307, "Temporary Redirect") } else { (404, "Not Found\n") };
        assert!(answer.status == wanted.0 && answer.text.contains(wanted.1), "{path}: {answer:?}");
    }
    let redirected = bench.get("/api/v1/applications/../projects?a=b", &admin).await;
    assert_eq!(
        (redirected.status, &redirected.headers["location"]),
        (307, &"/api/v1/projects?a=b".parse().unwrap())
    );
    for (name, shown) in [("%2e%2e", ".."), ("%ff%fe", "\u{fffd}\u{fffd}"), ("$(id)", "$(id)")] {
        let path = format!("/api/v1/applications/{name}?project=default");
        bench.get(&path, &admin).await.is(404, &format!("applications.argoproj.io {shown:?} not found"));
        let path = format!("/api/v1/projects/{name}");
        bench.get(&path, &admin).await.is(404, &format!("appprojects.argoproj.io {shown:?} not found"));
    }
    bench.get("/api/v1/applications?name=%zz", &admin).await.is(400, "invalid URL escape \"%zz\"");
    let bad = json!({"items": [{"serverName": "git.example", "certType": "ssh", "certData": "%%%"}]});
    bench.post("/api/v1/certificates", &admin, bad).await.is(400, "illegal base64 data at input byte 0");
    // What nobody knows is left out, and is no reason to refuse the rest.
    let mut wanted = application("a", "guestbook");
    wanted["unknown"] = json!([1]);
    wanted["spec"]["unknown"] = json!({"a": CANARY});
    let created = bench.post("/api/v1/applications", &admin, wanted).await.good();
    assert!(!created.text.contains("unknown") && !created.text.contains(CANARY), "{created:?}");
    let mut wanted = application("b", "guestbook");
    wanted["spec"]["project"] = "../default".into();
    let refused = "app is not allowed in project \"../default\", or the project does not exist";
    bench.post("/api/v1/applications", &admin, wanted).await.is(400, refused);
}
