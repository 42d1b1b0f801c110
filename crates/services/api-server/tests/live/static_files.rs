//! Pages, scripts of extensions, and the program for download, as browsers and `curl` get them.

use crate::bench::{Answer, Bench};
use api_server::Options;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::json;
use std::path::Path;
use tower::ServiceExt as _;

const PAGE: &str = "<!DOCTYPE html>\n<head>\n<base href=\"/\">\n<title>Argo CD</title>\n</head>";
const SCRIPT: &str = "main.e4188e5adc97bbfc00c3.js";
const YEAR: &str = "public, max-age=31536000, immutable";

/// A folder of pages beside something that is nobody's business.
fn pages() -> tempfile::TempDir {
    let outer = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = outer.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("written");
    };
    write("secret.txt", "canary");
    write("app/index.html", PAGE);
    write(&format!("app/{SCRIPT}"), &"run();\n".repeat(200));
    write("app/assets/fonts.css", "p {}");
    write("app/assets/images/a b.svg", "<svg/>");
    std::os::unix::fs::symlink("../secret.txt", outer.path().join("app/link.txt")).expect("a link");
    outer
}

async fn serving(namespace: &str, folder: &Path, options: Options) -> Bench {
    let static_assets = folder.join("app").display().to_string();
    let options = Options { insecure: true, static_assets, ..options };
    Bench::with(namespace, json!({}), json!({}), &[], options).await
}

async fn ask(bench: &Bench, verb: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(verb).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    bench.send(request.body(Body::empty()).expect("a request")).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().expect("text"))
}

