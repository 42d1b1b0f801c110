//! Sessions, accounts and tokens.

use crate::bench::{Bench, two_users};
use auth::{Subject, TokenKey};
use axum::body::Body;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

#[tokio::test]
async fn a_login_gives_a_token_a_cookie_and_a_name() {
    let bench = Bench::start("login", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let answer = bench.try_login("admin", &bench.initial_password()).await.good();
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("argocd.token=ey") && cookie.ends_with("; path=/; SameSite=lax; httpOnly"),
        "{cookie}"
    );
    let told = bench.get("/api/v1/session/userinfo", &admin).await.good().json();
    assert_eq!(told, json!({"loggedIn": true, "username": "admin", "iss": "argocd"}));
    assert_eq!(bench.get("/api/v1/session/userinfo", "").await.good().text, "{}");
    let request = Request::get("/api/v1/account").header("cookie", format!("argocd.token={admin}"));
    assert_eq!(bench.send(request.body(Body::empty()).unwrap()).await.status, 200);
    bench.try_login("admin", "no").await.is(401, "Invalid username or password");
    bench.try_login("nobody", "no").await.is(401, "Invalid username or password");
    bench.try_login("", "").await.is(401, "no credentials supplied");
    bench.try_login(&"n".repeat(32), "no").await.is(401, "Invalid username or password");
    bench.try_login(&"n".repeat(33), "no").await.is(400, "Username is too long (32 bytes max)");
    bench.get("/api/v1/account", "").await.is(401, "no session information");
    bench.get("/api/v1/account", "bad").await.is(401, "no session information");
    let forged = format!("{}x", &admin[..admin.len() - 1]);
    let forged = bench.get("/api/v1/account", &forged).await;
    assert!(forged.status == 401 && forged.message().starts_with("invalid session: "), "{forged:?}");
    assert_eq!(bench.get("/healthz", "").await.good().text.trim(), "ok");
    let version = bench.get("/api/version", "").await.good().json();
    assert_eq!(version.as_object().unwrap().keys().collect::<Vec<_>>(), ["Version"]);
}

#[tokio::test]
async fn a_login_that_soon_ends_is_renewed_and_nothing_else_is() {
    let (settings, policy) = two_users();
    let bench = Bench::start("renewed-logins", settings, policy).await;
    let admin = bench.admin().await;
    let secret = bench.store.secret("argocd-secret").expect("the secret");
    let key = TokenKey::new(secret.data["server.secretkey"].reveal());
    bench.user(&admin, "alice").await;
    let now = Timestamp::now();
    let login = |since: i64, lasts: i64| {
        let issued = now - SignedDuration::from_secs(since);
        key.issue(&Subject::Login("alice".into()), &format!("t{since}-{lasts}"), issued, Some(lasts)).0
    };
    let asked =
        async |token: &str| bench.get("/api/v1/account/can-i/applications/get/default/x", token).await;
    // Of an hour, two minutes are left. Its password was set a moment ago, and a token from before that is worth nothing.
    let before = asked(&login(3480, 3600)).await;
    before.is(401, "invalid session: account password has changed since token issued");
    let soon = login(0, 290);
    let answer = asked(&soon).await.good();
    let cookie = answer.headers["set-cookie"].to_str().expect("a cookie");
    let fresh =
        cookie.strip_prefix("argocd.token=").and_then(|rest| rest.split(';').next()).expect("a token");
    assert!(cookie.ends_with("; path=/; SameSite=lax; httpOnly"), "{cookie}");
    assert_eq!(answer.headers["grpc-metadata-renew-token"], *fresh);
    // It lasts as long as the one before it did, is as good, and is another one.
    let claims = key.verify(fresh, Timestamp::now()).expect("a token");
    assert_eq!((claims.sub.as_str(), claims.exp.map(|exp| exp - claims.iat)), ("alice:login", Some(290)));
    assert!(claims.iat >= now.as_second() && claims.jti != "t0-290", "{claims:?}");
    asked(fresh).await.good();
    // The one before it stays good until it ends, or is taken back.
    asked(&soon).await.good();
    let logout = Request::get("/auth/logout").header("cookie", format!("argocd.token={soon}"));
    assert_eq!(bench.send(logout.body(Body::empty()).expect("a request")).await.status, 303);
    let revoked = asked(&soon).await;
    assert_eq!((revoked.status, revoked.headers.get("set-cookie")), (401, None));
    // Those with more time, and keys, are not.
    let body = json!({"id": "k", "expiresIn": 200});
    let issued = bench.post("/api/v1/account/alice/token", &admin, body).await.good().json();
    for token in [&login(0, 310), issued["token"].as_str().expect("a token")] {
        let answer = asked(token).await.good();
        let told = ["set-cookie", "grpc-metadata-renew-token"].map(|name| answer.headers.get(name));
        assert_eq!(told, [None, None]);
    }
    // Over gRPC it comes as metadata.
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let mut request = tonic::Request::new(wire::account::ListAccountRequest::default());
    request.metadata_mut().insert("token", login(0, 280).parse().expect("a token"));
    let answer = wire::account::account_service_client::AccountServiceClient::new(channel);
    let answer = { answer }.list_accounts(request).await.expect("an answer");
    let renewed = answer.metadata().get("renew-token").expect("a token").to_str().expect("text");
    assert_eq!(
        key.verify(renewed, Timestamp::now()).expect("a token").exp.map(|exp| exp > now.as_second() + 270),
        Some(true)
    );
}

