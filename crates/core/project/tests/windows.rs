//! Sync windows at given times, and what a valid project is.

#![expect(clippy::needless_pass_by_value, reason = "the cases read better without borrows")]

use api::v1alpha1::{AppProject, Application, SyncWindow};
use jiff::Timestamp;
use project::windows::{Attempt, Open, Windows, is_active, open};
use project::{Schedule, validate_project};
use serde_json::{Value, json};

fn project(spec: Value) -> AppProject {
    serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a valid case")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a valid case")
}

#[test]
fn windows_open_and_close_by_the_clocks_of_their_zone() {
    let rows = [
        ("0 22 * * *", "1h", "", "2024-03-05T22:30:00Z", true),
        ("0 22 * * *", "1h", "", "2024-03-05T22:00:00Z", false),
        ("0 22 * * *", "1h", "", "2024-03-05T22:00:01Z", true),
        ("0 22 * * *", "1h", "", "2024-03-05T23:00:00Z", false),
        ("0 22 * * *", "4h", "", "2024-03-06T01:59:00Z", true),
        ("0 22 * * *", "1h", "Europe/Berlin", "2024-01-05T21:30:00Z", true),
        ("0 22 * * *", "1h", "Europe/Berlin", "2024-07-05T20:30:00Z", true),
        ("0 22 * * *", "1h", "Nowhere/Land", "2024-07-05T22:30:00Z", true),
        ("* * * * *", "1h", "", "2024-07-05T22:30:00Z", true),
        ("0 9 * * 1-5", "8h", "", "2024-03-09T10:00:00Z", false),
        ("0 9 * * mon-fri", "8h", "", "2024-03-08T10:00:00Z", true),
        ("0 0 1 * sun", "24h", "", "2024-03-10T10:00:00Z", true),
        ("0 0 1 * sun", "24h", "", "2024-03-01T10:00:00Z", true),
        ("0 0 1 * *", "24h", "", "2024-03-10T10:00:00Z", false),
        ("*/20 * * * *", "5m", "", "2024-03-10T10:42:00Z", true),
        ("*/20 * * * *", "5m", "", "2024-03-10T10:47:00Z", false),
        ("0 0 30 2 *", "24h", "", "2024-03-10T10:42:00Z", false),
        // Clocks go back at one, and forward at one: a window ends when they show its end.
        ("0 22 * * *", "10h", "Europe/Berlin", "2024-10-27T06:59:59Z", true),
        ("0 22 * * *", "10h", "Europe/Berlin", "2024-10-27T07:00:00Z", false),
        ("0 22 * * *", "10h", "Europe/Berlin", "2024-03-31T05:59:59Z", true),
        ("0 22 * * *", "10h", "Europe/Berlin", "2024-03-31T06:00:00Z", false),
        ("0 2 * * *", "2h", "Europe/Berlin", "2024-03-31T00:59:59Z", false),
        ("0 2 * * *", "2h", "Europe/Berlin", "2024-03-31T01:30:00Z", true),
        ("30 2 * * *", "30m", "Europe/Berlin", "2024-10-27T00:45:00Z", true),
        ("30 2 * * *", "30m", "Europe/Berlin", "2024-10-27T01:15:00Z", false),
        ("30 2 * * *", "30m", "Europe/Berlin", "2024-10-27T01:45:00Z", true),
        ("0 22 * * *", "nonsense", "", "2024-03-05T22:30:00Z", false),
    ];
    for (schedule, duration, zone, now, expected) in rows {
        let window = SyncWindow {
            schedule: schedule.into(),
            duration: duration.into(),
            time_zone: zone.into(),
            ..SyncWindow::default()
        };
        assert_eq!(is_active(&window, at(now)), expected, "{schedule} {duration} {zone} {now}");
    }
}

#[test]
fn schedules_that_mean_nothing_are_refused() {
    let told = |text: &str| Schedule::parse(text).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(told("bad"), Err("expected exactly 5 fields, found 1: [bad]".into()));
    for text in [
        "",
        "@daily",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 7",
        "5-1 * * * *",
        "*/0 * * * *",
        "x * * * *",
        "1-2-3 * * * *",
        "1/2/3 * * * *",
        "99999999999999999999 * * * *",
    ] {
        assert!(told(text).is_err(), "{text:?}");
    }
    for text in ["0 0 * * *", "? ? ? ? ?", "1,2,3-10/2 */5 1-31 jan,FEB sun"] {
        assert_eq!(told(text), Ok(()), "{text:?}");
    }
}

fn application(destination: Value) -> Application {
    let application = json!({"metadata": {"name": "web"}, "spec": {"destination": destination}});
    serde_json::from_value(application).expect("a valid case")
}

