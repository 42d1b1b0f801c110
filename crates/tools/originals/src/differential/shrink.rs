//! Makes an input that differs smaller: files, then lines, go as long as it still differs in the same way.

use super::tools::Tools;
use super::{Family, Input, answer};
use crate::answer::Answer;
use anyhow::Result;
use std::mem::discriminant;

/// So many smaller inputs are tried.
const TRIES: usize = 250;

pub(crate) fn shrink(
    family: &Family,
    input: Input,
    answer: Answer,
    tools: &mut Tools,
) -> Result<(Input, Answer)> {
    let mut search = Search { family, best: input, answer, tools, tries: 0 };
    for index in (0..search.best.arguments.len()).rev() {
        search.attempt(|input| {
            input.arguments.remove(index);
        })?;
    }
    let paths: Vec<String> = search.best.files.0.keys().cloned().collect();
    for path in &paths {
        search.attempt(|input| drop(input.files.0.remove(path)))?;
    }
    for path in &paths {
        search.lines(path)?;
    }
    for path in &paths {
        search.lines(path)?;
    }
    Ok((search.best, search.answer))
}

struct Search<'a> {
    family: &'a Family,
    best: Input,
    answer: Answer,
    tools: &'a mut Tools,
    tries: usize,
}

impl Search<'_> {
    /// Takes a smaller input when it differs in the same way.
    fn attempt(&mut self, change: impl FnOnce(&mut Input)) -> Result<bool> {
        if self.tries >= TRIES {
            return Ok(false);
        }
        self.tries += 1;
        let mut smaller = self.best.clone();
        change(&mut smaller);
        let (found, _) = answer(self.family, &smaller, self.tools)?;
        let same = found.problem().is_some() && discriminant(&found) == discriminant(&self.answer);
        if same {
            (self.best, self.answer) = (smaller, found);
        }
        Ok(same)
    }

    /// Drops lines: many at once first, then single ones.
    fn lines(&mut self, path: &str) -> Result<()> {
        let lines = |input: &Input| -> Vec<Vec<u8>> {
            let content = input.files.0.get(path).map(Vec::as_slice).unwrap_or_default();
            content.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
        };
        let mut size = lines(&self.best).len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < lines(&self.best).len() {
                let mut left = lines(&self.best);
                let end = (at + size).min(left.len());
                left.drain(at..end);
                let content = left.concat();
                let dropped = self.attempt(|input| drop(input.files.0.insert(path.to_owned(), content)))?;
                if !dropped {
                    at += size;
                }
                if self.tries >= TRIES {
                    return Ok(());
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
        Ok(())
    }
}
