//! A policy as text: `p, subject, resource, action, object, effect` and `g, subject, role`, one a line.

/// What a matching rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Permits, unless another rule denies.
    Allow,
    /// Denies, whatever permits.
    Deny,
}

/// A `p` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// User, group or role.
    pub subject: String,
    /// Resource, as in `applications`.
    pub resource: String,
    /// Action, as in `sync`.
    pub action: String,
    /// Object, as in `project/application`.
    pub object: String,
    /// What it does when it matches.
    pub effect: Effect,
}

/// As it is written.
impl std::fmt::Display for Rule {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { subject, resource, action, object, effect } = self;
        let effect = if *effect == Effect::Allow { "allow" } else { "deny" };
        write!(formatter, "p, {subject}, {resource}, {action}, {object}, {effect}")
    }
}

/// A parsed policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `p` lines, in their order.
    pub rules: Vec<Rule>,
    /// `g` lines: who has which role.
    pub grants: Vec<(String, String)>,
}

/// A line that cannot be read. The whole policy is refused: one without a `deny` it was meant to have is worse
/// than none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("policy line {line}: {reason}: {text:?}")]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
    /// The line's text.
    pub text: String,
}

impl Policy {
    /// Reads CSV; blank lines and those that start with `#` say nothing.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            policy.read(line).map_err(|reason| PolicyError {
                line: index + 1,
                reason,
                text: line.to_owned(),
            })?;
        }
        Ok(policy)
    }

    /// All lines of both.
    pub fn extend(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.grants.extend(other.grants);
    }

    fn read(&mut self, line: &str) -> Result<(), &'static str> {
        let fields = fields(line)?;
        match fields.as_slice() {
            [kind, subject, resource, action, object, effect] if kind == "p" => {
                let effect = match effect.to_ascii_lowercase().as_str() {
                    "allow" => Effect::Allow,
                    "deny" => Effect::Deny,
                    _ => return Err("the effect is neither allow nor deny"),
                };
                self.rules.push(Rule {
                    subject: subject.clone(),
                    resource: resource.clone(),
                    action: action.clone(),
                    object: object.clone(),
                    effect,
                });
                Ok(())
            }
            [kind, subject, role] if kind == "g" => {
                self.grants.push((subject.clone(), role.clone()));
                Ok(())
            }
            [kind, ..] if kind == "p" => Err("a p line has subject, resource, action, object and effect"),
            [kind, ..] if kind == "g" => Err("a g line has subject and role"),
            _ => Err("a line starts with p or g"),
        }
    }
}

/// The fields of a CSV line, trimmed; a field may stand in double quotes.
fn fields(line: &str) -> Result<Vec<String>, &'static str> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        let field;
        if let Some(quoted) = rest.strip_prefix('"') {
            let (text, after) = unquote(quoted).ok_or("a quote is not closed")?;
            field = text;
            rest = after.trim_start();
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err("text follows a closing quote");
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            field = rest[..end].trim_end().to_owned();
            rest = &rest[end..];
        }
        fields.push(field);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// The text up to the closing quote, `""` standing for one, and what comes after.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut unquoted = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        unquoted.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                unquoted.push('"');
                rest = after;
            }
            None => return Some((unquoted, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Policy};

    #[test]
    fn lines_read_as_rules_and_grants() {
        let text =
            "# comment\n\np, role:dev, applications, sync, \"team/a,b\", allow\n g , alice , role:dev \r\n";
        let policy = Policy::parse(text).unwrap();
        assert_eq!(policy.rules[0].object, "team/a,b");
        assert_eq!(policy.rules[0].effect, Effect::Allow);
        assert_eq!(policy.grants, [("alice".to_owned(), "role:dev".to_owned())]);
    }

    #[test]
    fn a_broken_line_refuses_the_policy_and_is_named() {
        for (text, part) in [
            ("p, a, b, c, d", "a p line has"),
            ("p, a, b, c, d, perhaps", "neither allow nor deny"),
            ("\ng, a", "policy line 2: a g line has"),
            ("x, a", "starts with p or g"),
            ("p, \"a", "quote is not closed"),
        ] {
            let error = Policy::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
