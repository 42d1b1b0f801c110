//! Where a browser may be sent after a login: to us, and nowhere else.

use url::Url;

/// The address is somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Invalid redirect URL: the protocol and host (including port) must match and the path must be within allowed URLs \
     if provided"
)]
pub struct ReturnUrlError;

/// Where to go: `wanted` when it is below one of our own addresses, `otherwise` when nothing is wanted.
pub fn check_return_url(wanted: &str, own: &[String], otherwise: &str) -> Result<String, ReturnUrlError> {
    if wanted.is_empty() {
        return Ok(otherwise.to_owned());
    }
    // Browsers read a backslash as a slash, and drop what is not printed.
    if wanted.contains('\\') || wanted.chars().any(char::is_control) {
        return Err(ReturnUrlError);
    }
    let url = Url::parse(wanted).map_err(|_| ReturnUrlError)?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(ReturnUrlError);
    }
    let is_within = |base: &String| Url::parse(base).is_ok_and(|base| is_below(&url, &base));
    if own.iter().any(is_within) { Ok(url.into()) } else { Err(ReturnUrlError) }
}

/// Dots are gone from a parsed address, so its path is compared as the browser will ask for it.
fn is_below(url: &Url, base: &Url) -> bool {
    let same_place = url.scheme() == base.scheme()
        && url.host() == base.host()
        && url.port_or_known_default() == base.port_or_known_default();
    let folder = base.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(folder);
    same_place && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::{ReturnUrlError, check_return_url};

    #[test]
    fn only_our_own_addresses_are_returned_to() {
        let own = ["https://argocd.example/argo".to_owned(), "http://localhost:8080".to_owned()];
        let check = |wanted: &str| check_return_url(wanted, &own, "/home");
        assert_eq!(check("").as_deref(), Ok("/home"));
        for good in [
            "https://argocd.example/argo",
            "https://argocd.example/argo/applications?x=1#y",
            "https://argocd.example:443/argo/",
            "http://localhost:8080/applications",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "https://evil.example",
            "https://argocd.example.evil.example/argo",
            "https://argocd.example@evil.example/argo",
            "https://user@argocd.example/argo",
            "https://argocd.example/argox",
            "https://argocd.example/argo/../admin",
            "https://argocd.example/argo/%2e%2e/admin",
            "https://argocd.example/",
            "http://argocd.example/argo",
            "https://argocd.example:8443/argo",
            "http://localhost:8081/x",
            "//evil.example",
            "/\\evil.example",
            "https:\\\\evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://argocd.example/argo\r\nSet-Cookie: a=b",
            "relative",
        ] {
            assert_eq!(check(bad), Err(ReturnUrlError), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_let_through_is_ours(text in "(https?:)?[/\\\\]{0,3}[a-z.@:%0-9\\\\/\\s-]{0,40}") {
            let own = ["https://a.example/b".to_owned()];
            if let Ok(target) = check_return_url(&text, &own, "https://a.example/b") {
                proptest::prop_assert!(target.starts_with("https://a.example/b"), "{target}");
            }
        }
    }
}