#[tokio::test]
async fn accounts_are_seen_and_changed_by_those_who_may() {
    let (settings, policy) = two_users();
    let bench = Bench::start("accounts", settings, policy).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    let names = |answer: crate::bench::Answer| {
        let items = answer.json()["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(bench.get("/api/v1/account", &admin).await.good()), ["admin", "alice", "bob"]);
    assert_eq!(names(bench.get("/api/v1/account", &alice).await.good()), ["alice"]);
    let denied = bench.get("/api/v1/account/admin", &alice).await;
    assert!(
        denied.message().starts_with("permission denied: accounts, get, admin, sub: alice, iat: 20"),
        "{denied:?}"
    );
    bench.get("/api/v1/account/zed", &admin).await.is(404, "account 'zed' does not exist");
    let wrong = json!({"name": "bob", "currentPassword": "wrong", "newPassword": "bobpass12"});
    bench
        .rest("PUT", "/api/v1/account/password", &admin, Some(wrong))
        .await
        .is(400, "current password does not match");

    let key = bench.post("/api/v1/account/alice/token", &alice, json!({"id": "k"})).await.good();
    let key = key.json()["token"].as_str().unwrap().to_owned();
    bench.get("/api/v1/account/alice", &key).await.good();
    let twice = bench.post("/api/v1/account/alice/token", &alice, json!({"id": "k"})).await;
    twice.is(500, "failed to update account with new token: account already has token with id 'k'");
    bench.rest("DELETE", "/api/v1/account/alice/token/k", &alice, None).await.good();
    bench
        .get("/api/v1/account/alice", &key)
        .await
        .is(401, "invalid session: account alice does not have token with id k");
    let may = async |path: &str| bench.get(path, &alice).await.good().json()["value"].clone();
    assert_eq!(may("/api/v1/account/can-i/applications/get/default/x").await, "yes");
    assert_eq!(may("/api/v1/account/can-i/applications/delete/default/x").await, "no");
    let actions = "[get create update delete sync rollback override action invoke] does not contain";
    bench.get("/api/v1/account/can-i/bogus/fly/x", &alice).await.is(400, &format!("{actions} fly"));
    // Only over gRPC an action may have slashes. The words alone are known, whatever a policy may say after them.
    let action = "action/apps/Deployment/restart";
    let mut request = tonic::Request::new(wire::account::CanIRequest {
        resource: "applications".into(),
        action: action.into(),
        subresource: "default/x".into(),
    });
    request.metadata_mut().insert("token", alice.parse().expect("a token"));
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let mut accounts = wire::account::account_service_client::AccountServiceClient::new(channel);
    let refused = accounts.can_i(request).await.unwrap_err();
    assert_eq!(refused.message(), format!("{actions} {action}"));
}

#[tokio::test]
async fn who_has_the_right_password_is_told_why_they_are_not_let_in() {
    let (mut settings, policy) = two_users();
    let bench = Bench::start("not-let-in", settings.clone(), policy).await;
    let admin = bench.admin().await;
    bench.user(&admin, "alice").await;
    bench.user(&admin, "bob").await;
    settings["accounts.alice"] = "apiKey".into();
    settings["accounts.bob.enabled"] = "false".into();
    crate::bench::configure(&bench.store, "argocd-cm", settings).await;
    let alice = bench.try_login("alice", "alice-pass1").await;
    alice.is(401, "Account alice does not have login capability");
    bench.try_login("bob", "bob-pass1").await.is(401, "Account bob is disabled");
    bench.try_login("bob", "wrong").await.is(401, "Invalid username or password");
}

#[tokio::test]
async fn a_key_changes_a_password_with_its_accounts_own() {
    let (settings, policy) = two_users();
    let bench = Bench::start("by-key", settings, policy).await;
    let admin = bench.admin().await;
    bench.user(&admin, "alice").await;
    let key = bench.post("/api/v1/account/alice/token", &admin, json!({"id": "k"})).await.good();
    let key = key.json()["token"].as_str().unwrap().to_owned();
    let change = async |name: &str, current: &str| {
        let body = json!({"name": name, "currentPassword": current, "newPassword": "alice-pass2"});
        bench.rest("PUT", "/api/v1/account/password", &key, Some(body)).await
    };
    change("", "wrong").await.is(400, "current password does not match");
    let denied = change("bob", "alice-pass1").await;
    assert!(denied.status == 403 && denied.message().contains("accounts, update, bob"), "{denied:?}");
    change("", "alice-pass1").await.good();
    bench.login("alice", "alice-pass2").await;
}

#[tokio::test]
async fn rollbacks_are_asked_about_as_they_are_decided() {
    let (settings, _) = two_users();
    let policy = "p, alice, applications, sync, red/web, allow\n";
    let bench = Bench::start("asked", settings.clone(), json!({"policy.csv": policy})).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    let may = async |what: &str| {
        bench.get(&format!("/api/v1/account/can-i/{what}"), &alice).await.good().json()["value"].clone()
    };
    assert_eq!(may("applications/rollback/red/web").await, "yes");
    // The control plane's namespace may be said.
    assert_eq!(may("applications/sync/red/asked/web").await, "yes");
    assert_eq!(may("applications/sync/red/other/web").await, "no");
    let mut own = settings;
    own["server.rbac.rollback.enforce.enable"] = "true".into();
    crate::bench::configure(&bench.store, "argocd-cm", own).await;
    assert_eq!(may("applications/rollback/red/web").await, "no");
}

#[tokio::test]
async fn whoever_asks_what_they_may_is_told_the_line() {
    let (settings, policy) = two_users();
    let bench = Bench::start("explained", settings, policy).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    let line = async |what: &str, token: &str| {
        let answer = bench.get(&format!("/api/v1/account/can-i/{what}"), token).await.good();
        let line = answer.headers.get("grpc-metadata-rbac-line").expect("a line");
        (answer.json()["value"].clone(), line.to_str().expect("text").to_owned())
    };
    let (value, told) = line("applications/get/default/x", &alice).await;
    assert_eq!(value, "yes");
    assert!(told.starts_with("p, ") && told.ends_with(", allow"), "{told}");
    assert_eq!(
        line("applications/delete/default/x", &alice).await,
        ("no".into(), "no line permits it".into())
    );
    let (_, told) = line("clusters/get/x", &admin).await;
    assert_eq!(told, "p, role:readonly, clusters, get, *, allow");
}

#[tokio::test]
async fn a_role_that_comes_back_has_none_of_its_former_tokens() {
    let bench = Bench::start("revived", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let policy = "p, proj:red:ci, applications, *, red/*, allow";
    let with_role = json!([{"name": "ci", "policies": [policy]}]);
    let spec = json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}], "roles": with_role});
    let project = json!({"project": {"metadata": {"name": "red"}, "spec": spec}});
    bench.post("/api/v1/projects", &admin, project).await.good();
    let issued = bench.post("/api/v1/projects/red/roles/ci/token", &admin, json!({"id": "t"})).await.good();
    let token = issued.json()["token"].as_str().unwrap().to_owned();
    bench.get("/api/v1/applications?projects=red", &token).await.good();
    for roles in [json!([]), with_role] {
        let mut project = bench.get("/api/v1/projects/red", &admin).await.good().json();
        project["spec"]["roles"] = roles;
        bench.rest("PUT", "/api/v1/projects/red", &admin, Some(json!({"project": project}))).await.good();
        assert_eq!(bench.get("/api/v1/applications?projects=red", &token).await.status, 401);
    }
}

