//! A constraint: alternatives (`||`) of groups whose every part must hold.
//!
//! A pre-release is inside a group only if some part of that group names one itself: `>=1.0.0` leaves `1.1.0-rc.1`
//! out, `>=1.0.0-0` lets it in.

use std::sync::LazyLock;

use regex::Regex;

use crate::version::{Version, compare_prerelease};

/// A parsed constraint.
#[derive(Clone, Debug)]
pub struct Range {
    alternatives: Vec<Group>,
}

/// The text is not a constraint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("improper constraint: {0}")]
pub struct InvalidRange(
    /// The part that could not be read.
    pub String,
);

#[derive(Clone, Debug)]
struct Group {
    parts: Vec<Part>,
    wants_prereleases: bool,
}

#[derive(Clone, Debug)]
struct Part {
    operator: Operator,
    version: Version,
    written: Written,
}

/// How much of the version was written out before a wildcard or the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Nothing,
    Major,
    MajorMinor,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

const SPACE: &str = r"[\t\n\f\r ]";
const OPERATOR: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";
const VERSION: &str = r"v?([0-9|xX*]+)(\.[0-9|xX*]+)?(\.[0-9|xX*]+)?(-([0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?(\+([0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?";

struct Patterns {
    whole_part: Regex,
    hyphen: Regex,
    part: Regex,
    group: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let pattern = |text: String| Regex::new(&text).expect("the constraint patterns are valid");
    Patterns {
        whole_part: pattern(format!("^{SPACE}*({OPERATOR}){SPACE}*({VERSION}){SPACE}*$")),
        hyphen: pattern(format!("{SPACE}*(?<low>{VERSION}){SPACE}+-{SPACE}+(?<high>{VERSION}){SPACE}*")),
        part: pattern(format!("({OPERATOR}){SPACE}*({VERSION})")),
        group: pattern(format!(
            "^({SPACE}*({OPERATOR}){SPACE}*({VERSION}){SPACE}*)((?:{SPACE}+|,{SPACE}*)({OPERATOR}){SPACE}*({VERSION}){SPACE}*)*$"
        )),
    }
});

impl Range {
    /// Reads a constraint. A plain version such as `1.2.3` is one too: it admits exactly that version.
    pub fn parse(text: &str) -> Result<Self, InvalidRange> {
        let text = without_hyphens(text);
        let alternatives = text.split("||").map(Group::parse).collect::<Result<_, _>>()?;
        Ok(Self { alternatives })
    }

    /// Whether the version satisfies the constraint.
    pub fn contains(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|group| group.contains(version))
    }
}

/// `1.2 - 3.4` means `>= 1.2, <= 3.4`.
fn without_hyphens(text: &str) -> String {
    PATTERNS
        .hyphen
        .replace_all(text, |captures: &regex::Captures<'_>| {
            format!(">= {}, <= {} ", &captures["low"], &captures["high"])
        })
        .into_owned()
}

impl Group {
    fn parse(text: &str) -> Result<Self, InvalidRange> {
        if !PATTERNS.group.is_match(text) {
            return Err(InvalidRange(text.to_owned()));
        }
        let parts: Vec<Part> = PATTERNS
            .part
            .find_iter(text)
            .map(|found| Part::parse(found.as_str()))
            .collect::<Result<_, _>>()?;
        let wants_prereleases = parts.iter().any(|part| part.version.is_prerelease());
        Ok(Self { parts, wants_prereleases })
    }

    fn contains(&self, version: &Version) -> bool {
        if version.is_prerelease() && !self.wants_prereleases {
            return false;
        }
        self.parts.iter().all(|part| part.admits(version))
    }
}

impl Part {
    fn parse(text: &str) -> Result<Self, InvalidRange> {
        let invalid = || InvalidRange(text.to_owned());
        let captures = PATTERNS.whole_part.captures(text).ok_or_else(invalid)?;
        let capture = |index: usize| captures.get(index).map_or("", |found| found.as_str());
        let operator = Operator::parse(capture(1)).ok_or_else(invalid)?;
        let open = |number: &str| matches!(number.trim_start_matches('.'), "" | "x" | "X" | "*");
        let (major, minor, patch, prerelease) = (capture(3), capture(4), capture(5), capture(6));
        let (written, version) = if open(major) {
            (Written::Nothing, format!("0.0.0{prerelease}"))
        } else if open(minor) {
            (Written::Major, format!("{major}.0.0{prerelease}"))
        } else if open(patch) {
            (Written::MajorMinor, format!("{major}{minor}.0{prerelease}"))
        } else {
            (Written::All, capture(2).to_owned())
        };
        let version = Version::parse(&version).map_err(|_| invalid())?;
        Ok(Self { operator, version, written })
    }

    fn admits(&self, version: &Version) -> bool {
        match self.operator {
            Operator::Equal if self.written == Written::All => *version == self.version,
            Operator::Equal | Operator::Tilde => self.admits_by_tilde(version),
            Operator::NotEqual => self.admits_by_difference(version),
            Operator::Greater => match self.written {
                Written::Major => version.major > self.version.major,
                Written::MajorMinor => {
                    (version.major, version.minor) > (self.version.major, self.version.minor)
                }
                Written::Nothing => version.major > self.version.major || *version > self.version,
                Written::All => *version > self.version,
            },
            Operator::Less => *version < self.version,
            Operator::GreaterOrEqual => *version >= self.version,
            Operator::LessOrEqual => match self.written {
                Written::All => *version <= self.version,
                Written::Major => version.major <= self.version.major,
                Written::MajorMinor | Written::Nothing => {
                    (version.major, version.minor) <= (self.version.major, self.version.minor)
                }
            },
            Operator::Caret => self.admits_by_caret(version),
        }
    }

    /// `~1.2.3` is `>=1.2.3 <1.3`, `~1` is `>=1 <2`; `~0.0.0` and `*` admit everything.
    fn admits_by_tilde(&self, version: &Version) -> bool {
        let own = &self.version;
        if version < own {
            return false;
        }
        let zero = (own.major, own.minor, own.patch) == (0, 0, 0);
        if zero && matches!(self.written, Written::All | Written::Nothing) {
            return true;
        }
        version.major == own.major && (version.minor == own.minor || self.written == Written::Major)
    }

    /// `!=1.x` rejects every 1; `!=x` compares as `!=0.0.0` does.
    fn admits_by_difference(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.written {
            Written::Major => version.major != own.major,
            Written::MajorMinor => {
                let releases = !version.is_prerelease() && !own.is_prerelease();
                (version.major, version.minor) != (own.major, own.minor)
                    || (!releases && compare_prerelease(&version.prerelease, &own.prerelease).is_ne())
            }
            Written::Nothing | Written::All => version != own,
        }
    }

    /// `^1.2.3` is `>=1.2.3 <2`; left of the first number that is not zero nothing may change.
    fn admits_by_caret(&self, version: &Version) -> bool {
        let own = &self.version;
        if version < own {
            return false;
        }
        if own.major > 0 || self.written == Written::Major {
            return version.major == own.major;
        }
        if version.major > 0 {
            return false;
        }
        if own.minor > 0 || self.written == Written::MajorMinor {
            return version.minor == own.minor;
        }
        version.minor == 0 && version.patch == own.patch
    }
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "" | "=" => Self::Equal,
            "!=" => Self::NotEqual,
            ">" => Self::Greater,
            "<" => Self::Less,
            ">=" | "=>" => Self::GreaterOrEqual,
            "<=" | "=<" => Self::LessOrEqual,
            "~" | "~>" => Self::Tilde,
            "^" => Self::Caret,
            _ => return None,
        })
    }
}
