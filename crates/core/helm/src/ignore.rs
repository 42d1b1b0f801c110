//! `.helmignore`.

/// Rules in their order.
pub(crate) struct Rules {
    rules: Vec<Rule>,
}

struct Rule {
    pattern: Vec<char>,
    /// The pattern is matched against the whole path, not only the name.
    whole: bool,
    negated: bool,
    folders_only: bool,
}

impl Rules {
    /// Reads the file; what is no rule is an error.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Vec::new();
        for line in text.trim_start_matches('\u{FEFF}').lines().chain(["templates/.?*"]) {
            let mut line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.contains("**") {
                return Err("double-star (**) syntax is not supported".into());
            }
            let pattern: Vec<char> = line.chars().collect();
            if !well_formed(&pattern) {
                return Err("syntax error in pattern".into());
            }
            let negated = line.starts_with('!');
            line = line.strip_prefix('!').unwrap_or(line);
            let folders_only = line.ends_with('/');
            line = line.strip_suffix('/').unwrap_or(line);
            let whole = line.contains('/');
            line = line.strip_prefix('/').unwrap_or(line);
            rules.push(Rule { pattern: line.chars().collect(), whole, negated, folders_only });
        }
        Ok(Self { rules })
    }

    /// Whether a path is left out.
    pub(crate) fn ignores(&self, path: &str, folder: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        for rule in &self.rules {
            let text: Vec<char> = if rule.whole { path } else { name }.chars().collect();
            let matches = matches(&rule.pattern, &text);
            if rule.negated {
                if rule.folders_only && !folder || !matches {
                    return true;
                }
            } else if matches && (folder || !rule.folders_only) {
                return true;
            }
        }
        false
    }
}

fn well_formed(pattern: &[char]) -> bool {
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            '\\' if at + 1 == pattern.len() => return false,
            '\\' => at += 2,
            '[' => match class(&pattern[at..], 'x') {
                Some((_, length)) => at += length,
                None => return false,
            },
            _ => at += 1,
        }
    }
    true
}

/// Whether a character is in the class the pattern begins with, and how long the class is.
fn class(pattern: &[char], character: char) -> Option<(bool, usize)> {
    let mut at = 1;
    let negated = pattern.get(at) == Some(&'^');
    at += usize::from(negated);
    let (mut found, mut ranges) = (false, 0);
    loop {
        if pattern.get(at)? == &']' && ranges > 0 {
            return Some((found != negated, at + 1));
        }
        let (low, after) = class_character(pattern, at)?;
        let (high, after) = if pattern.get(after) == Some(&'-') {
            class_character(pattern, after + 1)?
        } else {
            (low, after)
        };
        found |= (low..=high).contains(&character);
        ranges += 1;
        at = after;
    }
}

fn class_character(pattern: &[char], at: usize) -> Option<(char, usize)> {
    match pattern.get(at)? {
        '-' | ']' => None,
        '\\' => Some((*pattern.get(at + 1)?, at + 2)),
        character => Some((*character, at + 1)),
    }
}

/// As `filepath.Match`: `*` and `?` do not cross slashes.
pub(crate) fn matches(pattern: &[char], text: &[char]) -> bool {
    // Where to go on after the last star: in the pattern, and in the text.
    let (mut star, mut at, mut place) = (None, 0, 0);
    loop {
        let step = match (pattern.get(at), text.get(place)) {
            (None, None) => return true,
            (Some('*'), _) => {
                star = Some((at + 1, place));
                at += 1;
                continue;
            }
            (Some('?'), Some(character)) if *character != '/' => Some(1),
            (Some('['), Some(character)) if *character != '/' => {
                class(&pattern[at..], *character).filter(|(found, _)| *found).map(|(_, length)| length)
            }
            (Some('\\'), Some(character)) if pattern.get(at + 1) == Some(character) => Some(2),
            (Some(wanted), Some(character)) if wanted == character && !matches!(wanted, '\\' | '[' | '?') => {
                Some(1)
            }
            _ => None,
        };
        if let Some(length) = step {
            at += length;
            place += 1;
            continue;
        }
        match star {
            Some((after, from)) if text.get(from).is_some_and(|character| *character != '/') => {
                star = Some((after, from + 1));
                at = after;
                place = from + 1;
            }
            _ => return false,
        }
    }
}
