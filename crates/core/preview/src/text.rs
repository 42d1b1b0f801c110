//! Texts that strangers wrote, made fit to stand in a comment.

/// Longest name.
const NAME: usize = 120;

/// A name without anything that a reader of Markdown or HTML could take for more.
pub(crate) fn name(text: &str) -> String {
    let plain = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '/' | ':' => character,
        // Not within a word, and so no sign of emphasis.
        '_' => '-',
        _ => '?',
    };
    shortened(&text.chars().map(plain).collect::<String>(), NAME)
}

/// One line of a message.
pub(crate) fn line(text: &str, longest: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let visible = |character: &char| !character.is_control() && !is_invisible(*character);
    shortened(&words.join(" ").chars().filter(visible).collect::<String>(), longest)
}

/// A text as a block that shows it as it is, whatever is in it.
pub(crate) fn block(language: &str, text: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    let text: String = text.chars().map(|it| if is_invisible(it) { '?' } else { it }).collect();
    format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// Characters that turn others round or hide, by which a difference could look like another one.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\r' | '\0'
    )
}

pub(crate) fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{block, line, name};

    #[test]
    fn names_are_no_markup() {
        assert_eq!(name("guestbook-ui.v1"), "guestbook-ui.v1");
        assert_eq!(name("a_b](http://x) <img> @all `c`|"), "a-b??http://x???img???all??c??");
        assert_eq!(name(&"x".repeat(500)).chars().count(), 120);
    }

    #[test]
    fn a_block_cannot_be_left() {
        assert_eq!(block("diff", "a\n"), "```diff\na\n```");
        assert_eq!(block("", "```\n# out"), "````\n```\n# out\n````");
        assert_eq!(block("", "a\u{202e}b\r"), "```\na?b?\n```");
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(line(" a\n\tb \u{7}c\u{202e}", 10), "a b c");
        assert_eq!(line("abcdef", 4), "abc…");
    }
}
