//! The files of the pages: what stands in the folder the server is given, and one page for every place in it that is
//! no file, since the pages find their own way. Nothing outside of the folder is read, wherever a link leads.

use crate::options::Options;
use crate::services::path_value::percent_decoded;
use axum::body::Body;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, EXPIRES, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LOCATION, PRAGMA,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use std::fs::File;
use std::io::{Error, ErrorKind, Read as _};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use tokio_util::io::ReaderStream;

/// The page for all places.
const INDEX: &str = "index.html";
/// A larger page is none.
const LARGEST_PAGE: u64 = 4 << 20;
/// What is larger is sent as it is read, and not compressed.
const LARGEST_WHOLE: u64 = 16 << 20;

const BUILT_IN: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Argo CD</title></head>\
<body><h1>Argo CD</h1><p>The API server is running. This build has no web pages yet: use the <code>argocd</code> \
command or the REST API.</p></body></html>\n";

/// A file in the folder, opened.
struct Found {
    file: File,
    path: PathBuf,
    size: u64,
    modified: Option<Timestamp>,
}

/// Answers with a file, with the page, or with what says that there is neither.
pub(crate) async fn answer(options: &Options, parts: &Parts) -> Response<Body> {
    let path = decoded(parts.uri.path());
    let folder = PathBuf::from(&options.static_assets);
    // Whoever looks whether anything answers at all asks for the top, and rarely says for what.
    let wants_page = is_read(parts) && (is_for_people(&parts.headers) || parts.uri.path() == "/");
    let base_href = options.base_href.clone();
    let headers = parts.headers.clone();
    let answered = tokio::task::spawn_blocking(move || {
        let Some(path) = path else { return missing() };
        let found = beneath(&folder, &path);
        if wants_page && (path == format!("/{INDEX}") || found.is_err()) {
            return page(&folder, &base_href);
        }
        match found {
            Ok(_) if path.ends_with(&format!("/{INDEX}")) => moved("./"),
            Ok(found) => content(found, &headers),
            Err(error) => refused(&folder, &path, &error),
        }
    });
    let mut response = answered.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a file of the pages was not answered as it should be");
        broken()
    });
    if parts.method == Method::HEAD {
        headless(&mut response);
    }
    response
}

fn is_read(parts: &Parts) -> bool {
    parts.method == Method::GET || parts.method == Method::HEAD
}

/// Whether a browser asks for a page to show. Its headers say so in exactly these words.
fn is_for_people(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|kind| kind == "text/html" || kind == "html")
}

/// The path a request means; one that is no text means nothing.
fn decoded(path: &str) -> Option<String> {
    percent_decoded(path).filter(|path| !path.contains('\0'))
}

/// The file at a path of a folder. A way out of the folder, by name or by link, leads nowhere.
fn beneath(folder: &Path, path: &str) -> std::io::Result<Found> {
    let nowhere = || Error::new(ErrorKind::NotFound, "there is no such file in the folder");
    let mut place = PathBuf::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            // From the top there is no way further up.
            ".." => {
                place.pop();
            }
            name => place.push(name),
        }
    }
    let root = folder.canonicalize()?;
    let path = root.join(&place).canonicalize()?;
    // Only files are opened: a pipe would wait for whoever writes into it.
    if !path.starts_with(&root) || !path.metadata()?.is_file() {
        return Err(nowhere());
    }
    let file = File::open(&path)?;
    // Asked of the file that is open, since links may have changed since.
    let opened = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    let metadata = file.metadata()?;
    if !opened.starts_with(&root) || !metadata.is_file() {
        return Err(nowhere());
    }
    let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    Ok(Found { file, path: root.join(place), size: metadata.len(), modified })
}

/// The page for every place, told where it is.
fn page(folder: &Path, base_href: &str) -> Response<Body> {
    let text = match beneath(folder, INDEX).and_then(whole_page) {
        Ok(text) => based(&text, base_href),
        Err(error) if error.kind() == ErrorKind::NotFound => BUILT_IN.to_owned(),
        Err(error) => {
            tracing::error!(%error, folder = %folder.display(), "the page cannot be read");
            return unkept(broken());
        }
    };
    unkept(told(StatusCode::OK, "text/html; charset=utf-8", text.into_bytes()))
}

