//! What a project demands of the revisions it uses: which policy a repository falls under, and what breaks it.

use crate::{Verdict, Verification, ssh};
use api::v1alpha1::{
    AppProjectSpec, ApplicationSource, SourceIntegrity, SourceIntegrityCheckResult,
    SourceIntegrityCheckResultItem, SourceIntegrityGit, SourceIntegrityGitPolicy,
    SourceIntegrityGitPolicyGPG, SourceIntegrityGitPolicyRepo,
};
use glob_pattern::Pattern;
use std::collections::BTreeSet;

/// The name of the check in results.
const CHECK: &str = "GIT/GPG";
/// Problems told of one revision.
const MOST_PROBLEMS: usize = 10;

/// What is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The annotated tag, else the commit.
    Head,
    /// The annotated tag, and every commit up to a signed seal.
    Strict,
}

/// What a repository has to meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What is verified.
    pub mode: Mode,
    keys: Vec<String>,
}

/// A revision, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// A commit, or the name of a tag.
    pub name: String,
    /// Whether it is a tag.
    pub tag: bool,
    /// `Name <mail>`.
    pub author: String,
    /// What its signature is worth.
    pub verification: Verification,
}

/// What a project demands of a repository: its policies, and when none of them names it, its `signatureKeys` as a
/// policy that looks at the head.
pub fn effective(project: &AppProjectSpec, repository: &str) -> Option<SourceIntegrity> {
    let explicit = project.source_integrity.clone();
    let git = explicit.as_ref().and_then(|integrity| integrity.git.as_ref());
    let named = git.is_some_and(|git| matching(git, repository).map_or(true, |found| !found.is_empty()));
    if project.signature_keys.is_empty() || named {
        return explicit;
    }
    let policy = SourceIntegrityGitPolicy {
        repos: vec![SourceIntegrityGitPolicyRepo { url: "*".to_owned() }],
        gpg: Some(SourceIntegrityGitPolicyGPG {
            mode: "head".to_owned(),
            keys: project.signature_keys.iter().map(|key| key.key_id.clone()).collect(),
        }),
    };
    Some(SourceIntegrity { git: Some(SourceIntegrityGit { policies: vec![policy] }) })
}

/// What a repository has to meet; nothing when no policy names it, or one that asks for nothing. A mistake in the
/// policies is an error for the repositories they name: it must not switch the verification off.
pub fn demand(integrity: Option<&SourceIntegrity>, repository: &str) -> Result<Option<Demand>, String> {
    let Some(git) = integrity.and_then(|integrity| integrity.git.as_ref()) else { return Ok(None) };
    let mut matching = matching(git, repository)?;
    let Some(policy) = matching.pop() else { return Ok(None) };
    if !matching.is_empty() {
        return Err(format!(
            "multiple ({}) git source integrity policies found for repo URL: {repository}",
            matching.len() + 1
        ));
    }
    let Some(gpg) = &policy.gpg else {
        return Err(format!("the git source integrity policy for repo URL {repository} has no gpg"));
    };
    let mode = match gpg.mode.as_str() {
        "none" => return Ok(None),
        "head" => Mode::Head,
        "strict" => Mode::Strict,
        other => return Err(format!("unknown GPG mode {other:?} configured for GIT source integrity")),
    };
    Ok(Some(Demand { mode, keys: gpg.keys.iter().filter_map(|key| short(key)).collect() }))
}

fn matching<'a>(
    git: &'a SourceIntegrityGit,
    repository: &str,
) -> Result<Vec<&'a SourceIntegrityGitPolicy>, String> {
    let mut found = Vec::new();
    for policy in &git.policies {
        let mut included = false;
        let mut excluded = false;
        for SourceIntegrityGitPolicyRepo { url } in &policy.repos {
            let (text, out) = url.strip_prefix('!').map_or((url.as_str(), false), |text| (text, true));
            let pattern = Pattern::parse(text, &[])
                .map_err(|error| format!("git source integrity policy for repo URL {url:?}: {error}"))?;
            let matches = pattern.matches(repository);
            included |= matches && !out;
            excluded |= matches && out;
        }
        if included && !excluded {
            found.push(policy);
        }
    }
    Ok(found)
}

/// The sixteen digits of a key's id, from the id, the fingerprint or something in between; the fingerprint of an SSH key.
fn short(key: &str) -> Option<String> {
    if let Some(fingerprint) = ssh::fingerprint(key) {
        return Some(fingerprint.to_owned());
    }
    let key = key.trim().trim_start_matches("0x");
    let plain = key.len() >= 16 && key.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| key[key.len() - 16..].to_ascii_uppercase())
}

