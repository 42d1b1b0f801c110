//! Whether a new commit changed anything below an application's paths.

use crate::repository::git_repository;
use crate::server::RepoServer;
use crate::status;
use source_tree::{Kind, Tree, TreeError, TreePath};
use tonic::Status;
use wire::repository::{UpdateRevisionForPathsRequest, UpdateRevisionForPathsResponse};

/// Changed files looked at; more are taken for a change.
const MOST_FILES: usize = 100_000;

impl RepoServer {
    /// Compares the commit an application was synced to with the one its revision means now. What was rendered
    /// before needs no new key here: it is found by what it read.
    pub(crate) async fn changes(
        &self,
        request: UpdateRevisionForPathsRequest,
    ) -> Result<UpdateRevisionForPathsResponse, Status> {
        if request.paths.is_empty() {
            // Without paths everything counts.
            return Ok(UpdateRevisionForPathsResponse::default());
        }
        let repository = git_repository(request.repo, self.trust())?;
        let now = request.no_revision_cache;
        let unresolved = |revision: &str, status: &Status| {
            Status::internal(format!("unable to resolve git revision {revision}: {}", status.message()))
        };
        let tag_prefix = request.application_source.as_ref().map_or("", |source| source.tag_prefix.as_str());
        let new = self.sources.commit_tagged(&repository, &request.revision, tag_prefix, now).await;
        let new = new.map_err(|status| unresolved(&request.revision, &status))?;
        let old = self.sources.commit(&repository, &request.synced_revision, now).await;
        let old = old.map_err(|status| unresolved(&request.synced_revision, &status))?;
        let revision = new.commit.as_str().to_owned();
        if new.commit == old.commit {
            return Ok(UpdateRevisionForPathsResponse { changes: false, revision });
        }
        let new = self.sources.git_tree(&repository, &new).await?;
        let old = self.sources.git_tree(&repository, &old).await?;
        let paths = request.paths;
        let work = tokio::task::spawn_blocking(move || any_changed(&old, &new, &paths));
        let changes = work.await.map_err(|error| status::broken("compare commits", &error))?;
        let changes = changes.map_err(|error| status::unknown(&error))?;
        Ok(UpdateRevisionForPathsResponse { changes, revision })
    }
}

/// Whether a changed file is one of the paths, lies below one, or matches one that is a pattern.
fn any_changed(old: &dyn Tree, new: &dyn Tree, paths: &[String]) -> Result<bool, TreeError> {
    let mut found = false;
    let complete = each_changed(old, new, |path| {
        found = paths.iter().any(|wanted| touches(wanted, path));
        !found
    })?;
    Ok(found || !complete)
}

/// The files that one of the trees has and the other has not, or has otherwise. Nothing when there are too many.
pub(crate) fn changed_files(old: &dyn Tree, new: &dyn Tree) -> Result<Option<Vec<TreePath>>, TreeError> {
    let mut files = Vec::new();
    let complete = each_changed(old, new, |path| {
        files.push(path.clone());
        true
    })?;
    files.sort();
    Ok(complete.then_some(files))
}

/// Shows each changed file, for as long as more are wanted. Whether there were not too many.
fn each_changed(
    old: &dyn Tree,
    new: &dyn Tree,
    mut wants_more: impl FnMut(&TreePath) -> bool,
) -> Result<bool, TreeError> {
    let mut folders = vec![TreePath::root()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let (before, after) = (entries(old, &folder)?, entries(new, &folder)?);
        let mut names: Vec<&String> = before.iter().chain(&after).map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let of = |entries: &[(String, Kind)]| {
                entries.iter().find(|(found, _)| found == name).map(|(_, kind)| *kind)
            };
            let (was, is) = (of(&before), of(&after));
            let path = folder.child(name);
            let folder_there = was == Some(Kind::Directory) || is == Some(Kind::Directory);
            if was == is && old.content_id(&path)? == new.content_id(&path)? {
                continue;
            }
            if folder_there {
                folders.push(path.clone());
            }
            let file_there = [was, is].into_iter().flatten().any(|kind| kind != Kind::Directory);
            if file_there && !wants_more(&path) {
                return Ok(true);
            }
            seen += 1;
            if seen > MOST_FILES {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn entries(tree: &dyn Tree, folder: &TreePath) -> Result<Vec<(String, Kind)>, TreeError> {
    match tree.list(folder) {
        Ok(entries) => Ok(entries.into_iter().map(|entry| (entry.name, entry.kind)).collect()),
        Err(TreeError::NotFound { .. } | TreeError::NotADirectory { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn touches(wanted: &str, changed: &TreePath) -> bool {
    match TreePath::root().resolve(wanted) {
        Ok(folder) if changed.starts_with(&folder) => true,
        Ok(pattern) => glob_pattern::matches(pattern.as_str(), changed.as_str(), &['/']),
        // A path that leads out of the repository is met by nothing in it.
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{any_changed, changed_files};
    use source_tree::{MemoryTree, TreePath};

    fn tree(files: &[(&str, &str)]) -> MemoryTree {
        let files =
            files.iter().map(|(path, text)| (TreePath::parse(path).unwrap(), text.as_bytes().to_vec()));
        MemoryTree::from_files(files).unwrap()
    }

    #[test]
    fn only_changes_below_the_paths_count() {
        let old = tree(&[("app/a.yaml", "1"), ("app/b/c.yaml", "1"), ("other/x", "1"), ("gone/x", "1")]);
        let new = tree(&[("app/a.yaml", "1"), ("app/b/c.yaml", "2"), ("other/x", "1"), ("new/x/y", "1")]);
        let changed = |paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            any_changed(&old, &new, &paths).unwrap()
        };
        for (paths, expected) in [
            (&["app"][..], true),
            (&["/app/b"], true),
            (&["app/b/*.yaml"], true),
            (&["app/a.yaml"], false),
            (&["app/*.yaml"], false),
            (&["other"], false),
            (&["other", "gone"], true),
            (&["new"], true),
            (&["."], true),
            (&["../app"], false),
        ] {
            assert_eq!(changed(paths), expected, "{paths:?}");
        }
        assert!(!any_changed(&old, &old, &[".".to_owned()]).unwrap());
        let files = changed_files(&old, &new).unwrap().unwrap();
        let files: Vec<&str> = files.iter().map(TreePath::as_str).collect();
        assert_eq!(files, ["app/b/c.yaml", "gone/x", "new/x/y"]);
    }
}
