//! What a registry that refuses asks for (`WWW-Authenticate`).

/// A way to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Name and password.
    Basic,
    /// A token of the service at an address.
    Bearer {
        /// Its address.
        realm: String,
        /// Who the token is for.
        service: String,
        /// What it is for.
        scope: String,
    },
}

/// The first challenge this program can meet.
pub(crate) fn first(headers: &[String]) -> Option<Challenge> {
    headers.iter().find_map(|header| read(header))
}

fn read(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service, mut scope) = (String::new(), String::new(), String::new());
    let mut rest = rest.trim_start();
    while let Some((name, value)) = rest.split_once('=') {
        let (text, after) = text(value);
        match name.trim().to_ascii_lowercase().as_str() {
            "realm" => realm = text,
            "service" => service = text,
            "scope" => scope = text,
            _ => {}
        }
        rest = after.trim_start_matches([',', ' ']);
    }
    (!realm.is_empty()).then_some(Challenge::Bearer { realm, service, scope })
}

/// A value, quoted or not, and what follows it.
fn text(value: &str) -> (String, &str) {
    let Some(quoted) = value.strip_prefix('"') else {
        let end = value.find(',').unwrap_or(value.len());
        return (value[..end].trim().to_owned(), &value[end..]);
    };
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, &quoted[at + 1..]),
            '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
            other => text.push(other),
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let of = |text: &str| first(&[text.to_owned()]);
        assert_eq!(of("Basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(
            of(
                "Bearer realm=\"https://auth.example/token\",service=\"registry.example\", scope=\"repository:a/b:pull,push\""
            ),
            Some(Challenge::Bearer {
                realm: "https://auth.example/token".into(),
                service: "registry.example".into(),
                scope: "repository:a/b:pull,push".into(),
            })
        );
        assert_eq!(
            of("bearer realm=https://a/t,service=s"),
            Some(Challenge::Bearer {
                realm: "https://a/t".into(),
                service: "s".into(),
                scope: String::new()
            })
        );
        assert_eq!(of("Bearer service=\"s\""), None);
        assert_eq!(of("Negotiate"), None);
        assert_eq!(of(""), None);
        assert_eq!(
            of("Bearer realm=\"open"),
            Some(Challenge::Bearer { realm: "open".into(), service: String::new(), scope: String::new() })
        );
    }
}
