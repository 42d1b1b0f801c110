//! Many notifications of one kind for one destination at once: people are told of them together. What machines read, and
//! what has a place of its own for each application, is never put together.

use crate::notification::Notification;
use serde_json::json;

/// So many that wait for one destination are told together, unless the configuration says otherwise.
pub const THRESHOLD: usize = 30;
/// Most that are told together.
pub const LARGEST: usize = 500;
/// Applications that are named.
const NAMED: usize = 60;

/// Services whose messages people read one after another.
const READ_BY_PEOPLE: [&str; 10] = [
    "email",
    "googlechat",
    "mattermost",
    "pushover",
    "rocketchat",
    "slack",
    "teams",
    "teams-workflows",
    "telegram",
    "webex",
];

/// Whether notifications of a kind of service may be told together.
pub fn is_read_by_people(kind: &str) -> bool {
    READ_BY_PEOPLE.contains(&kind)
}

/// One notification for the applications that a trigger is true of, in the order of their names.
pub fn digest(trigger: &str, applications: &[String]) -> Notification {
    let mut names = applications.to_vec();
    names.sort();
    names.dedup();
    let count = names.len();
    let more = count.saturating_sub(NAMED);
    names.truncate(NAMED);
    let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let subject = format!("{trigger}: {count} applications");
    // One line: a mail may be one of HTML.
    let message = format!("{subject}: {}{and_more}", names.join(", "));
    let mut digest = Notification { message, ..Notification::default() };
    digest.sections.insert("email".to_owned(), json!({"subject": subject}));
    digest
}

#[cfg(test)]
mod tests {
    use super::{digest, is_read_by_people};

    #[test]
    fn applications_are_named_up_to_a_number() {
        let names: Vec<String> = (0..75).rev().map(|number| format!("argocd/app-{number:02}")).collect();
        let found = digest("on-health-degraded", &names);
        assert!(
            found.message.starts_with("on-health-degraded: 75 applications: argocd/app-00, argocd/app-01, ")
        );
        assert!(found.message.ends_with("argocd/app-59 and 15 more"), "{}", found.message);
        let subject = found.section("email").expect("a mail").text("subject");
        assert_eq!(subject.as_deref(), Ok("on-health-degraded: 75 applications"));
        assert_eq!(digest("t", &names[..2]).message, "t: 2 applications: argocd/app-73, argocd/app-74");
    }

    #[test]
    fn machines_are_told_one_by_one() {
        assert!(is_read_by_people("slack") && is_read_by_people("email"));
        for kind in
            ["webhook", "github", "gitlab", "alertmanager", "pagerduty", "opsgenie", "awssqs", "grafana"]
        {
            assert!(!is_read_by_people(kind), "{kind}");
        }
    }
}
