//! When two addresses of a repository are the same.

/// The form addresses are compared in: lower case, without `.git`, SSH spelled one way.
pub fn normalized(address: &str) -> String {
    let mut address = address.trim().to_lowercase();
    if is_ssh(&address) && !address.starts_with("ssh://") {
        // `git@host:path` is `ssh://git@host/path`; the colon is no port.
        address = format!("ssh://{}", address.replacen(':', "/", 1));
    }
    let address = address.strip_suffix(".git").unwrap_or(&address);
    if address.chars().any(char::is_control) {
        return String::new();
    }
    address.strip_prefix("ssh://").unwrap_or(address).to_owned()
}

/// A user, an `@` and something after it, with or without the scheme.
fn is_ssh(address: &str) -> bool {
    let rest = address.strip_prefix("ssh://").unwrap_or(address);
    rest.split_once('@')
        .is_some_and(|(user, host)| !user.contains(['/', ':']) && !host.is_empty() && !host.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn spellings_of_one_repository_are_equal() {
        for address in [
            "git@GITHUB.com:argoproj/test.git",
            "ssh://git@github.com/argoproj/test",
            "git@github.com:argoproj/test",
            "  ssh://git@github.com/argoproj/test.git ",
        ] {
            assert_eq!(normalized(address), "git@github.com/argoproj/test", "{address}");
        }
        assert_eq!(normalized("https://GitHub.com/argoproj/test.git"), "https://github.com/argoproj/test");
        assert_eq!(normalized("https://user@host/a"), "https://user@host/a");
        assert_eq!(normalized("a\nb"), "");
    }
}