fn whole_page(found: Found) -> std::io::Result<String> {
    let mut text = String::new();
    let read = found.file.take(LARGEST_PAGE + 1).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read > LARGEST_PAGE) {
        return Err(Error::other(format!("{INDEX} is larger than {LARGEST_PAGE} bytes")));
    }
    Ok(text)
}

/// A page with the address that its links begin at.
fn based(page: &str, base_href: &str) -> String {
    const BEGIN: &str = "<base href=\"";
    const END: &str = "\">";
    if base_href.is_empty() || base_href == "/" {
        return page.to_owned();
    }
    let place = crate::badge::escaped(base_href.trim_matches('/'));
    let mut text = String::with_capacity(page.len() + place.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        text.push_str(before);
        text.push_str(BEGIN);
        rest = after;
        match after.split_once(END) {
            // An element that does not end on its line is none.
            Some((before, after)) if !before.contains('\n') => {
                text.push_str(&format!("/{place}/{END}"));
                rest = after;
            }
            _ => {}
        }
    }
    text.push_str(rest);
    text
}

/// A file as it is, or that the browser has it already.
fn content(found: Found, asked: &HeaderMap) -> Response<Body> {
    let Found { file, path, size, modified } = found;
    let modified = modified.and_then(|time| Timestamp::from_second(time.as_second()).ok());
    let has = !asked.contains_key(IF_NONE_MATCH) && is_known(modified, asked);
    let mut response = if has {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        match whole_or_streamed(file, size) {
            Ok((body, beginning)) => {
                let mut response = Response::new(body);
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind(&path, &beginning)));
                headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
                response
            }
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "a file of the pages cannot be read");
                return broken();
            }
        }
    };
    let headers = response.headers_mut();
    let date =
        modified.and_then(|time| rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).ok());
    if let Some(date) = date.and_then(|date| HeaderValue::from_str(&date).ok()) {
        headers.insert(LAST_MODIFIED, date);
    }
    if is_main_script(&path) {
        // Its name is made of what is in it.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    }
    response
}

/// Whether the browser has the file since it was changed last.
fn is_known(modified: Option<Timestamp>, asked: &HeaderMap) -> bool {
    let since = asked.get(IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|text| rfc2822::parse(text).ok());
    matches!((modified, since), (Some(modified), Some(since)) if modified <= since.timestamp())
}

/// A body, and its first bytes.
fn whole_or_streamed(mut file: File, size: u64) -> std::io::Result<(Body, Vec<u8>)> {
    if size > LARGEST_WHOLE {
        return Ok((Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file))), Vec::new()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    (&mut file).take(size).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).ok() != Some(size) {
        return Err(Error::new(ErrorKind::UnexpectedEof, "it became shorter while it was read"));
    }
    let beginning = bytes.iter().take(512).copied().collect();
    Ok((Body::from(bytes), beginning))
}

/// What a file is, by its name; by its first bytes where the name does not say.
fn kind(path: &Path, beginning: &[u8]) -> &'static str {
    let extension = path.extension().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "xml" => "text/xml; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "json" | "map" => "application/json",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        "avif" => "image/avif",
        "gif" => "image/gif",
        "ico" => "image/x-icon",
        "jpeg" | "jpg" => "image/jpeg",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        _ if beginning.is_empty() || beginning.contains(&0) => "application/octet-stream",
        _ if std::str::from_utf8(beginning).map_or_else(|error| error.error_len().is_none(), |_| true) => {
            "text/plain; charset=utf-8"
        }
        _ => "application/octet-stream",
    }
}

