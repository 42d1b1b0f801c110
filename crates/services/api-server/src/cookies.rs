//! The session cookie as it is set: in several parts when a browser would not take it whole.

use crate::credentials::COOKIE;

/// The longest cookie browsers take, with its name and attributes.
const LONGEST: usize = 4093;
/// A session is read from no more parts than this, whatever it may be written to: browsers keep no more for one site.
pub(crate) const MOST_COOKIES: usize = 100;

/// Values of `Set-Cookie` for a token; an empty one ends the session in the browser.
pub(crate) fn set_cookies(token: &str, base_href: &str, secure: bool) -> Vec<String> {
    let attributes = attributes(base_href, secure);
    let whole = format!("{COOKIE}={token}{attributes}");
    if whole.len() <= LONGEST {
        return vec![whole];
    }
    // Room for the longest name and the count.
    let room = LONGEST - COOKIE.len() - attributes.len() - "-99=100:".len();
    let parts: Vec<&str> =
        token.as_bytes().chunks(room).filter_map(|part| std::str::from_utf8(part).ok()).collect();
    let count = parts.len();
    parts
        .iter()
        .enumerate()
        .map(|(number, part)| match number {
            0 => format!("{COOKIE}={count}:{part}{attributes}"),
            number => format!("{COOKIE}-{number}={part}{attributes}"),
        })
        .collect()
}

/// Names of the cookies of a session in the text of a `Cookie` header.
pub(crate) fn session_names(header: &str) -> impl Iterator<Item = &str> {
    header
        .split(';')
        .filter_map(|pair| Some(pair.trim().split_once('=')?.0))
        .filter(|name| name.starts_with(COOKIE))
}

/// Values of `Set-Cookie` that end a session in the browser: one for each part of it.
pub(crate) fn cleared<'a>(
    names: impl Iterator<Item = &'a str>,
    base_href: &str,
    secure: bool,
) -> Vec<String> {
    let attributes = attributes(base_href, secure);
    let names: std::collections::BTreeSet<&str> = names.collect();
    names.into_iter().map(|name| format!("{name}={attributes}")).collect()
}

fn attributes(base_href: &str, secure: bool) -> String {
    let path = base_href.trim_matches('/');
    format!("; path=/{path}; SameSite=lax; httpOnly{}", if secure { "; Secure" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_those_browsers_need() {
        assert_eq!(set_cookies("t", "/", false), ["argocd.token=t; path=/; SameSite=lax; httpOnly"]);
        assert_eq!(
            set_cookies("t", "/argo/", true),
            ["argocd.token=t; path=/argo; SameSite=lax; httpOnly; Secure"]
        );
    }

    #[test]
    fn each_part_of_a_session_is_cleared_and_nothing_else() {
        let sent = "argocd.token=2:a; x=y; argocd.token-1=b; argocd.oauthstate=d; argocd.token-17=e";
        assert_eq!(
            cleared(session_names(sent), "/", false),
            [
                "argocd.token=; path=/; SameSite=lax; httpOnly",
                "argocd.token-1=; path=/; SameSite=lax; httpOnly",
                "argocd.token-17=; path=/; SameSite=lax; httpOnly"
            ]
        );
    }

    #[test]
    fn a_long_token_is_split_and_read_back() {
        let token = format!("{}.b.c", "a".repeat(9000));
        let cookies = set_cookies(&token, "/", true);
        assert!(cookies.len() > 1 && cookies.iter().all(|cookie| cookie.len() <= LONGEST));
        let header: Vec<&str> = cookies.iter().filter_map(|cookie| cookie.split(';').next()).collect();
        assert_eq!(crate::credentials::cookie_token(&header.join("; ")), Some(token));
    }
}
