//! The session cookie as it is set: in several parts when a browser would not take it whole.

use crate::credentials::COOKIE;

/// The longest cookie browsers take, with its name and attributes.
const LONGEST: usize = 4093;

/// Values of `Set-Cookie` for a token; an empty one ends the session in the browser.
pub(crate) fn set_cookies(token: &str, base_href: &str, secure: bool) -> Vec<String> {
    let path = base_href.trim_matches('/');
    let attributes =
        format!("; path=/{path}; SameSite=lax; httpOnly{}", if secure { "; Secure" } else { "" });
    let whole = format!("{COOKIE}={token}{attributes}");
    if whole.len() <= LONGEST {
        return vec![whole];
    }
    // Room for the longest name and the count.
    let room = LONGEST - COOKIE.len() - attributes.len() - "-19=20:".len();
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
    fn a_long_token_is_split_and_read_back() {
        let token = format!("{}.b.c", "a".repeat(9000));
        let cookies = set_cookies(&token, "/", true);
        assert!(cookies.len() > 1 && cookies.iter().all(|cookie| cookie.len() <= LONGEST));
        let header: Vec<&str> = cookies.iter().filter_map(|cookie| cookie.split(';').next()).collect();
        assert_eq!(crate::credentials::cookie_token(&header.join("; ")), Some(token));
    }
}
