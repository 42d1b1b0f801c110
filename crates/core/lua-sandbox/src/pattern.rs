//! Lua's patterns, matched with a budget: the interpreter's own matcher backtracks without asking anybody,
//! and a pattern of a dozen `.*` would hold a thread for minutes.

use crate::meter::Meter;

/// Captures one pattern may have.
const MAX_CAPTURES: usize = 32;
/// Nested attempts; each is a frame of this program's stack.
const MAX_DEPTH: usize = 200;
/// Steps are charged in portions of this.
const PORTION: u64 = 256;

/// What a pair of parentheses holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capture {
    /// `(`, not closed yet.
    Open(usize),
    /// From, to.
    Text(usize, usize),
    /// `()`: a place.
    Position(usize),
}

pub(crate) struct Matcher<'a> {
    text: &'a [u8],
    pattern: &'a [u8],
    meter: &'a Meter,
    steps: u64,
    depth: usize,
    pub captures: Vec<Capture>,
}

type Outcome = mlua::Result<Option<usize>>;

fn malformed<T>(message: &str) -> mlua::Result<T> {
    Err(mlua::Error::runtime(message))
}

impl<'a> Matcher<'a> {
    pub fn new(text: &'a [u8], pattern: &'a [u8], meter: &'a Meter) -> Self {
        Self { text, pattern, meter, steps: 0, depth: 0, captures: Vec::new() }
    }

    /// Where a match that starts at `start` ends.
    pub fn match_at(&mut self, start: usize, pattern_start: usize) -> Outcome {
        self.captures.clear();
        self.depth = 0;
        self.attempt(start, pattern_start)
    }

    fn step(&mut self) -> mlua::Result<()> {
        self.steps += 1;
        if self.steps.is_multiple_of(PORTION) {
            self.meter.charge(PORTION)?;
        }
        Ok(())
    }

    fn attempt(&mut self, at: usize, pattern_at: usize) -> Outcome {
        if self.depth >= MAX_DEPTH {
            return malformed("pattern too complex");
        }
        self.depth += 1;
        let outcome = self.walk(at, pattern_at);
        self.depth -= 1;
        outcome
    }

    /// Follows the pattern; what may go two ways calls `attempt` for the first of them.
    fn walk(&mut self, mut at: usize, mut pattern_at: usize) -> Outcome {
        loop {
            self.step()?;
            let Some(&letter) = self.pattern.get(pattern_at) else { return Ok(Some(at)) };
            let next = self.pattern.get(pattern_at + 1).copied();
            match (letter, next) {
                (b'(', Some(b')')) => return self.open(at, pattern_at + 2, Capture::Position(at)),
                (b'(', _) => return self.open(at, pattern_at + 1, Capture::Open(at)),
                (b')', _) => return self.close(at, pattern_at + 1),
                (b'$', None) => return Ok((at == self.text.len()).then_some(at)),
                (b'%', Some(b'b')) => match self.balanced(at, pattern_at + 2)? {
                    Some(end) => (at, pattern_at) = (end, pattern_at + 4),
                    None => return Ok(None),
                },
                (b'%', Some(b'f')) => match self.frontier(at, pattern_at + 2)? {
                    Some(after) => pattern_at = after,
                    None => return Ok(None),
                },
                (b'%', Some(digit)) if digit.is_ascii_digit() => match self.back_reference(at, digit)? {
                    Some(end) => (at, pattern_at) = (end, pattern_at + 2),
                    None => return Ok(None),
                },
                _ => match self.single(at, pattern_at)? {
                    Next::Done(outcome) => return Ok(outcome),
                    Next::Go(place, pattern_place) => (at, pattern_at) = (place, pattern_place),
                },
            }
        }
    }

    /// One character class and what may follow it: `*`, `+`, `-`, `?`.
    fn single(&mut self, at: usize, pattern_at: usize) -> mlua::Result<Next> {
        let end = self.class_end(pattern_at)?;
        match self.pattern.get(end) {
            Some(b'?') => {
                if self.matches_one(at, pattern_at, end)
                    && let Some(found) = self.attempt(at + 1, end + 1)?
                {
                    return Ok(Next::Done(Some(found)));
                }
                Ok(Next::Go(at, end + 1))
            }
            Some(b'+') if !self.matches_one(at, pattern_at, end) => Ok(Next::Done(None)),
            Some(b'+') => self.longest(at + 1, at, pattern_at, end).map(Next::Done),
            Some(b'*') => self.longest(at, at, pattern_at, end).map(Next::Done),
            Some(b'-') => self.shortest(at, pattern_at, end).map(Next::Done),
            _ if self.matches_one(at, pattern_at, end) => Ok(Next::Go(at + 1, end)),
            _ => Ok(Next::Done(None)),
        }
    }

    fn longest(&mut self, least: usize, at: usize, pattern_at: usize, end: usize) -> Outcome {
        let mut reach = at;
        while self.matches_one(reach, pattern_at, end) {
            self.step()?;
            reach += 1;
        }
        while reach >= least {
            if let Some(found) = self.attempt(reach, end + 1)? {
                return Ok(Some(found));
            }
            if reach == 0 {
                break;
            }
            reach -= 1;
        }
        Ok(None)
    }

    fn shortest(&mut self, mut at: usize, pattern_at: usize, end: usize) -> Outcome {
        loop {
            if let Some(found) = self.attempt(at, end + 1)? {
                return Ok(Some(found));
            }
            if !self.matches_one(at, pattern_at, end) {
                return Ok(None);
            }
            self.step()?;
            at += 1;
        }
    }

