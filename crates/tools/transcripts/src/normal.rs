//! What differs from run to run, replaced by the placeholders of the recordings.

use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Placeholders and what they stand for in this run, longest first.
pub struct Replacements {
    known: Vec<(String, String)>,
}

/// Patterns for what no run can know beforehand. The order matters: tokens before base64, times before numbers.
const PATTERNS: &[(&str, &str)] = &[
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "<time>"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} [A-Z+0-9-]+", "<time>"),
    (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "<logtime>"),
    (r"(Retrying attempt #\d+ at )\d{1,2}:\d\d[AP]M", "$1<clock>"),
    (r"\((now|\d+ (second|minute|hour)s? (ago|from now))\)", "(<distance>)"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "<token>"),
    (r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}", "<bcrypt>"),
    (r#"("resourceVersion": ")\d+""#, "$1<rv>\""),
    (r#"(resourceVersion: ")\d+""#, "$1<rv>\""),
    // Go tells which name server it asked.
    (r" on (<dns>|[^ ]+:53): no such host", ": no such host"),
    (r#"("(?:certData|keyData|caData)":\s*)"[A-Za-z0-9+/=]{24,}""#, "$1\"<base64>\""),
    // Names of Secrets hash addresses, and those have ports.
    (r"\b(cluster-127\.0\.0\.1|repo|creds)-\d{6,10}\b", "$1-<fnv>"),
    (r"\b(cluster-127\.0\.0\.1|repo|creds)-<epoch>", "$1-<fnv>"),
    (r"\b[0-9a-f]{40}\b", "<sha>"),
    (r"(?m)^(Duration: +)\S+$", "$1<duration>"),
    (r"(?m)^( *(?:generation|observedGeneration): )\d+$", "$1<n>"),
    (r"(:\s*)1[78]\d{8}\b", "$1<epoch>"),
    (r"-1[78]\d{8}\b", "-<epoch>"),
    (r"(?m)(^|\s)1[78]\d{8}\b", "$1<epoch>"),
    (r"read tcp [^ ]+->[^ ]+: read: ", "read tcp <ephemeral>-><server>: read: "),
    (r"\b10\.\d+\.\d+\.\d+\b", "<ip>"),
    (r"\b([a-z0-9-]+-[0-9a-z]{6,10})-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "$1-<rand>"),
    (r"\.[0-9a-f]{16}\b", ".<hex>"),
    // A restart is part of a pod template, and has a time; a Job made by an action is called by the minute.
    (r#"((?:ReplicaSet|Resource) \\*["'][a-z0-9-]+)-[0-9a-f]{6,10}\b"#, "$1-<hash>"),
    (r"\bnightly-(\d{10}|<n>)\b", "nightly-<n>"),
    (r#"("seconds": )"1[78]\d{8}""#, "$1\"<epoch>\""),
    (r"(metadata\.resourceVersion +\S+ +)\d+", "$1<rv>"),
    // What a remote says in its own words comes after this.
    (r#"(failed to list refs: (?:repository not found|authentication required))(?:: ?[^\",]*)?"#, "$1"),
    // A pod's template holds times and addresses, so its hash does too.
    (r"-[0-9a-f]{6,10}-<rand>", "-<hash>-<rand>"),
    // What Go, gpg and HTTP clients say in their own words.
    (
        r#"failed to get server version: (?:failed to get server version: )*Get \\*"[^"\\]*\\*": [^"\\\n;]*"#,
        "failed to get server version: <words>",
    ),
    (
        r#"(failed to get server version: |error making HTTP request: |error validating PGP keys from input: )[^"\\\n]*(?:\\.[^"\\\n]*)*"#,
        "$1<words>",
    ),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", "<httpdate>"),
];

type Pattern = (Regex, &'static str);

static COMPILED: LazyLock<Vec<Pattern>> = LazyLock::new(|| compiled(PATTERNS));
/// Commits that are named.
static NAMED: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    compiled(&[(r"<sha:[\w-]+>", "<sha>"), (r"\((<sha7:[\w-]+>|[0-9a-f]{7})\)", "(<sha7>)")])
});

fn compiled(patterns: &[(&str, &'static str)]) -> Vec<Pattern> {
    let compile = |pattern: &str| Regex::new(pattern).expect("the patterns compile");
    patterns.iter().map(|(pattern, replacement)| (compile(pattern), *replacement)).collect()
}

/// An address as a part of a path.
fn escaped(address: &str) -> String {
    address.replace(':', "%3A").replace('/', "%2F")
}

impl Replacements {
    /// `known` are pairs of placeholder and value, such as `<server>` and `localhost:8080`.
    ///
    /// # Panics
    /// Never: the patterns are constants that compile.
    #[must_use]
    pub fn new(known: &[(&str, &str)]) -> Self {
        let mut known: Vec<_> =
            known.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        known.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        Self { known }
    }

    /// A recorded text with the values of this run: for command lines and input.
    #[must_use]
    pub fn concrete(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// An answer of this run with placeholders. Applied to recorded answers too, it makes both comparable.
    #[must_use]
    pub fn normal(&self, text: &str) -> String {
        let text = self.known.iter().fold(text.to_owned(), |text, (name, value)| {
            if value.is_empty() {
                return text;
            }
            // The recorder did not tell an address from its escaped form.
            let text = text.replace(value, name);
            if value.contains("://") { text.replace(&escaped(value), name) } else { text }
        });
        let replaced = |text: String, patterns: &[Pattern]| {
            patterns.iter().fold(text, |text, (pattern, replacement)| {
                match pattern.replace_all(&text, *replacement) {
                    Cow::Borrowed(_) => text,
                    Cow::Owned(replaced) => replaced,
                }
            })
        };
        let text = replaced(text, &COMPILED);
        // Recorded with the commit named: the run knows only that it is one.
        replaced(text.replace("<date-fixture>", "<time>"), &NAMED)
    }
}