fn permit(windows: Value, manual: bool, started: Option<&str>, now: &str) -> Result<bool, String> {
    let project = project(json!({"syncWindows": windows}));
    let application = application(json!({"name": "in-cluster", "namespace": "team-a"}));
    let windows = Windows::of(&project, &application);
    windows.permit(Attempt { manual, started: started.map(at) }, at(now))
}

#[test]
fn denies_win_and_inactive_allows_forbid() {
    let allow = json!({"kind": "allow", "schedule": "0 22 * * *", "duration": "1h", "applications": ["*"]});
    let deny = json!({"kind": "deny", "schedule": "0 22 * * *", "duration": "1h", "namespaces": ["team-*"]});
    let other = json!({"kind": "deny", "schedule": "* * * * *", "duration": "1h", "namespaces": ["team-b"]});
    let manual_deny = json!({"kind": "deny", "schedule": "0 22 * * *", "duration": "1h", "clusters": ["in-cluster"], "manualSync": true});
    let manual_allow = json!({"kind": "allow", "schedule": "0 22 * * *", "duration": "1h", "applications": ["*"], "manualSync": true});
    let (inside, outside) = ("2024-03-05T22:30:00Z", "2024-03-05T12:00:00Z");
    let rows = [
        (json!([]), false, inside, true),
        (json!([other]), false, inside, true),
        (json!([allow]), false, inside, true),
        (json!([allow]), false, outside, false),
        (json!([allow]), true, outside, false),
        (json!([manual_allow]), true, outside, true),
        // Every window that is in the way must consent.
        (json!([manual_allow, allow]), true, outside, false),
        (json!([manual_allow, allow]), true, inside, true),
        (json!([deny]), false, inside, false),
        (json!([deny]), false, outside, true),
        (json!([allow, deny]), false, inside, false),
        (json!([manual_deny]), true, inside, true),
        (json!([manual_deny]), false, inside, false),
        (json!([manual_deny, deny]), true, inside, false),
    ];
    for (windows, manual, now, expected) in rows {
        assert_eq!(
            permit(windows.clone(), manual, None, now),
            Ok(expected),
            "{windows} manual={manual} {now}"
        );
    }
}

#[test]
fn a_running_sync_may_overrun_where_the_window_says_so() {
    let allow = json!([{"kind": "allow", "schedule": "0 22 * * *", "duration": "1h", "applications": ["*"], "syncOverrun": true}]);
    let deny = json!([{"kind": "deny", "schedule": "0 22 * * *", "duration": "1h", "applications": ["*"], "syncOverrun": true}]);
    let late = "2024-03-05T23:10:00Z";
    assert_eq!(permit(allow.clone(), false, Some("2024-03-05T22:30:00Z"), late), Ok(true));
    assert_eq!(permit(allow.clone(), false, Some("2024-03-05T21:30:00Z"), late), Ok(false));
    assert_eq!(permit(allow, false, None, late), Ok(false));
    let inside = "2024-03-05T22:10:00Z";
    assert_eq!(permit(deny.clone(), false, Some("2024-03-05T21:30:00Z"), inside), Ok(true));
    assert_eq!(permit(deny.clone(), false, Some("2024-03-05T22:05:00Z"), inside), Ok(false));
    assert_eq!(permit(deny, false, None, inside), Ok(false));
}

#[test]
fn a_sync_overruns_only_where_all_windows_say_so_and_it_was_let_in() {
    let window = |kind: &str, schedule: &str, overrun: bool| json!({"kind": kind, "schedule": schedule, "duration": "1h", "applications": ["*"], "syncOverrun": overrun});
    let (evening, night) = ("0 22 * * *", "0 2 * * *");
    let (early, inside, late) = ("2024-03-05T21:30:00Z", "2024-03-05T22:30:00Z", "2024-03-05T23:10:00Z");
    let by_hand = json!({"kind": "allow", "schedule": evening, "duration": "1h", "applications": ["*"], "syncOverrun": true, "manualSync": true});
    let rows = [
        // An allow that is over: also one that was not open when the sync began has a say.
        (json!([window("allow", evening, true), window("allow", night, true)]), false, inside, late, true),
        (json!([window("allow", evening, true), window("allow", night, false)]), false, inside, late, false),
        // A deny that began since: every active one, and what else was in the way at the beginning.
        (json!([window("deny", evening, true), window("deny", evening, false)]), false, early, inside, false),
        (json!([window("deny", evening, true), window("deny", night, false)]), false, early, inside, true),
        (json!([window("deny", evening, true), window("allow", night, true)]), false, early, inside, false),
        (
            json!([window("deny", evening, true), window("allow", "0 21 * * *", false)]),
            false,
            early,
            inside,
            true,
        ),
        // Let in by hand.
        (json!([window("deny", evening, true), by_hand]), true, early, inside, true),
        (json!([window("deny", evening, true), by_hand]), false, early, inside, false),
    ];
    for (windows, manual, started, now, expected) in rows {
        let permitted = permit(windows.clone(), manual, Some(started), now);
        assert_eq!(permitted, Ok(expected), "{windows} manual={manual} {started} {now}");
    }
}