#[tokio::test]
async fn every_place_that_is_no_file_is_the_page_which_nobody_keeps() {
    let folder = pages();
    let bench = serving("pages-all", folder.path(), Options::default()).await;
    let browser = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    for path in [
        "/",
        "/applications",
        "/applications/argocd/guestbook?view=tree",
        "/index.html",
        "/none.js",
        "/link.txt",
        "/assets",
    ] {
        let page = ask(&bench, "GET", path, &browser).await.good();
        assert_eq!(page.text, PAGE, "{path}");
        assert_eq!(header(&page, "content-type"), Some("text/html; charset=utf-8"));
        let kept = ["cache-control", "expires", "pragma", "x-accel-expires", "etag", "last-modified"];
        assert_eq!(
            kept.map(|name| header(&page, name)),
            [
                Some("no-cache, private, max-age=0"),
                Some("Thu, 01 Jan 1970 00:00:00 UTC"),
                Some("no-cache"),
                Some("0"),
                None,
                None
            ]
        );
        assert_eq!(header(&page, "x-frame-options"), Some("sameorigin"));
        assert_eq!(header(&page, "content-security-policy"), Some("frame-ancestors 'self';"));
        assert_eq!(header(&page, "x-xss-protection"), Some("1"));
        assert_eq!(header(&page, "x-robots-tag"), Some("noindex, nofollow"));
    }
    // A file is one for browsers, too.
    assert_eq!(ask(&bench, "GET", "/assets/fonts.css", &browser).await.good().text, "p {}");
    let head = ask(&bench, "HEAD", "/applications", &browser).await.good();
    assert_eq!(
        (head.text.as_str(), header(&head, "content-length")),
        ("", Some(PAGE.len().to_string().as_str()))
    );
    assert_eq!(ask(&bench, "POST", "/applications", &browser).await.status, 404);
    // Whoever only looks whether something answers.
    assert_eq!(ask(&bench, "GET", "/", &[]).await.good().text, PAGE);
    // What is not the pages' stays what it is.
    for path in ["/api/none", "/auth/none", "/download/none", "/extensions/none/x"] {
        assert_eq!(ask(&bench, "GET", path, &browser).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn files_have_their_kinds_and_a_script_that_is_named_by_its_content_is_kept() {
    let folder = pages();
    let bench = serving("pages-files", folder.path(), Options::default()).await;
    let script = ask(&bench, "GET", &format!("/{SCRIPT}"), &[]).await.good();
    assert_eq!(header(&script, "cache-control"), Some(YEAR));
    assert_eq!(header(&script, "content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(header(&script, "x-frame-options"), Some("sameorigin"));
    let changed = header(&script, "last-modified").expect("a time").to_owned();
    let again = ask(&bench, "GET", &format!("/{SCRIPT}"), &[("if-modified-since", changed.as_str())]).await;
    assert_eq!((again.status, again.text.as_str(), header(&again, "cache-control")), (304, "", Some(YEAR)));
    let old = [("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")];
    assert_eq!(ask(&bench, "GET", &format!("/{SCRIPT}"), &old).await.status, 200);
    let picture = ask(&bench, "GET", "/assets/images/a%20b.svg", &[]).await.good();
    assert_eq!(
        (header(&picture, "content-type"), header(&picture, "cache-control")),
        (Some("image/svg+xml"), None)
    );
    // An error is not to be kept.
    let none = ask(&bench, "GET", "/main.e4188e5adc97bbfc00c0.js", &[]).await;
    assert_eq!((none.status, header(&none, "cache-control")), (404, None));
    let moved = ask(&bench, "GET", "/index.html", &[]).await;
    assert_eq!((moved.status, header(&moved, "location")), (301, Some("./")));
}

#[tokio::test]
async fn files_are_compressed_unless_that_is_off() {
    let folder = pages();
    for (namespace, gzip) in [("pages-zipped", true), ("pages-unzipped", false)] {
        let bench = serving(namespace, folder.path(), Options { gzip, ..Options::default() }).await;
        let script = ask(&bench, "GET", &format!("/{SCRIPT}"), &[("accept-encoding", "gzip")]).await.good();
        assert_eq!(header(&script, "content-encoding"), gzip.then_some("gzip"));
        assert_eq!(script.text.len() == 1400, !gzip, "{}", script.text.len());
        // The length is that of what is sent.
        let length = header(&script, "content-length");
        assert_eq!(length, (!gzip).then_some("1400"));
    }
}

#[tokio::test]
async fn nothing_outside_of_the_folder_is_served() {
    let folder = pages();
    let bench = serving("pages-within", folder.path(), Options::default()).await;
    for path in [
        "/link.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "//secret.txt",
        "/secret.txt%00.css",
        "/%ff",
        "/assets",
        "/assets/",
    ] {
        let answer = ask(&bench, "GET", path, &[]).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, "404 page not found\n"), "{path}");
    }
    let within = ask(&bench, "GET", "/assets/../assets/fonts.css", &[]).await.good();
    assert_eq!(within.text, "p {}");
}

#[tokio::test]
async fn the_page_is_told_where_it_is() {
    let folder = pages();
    let options = Options { root_path: "argo/cd".into(), base_href: "/argo/cd".into(), ..Options::default() };
    let bench = serving("pages-rooted", folder.path(), options).await;
    let browser = [("accept", "text/html")];
    let page = ask(&bench, "GET", "/argo/cd/applications", &browser).await.good();
    assert_eq!(page.text, PAGE.replace("href=\"/\"", "href=\"/argo/cd/\""));
    assert_eq!(ask(&bench, "GET", "/argo/cd/assets/fonts.css", &[]).await.good().text, "p {}");
    assert_eq!(ask(&bench, "GET", "/applications", &browser).await.status, 404);
    assert_eq!(ask(&bench, "GET", "/assets/fonts.css", &[]).await.status, 404);
    // Behind a proxy that takes the path away.
    let options = Options { base_href: "/argo/".into(), ..Options::default() };
    let bench = serving("pages-based", folder.path(), options).await;
    let page = ask(&bench, "GET", "/settings", &browser).await.good();
    assert_eq!(page.text, PAGE.replace("href=\"/\"", "href=\"/argo/\""));
}

#[tokio::test]
async fn scripts_of_extensions_are_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let extensions_folder = folder.path().display().to_string();
    let options = Options { insecure: true, extensions_folder, ..Options::default() };
    let bench = Bench::with("extension-scripts", json!({}), json!({}), &[], options).await;
    let none = ask(&bench, "GET", "/extensions.js", &[]).await.good();
    assert_eq!((none.text.as_str(), header(&none, "content-type")), ("", Some("application/javascript")));
    let within = folder.path().join("resources/argoproj.io");
    std::fs::create_dir_all(&within).expect("a folder");
    std::fs::write(within.join("extension-b.js"), "b()").expect("written");
    std::fs::write(folder.path().join("extensions.js"), "a()").expect("written");
    std::fs::write(folder.path().join("notes.js"), "canary").expect("written");
    // What is put there later is served without a restart, to whoever asks.
    let both = ask(&bench, "GET", "/extensions.js", &[("accept-encoding", "gzip")]).await.good();
    assert_eq!(header(&both, "content-encoding"), Some("gzip"));
    let both = ask(&bench, "GET", "/extensions.js", &[]).await.good();
    let places: Vec<_> =
        ["a()", "b()"].iter().map(|text| both.text.find(text).expect("it is there")).collect();
    assert!(places.is_sorted() && !both.text.contains("canary"), "{both:?}");
    assert_eq!(both.text.matches("\ntry {\n").count(), 2, "{both:?}");
    assert!(both.text.contains("console.error('Extension extension-b.js failed to load:', e)"), "{both:?}");
}

#[tokio::test]
async fn the_program_is_there_for_its_own_system() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("argocd");
    std::fs::write(&program, [0x7f, b'E', b'L', b'F', 0xff]).expect("written");
    let options = Options { insecure: true, program: Some(program.clone()), ..Options::default() };
    let bench = Bench::with("program", json!({}), json!({}), &[], options).await;
    let get = async |path: &str| {
        let request = Request::get(path).header("accept-encoding", "gzip").body(Body::empty());
        let response = bench.router.clone().oneshot(request.expect("a request")).await.expect("an answer");
        let (parts, body) = response.into_parts();
        (parts.status.as_u16(), parts.headers, body.collect().await.expect("a body").to_bytes())
    };
    let (system, own) = (std::env::consts::OS, if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" });
    for path in [format!("/download/argocd-{system}"), format!("/download/argocd-{system}-{own}")] {
        let (status, headers, body) = get(&path).await;
        assert_eq!((status, &body[..]), (200, &[0x7f, b'E', b'L', b'F', 0xff][..]), "{path}");
        assert_eq!(
            (&headers["content-type"], &headers["content-length"]),
            (&"application/octet-stream".parse().unwrap(), &"5".parse().unwrap())
        );
    }
    for path in [
        "/download/argocd-windows-amd64.exe",
        "/download/argocd-darwin-arm64",
        "/download/",
        "/download/argocd",
        "/download/../argocd",
    ] {
        assert_eq!(get(path).await.0, 404, "{path}");
    }
    std::fs::remove_file(&program).expect("removed");
    let gone = ask(&bench, "GET", &format!("/download/argocd-{system}"), &[]).await;
    // Where it was is nobody's business.
    assert_eq!((gone.status, gone.text.as_str()), (404, "404 page not found\n"));
}
