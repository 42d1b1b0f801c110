//! Where a history left another one.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::{CommitId, signed, tree::Objects};

/// Commits of each history that are looked at, the newest ones.
const MOST: usize = 20_000;

/// The newest commit of a branch that also leads to `head`. Nothing when there is none in what is here of the two.
pub(crate) fn left_at(objects: &Objects, head: &CommitId, branch: &CommitId) -> Option<CommitId> {
    left_among(head, branch, |id| signed::parents(objects, id).ok())
}

/// The same in any history: `read` gives a commit's time and parents.
fn left_among(
    head: &CommitId,
    branch: &CommitId,
    read: impl Fn(&CommitId) -> Option<(i64, Vec<CommitId>)>,
) -> Option<CommitId> {
    let mut on_branch = BTreeSet::new();
    walk(branch, &read, |id| {
        on_branch.insert(id.clone());
        false
    });
    walk(head, &read, |id| on_branch.contains(id))
}

/// Commits that lead to one, newest first, until `found` says so of one.
fn walk(
    from: &CommitId,
    read: &impl Fn(&CommitId) -> Option<(i64, Vec<CommitId>)>,
    mut found: impl FnMut(&CommitId) -> bool,
) -> Option<CommitId> {
    let mut known = BTreeMap::new();
    let mut waiting = BinaryHeap::new();
    let mut note = |id: &CommitId, waiting: &mut BinaryHeap<(i64, CommitId)>| {
        // Beyond the end of a shallow history nothing can be read.
        if !known.contains_key(id)
            && let Some((time, parents)) = read(id)
        {
            known.insert(id.clone(), parents);
            waiting.push((time, id.clone()));
        }
        known.get(id).cloned().unwrap_or_default()
    };
    note(from, &mut waiting);
    for _ in 0..MOST {
        let (_, id) = waiting.pop()?;
        if found(&id) {
            return Some(id);
        }
        for parent in note(&id, &mut waiting) {
            note(&parent, &mut waiting);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::left_among;
    use crate::CommitId;

    fn id(number: u8) -> CommitId {
        CommitId::parse(&format!("{number:040x}")).unwrap()
    }

    #[test]
    fn a_branch_is_left_at_the_newest_commit_of_both() {
        // 1 - 2 - 3 - 4 is the branch; 2 - 5 - 6 a request, into which 3 was merged at 7.
        let parents = |of: &CommitId| {
            let parents: &[u8] = match of {
                found if *found == id(1) => &[],
                found if *found == id(2) => &[1],
                found if *found == id(3) => &[2],
                found if *found == id(4) => &[3],
                found if *found == id(5) => &[2],
                found if *found == id(6) => &[5],
                found if *found == id(7) => &[6, 3],
                found if *found == id(9) => &[],
                _ => return None,
            };
            let time = i64::from_str_radix(of.as_str(), 16).unwrap();
            Some((time, parents.iter().map(|number| id(*number)).collect()))
        };
        let left = |head: u8, branch: u8| left_among(&id(head), &id(branch), parents);
        assert_eq!(left(6, 4), Some(id(2)));
        assert_eq!(left(7, 4), Some(id(3)));
        assert_eq!(left(4, 4), Some(id(4)));
        assert_eq!(left(3, 4), Some(id(3)), "nothing of its own");
        assert_eq!(left(9, 4), None, "no common history");
        assert_eq!(left(8, 4), None, "nothing is here of it");
    }
}
