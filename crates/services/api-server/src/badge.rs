//! `/api/badge`: health and sync status of an application, or of all of a project, as a picture. Anybody may ask
//! where `statusbadge.enabled` is set; where it is not, the picture tells nothing.

use crate::authorization::project_name;
use crate::hub::Hub;
use api::codes::{HealthStatusCode, SyncStatusCode};
use api::v1alpha1::Application;
use axum::body::Body;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use std::sync::Arc;

const LOGO: &str = include_str!("../assets/badge-logo.txt");
const WIDTH: i64 = 131;
const WITH_REVISION: i64 = 192;
const WITH_WHOLE_REVISION: i64 = 400;
const LEFT: i64 = 77;
const BLUE: &str = "rgb(16, 61, 102)";
const GREEN: &str = "rgb(11, 97, 42)";
const PURPLE: &str = "rgb(115, 31, 77)";
const ORANGE: &str = "rgb(189, 115, 0)";
const RED: &str = "rgb(167, 46, 38)";
const GREY: &str = "rgb(41, 52, 61)";

/// What is asked for. Of a parameter that is there twice the first counts, but for projects.
#[derive(Debug, Default)]
struct Query {
    namespace: Option<String>,
    name: Option<String>,
    projects: Vec<String>,
    revision: bool,
    whole_revision: bool,
    width: Option<i64>,
    title: bool,
}

