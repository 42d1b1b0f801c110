//! Globs of Argo CD's policies and projects: `*` and `?` cross `/`, `[a-z]`, `[!a]`, `{a,b}`, `\` escapes.

use glob_pattern::Pattern;

/// A compiled glob.
#[derive(Clone, Debug)]
pub struct Glob(Form);

#[derive(Clone, Debug)]
enum Form {
    /// No special character.
    Exact(String),
    /// `*`.
    Everything,
    /// `text*`.
    Prefix(String),
    Pattern(Pattern),
    /// Not a glob: matches nothing.
    Nothing,
}

const SPECIAL: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

impl Glob {
    /// Compiles a glob. One that cannot be read matches nothing, as in the original.
    pub fn new(glob: &str) -> Self {
        let special = |text: &str| text.contains(SPECIAL);
        if glob == "*" {
            return Self(Form::Everything);
        }
        if !special(glob) {
            return Self(Form::Exact(glob.to_owned()));
        }
        if let Some(prefix) = glob.strip_suffix('*')
            && !special(prefix)
        {
            return Self(Form::Prefix(prefix.to_owned()));
        }
        Self(Pattern::parse(glob, &[]).map_or(Form::Nothing, Form::Pattern))
    }

    /// What of a glob's text stands for itself at its beginning: every text that matches begins so.
    pub(crate) fn plain_beginning(text: &str) -> &str {
        text.split(SPECIAL).next().unwrap_or_default()
    }

    /// Whether a text matches.
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Form::Exact(exact) => exact == text,
            Form::Everything => true,
            Form::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Form::Pattern(pattern) => pattern.matches(text),
            Form::Nothing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn globs_match_as_the_originals_do() {
        for (glob, text, matches) in [
            ("*", "", true),
            ("*", "a/b", true),
            ("team/*", "team/a/b", true),
            ("team/*", "teams/a", false),
            ("*/guestbook", "default/guestbook", true),
            ("action/*/Deployment/*", "action/apps/Deployment/restart", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("{dev,test}-*", "test-1", true),
            ("{dev,test}-*", "prod-1", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("a.c", "abc", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("[", "[", false),
            ("{a", "{a", false),
            ("https://*.example.com/*", "https://git.example.com/a/b", true),
        ] {
            assert_eq!(Glob::new(glob).matches(text), matches, "{glob} {text}");
        }
    }
}
