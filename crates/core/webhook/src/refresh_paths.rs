//! `argocd.argoproj.io/manifest-generate-paths`: which files matter to a source. Several paths are separated by `;`, one
//! that begins with `/` counts from the root of the repository, others from the source's path; each may be a pattern.

/// The paths that concern a source at `source_path`. None at all means that every file does.
pub fn refresh_paths(annotation: &str, source_path: &str) -> Vec<String> {
    let items = annotation.split(';').map(trimmed).filter(|item| !item.is_empty());
    items
        .map(|item| match item.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None => clean(&joined(source_path, item)),
        })
        .collect()
}

/// Whether one of the changed files lies on one of the paths, or all may because either list is empty.
pub fn files_changed(paths: &[String], files: &[String]) -> bool {
    if files.is_empty() || paths.is_empty() {
        return true;
    }
    let paths: Vec<Watched> = paths.iter().map(|path| Watched::new(path)).collect();
    files.iter().any(|file| {
        let file = absolute(file);
        let folder = folder(&file);
        paths.iter().any(|path| path.holds(&file, &folder))
    })
}

struct Watched {
    written: String,
    root: String,
    pattern: Option<Vec<Token>>,
}

impl Watched {
    fn new(path: &str) -> Self {
        let written = absolute(path);
        let pattern = if written.contains(['*', '?', '[', '\\']) { tokens(&written) } else { None };
        Self { root: clean(&written), pattern, written }
    }

    fn holds(&self, file: &str, folder: &str) -> bool {
        let under = self.root == "/"
            || folder
                .strip_prefix(self.root.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        file == self.written
            || under
            || self.pattern.as_ref().is_some_and(|pattern| pattern_matches(pattern, file))
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace())
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// The folder of an absolute path, cleaned.
fn folder(path: &str) -> String {
    let end = path.rfind('/').map_or(0, |slash| slash + 1);
    clean(&path[..end])
}

fn joined(first: &str, second: &str) -> String {
    if first.is_empty() { clean(second) } else { clean(&format!("{first}/{second}")) }
}

/// The shortest way to write a path, found by its text alone.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            other => parts.push(other),
        }
    }
    match (rooted, parts.join("/")) {
        (true, path) => format!("/{path}"),
        (false, path) if path.is_empty() => ".".to_owned(),
        (false, path) => path,
    }
}

/// One piece of a pattern as Go's `filepath.Match` reads it.
#[derive(Debug)]
enum Token {
    /// Any run of characters without a slash.
    Star,
    /// One character that is no slash.
    Any,
    /// One of some ranges, or none of them.
    Class(bool, Vec<(char, char)>),
    Literal(char),
}

/// Nothing when the pattern is malformed: such a one matches nothing.
fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut characters = pattern.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::Star,
            '?' => Token::Any,
            '\\' => Token::Literal(characters.next()?),
            '[' => {
                let negated = characters.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while ranges.is_empty() || characters.next_if_eq(&']').is_none() {
                    let low = class_character(&mut characters)?;
                    let high = match characters.next_if_eq(&'-') {
                        Some(_) => class_character(&mut characters)?,
                        None => low,
                    };
                    characters.peek()?;
                    ranges.push((low, high));
                }
                Token::Class(negated, ranges)
            }
            other => Token::Literal(other),
        });
    }
    Some(tokens)
}

fn class_character(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match characters.next()? {
        '-' | ']' => None,
        '\\' => characters.next(),
        other => Some(other),
    }
}

/// Greedy with one way back, to the last star: linear in both for real patterns, never worse than their product.
fn pattern_matches(pattern: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut token, mut position) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let fits = match (pattern.get(token), text.get(position)) {
            (None, None) => return true,
            (Some(Token::Star), _) => {
                retry = Some((token, position));
                token += 1;
                continue;
            }
            (Some(token), Some(character)) => admits(token, *character),
            _ => false,
        };
        if fits {
            token += 1;
            position += 1;
            continue;
        }
        match retry {
            Some((star, from)) if text.get(from).is_some_and(|character| *character != '/') => {
                retry = Some((star, from + 1));
                (token, position) = (star + 1, from + 1);
            }
            _ => return false,
        }
    }
}

fn admits(token: &Token, character: char) -> bool {
    match token {
        Token::Star => false,
        Token::Any => character != '/',
        Token::Literal(literal) => *literal == character,
        Token::Class(negated, ranges) => {
            ranges.iter().any(|(low, high)| (*low..=*high).contains(&character)) != *negated
        }
    }
}