impl Query {
    fn parse(text: &str) -> Self {
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let first = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let is = |name: &str| first(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Self {
            namespace: first("namespace"),
            name: first("name"),
            projects: pairs
                .iter()
                .filter(|(key, _)| key == "project")
                .map(|(_, value)| value.clone())
                .collect(),
            revision: is("revision"),
            whole_revision: is("keepFullRevision"),
            width: first("width").and_then(|width| width.parse().ok()),
            title: is("showAppName"),
        }
    }
}

/// What the picture shows.
#[derive(Debug, PartialEq, Eq)]
struct Badge {
    health: String,
    sync: String,
    revision: String,
    /// Name of the application, if there is one.
    name: String,
    found: bool,
}

/// Answers.
pub(crate) fn answer(hub: &Hub, query: &str) -> Response<Body> {
    let enabled = hub.snapshot().server.badge_enabled;
    let query = if enabled { Query::parse(query) } else { Query::default() };
    let Some(badge) = badge(hub, &query) else {
        let mut refused = Response::new(Body::empty());
        *refused.status_mut() = StatusCode::BAD_REQUEST;
        return refused;
    };
    let mut response = Response::new(Body::from(picture(&badge, &query)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// What there is to show; nothing when the question is none.
fn badge(hub: &Hub, query: &Query) -> Option<Badge> {
    let unknown = || HealthStatusCode::Unknown.as_str().to_owned();
    let mut badge = Badge {
        health: unknown(),
        sync: SyncStatusCode::Unknown.as_str().to_owned(),
        revision: String::new(),
        name: String::new(),
        found: true,
    };
    let namespace = query.namespace.as_deref().unwrap_or(hub.store.namespace());
    if query.namespace.is_some() {
        if !is_label(namespace) {
            return None;
        }
        badge.found = hub.store.namespaces().permits(namespace);
    }
    if let Some(name) = query.name.as_ref().filter(|_| badge.found) {
        if name.len() > 253 || !name.split('.').all(is_label_of_any_length) {
            return None;
        }
        match hub.store.application(namespace, name) {
            Ok(application) => of_application(&mut badge, &application),
            Err(_) => badge.found = false,
        }
    }
    if badge.found && !query.projects.is_empty() {
        let is_name = |name: &String| name.is_empty() || is_label(&name.to_lowercase());
        if !query.projects.iter().all(is_name) {
            return None;
        }
        let applications = hub.store.applications().values();
        let own: Vec<_> = applications
            .into_iter()
            .filter(|application| {
                let of = application.metadata.namespace.as_str();
                hub.namespace_or_default(of) == namespace
                    && query.projects.iter().any(|project| project == project_name(application))
            })
            .collect();
        of_project(&mut badge, &own);
    }
    Some(badge)
}

fn of_application(badge: &mut Badge, application: &Application) {
    let status = &application.status;
    badge.health.clone_from(&status.health.status);
    badge.sync.clone_from(&status.sync.status);
    badge.name.clone_from(&application.metadata.name);
    if let Some(result) = status.operation_state.as_ref().and_then(|state| state.sync_result.as_ref()) {
        badge.revision = result.revisions.first().unwrap_or(&result.revision).clone();
    }
}

/// All must be synced and healthy.
fn of_project(badge: &mut Badge, applications: &[Arc<Application>]) {
    if applications.is_empty() {
        return;
    }
    let (synced, healthy) = (SyncStatusCode::Synced.as_str(), HealthStatusCode::Healthy.as_str());
    let out = SyncStatusCode::OutOfSync.as_str();
    let ill = HealthStatusCode::Degraded.as_str();
    let all_synced = applications.iter().all(|application| application.status.sync.status == synced);
    let all_healthy = applications.iter().all(|application| application.status.health.status == healthy);
    let sync = if all_synced && badge.sync != out { synced } else { out };
    let health = if all_healthy && badge.health != ill { healthy } else { ill };
    (badge.sync, badge.health) = (sync.to_owned(), health.to_owned());
}

fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_label_of_any_length(text)
}

fn is_label_of_any_length(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (Some(first), Some(last)) = (text.bytes().next(), text.bytes().last()) else { return false };
    plain(first) && plain(last) && text.bytes().all(|byte| plain(byte) || byte == b'-')
}

fn health_color(health: &str) -> &'static str {
    match health {
        "Degraded" => RED,
        "Healthy" => GREEN,
        "Missing" | "Unknown" => PURPLE,
        "Progressing" => BLUE,
        _ => GREY,
    }
}

fn sync_color(sync: &str) -> &'static str {
    match sync {
        "Synced" => GREEN,
        "OutOfSync" => ORANGE,
        "Unknown" => PURPLE,
        _ => GREY,
    }
}

/// How wide what is, in pixels.
struct Widths {
    all: i64,
    title: i64,
    right: i64,
    revision: i64,
    revision_at: i64,
    /// Each change of the width leaves a blank behind, by which caches know the picture.
    blanks: usize,
}

fn widths(shown: &str, cut: bool, title: &str, query: &Query) -> Widths {
    let mut widths = Widths { all: WIDTH, title: 0, right: 57, revision: 62, revision_at: 1560, blanks: 1 };
    if !shown.is_empty() {
        widths.all = if cut { WITH_REVISION } else { WITH_WHOLE_REVISION };
    }
    if let Some(width) = query.width {
        widths.all = width;
    }
    if !shown.is_empty() || query.width.is_some() {
        widths.blanks += 1;
        if query.revision {
            let letters = i64::try_from(shown.len()).unwrap_or(0);
            widths.revision = widths.all.saturating_sub(WIDTH);
            widths.revision_at = WIDTH * 10 + (letters + 1) * 31;
        } else {
            widths.right = widths.all.saturating_sub(LEFT);
        }
    }
    if !title.is_empty() {
        widths.blanks += 1;
        widths.all = widths.all.max(i64::try_from(title.len()).unwrap_or(0) * 6);
        widths.title = widths.all;
        widths.right = widths.all.saturating_sub(LEFT);
    }
    widths
}

/// The revision as it is shown.
fn shown_revision<'b>(badge: &'b Badge, query: &Query) -> &'b str {
    if !badge.found || !query.revision {
        return "";
    }
    if query.whole_revision { &badge.revision } else { badge.revision.get(..7).unwrap_or(&badge.revision) }
}

