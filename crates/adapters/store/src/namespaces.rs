//! Which namespaces applications may live in.

use glob_pattern::NamespacePattern;

/// The control plane's namespace and those `--application-namespaces` names: globs, or `/regular expressions/`.
#[derive(Clone, Debug)]
pub struct NamespaceFilter {
    control: String,
    patterns: Vec<NamespacePattern>,
}

impl NamespaceFilter {
    /// Reads the patterns; those that cannot be read are given back and permit nothing.
    pub fn new(control: &str, patterns: &[String]) -> (Self, Vec<String>) {
        let mut unreadable = Vec::new();
        let mut read = Vec::new();
        for pattern in patterns.iter().map(|pattern| pattern.trim()).filter(|pattern| !pattern.is_empty()) {
            match NamespacePattern::parse(pattern) {
                Ok(pattern) => read.push(pattern),
                Err(_) => unreadable.push(pattern.to_owned()),
            }
        }
        (Self { control: control.into(), patterns: read }, unreadable)
    }

    /// The control plane's namespace.
    pub fn control(&self) -> &str {
        &self.control
    }

    /// Whether applications may live in a namespace.
    pub fn permits(&self, namespace: &str) -> bool {
        namespace == self.control || self.patterns.iter().any(|pattern| pattern.matches(namespace))
    }

    /// Whether only the control plane's namespace needs watching.
    pub fn is_single(&self) -> bool {
        self.patterns.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_and_regular_expressions_permit() {
        let patterns = [
            "team-*".to_owned(),
            "/^dev[0-9]$/".to_owned(),
            "/(/".to_owned(),
            "/^((?!kube-|prod).)*-a$/".to_owned(),
        ];
        let (filter, unreadable) = NamespaceFilter::new("argocd", &patterns);
        assert_eq!(unreadable, ["/(/"]);
        let permitted: Vec<_> = ["argocd", "team-a", "dev1", "dev12", "default", "x-a", "prod-a"]
            .into_iter()
            .filter(|namespace| filter.permits(namespace))
            .collect();
        assert_eq!(permitted, ["argocd", "team-a", "dev1", "x-a"]);
    }
}