impl Demand {
    /// What breaks the policy, the newest revisions first. Each key is blamed once, and each unsigned commit.
    pub fn problems<'a>(&self, revisions: impl IntoIterator<Item = &'a Revision>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut blamed = BTreeSet::new();
        for revision in revisions {
            let Some(problem) = self.problem(revision) else { continue };
            let key = &revision.verification.key_id;
            if !key.is_empty() && !revision.tag && !blamed.insert(key.clone()) {
                continue;
            }
            problems.push(problem);
            if problems.len() >= MOST_PROBLEMS {
                break;
            }
        }
        problems
    }

    /// Whether a signature is good enough to seal the history before it. A keyring says which GnuPG keys are good at all; of
    /// SSH keys only the project does.
    pub fn seals(&self, verification: &Verification) -> bool {
        let by_ssh = ssh::fingerprint(&verification.key_id).is_some();
        verification.verdict == Verdict::Good && (!by_ssh || self.keys.contains(&verification.key_id))
    }

    fn problem(&self, revision: &Revision) -> Option<String> {
        let Revision { name, author, verification: Verification { verdict, key_id, primary_id }, .. } =
            revision;
        let failed = format!("Failed verifying revision {name} by '{author}': ");
        if *verdict != Verdict::Good {
            return Some(format!("{failed}{verdict} (key_id={key_id})"));
        }
        let allowed = [key_id, primary_id].into_iter().any(|id| self.keys.contains(id));
        (!allowed).then(|| format!("{failed}signed with unallowed key (key_id={key_id})"))
    }
}

/// The result of a check as it is answered.
pub fn result(problems: Vec<String>) -> SourceIntegrityCheckResult {
    let item = SourceIntegrityCheckResultItem { name: CHECK.to_owned(), problems };
    SourceIntegrityCheckResult { checks: vec![item] }
}

/// All problems of a result in one text; nothing when there is none.
pub fn told(result: &SourceIntegrityCheckResult) -> Option<String> {
    told_of(result, "")
}