fn picture(badge: &Badge, query: &Query) -> String {
    let shown = shown_revision(badge, query);
    let title = if query.title { badge.name.as_str() } else { "" };
    let cut = shown.len() < badge.revision.len();
    let Widths { all, title: title_width, right, revision, revision_at, blanks } =
        widths(shown, cut, title, query);
    let (height, row, logo_at, text_at) = if title.is_empty() { (20, 0, 2, 130) } else { (40, 20, 22, 330) };
    let (left_color, right_color) = (health_color(&badge.health), sync_color(&badge.sync));
    let (left_text, right_text) =
        if badge.found { (badge.health.as_str(), badge.sync.as_str()) } else { ("Not Found", "") };
    let (revision_color, display, revision_text) = if shown.is_empty() {
        ("\"#4c1\"".to_owned(), "none", String::new())
    } else {
        (format!("\"{right_color}\" "), "inline", format!("({})", escaped(shown)))
    };
    let blanks = " ".repeat(blanks);
    format!(
        r##"<svg width="{all}"{blanks}height="{height}" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" >

    <clipPath id="roundedCorners">
        <rect width="100%" height="100%" rx="3" opacity="1" />
    </clipPath>

    <g clip-path="url(#roundedCorners)">
        <rect id="titleRect" fill="#29343D" x="0" y="0" width="{title_width}" height="20" />
        <rect id="leftRect" fill="{left_color}"  x="0" y="{row}" width="76" height="20" />
        <rect id="rightRect" fill="{right_color}"  x="77" y="{row}" width="{right}" height="20" />
        <rect id="revisionRect" fill={revision_color} x="131" y="{row}" width="{revision}" height="20" display="{display}"/>
    </g>

    <g fill="#fff" text-anchor="middle" font-family="DejaVu Sans, sans-serif" font-size="90">
       <image x="5" y="{logo_at}" width="14" height="14" xlink:href="data:image/png;base64,{LOGO}"/>
        <text id="titleText" x="100" y="130" transform="scale(.1)" text-anchor="start" letter-spacing="-2">{title}</text>
        <text id="leftText" x="475" y="{text_at}" transform="scale(.1)" text-anchor="middle" letter-spacing="-2">{left}</text>
        <text id="rightText" x="1035" y="{text_at}" transform="scale(.1)" text-anchor="middle" letter-spacing="-2">{right_text}</text>
        <text id="revisionText" x="{revision_at}" y="{text_at}" font-family="monospace" transform="scale(.1)" font-size="100" letter-spacing="2" display="{display}">{revision_text}</text>
    </g>
</svg>
"##,
        title = escaped(title),
        left = escaped(left_text),
        right_text = escaped(right_text),
    )
}

/// Text between tags: what a status says must not become markup in somebody's browser.
pub(crate) fn escaped(text: &str) -> String {
    let plain = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    plain.replace('"', "&#34;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn badge(revision: &str) -> Badge {
        Badge {
            health: "Healthy".into(),
            sync: "OutOfSync".into(),
            revision: revision.into(),
            name: "guestbook".into(),
            found: true,
        }
    }

    fn drawn(query: &str) -> String {
        let revision = "0123456789012345678901234567890123456789";
        picture(&badge(revision), &Query::parse(query)).replace(LOGO, "")
    }

    #[test]
    fn widths_follow_what_is_shown() {
        assert!(drawn("").starts_with("<svg width=\"131\" height=\"20\" xmlns"));
        let revision = drawn("revision=TRUE");
        assert!(revision.starts_with("<svg width=\"192\"  height=\"20\""));
        assert!(revision.contains(">(0123456)<") && revision.contains("x=\"1558\""), "{revision}");
        assert!(revision.contains("fill=\"rgb(189, 115, 0)\"  x=\"131\" y=\"0\" width=\"61\""), "{revision}");
        let whole = drawn("revision=true&keepFullRevision=true");
        assert!(whole.contains("x=\"2581\"") && whole.contains("width=\"269\""), "{whole}");
        assert!(drawn("width=400").contains("x=\"77\" y=\"0\" width=\"323\""));
        let named = drawn("showAppName=true");
        assert!(named.contains(">guestbook<") && named.contains("x=\"77\" y=\"20\" width=\"54\""), "{named}");
        assert_eq!(drawn("width=abc"), drawn(""));
    }

    #[test]
    fn what_is_not_there_says_nothing_of_itself() {
        let gone = Badge { found: false, ..badge("0123456789") };
        let drawn = picture(&gone, &Query::parse("revision=true"));
        assert!(drawn.contains(">Not Found<") && !drawn.contains("OutOfSync") && !drawn.contains("0123456"));
    }

    #[test]
    fn a_project_is_as_well_as_all_of_its_applications() {
        let application = |sync: &str, health: &str| {
            let mut application = Application::default();
            application.status.sync.status = sync.into();
            application.status.health.status = health.into();
            Arc::new(application)
        };
        let of = |applications: &[Arc<Application>]| {
            let mut badge = Badge { health: "Unknown".into(), sync: "Unknown".into(), ..badge("") };
            of_project(&mut badge, applications);
            (badge.sync, badge.health)
        };
        let well = application("Synced", "Healthy");
        assert_eq!(of(std::slice::from_ref(&well)), ("Synced".into(), "Healthy".into()));
        assert_eq!(of(&[well, application("Unknown", "Missing")]), ("OutOfSync".into(), "Degraded".into()));
        assert_eq!(of(&[]), ("Unknown".into(), "Unknown".into()));
    }

    #[test]
    fn markup_stays_text() {
        let mut odd = badge("");
        odd.health = "<script>".into();
        assert!(picture(&odd, &Query::default()).contains("&lt;script&gt;"));
        assert!(!is_label("../x") && is_label("a-1") && !is_label(""));
    }
}
