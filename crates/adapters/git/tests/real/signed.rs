//! What has to be verified of a revision: tags, commits, and histories up to a seal.

use std::sync::Arc;

use git::{Freshness, Options, Repositories, Repository, SignedObject, Trusted};

use crate::support::{Source, repositories, repositories_with};

fn trusting(answer: bool) -> Option<Trusted> {
    Some(Arc::new(move |_: &SignedObject| answer))
}

async fn names(
    repositories: &Repositories,
    repository: &Repository,
    revision: &str,
    seals: Option<Trusted>,
) -> Vec<String> {
    let resolved = repositories.resolve(repository, revision, Freshness::Now).await.unwrap();
    let found = repositories.signed(repository, &resolved, seals).await.unwrap();
    found.into_iter().map(|object| object.name).collect()
}

#[tokio::test]
async fn a_tag_is_verified_in_the_place_of_its_commit() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    let head = source.git(&["rev-parse", "HEAD"]);
    source.git(&["tag", "plain"]);
    source.git(&["tag", "-a", "noted", "-m", "words"]);
    let (repositories, counts) = repositories(cache.path());
    let repository = source.repository();
    for revision in ["main", "plain"] {
        assert_eq!(names(&repositories, &repository, revision, None).await, std::slice::from_ref(&head));
    }
    // The commit is here already; the tag's object is not.
    assert_eq!(names(&repositories, &repository, "noted", None).await, ["noted"]);
    let fetches = counts.now().1;
    assert_eq!(names(&repositories, &repository, "noted", trusting(true)).await, ["noted".to_owned(), head]);
    assert_eq!(counts.now().1, fetches, "it is here now");
    let resolved = repositories.resolve(&repository, "noted", Freshness::Now).await.unwrap();
    let tag = &repositories.signed(&repository, &resolved, None).await.unwrap()[0];
    assert!(tag.tag && tag.signature.is_none());
    assert_eq!(tag.author, "Carl \"<carl@example.org>\"");
    let resolved = repositories.resolve(&repository, "main", Freshness::Now).await.unwrap();
    let commit = &repositories.signed(&repository, &resolved, None).await.unwrap()[0];
    assert_eq!(commit.author, "Ann Author <ann@example.org>");
}

#[tokio::test]
async fn a_history_ends_at_its_seals() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    let first = source.git(&["rev-parse", "HEAD"]);
    source.git(&["checkout", "-q", "-b", "side"]);
    let side = source.commit(&[("side", "1")], "side");
    source.git(&["checkout", "-q", "main"]);
    let seal = source.commit(&[], "all is well\n\nArgocd-gpg-seal: looked at");
    let after = source.commit(&[], "after");
    source.git(&["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    let merge = source.git(&["rev-parse", "HEAD"]);
    source.git(&["branch", "straight", &after]);
    source.git(&["branch", "sealed", &seal]);
    let (repositories, _) = repositories(cache.path());
    let repository = source.repository();
    let sorted = async |revision: &str, trusted: bool| {
        let mut found = names(&repositories, &repository, revision, trusting(trusted)).await;
        assert!(found.contains(&source.git(&["rev-parse", revision])));
        found.sort();
        found
    };
    let set = |names: &[&String]| {
        let mut names: Vec<String> = names.iter().map(|name| (*name).clone()).collect();
        names.sort();
        names
    };
    assert_eq!(sorted("main", false).await, set(&[&first, &side, &seal, &after, &merge]));
    // What lies behind the seal is the seal's affair, save where another way leads to it.
    assert_eq!(sorted("main", true).await, set(&[&first, &side, &seal, &after, &merge]));
    assert_eq!(sorted("straight", true).await, set(&[&seal, &after]));
    assert_eq!(sorted("sealed", true).await, set(&[&seal]));
}

#[tokio::test]
async fn a_history_that_is_cut_off_is_an_error() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    source.commit(&[], "second");
    let (repositories, _) = repositories_with(cache.path(), Options::default());
    let repository = Repository { depth: 1, ..source.repository() };
    let resolved = repositories.resolve(&repository, "main", Freshness::Now).await.unwrap();
    assert_eq!(repositories.signed(&repository, &resolved, None).await.unwrap().len(), 1);
    let error = repositories.signed(&repository, &resolved, trusting(true)).await.unwrap_err();
    assert!(error.to_string().contains("is not complete"), "{error}");
}