/// As `told`, each problem led by whose it is.
pub fn told_of(result: &SourceIntegrityCheckResult, whose: &str) -> Option<String> {
    let texts: Vec<String> = result
        .checks
        .iter()
        .flat_map(|check| {
            check.problems.iter().map(move |problem| format!("{}: {whose}{problem}", check.name))
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// Whether the project demands something of the revisions of a source, or tried to. Only Git knows signatures: what charts
/// and artifacts are is not looked at.
pub fn is_verified(project: &AppProjectSpec, source: &ApplicationSource) -> bool {
    let repository = &source.repo_url;
    let git = source.chart.is_empty() && !repository.starts_with("oci://");
    git && !matches!(demand(effective(project, repository).as_ref(), repository), Ok(None))
}

/// A sentence about one signature, for who looks at a revision.
pub fn sentence(revision: &Revision) -> String {
    let Verification { verdict, key_id, .. } = &revision.verification;
    let word = match verdict {
        Verdict::Unsigned => return "Revision is not signed.".to_owned(),
        Verdict::Good => "Good",
        Verdict::Bad => "Bad",
        _ => "Invalid",
    };
    format!("{word} signature from {} key {key_id}", revision.author)
}

#[cfg(test)]
mod tests {
    use super::{Mode, Revision, demand, effective, result, sentence, told};
    use crate::{Verdict, Verification};
    use api::v1alpha1::{AppProjectSpec, SourceIntegrity};

    fn integrity(text: &str) -> SourceIntegrity {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::from_value(value).unwrap()
    }

    fn revision(verdict: Verdict, key_id: &str, primary_id: &str) -> Revision {
        Revision {
            name: "c0ffee".into(),
            tag: false,
            author: "Ann <ann@example.org>".into(),
            verification: Verification { verdict, key_id: key_id.into(), primary_id: primary_id.into() },
        }
    }

    #[test]
    fn a_repository_falls_under_one_policy() {
        let policies = integrity(
            r#"{"git": {"policies": [
                {"repos": [{"url": "https://host/*"}, {"url": "!https://host/open/*"}], "gpg": {"mode": "strict", "keys": ["0xAAAAAAAAAAAAAAAA"]}},
                {"repos": [{"url": "https://host/open/*"}], "gpg": {"mode": "none", "keys": []}},
                {"repos": [{"url": "https://two/*"}], "gpg": {"mode": "head", "keys": []}},
                {"repos": [{"url": "https://two/x"}], "gpg": {"mode": "head", "keys": []}},
                {"repos": [{"url": "https://odd/*"}], "gpg": {"mode": "weird", "keys": []}},
                {"repos": [{"url": "https://empty/*"}]}
            ]}}"#,
        );
        let of = |url: &str| demand(Some(&policies), url);
        assert_eq!(of("https://host/a/b").unwrap().unwrap().mode, Mode::Strict);
        assert_eq!(of("https://host/open/x").unwrap(), None);
        assert_eq!(of("https://elsewhere/x").unwrap(), None);
        assert_eq!(
            of("https://two/x").unwrap_err(),
            "multiple (2) git source integrity policies found for repo URL: https://two/x"
        );
        assert_eq!(
            of("https://odd/x").unwrap_err(),
            "unknown GPG mode \"weird\" configured for GIT source integrity"
        );
        assert!(of("https://empty/x").is_err(), "a policy without a demand is a mistake");
        assert_eq!(demand(None, "https://host/a").unwrap(), None);
    }

    #[test]
    fn signature_keys_hold_for_what_no_policy_names() {
        let spec = |text: &str| -> AppProjectSpec { serde_json::from_str(text).unwrap() };
        let legacy = spec(r#"{"signatureKeys": [{"keyID": "BBBBBBBBBBBBBBBB"}]}"#);
        let legacy = effective(&legacy, "https://anything");
        let found = demand(legacy.as_ref(), "https://anything").unwrap().unwrap();
        assert_eq!((found.mode, found.keys), (Mode::Head, vec!["BBBBBBBBBBBBBBBB".to_owned()]));
        let both = spec(
            r#"{"signatureKeys": [{"keyID": "BBBBBBBBBBBBBBBB"}], "sourceIntegrity": {"git": {"policies": [
                {"repos": [{"url": "https://host/*"}, {"url": "!https://host/out"}], "gpg": {"mode": "strict", "keys": []}}]}}}"#,
        );
        for (url, mode) in [
            ("https://host/x", Mode::Strict),
            ("https://host/out", Mode::Head),
            ("https://other/x", Mode::Head),
        ] {
            let found = demand(effective(&both, url).as_ref(), url).unwrap().unwrap();
            assert_eq!(found.mode, mode, "{url}");
        }
        assert_eq!(effective(&spec("{}"), "https://host/x"), None);
    }

    #[test]
    fn an_ssh_key_is_named_by_its_fingerprint() {
        let allowed = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let other = allowed.replace("AAA", "aaa");
        let text = format!(
            r#"{{"signatureKeys": [{{"keyID": "BBBBBBBBBBBBBBBB"}}, {{"keyID": "{allowed}="}}, {{"keyID": "SHA256:short"}}]}}"#
        );
        let spec: AppProjectSpec = serde_json::from_str(&text).unwrap();
        let found = demand(effective(&spec, "x").as_ref(), "x").unwrap().unwrap();
        assert_eq!(found.keys, ["BBBBBBBBBBBBBBBB", allowed]);
        let good = revision(Verdict::Good, allowed, allowed);
        let stranger = revision(Verdict::Good, &other, &other);
        let gnupg = revision(Verdict::Good, "BBBBBBBBBBBBBBBB", "BBBBBBBBBBBBBBBB");
        assert!(found.problems([&good, &gnupg]).is_empty());
        let told = found.problems([&stranger, &revision(Verdict::Bad, allowed, allowed)]);
        let failed = "Failed verifying revision c0ffee by 'Ann <ann@example.org>': ";
        let expected = [
            format!("{failed}signed with unallowed key (key_id={other})"),
            format!("{failed}bad signature (key_id={allowed})"),
        ];
        assert_eq!(told, expected);
        assert_eq!(sentence(&good), format!("Good signature from Ann <ann@example.org> key {allowed}"));
        // Anybody has an SSH key, and a keyring holds no strangers'.
        let other = revision(Verdict::Good, "CCCCCCCCCCCCCCCC", "CCCCCCCCCCCCCCCC");
        let seals = [&good, &gnupg, &other, &stranger].map(|found_in| found.seals(&found_in.verification));
        assert_eq!(seals, [true, true, true, false]);
    }

    #[test]
    fn problems_are_told_in_the_originals_words() {
        let policies = integrity(
            r#"{"git": {"policies": [{"repos": [{"url": "*"}], "gpg": {"mode": "head", "keys": ["ffffffffffffffffffffffffAAAAAAAAAAAAAAAA", "short"]}}]}}"#,
        );
        let demand = demand(Some(&policies), "x").unwrap().unwrap();
        let good = revision(Verdict::Good, "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAA");
        let by_subkey = revision(Verdict::Good, "CCCCCCCCCCCCCCCC", "AAAAAAAAAAAAAAAA");
        assert!(demand.problems([&good, &by_subkey]).is_empty());
        let other = revision(Verdict::Good, "DDDDDDDDDDDDDDDD", "DDDDDDDDDDDDDDDD");
        let unsigned = revision(Verdict::Unsigned, "", "");
        let problems = demand.problems([&other, &unsigned, &other, &unsigned]);
        let failed = "Failed verifying revision c0ffee by 'Ann <ann@example.org>': ";
        let expected = [
            format!("{failed}signed with unallowed key (key_id=DDDDDDDDDDDDDDDD)"),
            format!("{failed}unsigned (key_id=)"),
            format!("{failed}unsigned (key_id=)"),
        ];
        assert_eq!(problems, expected);
        assert_eq!(demand.problems(vec![&unsigned; 30]).len(), 10);
        let text = told(&result(problems[..2].to_vec())).unwrap();
        assert_eq!(text, format!("GIT/GPG: {}\nGIT/GPG: {}", expected[0], expected[1]));
        assert_eq!(told(&result(Vec::new())), None);
        assert_eq!(sentence(&unsigned), "Revision is not signed.");
        assert_eq!(sentence(&good), "Good signature from Ann <ann@example.org> key AAAAAAAAAAAAAAAA");
    }
}
