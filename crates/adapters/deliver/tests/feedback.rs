//! What each provider is asked when a pull request is told something: the exact requests, with what proves us.

use deliver::feedback::{Account, AppKey, CommitStatus, Feedback, Host, Proof, Proxy};
use deliver::{Failure, World};
use preview::State;
use std::collections::BTreeMap;
use testkit::sink::{Answer, HttpSink};

const COMMIT: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const MARK: &str = "argocd-0123";

struct Setup {
    sink: HttpSink,
    feedback: Feedback,
    runtime: tokio::runtime::Runtime,
}

fn token() -> Proof {
    Proof::Token("canary-token".to_owned().into())
}

fn password(user: &str) -> Proof {
    Proof::Password(user.to_owned(), "canary-token".to_owned().into())
}

impl Setup {
    fn new(host: Host, repository: &str, proof: Proof) -> Self {
        Self::with(host, repository, proof, "")
    }

    fn with(host: Host, repository: &str, proof: Proof, api: &str) -> Self {
        boot::crypto();
        let sink = HttpSink::start().expect("a sink");
        let repository = repository.replace("<sink>", &sink.url());
        let api = api.replace("<sink>", &sink.url());
        let account =
            Account { host, repository, api, origin: sink.url(), proof, insecure: false, proxy: None };
        let feedback = Feedback::new(&account, &World::new(BTreeMap::new())).expect("feedback");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { sink, feedback, runtime }
    }

    fn status(&self, state: State, url: &str) -> Result<(), Failure> {
        let status =
            CommitStatus { commit: COMMIT, context: "argocd/guestbook", state, text: "3 changed", url };
        self.runtime.block_on(self.feedback.status(&status))
    }

    fn comment(&self, text: &str, wanted: bool) -> Result<(), Failure> {
        self.runtime.block_on(self.feedback.comment(7, MARK, text, wanted))
    }

    fn head(&self) -> Option<String> {
        self.runtime.block_on(self.feedback.head(7)).expect("a head")
    }

    /// What was asked since the last time, each with the header that proves us.
    fn asked(&self) -> Vec<String> {
        let each = |request: testkit::sink::Received| {
            let proof = request.header("authorization").or(request.header("private-token"));
            let proof = proof.unwrap_or_default().to_owned();
            let text = format!("{} {} [{proof}] {}", request.method, request.target, request.body);
            text.trim_end().to_owned()
        };
        self.sink.requests().into_iter().map(each).collect()
    }
}

/// A status, the head, a first comment, and the same one anew.
fn check(setup: &Setup, head: &str, none: &str, there: &str, list: &str, expected: &[&str]) {
    setup.status(State::Pending, "https://argocd.example/a").expect("a status");
    setup.status(State::Failure, "").expect("a status");
    setup.sink.answer(
        &format!("GET {}", expected[2].split(' ').nth(1).expect("an address")),
        [Answer::new(200, head)],
    );
    assert_eq!(setup.head().as_deref(), Some(COMMIT));
    setup.sink.answer(&format!("GET {list}"), [Answer::new(200, none), Answer::new(200, there)]);
    setup.comment(&format!("one {MARK}"), true).expect("written");
    setup.comment(&format!("two {MARK}"), true).expect("edited");
    // The same words again are no edit.
    setup.comment(&format!("old {MARK}\n"), true).expect("left alone");
    assert_eq!(setup.asked(), expected);
}

