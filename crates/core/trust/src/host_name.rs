//! Names of hosts, and patterns of them.

/// A name is never longer.
const LONGEST: usize = 253;

/// Whether a text is the name of a host: labels of letters, digits and hyphens, or an IPv6 address.
pub fn is_host_name(text: &str) -> bool {
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return true;
    }
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= LONGEST && text.split('.').all(label)
}

/// Whether a pattern (`*`, `?`, `[a-z]`) matches a name. None matches everything, a broken one nothing.
pub fn matches(pattern: &str, name: &str) -> bool {
    pattern.is_empty() || glob_pattern::matches(pattern, name, &['/'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts_are_told_from_other_texts() {
        for name in ["github.com", "127.0.0.1", "a", "git-1.example", "::1", "A.B"] {
            assert!(is_host_name(name), "{name}");
        }
        for text in ["", "a b", "-a", "a-", "a..b", "a/b", "../a", "host:22", &"a".repeat(64)] {
            assert!(!is_host_name(text), "{text}");
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        assert!(matches("", "a") && matches("*.example", "git.example") && matches("git?b.com", "gitab.com"));
        assert!(!matches("git", "git.example") && !matches("[", "a"));
    }
}
