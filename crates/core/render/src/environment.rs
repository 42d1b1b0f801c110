//! The build environment: variables that parameters of a source may name, as `$ARGOCD_APP_NAME`.

use std::cell::Cell;
use std::collections::BTreeMap;

/// Variables that change with the commit, though nothing that is read from it does.
const OF_THE_REVISION: [&str; 3] =
    ["ARGOCD_APP_REVISION", "ARGOCD_APP_REVISION_SHORT", "ARGOCD_APP_REVISION_SHORT_8"];

/// Variables and their values, and whether one of the revision's was asked for: a render that did is good for that
/// revision only.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Whether the render is good for this revision only.
    revision_used: Cell<bool>,
}

/// What the variables of the build environment are made from.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvironmentOf<'a> {
    /// The application's name, with its namespace before it where that is not the control plane's.
    pub application: &'a str,
    /// The destination's namespace.
    pub namespace: &'a str,
    /// The project.
    pub project: &'a str,
    /// The commit.
    pub revision: &'a str,
    /// The repository's URL.
    pub repository: &'a str,
    /// The source's path.
    pub path: &'a str,
    /// The revision as the source says it.
    pub target_revision: &'a str,
}

impl Environment {
    /// The variables of an application's render.
    pub fn new(of: EnvironmentOf<'_>) -> Self {
        let short = |length| of.revision.get(..length).unwrap_or(of.revision);
        let variables = [
            ("ARGOCD_APP_NAME", of.application),
            ("ARGOCD_APP_NAMESPACE", of.namespace),
            ("ARGOCD_APP_PROJECT_NAME", of.project),
            ("ARGOCD_APP_REVISION", of.revision),
            ("ARGOCD_APP_REVISION_SHORT", short(7)),
            ("ARGOCD_APP_REVISION_SHORT_8", short(8)),
            ("ARGOCD_APP_SOURCE_REPO_URL", of.repository),
            ("ARGOCD_APP_SOURCE_PATH", of.path),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", of.target_revision),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { variables, revision_used: Cell::new(false) }
    }

    /// All variables, for who puts them into a text that is given here.
    pub fn variables_named_in(&self, text: &str) -> &BTreeMap<String, String> {
        if text.contains("ARGOCD_APP_REVISION") {
            self.revision_used.set(true);
        }
        &self.variables
    }

    /// All variables, those of the revision too.
    pub fn all(&self) -> &BTreeMap<String, String> {
        self.revision_used.set(true);
        &self.variables
    }

    /// An environment with more variables.
    pub(crate) fn and(&self, more: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut extended = self.clone();
        extended.variables.extend(more);
        extended
    }

    /// Notes that something outside of the tree was used, which changes without the tree changing.
    pub(crate) fn note_outside(&self) {
        self.revision_used.set(true);
    }

    /// Whether a variable of the revision was asked for, or something outside of the tree.
    pub fn revision_used(&self) -> bool {
        self.revision_used.get()
    }

    /// A text with `$NAME` and `${NAME}` replaced by values, unknown names by nothing, `$$` by a dollar: the rules
    /// of Go's `os.Expand`.
    pub fn substitute(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if after.is_empty() {
                out.push('$');
                rest = after;
                break;
            }
            let (name, width) = name(after);
            match (name, width) {
                // No name follows: the dollar stands for itself.
                ("", 0) => out.push('$'),
                // Broken syntax is taken away.
                ("", _) => {}
                ("$", _) => out.push('$'),
                (name, _) => out.push_str(self.value(name)),
            }
            rest = &after[width..];
        }
        out.push_str(rest);
        out
    }

    fn value(&self, name: &str) -> &str {
        if OF_THE_REVISION.contains(&name) {
            self.revision_used.set(true);
        }
        self.variables.get(name).map_or("", String::as_str)
    }
}

/// The name that stands after a dollar, and how many bytes it takes.
fn name(text: &str) -> (&str, usize) {
    let special = |byte: u8| matches!(byte, b'*' | b'#' | b'$' | b'@' | b'!' | b'?' | b'-' | b'0'..=b'9');
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'{') => {
            if bytes.len() > 2 && special(bytes[1]) && bytes[2] == b'}' {
                return (&text[1..2], 3);
            }
            match text.find('}') {
                Some(1) => ("", 2),
                Some(end) => (&text[1..end], end + 1),
                None => ("", 1),
            }
        }
        Some(first) if special(*first) => (&text[..1], 1),
        _ => {
            let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let length = bytes.iter().take_while(|byte| word(byte)).count();
            (&text[..length], length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Environment, EnvironmentOf};

    #[test]
    fn variables_expand_as_in_go() {
        let environment =
            Environment::new(EnvironmentOf { application: "shop", path: "a/b", ..Default::default() });
        for (text, expected) in [
            ("plain", "plain"),
            ("$ARGOCD_APP_NAME-x", "shop-x"),
            ("${ARGOCD_APP_NAME}x", "shopx"),
            ("$ARGOCD_APP_NAMEx", ""),
            ("$$ARGOCD_APP_NAME", "$ARGOCD_APP_NAME"),
            ("$UNKNOWN.", "."),
            ("a$", "a$"),
            ("a$.b", "a$.b"),
            ("${}b", "b"),
            ("${open", "open"),
            ("$1x", "x"),
            ("${$}", "$"),
            ("ü$ARGOCD_APP_SOURCE_PATHü", "üa/bü"),
        ] {
            assert_eq!(environment.substitute(text), expected, "{text}");
        }
        assert!(!environment.revision_used());
    }

    #[test]
    fn a_render_that_asked_for_the_revision_is_known() {
        let environment = Environment::new(EnvironmentOf { revision: "0123456789", ..Default::default() });
        assert_eq!(environment.substitute("$ARGOCD_APP_REVISION_SHORT"), "0123456");
        assert!(environment.revision_used());
    }
}
