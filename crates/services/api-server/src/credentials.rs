//! Where a request carries its token: metadata `token`, then `authorization`, then the cookie.

use crate::cookies::MOST_COOKIES;
use http::{HeaderMap, HeaderName};

/// Name of the session cookie.
pub(crate) const COOKIE: &str = "argocd.token";

/// The token of a request. What is not made of three parts is as if it were not there.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    if let Some(token) =
        headers.get("token").and_then(|value| value.to_str().ok()).filter(|token| !token.is_empty())
    {
        return Some(token.to_owned());
    }
    let bearer = texts(headers, &http::header::AUTHORIZATION)
        .filter_map(|text| text.strip_prefix("Bearer "))
        .map(str::trim)
        .find(|token| has_three_parts(token));
    if let Some(token) = bearer {
        return Some(token.to_owned());
    }
    let cookies = HeaderName::from_static("grpcgateway-cookie");
    texts(headers, &cookies).filter_map(cookie_token).find(|token| has_three_parts(token))
}

/// The token in the text of a `Cookie` header; a long one stands in several cookies.
pub(crate) fn cookie_token(header: &str) -> Option<String> {
    let value = |name: &str| {
        header
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.trim_matches('"'))
    };
    let first = value(COOKIE)?;
    let Some((count, part)) = first.split_once(':') else { return Some(first.to_owned()) };
    let count: usize = count.parse().ok().filter(|count| (1..=MOST_COOKIES).contains(count))?;
    let mut token = part.to_owned();
    for number in 1..count {
        token.push_str(value(&format!("{COOKIE}-{number}"))?);
    }
    Some(token)
}

fn texts<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

fn has_three_parts(token: &str) -> bool {
    token.split('.').count() == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &str)]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        token(&headers)
    }

    #[test]
    fn metadata_comes_before_the_header_and_that_before_the_cookie() {
        let cookie = ("grpcgateway-cookie", "a=b; argocd.token=c.c.c");
        assert_eq!(of(&[cookie]).as_deref(), Some("c.c.c"));
        assert_eq!(of(&[cookie, ("authorization", "Bearer h.h.h")]).as_deref(), Some("h.h.h"));
        assert_eq!(of(&[cookie, ("authorization", "Bearer bad")]).as_deref(), Some("c.c.c"));
        assert_eq!(of(&[("token", "t"), ("authorization", "Bearer h.h.h")]).as_deref(), Some("t"));
        assert_eq!(of(&[("authorization", "Bearer bad")]), None);
        assert_eq!(of(&[("authorization", "Basic h.h.h")]), None);
    }

    #[test]
    fn a_split_cookie_is_joined_and_a_broken_one_is_none() {
        assert_eq!(cookie_token("argocd.token=2:a.b; argocd.token-1=.c").as_deref(), Some("a.b.c"));
        assert_eq!(cookie_token("argocd.token=3:a.b; argocd.token-1=.c"), None);
        assert_eq!(cookie_token("argocd.token=999999999999:a.b"), None);
        assert_eq!(cookie_token("argocd.token=0:a"), None);
        assert_eq!(cookie_token(""), None);
    }
}