#[tokio::test]
async fn a_project_that_is_declared_again_keeps_its_tokens() {
    let bench = Bench::start("declared", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let declare = async |description: &str, upsert: bool| {
        let spec = json!({
            "description": description, "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "roles": [{"name": "ci", "policies": ["p, proj:red:ci, applications, *, red/*, allow"]}],
        });
        let body = json!({"project": {"metadata": {"name": "red"}, "spec": spec}, "upsert": upsert});
        bench.post("/api/v1/projects", &admin, body).await
    };
    declare("one", false).await.good();
    let issued = bench.post("/api/v1/projects/red/roles/ci/token", &admin, json!({"id": "t"})).await.good();
    let token = issued.json()["token"].as_str().unwrap().to_owned();
    declare("one", false).await.good();
    let refused = declare("two", false).await;
    refused.is(
        400,
        "existing project spec is different; use upsert flag to force update; difference in keys \"Description\"",
    );
    declare("two", true).await.good();
    let project = bench.get("/api/v1/projects/red", &admin).await.good().json();
    assert_eq!(project["spec"]["description"], "two");
    assert_eq!(project["spec"]["roles"][0]["jwtTokens"][0]["id"], "t");
    assert_eq!(project["status"]["jwtTokensByRole"]["ci"]["items"][0]["id"], "t");
    bench.get("/api/v1/applications?projects=red", &token).await.good();
}

#[tokio::test]
async fn a_projects_token_is_good_for_its_project_only_and_until_it_is_taken_back() {
    let bench = Bench::start("tokens", json!({}), json!({})).await;
    let admin = bench.admin().await;
    for name in ["red", "blue"] {
        let policy = format!("p, proj:{name}:ci, applications, *, {name}/*, allow");
        let project = json!({"project": {"metadata": {"name": name}, "spec": {
            "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
            "roles": [{"name": "ci", "policies": [policy]}],
        }}});
        bench.post("/api/v1/projects", &admin, project).await.good();
        let mut application = crate::bench::application(name, "guestbook");
        application["spec"]["project"] = name.into();
        bench.post("/api/v1/applications", &admin, application).await.good();
    }
    let issued = bench.post("/api/v1/projects/red/roles/ci/token", &admin, json!({"id": "t"})).await.good();
    let token = issued.json()["token"].as_str().unwrap().to_owned();
    bench.get("/api/v1/applications/red", &token).await.good();
    bench.get("/api/v1/applications/blue", &token).await.is(403, "permission denied");
    bench.get("/api/v1/projects/red", &token).await.good();
    assert_eq!(bench.get("/api/v1/projects/blue", &token).await.status, 403);
    let twice = bench.post("/api/v1/projects/red/roles/ci/token", &admin, json!({"id": "t"})).await;
    twice.is(400, "rpc error: code = InvalidArgument desc = Token id 't' has been used. ");
    bench.rest("DELETE", "/api/v1/projects/red/roles/ci/token/0?id=t", &admin, None).await.good();
    assert_eq!(bench.get("/api/v1/applications/red", &token).await.status, 401);
    // What is not there is as good as taken back, with its role or without.
    bench.rest("DELETE", "/api/v1/projects/red/roles/ci/token/0?id=t", &admin, None).await.good();
    bench.rest("DELETE", "/api/v1/projects/red/roles/none/token/0?id=t", &admin, None).await.good();
    let told = bench.get("/api/v1/projects/red/events", &admin).await.good().json();
    let said = |what: &str| {
        let of = |event: &&serde_json::Value| event["message"] == format!("admin {what}");
        told["items"].as_array().unwrap().iter().filter(of).count()
    };
    assert_eq!((said("created token"), said("deleted token")), (1, 1), "{told}");
    bench
        .rest("DELETE", "/api/v1/projects/red", &admin, None)
        .await
        .is(400, "project is referenced by 1 applications");
    bench
        .rest("DELETE", "/api/v1/projects/default", &admin, None)
        .await
        .is(400, "name 'default' is reserved and cannot be deleted");
}
