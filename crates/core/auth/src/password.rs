//! Passwords: bcrypt as in `argocd-secret`, checked in constant time whether or not the account is there.

use std::fmt;

/// Cost of new hashes, the original's.
const COST: u32 = 10;
/// A hash of nothing anybody can type: what an unknown account's password is checked against, so that the
/// answer takes as long as for a known one.
const NOBODY: &str = "$2b$10$YvkoP2XRzA1KGaM1WPmrbORBZPpkPQVmTYpZb6N7cYk1jSaDVbFiO";
/// bcrypt looks at no more bytes than this.
const LONGEST: usize = 72;

/// A password somebody typed. Cannot be printed.
#[derive(Clone)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl Password {
    /// Takes what was typed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it is the password of a hash. Without a hash the work is done all the same, and the answer is no.
    pub fn matches(&self, hash: Option<&str>) -> bool {
        let usable = hash.filter(|hash| !hash.is_empty());
        let verified = bcrypt::verify(cut(&self.0), usable.unwrap_or(NOBODY)).unwrap_or(false);
        verified && usable.is_some()
    }

    /// Whether it meets the rule of `passwordPattern`, a regular expression.
    pub fn meets(&self, pattern: &str) -> Result<bool, String> {
        Ok(go_regexp::compile(pattern, go_regexp::LARGEST_OF_SETTINGS)?.is_match(&self.0))
    }

    /// Its hash; the salt must be random.
    pub fn hash(&self, salt: [u8; 16]) -> String {
        hash(&self.0, salt)
    }
}

/// The bcrypt hash of a password, as `argocd-secret` holds it; the salt must be random.
pub fn hash(password: &str, salt: [u8; 16]) -> String {
    match bcrypt::hash_with_salt(cut(password), COST, salt) {
        // Go's library writes and reads `$2a$`; for passwords without NUL the three marks mean the same.
        Ok(parts) => parts.format_for_version(bcrypt::Version::TwoA),
        Err(_) => unreachable!("the cost is in range"),
    }
}

fn cut(password: &str) -> &[u8] {
    let bytes = password.as_bytes();
    &bytes[..bytes.len().min(LONGEST)]
}

#[cfg(test)]
mod tests {
    use super::{NOBODY, Password, hash};

    #[test]
    fn only_the_right_password_matches() {
        let stored = hash("correct horse", [7; 16]);
        assert!(stored.starts_with("$2a$10$"), "{stored}");
        assert!(Password::new("correct horse").matches(Some(&stored)));
        assert!(!Password::new("correct horsf").matches(Some(&stored)));
        assert!(!Password::new("").matches(Some("")));
        assert!(!Password::new("x").matches(Some("not a hash")));
        assert!(!Password::new("x").matches(None));
    }

    #[test]
    fn the_stand_in_is_a_hash_that_takes_the_same_work() {
        assert!(bcrypt::verify("anything", NOBODY).is_ok());
    }

    #[test]
    fn what_was_typed_is_never_printed() {
        assert_eq!(format!("{:?}", Password::new("canary")), "[redacted]");
    }
}
