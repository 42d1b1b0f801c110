//! The comment of a pull request: what it would change in all applications it concerns. It is the same for the same
//! findings, and never longer than the provider takes.

use crate::changes::{Change, Judgement};
use crate::text::{block, line, name, shortened};

/// Applications that have a line of their own.
const MOST_LINES: usize = 50;
/// Characters of one resource's difference.
const RESOURCE: usize = 6_000;
/// Characters of a reason.
const REASON: usize = 1_000;

/// What a provider shows.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether parts can be folded.
    pub folds: bool,
    /// Characters of a comment.
    pub longest: usize,
}

/// An application, as the comment names it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its page; empty when nobody said where pages are.
    pub url: String,
    /// What was found.
    pub judgement: Judgement,
}

/// A comment.
#[derive(Clone, Copy, Debug)]
pub struct Comment<'a> {
    /// The commit that was looked at.
    pub commit: &'a str,
    /// The applications, in order.
    pub entries: &'a [Entry],
    /// Applications that were not looked at: there are too many.
    pub more: usize,
    /// What the comment is found again by; letters, digits and hyphens.
    pub marker: &'a str,
}

impl Comment<'_> {
    /// The text.
    pub fn text(&self, style: Style) -> String {
        // Markdown for a name that nothing refers to: no provider shows it.
        let end = format!("\n[//]: # ({})\n", self.marker);
        let mut text = format!("### Argo CD\n\n{}\n", self.summary());
        let room = style.longest.saturating_sub(end.chars().count() + LEFT_OUT.len() + 20);
        let mut length = text.chars().count();
        let mut left_out = 0;
        for part in self.parts(style) {
            let size = part.chars().count();
            if length + size > room {
                left_out += 1;
                continue;
            }
            length += size;
            text.push_str(&part);
        }
        if length > room {
            // A summary that is too long by itself.
            text = shortened(&text, room);
        }
        if left_out > 0 {
            text.push_str(&format!("\n{left_out} {LEFT_OUT}\n"));
        }
        text.push_str(&end);
        text
    }

    fn summary(&self) -> String {
        let commit = name(self.commit.get(..12).unwrap_or(self.commit));
        if self.entries.is_empty() {
            return format!("Commit `{commit}` changes no application.");
        }
        let mut text = format!(
            "What a sync of commit `{commit}` would change, compared with what is live now.\n\n| application | |\n| --- | --- |"
        );
        for entry in self.entries.iter().take(MOST_LINES) {
            let shown = name(&entry.name);
            let shown = if is_plain(&entry.url) { format!("[{shown}]({})", entry.url) } else { shown };
            let said = match &entry.judgement {
                Judgement::Compared(_) => entry.judgement.status().1,
                Judgement::Rejected(_) => "cannot be synced".to_owned(),
                Judgement::Failed(_) => "could not be looked at".to_owned(),
            };
            text.push_str(&format!("\n| {shown} | {said} |"));
        }
        let more = self.more + self.entries.len().saturating_sub(MOST_LINES);
        if more > 0 {
            text.push_str(&format!("\n\n{more} more applications may be concerned and were not looked at."));
        }
        text
    }

    fn parts(&self, style: Style) -> Vec<String> {
        let mut parts = Vec::new();
        for entry in self.entries.iter().take(MOST_LINES) {
            let application = name(&entry.name);
            match &entry.judgement {
                Judgement::Compared(changes) => {
                    parts.extend(changes.iter().map(|change| resource(&application, change, style)));
                }
                Judgement::Rejected(reason) | Judgement::Failed(reason) => {
                    parts.push(format!("\n**{application}**\n\n{}\n", block("", &line(reason, REASON))));
                }
            }
        }
        parts
    }
}

const LEFT_OUT: &str = "more resources change and are not shown here";

fn resource(application: &str, change: &Change, style: Style) -> String {
    let title = format!("{application}: {} {}", title(&change.name), change.changed.as_str());
    let body = match &change.shown {
        Ok(shown) => {
            let text = shortened(shown, RESOURCE);
            let cut = if text == *shown { "" } else { "\n\nThe rest is left out." };
            format!("{}{cut}", block("diff", &text))
        }
        Err(reason) => format!("{}.", line(reason, REASON)),
    };
    if style.folds {
        format!("\n<details><summary>{title}</summary>\n\n{body}\n\n</details>\n")
    } else {
        format!("\n**{title}**\n\n{body}\n")
    }
}

/// `group/Kind namespace/name`, with the space it has.
fn title(text: &str) -> String {
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    format!("{} {}", name(kind), name(rest)).trim_end().to_owned()
}

/// Whether an address can stand in a link as it is.
fn is_plain(url: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?=&%#".contains(&byte);
    (url.starts_with("https://") || url.starts_with("http://")) && url.bytes().all(plain)
}