/// `main.<twenty digits>.js`, as the pages are built.
fn is_main_script(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digits = name.strip_prefix("main.").and_then(|rest| rest.strip_suffix(".js")).unwrap_or_default();
    digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn refused(folder: &Path, path: &str, error: &Error) -> Response<Body> {
    match error.kind() {
        ErrorKind::PermissionDenied => {
            tracing::warn!(%error, path, folder = %folder.display(), "a file of the pages cannot be read");
            told(StatusCode::FORBIDDEN, "text/plain; charset=utf-8", b"403 Forbidden\n".to_vec())
        }
        // Too long a name, a file where a folder should be, links in a circle: nothing that is there.
        _ => missing(),
    }
}

fn missing() -> Response<Body> {
    told(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", b"404 page not found\n".to_vec())
}

fn broken() -> Response<Body> {
    let text = b"500 Internal Server Error\n".to_vec();
    told(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", text)
}

fn told(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn moved(place: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(place));
    response
}

/// The page names the scripts of this build: nobody may keep it for those of the next.
fn unkept(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(EXPIRES, HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 UTC"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private, max-age=0"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(HeaderName::from_static("x-accel-expires"), HeaderValue::from_static("0"));
    response
}

/// The same without its body, whose length stays said.
fn headless(response: &mut Response<Body>) {
    let length = http_body::Body::size_hint(response.body()).exact();
    if let Some(length) = length.filter(|length| *length > 0) {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = Body::empty();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_where_it_is() {
        let page = "<head>\n<base href=\"/any/path/\">\n<link href=\"a.css\">";
        for (base, wanted) in [
            ("/", "/any/path/"),
            ("", "/any/path/"),
            ("/path1/path2/path3/", "/path1/path2/path3/"),
            ("argo", "/argo/"),
            ("a\"><script>", "/a&#34;&gt;&lt;script&gt;/"),
        ] {
            let wanted = format!("<head>\n<base href=\"{wanted}\">\n<link href=\"a.css\">");
            assert_eq!(based(page, base), wanted, "{base}");
        }
        assert_eq!(based("<base href=\"/\"", "x"), "<base href=\"/\"");
        assert_eq!(based("<base href=\"a\nb\">", "x"), "<base href=\"a\nb\">");
        assert_eq!(
            based("<base href=\"a\"><base href=\"b\">", "x"),
            "<base href=\"/x/\"><base href=\"/x/\">"
        );
    }

    #[test]
    fn paths_that_are_no_text_mean_nothing() {
        assert_eq!(decoded("/a%20b+c").as_deref(), Some("/a b+c"));
        for path in ["/%", "/%4", "/%zz", "/%+4", "/%ff", "/a%00b"] {
            assert_eq!(decoded(path), None, "{path}");
        }
    }

    #[test]
    fn main_scripts_are_known_by_their_names() {
        assert!(is_main_script(Path::new("/x/main.e4188e5adc97bbfc00c3.js")));
        for name in [
            "main.js",
            "main.e4188e5adc97bbfc00c.js",
            "main.E4188e5adc97bbfc00c3.js",
            "main.e4188e5adc97bbfc00c3.js.map",
        ] {
            assert!(!is_main_script(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn kinds_follow_names_and_then_beginnings() {
        assert_eq!(kind(Path::new("A.JS"), b""), "text/javascript; charset=utf-8");
        assert_eq!(kind(Path::new("LICENSE"), b"text"), "text/plain; charset=utf-8");
        // A letter that was cut in the middle is a letter all the same.
        assert_eq!(kind(Path::new("LICENSE"), b"t\xc3"), "text/plain; charset=utf-8");
        assert_eq!(kind(Path::new("LICENSE"), b"\xff\xfe"), "application/octet-stream");
    }

    #[test]
    fn nothing_outside_of_the_folder_is_found() {
        let outer = tempfile::tempdir().expect("a folder");
        let folder = outer.path().join("app");
        std::fs::create_dir_all(folder.join("..data")).expect("a folder");
        std::fs::write(outer.path().join("secret"), "s").expect("written");
        std::fs::create_dir_all(outer.path().join("app2")).expect("a folder");
        std::fs::write(outer.path().join("app2/file"), "s").expect("written");
        std::fs::write(folder.join("..data/a.js"), "a").expect("written");
        std::os::unix::fs::symlink("..data/a.js", folder.join("a.js")).expect("a link");
        std::os::unix::fs::symlink("../secret", folder.join("link.txt")).expect("a link");
        std::os::unix::fs::symlink("../app2", folder.join("other")).expect("a link");
        std::os::unix::fs::symlink("loop", folder.join("loop")).expect("a link");
        // As volumes of ConfigMaps are: a link within.
        assert!(beneath(&folder, "/a.js").is_ok());
        assert!(beneath(&folder, "/x/../a.js").is_ok());
        for path in
            ["/link.txt", "/other/file", "/../secret", "/a/../../secret", "/loop", "/..data", "/", "/a.js/b"]
        {
            assert!(beneath(&folder, path).is_err(), "{path}");
        }
        assert!(beneath(&outer.path().join("none"), "/a.js").is_err());
    }
}
