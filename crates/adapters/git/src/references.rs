//! Commits that a commit's message refers to in its trailers, as whoever wrote manifests from elsewhere leaves them.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;

const PREFIX: &str = "Argocd-reference-commit-";

/// A commit elsewhere; what nothing was said of is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitReference {
    /// `"Name" <mail>`, as Go writes an address: `<@>` without one.
    pub author: String,
    /// When it was written, as RFC 3339 has it.
    pub date: String,
    /// First line of its message.
    pub subject: String,
    /// The rest of its message.
    pub body: String,
    /// Its id, perhaps shortened.
    pub sha: String,
    /// Where its repository is said to be.
    pub repository: String,
}

/// What the trailers of a message refer to. Trailers that cannot be read are passed over.
pub(crate) fn of_message(message: &str) -> Vec<CommitReference> {
    let nobody = CommitReference {
        author: "<@>".to_owned(),
        date: String::new(),
        subject: String::new(),
        body: String::new(),
        sha: String::new(),
        repository: String::new(),
    };
    let mut found = nobody.clone();
    let Some(body) = gix::objs::commit::MessageRef::from_bytes(message.as_bytes()).body() else {
        return Vec::new();
    };
    for trailer in body.trailers() {
        let name = trailer.token.to_string();
        let value = trailer.value.to_string();
        match name.strip_prefix(PREFIX) {
            Some("repourl") if !value.chars().any(char::is_control) => found.repository = value,
            Some("author") => found.author = address(&value).unwrap_or(found.author),
            Some("date") => found.date = date(&value).unwrap_or(found.date),
            Some("subject") => found.subject = value,
            Some("body") => found.body = serde_json::from_str(&value).unwrap_or(found.body),
            Some("sha") if is_id(&value) => found.sha = value,
            _ => {}
        }
    }
    if found == nobody { Vec::new() } else { vec![found] }
}

fn is_id(text: &str) -> bool {
    (5..=40).contains(&text.len()) && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// A date as Go prints it: without fractions of a second, and `Z` for no offset.
fn date(text: &str) -> Option<String> {
    let (day, time) = text.split_once('T')?;
    let clock = time.get(..8)?;
    let mut rest = time.get(8..)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.find(|character: char| !character.is_ascii_digit())?;
        rest = fraction.get(digits..).filter(|_| digits > 0)?;
    }
    let offset = if matches!(rest, "Z" | "+00:00" | "-00:00") { "Z" } else { rest };
    let plain = offset == "Z"
        || (offset.len() == 6 && offset.starts_with(['+', '-']) && offset.get(3..4) == Some(":"));
    let shown = format!("{day}T{clock}{offset}");
    (plain && day.len() == 10 && shown.parse::<Timestamp>().is_ok()).then_some(shown)
}

/// An address as Go's `net/mail` reads and writes it.
fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let (name, mail) = match text.strip_suffix('>') {
        Some(rest) => {
            let (name, mail) = rest.rsplit_once('<')?;
            (name.trim(), mail)
        }
        None => ("", text),
    };
    let (local, domain) = mail.rsplit_once('@')?;
    let atom = |text: &str| {
        let fits = |character: char| {
            !character.is_control() && !character.is_whitespace() && !"()<>[]:;@\\,\"".contains(character)
        };
        !text.is_empty() && text.split('.').all(|part| !part.is_empty() && part.chars().all(fits))
    };
    if !atom(local) || !atom(domain) {
        return None;
    }
    let name: Cow<'_, str> = match name.strip_prefix('"') {
        Some(quoted) => unquoted(quoted.strip_suffix('"')?)?.into(),
        None if name.contains(['"', '<', '>', '@', ',', ';', ':', '(', ')', '[', ']', '\\']) => return None,
        None => name.split_whitespace().collect::<Vec<_>>().join(" ").into(),
    };
    if name.is_empty() {
        return Some(format!("<{mail}>"));
    }
    let shown = if name.chars().all(|character| character == ' ' || character.is_ascii_graphic()) {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    } else if name.contains(|character: char| "\"#$%&'(),.:;<>@[]^`{|}~".contains(character)) {
        format!("=?utf-8?b?{}?=", STANDARD.encode(name.as_bytes()))
    } else {
        let letters = name.bytes().map(|byte| match byte {
            b' ' => "_".to_owned(),
            b'!'..=b'~' if !matches!(byte, b'=' | b'?' | b'_') => char::from(byte).to_string(),
            byte => format!("={byte:02X}"),
        });
        format!("=?utf-8?q?{}?=", letters.collect::<String>())
    };
    Some(format!("{shown} <{mail}>"))
}