#[test]
fn clusters_are_matched_by_what_the_application_says_of_its_own() {
    let denied = |pattern: &str, destination: Value| {
        let project = project(json!({"syncWindows": [
            {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "clusters": [pattern]}]}));
        !Windows::of(&project, &application(destination)).assigned().is_empty()
    };
    let (by_name, by_server) = (json!({"name": "prod-1"}), json!({"server": "https://prod-1"}));
    assert!(denied("prod-*", by_name.clone()));
    assert!(!denied("prod-*", by_server.clone()));
    assert!(denied("https://prod-?", by_server.clone()));
    assert!(!denied("https://prod-?", by_name.clone()));
    assert!(denied("*", by_name) && denied("{*://,}prod-[0-9]", by_server));
    assert!(!denied("*", json!({})), "no cluster is named");
}

#[test]
fn namespaces_are_matched_by_globs_and_with_the_cluster_where_both_are_asked() {
    let both = |and: bool, namespace: &str, cluster: &str| json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "namespaces": [namespace], "clusters": [cluster], "andOperator": and}]);
    let denied = |windows: Value| permit(windows, false, None, "2024-03-05T12:00:00Z") == Ok(false);
    assert!(denied(both(true, "team-*", "in-*")));
    assert!(!denied(both(true, "team-*", "out-*")));
    assert!(!denied(both(true, "other-*", "in-*")));
    assert!(denied(both(false, "other-*", "in-*")));
    assert!(denied(both(false, "team-?", "out-*")));
    assert!(!denied(both(false, "other-*", "out-*")));
}

#[test]
fn it_is_known_when_windows_change_and_a_retry_began_when_its_operation_did() {
    let of = |windows: Value, state: Value, now: &str| -> Open {
        let mut application = application(json!({"server": "https://k"}));
        application.status.operation_state = serde_json::from_value(state).expect("a valid case");
        open(&project(json!({"syncWindows": windows})), &application, at(now))
    };
    let window = |kind: &str, schedule: &str, zone: &str| json!({"kind": kind, "schedule": schedule, "duration": "1h", "timeZone": zone, "applications": ["*"], "syncOverrun": true});
    let changes =
        |windows: Value, now: &str| of(windows, Value::Null, now).changes_at.map(|at| at.to_string());
    let evening = || window("allow", "0 22 * * *", "");
    let told = |text: &str| Some(text.to_owned());
    assert_eq!(changes(json!([evening()]), "2024-03-05T12:00:00Z"), told("2024-03-05T22:00:00.001Z"));
    assert_eq!(changes(json!([evening()]), "2024-03-05T22:00:00Z"), told("2024-03-05T22:00:00.001Z"));
    assert_eq!(changes(json!([evening()]), "2024-03-05T22:00:00.001Z"), told("2024-03-05T23:00:00Z"));
    assert_eq!(changes(json!([evening()]), "2024-03-05T23:00:00Z"), told("2024-03-06T22:00:00.001Z"));
    let two = json!([evening(), window("deny", "30 19 * * *", "Europe/Berlin")]);
    assert_eq!(changes(two, "2024-03-05T12:00:00Z"), told("2024-03-05T18:30:00.001Z"));
    assert_eq!(changes(json!([window("allow", "0 0 30 2 *", "")]), "2024-03-05T12:00:00Z"), None);
    assert_eq!(changes(json!([]), "2024-03-05T12:00:00Z"), None);
    // Clocks go back at one, and forward at one.
    let night = |duration: &str| {
        let mut night = window("allow", "30 2 * * *", "Europe/Berlin");
        night["duration"] = json!(duration);
        json!([night])
    };
    assert_eq!(changes(night("30m"), "2024-10-27T00:45:00Z"), told("2024-10-27T01:00:00Z"));
    assert_eq!(changes(night("30m"), "2024-10-27T01:15:00Z"), told("2024-10-27T01:30:00.001Z"));
    assert_eq!(changes(night("30m"), "2024-10-27T01:45:00Z"), told("2024-10-27T02:00:00Z"));
    assert_eq!(changes(night("2h"), "2024-03-31T00:30:00Z"), told("2024-03-31T01:00:00Z"));
    assert_eq!(changes(night("2h"), "2024-03-31T01:00:00Z"), told("2024-03-31T02:30:00Z"));
    // Each of these moments is one after which all is as the windows say.
    let now = at("2024-03-05T22:00:00.001Z");
    let read: SyncWindow = serde_json::from_value(evening()).expect("a valid case");
    assert!(is_active(&read, now) && !is_active(&read, at("2024-03-05T22:00:00Z")));

    let state = |phase: &str| {
        json!({"operation": {"sync": {}, "initiatedBy": {"automated": true}}, "phase": phase,
            "startedAt": "2024-03-05T22:30:00Z", "finishedAt": "2024-03-05T22:50:00Z", "retryCount": 1})
    };
    let late = "2024-03-05T23:10:00Z";
    assert!(of(json!([evening()]), state("Running"), late).operation, "waits for its next try");
    assert!(!of(json!([evening()]), state("Failed"), late).operation, "is over");
}