    fn open(&mut self, at: usize, pattern_at: usize, capture: Capture) -> Outcome {
        if self.captures.len() >= MAX_CAPTURES {
            return malformed("too many captures");
        }
        let level = self.captures.len();
        self.captures.push(capture);
        let found = self.attempt(at, pattern_at)?;
        if found.is_none() {
            self.captures.truncate(level);
        }
        Ok(found)
    }

    fn close(&mut self, at: usize, pattern_at: usize) -> Outcome {
        let open = self.captures.iter().rposition(|capture| matches!(capture, Capture::Open(_)));
        let Some(level) = open else { return malformed("invalid pattern capture") };
        let before = self.captures[level];
        if let Capture::Open(start) = before {
            self.captures[level] = Capture::Text(start, at);
        }
        let found = self.attempt(at, pattern_at)?;
        if found.is_none() {
            self.captures[level] = before;
        }
        Ok(found)
    }

    fn back_reference(&mut self, at: usize, digit: u8) -> Outcome {
        let level = usize::from(digit).checked_sub(usize::from(b'1'));
        let Some(Capture::Text(from, to)) = level.and_then(|level| self.captures.get(level)).copied() else {
            return malformed("invalid capture index");
        };
        self.meter.charge((to - from) as u64)?;
        let same = self.text[at..].starts_with(&self.text[from..to]);
        Ok(same.then_some(at + (to - from)))
    }

    fn balanced(&mut self, at: usize, pattern_at: usize) -> Outcome {
        let (Some(&opens), Some(&closes)) = (self.pattern.get(pattern_at), self.pattern.get(pattern_at + 1))
        else {
            return malformed("missing arguments to '%b'");
        };
        if self.text.get(at) != Some(&opens) {
            return Ok(None);
        }
        let mut depth = 1_usize;
        for (offset, &letter) in self.text[at + 1..].iter().enumerate() {
            self.step()?;
            if letter == closes {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + offset + 2));
                }
            } else if letter == opens {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// The place in the pattern after `%f[set]`, when the text changes into the set here.
    fn frontier(&mut self, at: usize, pattern_at: usize) -> Outcome {
        if self.pattern.get(pattern_at) != Some(&b'[') {
            return malformed("missing '[' after '%f' in pattern");
        }
        let end = self.class_end(pattern_at)?;
        let before = if at == 0 { 0 } else { self.text[at - 1] };
        let here = self.text.get(at).copied().unwrap_or(0);
        let changes = !self.in_set(before, pattern_at, end - 1) && self.in_set(here, pattern_at, end - 1);
        Ok(changes.then_some(end))
    }

    /// Where the class that starts here ends.
    fn class_end(&self, pattern_at: usize) -> mlua::Result<usize> {
        match self.pattern[pattern_at] {
            b'%' if pattern_at + 1 >= self.pattern.len() => malformed("malformed pattern (ends with '%')"),
            b'%' => Ok(pattern_at + 2),
            b'[' => {
                let mut place = pattern_at + 1;
                if self.pattern.get(place) == Some(&b'^') {
                    place += 1;
                }
                // The first letter of a set is one of it, even when it is `]`.
                let first = place;
                loop {
                    match self.pattern.get(place) {
                        None => return malformed("malformed pattern (missing ']')"),
                        Some(b']') if place > first => return Ok(place + 1),
                        Some(b'%') => place += 2,
                        Some(_) => place += 1,
                    }
                }
            }
            _ => Ok(pattern_at + 1),
        }
    }

    fn matches_one(&self, at: usize, pattern_at: usize, end: usize) -> bool {
        let Some(&letter) = self.text.get(at) else { return false };
        match self.pattern[pattern_at] {
            b'.' => true,
            b'%' => in_class(letter, self.pattern[pattern_at + 1]),
            b'[' => self.in_set(letter, pattern_at, end - 1),
            plain => plain == letter,
        }
    }

    /// Whether a set, from its `[` to its `]`, holds a letter.
    fn in_set(&self, letter: u8, from: usize, to: usize) -> bool {
        let mut place = from + 1;
        let excludes = self.pattern.get(place) == Some(&b'^');
        if excludes {
            place += 1;
        }
        while place < to {
            let here = self.pattern[place];
            if here == b'%' && place + 1 < to {
                if in_class(letter, self.pattern[place + 1]) {
                    return !excludes;
                }
                place += 2;
            } else if place + 2 < to && self.pattern[place + 1] == b'-' {
                if (here..=self.pattern[place + 2]).contains(&letter) {
                    return !excludes;
                }
                place += 3;
            } else {
                if here == letter {
                    return !excludes;
                }
                place += 1;
            }
        }
        excludes
    }
}

/// What follows a character class.
enum Next {
    /// The whole pattern is decided.
    Done(Option<usize>),
    /// On, from this place of the text and of the pattern.
    Go(usize, usize),
}

fn in_class(letter: u8, class: u8) -> bool {
    let within = match class.to_ascii_lowercase() {
        b'a' => letter.is_ascii_alphabetic(),
        b'd' => letter.is_ascii_digit(),
        b'l' => letter.is_ascii_lowercase(),
        b's' => letter.is_ascii_whitespace() || letter == 0x0b,
        b'u' => letter.is_ascii_uppercase(),
        b'w' => letter.is_ascii_alphanumeric(),
        b'x' => letter.is_ascii_hexdigit(),
        b'p' => letter.is_ascii_punctuation(),
        b'c' => letter.is_ascii_control(),
        b'g' => letter.is_ascii_graphic(),
        b'z' => letter == 0,
        _ => return class == letter,
    };
    within != class.is_ascii_uppercase()
}