fn unquoted(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.push(characters.next()?),
            '"' => return None,
            character => out.push(character),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{address, date, of_message};

    #[test]
    fn trailers_refer_to_a_commit() {
        let message = "Bump\n\nWords about it.\n\nArgocd-reference-commit-repourl: https://git.example/app\nArgocd-reference-commit-author: Ann Author <ann@example.org>\nArgocd-reference-commit-date: 2026-01-02T03:04:05+02:00\nArgocd-reference-commit-subject: feat: new\nArgocd-reference-commit-body: \"one\\ntwo\"\nArgocd-reference-commit-sha: abc1234\nSigned-off-by: Ann <ann@example.org>\n";
        let found = of_message(message);
        let [found] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(found.author, "\"Ann Author\" <ann@example.org>");
        assert_eq!(found.date, "2026-01-02T03:04:05+02:00");
        assert_eq!((found.subject.as_str(), found.body.as_str()), ("feat: new", "one\ntwo"));
        assert_eq!((found.sha.as_str(), found.repository.as_str()), ("abc1234", "https://git.example/app"));
        // What cannot be read is passed over; the rest counts.
        let partly = of_message(
            "x\n\nArgocd-reference-commit-sha: ABC\nArgocd-reference-commit-body: none\nArgocd-reference-commit-date: yesterday\nArgocd-reference-commit-subject: s\n",
        );
        assert_eq!(
            (partly[0].author.as_str(), partly[0].subject.as_str(), partly[0].sha.as_str()),
            ("<@>", "s", "")
        );
        for nothing in [
            "Argocd-reference-commit-sha: abc1234",
            "x\n\nArgocd-reference-commit-sha: abc1234\n\nmore words\n",
            "x\n\nArgocd-reference-commit-sha: nope\n",
            "x\n\nSigned-off-by: Ann <ann@example.org>\n",
            "",
        ] {
            assert!(of_message(nothing).is_empty(), "{nothing:?}");
        }
    }

    #[test]
    fn addresses_and_dates_are_written_as_go_writes_them() {
        for (text, shown) in [
            ("ann@example.org", Some("<ann@example.org>")),
            ("<ann@example.org>", Some("<ann@example.org>")),
            (
                "\"Ann \\\"A\\\" Author\" <ann@example.org>",
                Some("\"Ann \\\"A\\\" Author\" <ann@example.org>"),
            ),
            ("Zoë Q <z@example.org>", Some("=?utf-8?q?Zo=C3=AB_Q?= <z@example.org>")),
            ("nobody", None),
            ("a b@example.org", None),
            ("Ann <ann@>", None),
        ] {
            assert_eq!(address(text).as_deref(), shown, "{text}");
        }
        for (text, shown) in [
            ("2026-01-02T03:04:05Z", Some("2026-01-02T03:04:05Z")),
            ("2026-01-02T03:04:05.123Z", Some("2026-01-02T03:04:05Z")),
            ("2026-01-02T03:04:05+00:00", Some("2026-01-02T03:04:05Z")),
            ("2026-13-02T03:04:05Z", None),
            ("2026-01-02 03:04:05Z", None),
            ("2026-01-02T03:04:05", None),
            ("é", None),
        ] {
            assert_eq!(date(text).as_deref(), shown, "{text}");
        }
    }
}