#[test]
fn a_window_that_cannot_be_read_forbids() {
    let broken = json!([{"kind": "allow", "schedule": "x", "duration": "1h", "applications": ["*"]}]);
    assert!(permit(broken, true, None, "2024-03-05T12:00:00Z").is_err());
}

#[test]
fn and_asks_for_all_that_is_named() {
    let window = |and: bool, namespace: &str| json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["web"], "namespaces": [namespace], "andOperator": and}]);
    let now = "2024-03-05T12:00:00Z";
    assert_eq!(permit(window(true, "team-b"), false, None, now), Ok(true));
    assert_eq!(permit(window(true, "team-a"), false, None, now), Ok(false));
    assert_eq!(permit(window(false, "team-b"), false, None, now), Ok(false));
}

#[test]
fn invalid_projects_are_told_as_recorded() {
    let window = |kind: &str, schedule: &str, duration: &str, applications: Value| json!({"syncWindows": [{"kind": kind, "schedule": schedule, "duration": duration, "applications": applications}]});
    let role = |policy: &str| json!({"roles": [{"name": "ci", "policies": [policy]}]});
    let account = |server: &str, namespace: &str| json!({"destinationServiceAccounts": [{"server": server, "namespace": namespace, "defaultServiceAccount": "sync"}]});
    let rows = [
        (
            window("bogus", "* * * * *", "1h", json!(["*"])),
            "kind 'bogus' mismatch: can only be allow or deny",
        ),
        (
            window("allow", "bad", "1h", json!(["*"])),
            "cannot parse schedule 'bad': expected exactly 5 fields, found 1: [bad]",
        ),
        (
            window("allow", "* * * * *", "1x", json!(["*"])),
            "cannot parse duration '1x': time: unknown unit \"x\" in duration \"1x\"",
        ),
        (
            window("allow", "* * * * *", "1h", json!([])),
            "window 'allow':'* * * * *':'1h' requires one of application, cluster or namespace",
        ),
        (
            role("p, proj:p:ci, applications, fly, p/*, allow"),
            "invalid policy rule 'p, proj:p:ci, applications, fly, p/*, allow': invalid action 'fly'",
        ),
        (
            json!({"destinations": [{"server": "x", "namespace": "!*"}]}),
            "namespace has an invalid format, '!*'",
        ),
        (account("[[ech*", "x"), "server has an invalid format, '[[ech*'"),
        (account("x", "[[ech*"), "namespace has an invalid format, '[[ech*'"),
        (account("x", "!abc"), "namespace has an invalid format, '!abc'"),
        (json!({"sourceRepos": ["a", "a"]}), "source repository 'a' already added"),
        (json!({"roles": [{"name": "a"}, {"name": "a"}]}), "role 'a' already exists"),
    ];
    for (spec, expected) in rows {
        let error = validate_project(&project(spec.clone())).expect_err(expected);
        assert_eq!(error.message, expected, "{spec}");
    }
    for policy in [
        "p, proj:other:ci, applications, get, p/*, allow",
        "p, proj:p:ci, applications, get, other/*, allow",
        "p, proj:p:ci, applications, get, p/../other/x, allow",
        "p, proj:p:ci, accounts, get, p/*, allow",
        "p, proj:p:ci, applications, get, p/*, maybe",
        "g, proj:p:ci, role:admin",
    ] {
        assert!(validate_project(&project(role(policy))).is_err(), "{policy}");
    }
    for policy in [
        "p, proj:p:ci, applications, sync, p/*, allow",
        "p, proj:p:ci, applications, action/apps/*, p/ns/web, deny",
    ] {
        assert_eq!(validate_project(&project(role(policy))), Ok(()), "{policy}");
    }
}