#[test]
fn github() {
    let setup = Setup::new(Host::GitHub, "git@host.example:octo-org/app.git", token());
    let about = "/api/v3/repos/octo-org/app";
    let there = format!(
        r#"[{{"id": 5, "body": "other"}}, {{"id": 9, "body": "copy {MARK}"}}, {{"id": 6, "body": "old {MARK}"}}]"#
    );
    let list = format!("{about}/issues/7/comments");
    check(
        &setup,
        &format!(r#"{{"state": "open", "head": {{"sha": "{COMMIT}"}}}}"#),
        "[]",
        &there,
        &list,
        &[
            &format!(
                r#"POST {about}/statuses/{COMMIT} [token canary-token] {{"context":"argocd/guestbook","description":"3 changed","state":"pending","target_url":"https://argocd.example/a"}}"#
            ),
            &format!(
                r#"POST {about}/statuses/{COMMIT} [token canary-token] {{"context":"argocd/guestbook","description":"3 changed","state":"failure"}}"#
            ),
            &format!("GET {about}/pulls/7 [token canary-token]"),
            &format!("GET {list}?per_page=50&page=1 [token canary-token]"),
            &format!(r#"POST {list} [token canary-token] {{"body":"one {MARK}"}}"#),
            &format!("GET {list}?per_page=50&page=1 [token canary-token]"),
            &format!(r#"PATCH {about}/issues/comments/6 [token canary-token] {{"body":"two {MARK}"}}"#),
            &format!("GET {list}?per_page=50&page=1 [token canary-token]"),
        ],
    );
}

#[test]
fn gitlab() {
    let setup = Setup::new(Host::GitLab, "<sink>/group/sub/app.git", password("oauth2"));
    let about = "/api/v4/projects/group%2Fsub%2Fapp";
    let list = format!("{about}/merge_requests/7/notes");
    let query = "order_by=created_at&page=1&per_page=50&sort=asc";
    check(
        &setup,
        &format!(r#"{{"state": "opened", "sha": "{COMMIT}"}}"#),
        "[]",
        &format!(r#"[{{"id": 6, "body": "old {MARK}"}}]"#),
        &list,
        &[
            &format!(
                r#"POST {about}/statuses/{COMMIT} [canary-token] {{"description":"3 changed","name":"argocd/guestbook","state":"running","target_url":"https://argocd.example/a"}}"#
            ),
            &format!(
                r#"POST {about}/statuses/{COMMIT} [canary-token] {{"description":"3 changed","name":"argocd/guestbook","state":"failed"}}"#
            ),
            &format!("GET {about}/merge_requests/7 [canary-token]"),
            &format!("GET {list}?{query} [canary-token]"),
            &format!(r#"POST {list} [canary-token] {{"body":"one {MARK}"}}"#),
            &format!("GET {list}?{query} [canary-token]"),
            &format!(r#"PUT {list}/6 [canary-token] {{"body":"two {MARK}"}}"#),
            &format!("GET {list}?{query} [canary-token]"),
        ],
    );
}

#[test]
fn gitea_below_a_path() {
    let setup = Setup::new(Host::Gitea, "<sink>/git/unknwon/app", token());
    let about = "/git/api/v1/repos/unknwon/app";
    let list = format!("{about}/issues/7/comments");
    check(
        &setup,
        &format!(r#"{{"state": "open", "head": {{"sha": "{COMMIT}"}}}}"#),
        "[]",
        &format!(r#"[{{"id": 6, "body": "old {MARK}"}}]"#),
        &list,
        &[
            &format!(
                r#"POST {about}/statuses/{COMMIT} [token canary-token] {{"context":"argocd/guestbook","description":"3 changed","state":"pending","target_url":"https://argocd.example/a"}}"#
            ),
            &format!(
                r#"POST {about}/statuses/{COMMIT} [token canary-token] {{"context":"argocd/guestbook","description":"3 changed","state":"failure","target_url":""}}"#
            ),
            &format!("GET {about}/pulls/7 [token canary-token]"),
            &format!("GET {list} [token canary-token]"),
            &format!(r#"POST {list} [token canary-token] {{"body":"one {MARK}"}}"#),
            &format!("GET {list} [token canary-token]"),
            &format!(r#"PATCH {about}/issues/comments/6 [token canary-token] {{"body":"two {MARK}"}}"#),
            &format!("GET {list} [token canary-token]"),
        ],
    );
}

#[test]
fn gogs_has_comments_and_no_statuses() {
    let setup = Setup::new(Host::Gogs, "<sink>/unknwon/app", password("ann"));
    assert!(!setup.feedback.has_statuses());
    let failure = setup.status(State::Success, "").expect_err("there are none");
    assert!(!failure.retry && failure.message.contains("no statuses"), "{failure}");
    let list = "/api/v1/repos/unknwon/app/issues/7/comments";
    setup.sink.answer("GET /api/v1/repos/unknwon/app/issues/7", [Answer::new(200, r#"{"state": "open"}"#)]);
    assert_eq!(setup.head().as_deref(), Some(""), "which commit is the newest is not told");
    let there = format!(r#"[{{"id": 6, "body": "old {MARK}"}}]"#);
    setup.sink.answer(&format!("GET {list}"), [Answer::new(200, "[]"), Answer::new(200, &there)]);
    setup.comment(&format!("one {MARK}"), true).expect("written");
    setup.comment(&format!("two {MARK}"), true).expect("edited");
    let basic = "Basic YW5uOmNhbmFyeS10b2tlbg==";
    assert_eq!(
        setup.asked(),
        [
            format!("GET /api/v1/repos/unknwon/app/issues/7 [{basic}]"),
            format!("GET {list} [{basic}]"),
            format!(r#"POST {list} [{basic}] {{"body":"one {MARK}"}}"#),
            format!("GET {list} [{basic}]"),
            format!(r#"PATCH {list}/6 [{basic}] {{"body":"two {MARK}"}}"#),
        ]
    );
}

#[test]
fn bitbucket() {
    let setup = Setup::new(Host::Bitbucket, "git@bitbucket.org:team/app.git", password("x-token-auth"));
    let about = "/2.0/repositories/team/app";
    let page = setup.sink.url();
    let list = format!("{about}/pullrequests/7/comments");
    let query = "page=1&pagelen=50&sort=created_on";
    let proof = "Bearer canary-token";
    let key = key_of_a_status();
    check(
        &setup,
        &format!(r#"{{"state": "OPEN", "source": {{"commit": {{"hash": "{COMMIT}"}}}}}}"#),
        r#"{"values": []}"#,
        &format!(
            r#"{{"values": [{{"id": 4, "deleted": true, "content": {{"raw": "{MARK}"}}}}, {{"id": 6, "content": {{"raw": "old {MARK}"}}}}]}}"#
        ),
        &list,
        &[
            &format!(
                r#"POST {about}/commit/{COMMIT}/statuses/build [{proof}] {{"description":"3 changed","key":"{key}","name":"argocd/guestbook","state":"INPROGRESS","url":"https://argocd.example/a"}}"#
            ),
            &format!(
                r#"POST {about}/commit/{COMMIT}/statuses/build [{proof}] {{"description":"3 changed","key":"{key}","name":"argocd/guestbook","state":"FAILED","url":"{page}/team/app"}}"#
            ),
            &format!("GET {about}/pullrequests/7 [{proof}]"),
            &format!("GET {list}?{query} [{proof}]"),
            &format!(r#"POST {list} [{proof}] {{"content":{{"raw":"one {MARK}"}}}}"#),
            &format!("GET {list}?{query} [{proof}]"),
            &format!(r#"PUT {list}/6 [{proof}] {{"content":{{"raw":"two {MARK}"}}}}"#),
            &format!("GET {list}?{query} [{proof}]"),
        ],
    );
}

/// The key of a status, as both Bitbuckets take it: forty characters at most, the same for the same status.
fn key_of_a_status() -> String {
    let setup = Setup::new(Host::Bitbucket, "git@bitbucket.org:team/app.git", token());
    setup.status(State::Success, "").expect("a status");
    let request = setup.sink.requests().pop().expect("a request");
    let (_, rest) = request.body.split_once(r#""key":""#).expect("a key");
    let key = rest.split('"').next().unwrap_or_default().to_owned();
    assert!(key.len() <= 40 && key.starts_with("argocd-"), "{key}");
    key
}

#[test]
fn bitbucket_server() {
    let setup = Setup::new(Host::BitbucketServer, "<sink>/context/scm/proj/app.git", token());
    let (rest, proof) = ("/context/rest", "Bearer canary-token");
    let about = format!("{rest}/api/1.0/projects/proj/repos/app/pull-requests/7");
    let key = key_of_a_status();
    let page = setup.sink.url();
    let list = format!("{about}/activities");
    check(
        &setup,
        &format!(r#"{{"state": "OPEN", "fromRef": {{"latestCommit": "{COMMIT}"}}}}"#),
        r#"{"values": [], "isLastPage": true}"#,
        &format!(
            r#"{{"values": [{{"action": "COMMENTED", "comment": {{"id": 6, "version": 3, "text": "old {MARK}"}}}}, {{"action": "OPENED"}}], "isLastPage": true}}"#
        ),
        &list,
        &[
            &format!(
                r#"POST {rest}/build-status/1.0/commits/{COMMIT} [{proof}] {{"description":"3 changed","key":"{key}","name":"argocd/guestbook","state":"INPROGRESS","url":"https://argocd.example/a"}}"#
            ),
            &format!(
                r#"POST {rest}/build-status/1.0/commits/{COMMIT} [{proof}] {{"description":"3 changed","key":"{key}","name":"argocd/guestbook","state":"FAILED","url":"{page}/context/projects/proj"}}"#
            ),
            &format!("GET {about} [{proof}]"),
            &format!("GET {list}?limit=50&start=0 [{proof}]"),
            &format!(r#"POST {about}/comments [{proof}] {{"text":"one {MARK}"}}"#),
            &format!("GET {list}?limit=50&start=0 [{proof}]"),
            &format!(r#"PUT {about}/comments/6 [{proof}] {{"text":"two {MARK}","version":3}}"#),
            &format!("GET {list}?limit=50&start=0 [{proof}]"),
        ],
    );
}

#[test]
fn azure_devops() {
    let setup = Setup::new(Host::AzureDevOps, "<sink>/fabrikam/My%20Project/_git/app", token());
    let about = "/fabrikam/My%20Project/_apis/git/repositories/app";
    let proof = "Basic OmNhbmFyeS10b2tlbg==";
    let version = "api-version=7.1";
    let list = format!("{about}/pullRequests/7/threads");
    check(
        &setup,
        &format!(r#"{{"status": "active", "lastMergeSourceCommit": {{"commitId": "{COMMIT}"}}}}"#),
        r#"{"value": []}"#,
        &format!(
            r#"{{"value": [{{"id": 2, "comments": []}}, {{"id": 3, "isDeleted": true, "comments": [{{"id": 1, "content": "{MARK}"}}]}}, {{"id": 6, "comments": [{{"id": 1, "content": "old {MARK}"}}]}}]}}"#
        ),
        &list,
        &[
            &format!(
                r#"POST {about}/commits/{COMMIT}/statuses?{version} [{proof}] {{"context":{{"genre":"argocd","name":"guestbook"}},"description":"3 changed","state":"pending","targetUrl":"https://argocd.example/a"}}"#
            ),
            &format!(
                r#"POST {about}/commits/{COMMIT}/statuses?{version} [{proof}] {{"context":{{"genre":"argocd","name":"guestbook"}},"description":"3 changed","state":"failed"}}"#
            ),
            &format!("GET {about}/pullRequests/7?{version} [{proof}]"),
            &format!("GET {list}?{version} [{proof}]"),
            &format!(
                r#"POST {list}?{version} [{proof}] {{"comments":[{{"commentType":"text","content":"one {MARK}","parentCommentId":0}}],"status":"closed"}}"#
            ),
            &format!("GET {list}?{version} [{proof}]"),
            &format!(r#"PATCH {list}/6/comments/1?{version} [{proof}] {{"content":"two {MARK}"}}"#),
            &format!("GET {list}?{version} [{proof}]"),
        ],
    );
}

#[test]
fn repositories_of_azure_devops_are_found_by_all_their_addresses() {
    let check = |repository: &str, about: &str| {
        let setup = Setup::with(Host::AzureDevOps, repository, token(), "<sink>");
        setup.status(State::Success, "").expect("a status");
        let asked = setup.sink.requests().pop().expect("a request").target;
        assert!(asked.starts_with(&format!("{about}/_apis/git/repositories/app/commits/")), "{asked}");
    };
    check("https://dev.azure.com/org/project/_git/app", "/org/project");
    check("git@ssh.dev.azure.com:v3/org/project/app", "/org/project");
    check("https://tfs.example/tfs/Collection/project/_git/app", "/tfs/Collection/project");
}

#[test]
fn a_github_app_looks_for_its_installation() {
    let key = "-----BEGIN RSA PRIVATE KEY-----";
    let wrong = Proof::App(AppKey { id: 1, installation: 0, private_key: key.to_owned().into() });
    let account = Account {
        host: Host::GitHub,
        repository: "https://github.com/octo-org/app".into(),
        api: String::new(),
        origin: "https://github.com".into(),
        proof: wrong,
        insecure: false,
        proxy: None,
    };
    boot::crypto();
    let refused = Feedback::new(&account, &World::new(BTreeMap::new())).err().expect("no key");
    assert!(refused.contains("could not parse private key"), "{refused}");
    let private_key = new_key();
    let app = Proof::App(AppKey { id: 1, installation: 0, private_key: private_key.into() });
    let setup = Setup::with(Host::GitHub, "https://github.com/octo-org/app", app, "<sink>");
    setup.sink.answer("GET /repos/octo-org/app/installation", [Answer::new(200, r#"{"id": 42}"#)]);
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let token = format!(r#"{{"token": "canary-installation", "expires_at": "{until}"}}"#);
    setup.sink.answer("POST /app/installations/42/access_tokens", [Answer::new(201, &token)]);
    setup.status(State::Success, "").expect("a status");
    setup.status(State::Error, "").expect("a status");
    let asked: Vec<String> =
        setup.asked().iter().map(|line| line.split(" [").next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        asked,
        [
            "GET /repos/octo-org/app/installation",
            "POST /app/installations/42/access_tokens",
            &format!("POST /repos/octo-org/app/statuses/{COMMIT}"),
            &format!("POST /repos/octo-org/app/statuses/{COMMIT}"),
        ]
    );
    assert!(setup.asked()[3].contains("[token canary-installation]"));
}

/// A key as GitHub gives them.
fn new_key() -> String {
    use rsa::pkcs1::EncodeRsaPrivateKey as _;
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a key");
    key.to_pkcs1_pem(rsa::pkcs1::LineEnding::LF).expect("PEM").to_string()
}

#[test]
fn all_pages_are_looked_through() {
    let setup = Setup::new(Host::GitHub, "<sink>/octo-org/app", token());
    let page = |from: u64, mark: &str| {
        let comments: Vec<String> =
            (from..from + 50).map(|id| format!(r#"{{"id": {id}, "body": "x{mark}"}}"#)).collect();
        Answer::new(200, &format!("[{}]", comments.join(",")))
    };
    let list = "GET /api/v3/repos/octo-org/app/issues/7/comments";
    setup.sink.answer(list, [page(1, ""), page(51, ""), page(101, MARK), Answer::new(200, "[]")]);
    setup.comment("new", true).expect("edited");
    let asked = setup.asked();
    assert_eq!(asked.len(), 5);
    assert!(asked[4].starts_with("PATCH /api/v3/repos/octo-org/app/issues/comments/101 "), "{asked:?}");
}

#[test]
fn a_comment_that_is_not_wanted_is_only_brought_up_to_date() {
    let setup = Setup::new(Host::GitHub, "<sink>/octo-org/app", token());
    setup.sink.answer("GET /", [Answer::new(200, "[]")]);
    setup.comment("nothing any more", false).expect("nothing to do");
    assert_eq!(setup.asked().len(), 1);
}

#[test]
fn failures_tell_no_secret_and_whether_to_try_again() {
    let setup = Setup::new(Host::GitHub, "<sink>/octo-org/app", token());
    setup.sink.answer("POST /", [Answer::new(403, "you sent canary-token"), Answer::new(502, "")]);
    let failure = setup.status(State::Success, "").expect_err("refused");
    assert!(failure.message.ends_with("403 you sent +++++") && !failure.retry, "{failure}");
    assert!(setup.status(State::Success, "").expect_err("refused").retry);
    let closed = Setup::new(Host::GitHub, "<sink>/octo-org/app", token());
    closed.sink.answer("GET /", [Answer::new(200, r#"{"state": "closed", "head": {"sha": "x"}}"#)]);
    assert_eq!(closed.head(), None);
    // GitLab refuses to say the same again.
    let setup = Setup::new(Host::GitLab, "<sink>/group/app", token());
    let text = r#"{"message": "Cannot transition status via :run from :running"}"#;
    setup.sink.answer("POST /", [Answer::new(400, text)]);
    setup.status(State::Pending, "").expect("it stands like that");
}

#[test]
fn a_proxy_of_its_own_is_gone_through_unless_the_host_is_excepted() {
    boot::crypto();
    let (through, direct) = (HttpSink::start().expect("a sink"), HttpSink::start().expect("a sink"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tell = |origin: &str, exceptions: &str| {
        let url = through.url().replace("://", "://user:canary%40proxy@").into();
        let account = Account {
            host: Host::GitLab,
            repository: format!("{origin}/group/app"),
            api: String::new(),
            origin: origin.to_owned(),
            proof: token(),
            insecure: false,
            proxy: Some(Proxy { url, exceptions: exceptions.to_owned() }),
        };
        assert!(!format!("{account:?}").contains("canary"));
        let feedback = Feedback::new(&account, &World::new(BTreeMap::new())).expect("feedback");
        runtime.block_on(feedback.head(7))
    };
    through.answer("GET ", [Answer::new(200, &format!(r#"{{"state": "opened", "sha": "{COMMIT}"}}"#))]);
    direct.answer("GET ", [Answer::new(404, "{}")]);
    assert_eq!(tell("http://git.inside.example", "other.example").expect("a head").as_deref(), Some(COMMIT));
    let [asked] = <[_; 1]>::try_from(through.requests()).expect("one request");
    assert!(asked.target.starts_with("http://git.inside.example/api/v4/projects/"), "{asked:?}");
    assert!(asked.header("proxy-authorization").is_some(), "{asked:?}");
    assert!(tell(&direct.url(), "127.0.0.0/8").is_err());
    assert_eq!((through.requests().len(), direct.requests().len()), (1, 1));
    // What it says of who asked is not told.
    let said = "not you, user:canary%40proxy, nor canary@proxy as dXNlcjpjYW5hcnlAcHJveHk=";
    through.answer("GET ", [Answer::new(403, said)]);
    let message = tell("http://git.inside.example", "other.example").expect_err("refused").message;
    assert!(message.ends_with("403 not you, +++++, nor +++++ as +++++"), "{message}");
}

#[test]
fn addresses_that_name_no_repository_are_refused() {
    let refused = |host: Host, repository: &str, origin: &str, api: &str| {
        let account = Account {
            host,
            repository: repository.into(),
            api: api.into(),
            origin: origin.into(),
            proof: token(),
            insecure: false,
            proxy: None,
        };
        Feedback::new(&account, &World::new(BTreeMap::new())).err()
    };
    boot::crypto();
    let https = "https://git.example";
    assert!(refused(Host::GitHub, "https://git.example/app", https, "").is_some());
    assert!(refused(Host::Gitea, "https://git.example", https, "").is_some());
    assert!(refused(Host::AzureDevOps, "https://git.example/a/b", https, "").is_some());
    assert!(refused(Host::GitHub, "https://git.example/a/b", "ssh://git.example", "").is_some());
    assert!(refused(Host::GitHub, "https://git.example/a/b", https, "file:///etc").is_some());
    assert!(refused(Host::GitHub, "https://git.example/a/b", https, "").is_none());
}
