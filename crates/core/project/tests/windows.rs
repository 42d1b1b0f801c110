//! Sync windows at given times, and what a valid project is.

#![expect(clippy::needless_pass_by_value, reason = "the cases read better without borrows")]

use api::v1alpha1::{AppProject, SyncWindow};
use jiff::Timestamp;
use project::windows::{Attempt, Windows, is_active};
use project::{Cluster, Schedule, validate_project};
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

fn permit(windows: Value, manual: bool, started: Option<&str>, now: &str) -> Result<bool, String> {
    let project = project(json!({"syncWindows": windows}));
    let cluster = Cluster { server: "https://k".into(), name: "in-cluster".into() };
    let windows = Windows::of(&project, "web", "team-a", &cluster);
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
