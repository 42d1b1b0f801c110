//! `/extensions.js`: all scripts of a folder as one.

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use std::path::{Path, PathBuf};

/// All scripts together.
const LARGEST: u64 = 64 << 20;
/// Folders are looked into this deep.
const DEEPEST: usize = 8;
/// More files are not looked at.
const MOST: usize = 1000;

/// The scripts of a folder, by name. A folder that is not there holds none.
pub(crate) async fn scripts(folder: &str) -> Response<Body> {
    let folder = PathBuf::from(folder);
    let read = tokio::task::spawn_blocking(move || joined(&folder)).await;
    let (status, body) = match read {
        Ok(Ok(text)) => (StatusCode::OK, text),
        Ok(Err(error)) => {
            tracing::error!(%error, "extensions could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, b"Failed to load extensions\n".to_vec())
        }
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, b"Failed to load extensions\n".to_vec()),
    };
    let kind = if status.is_success() { "application/javascript" } else { "text/plain; charset=utf-8" };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn joined(folder: &Path) -> std::io::Result<Vec<u8>> {
    let mut files = Vec::new();
    match collect(folder, 0, &mut files) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    }
    files.sort();
    let mut text = Vec::new();
    let mut size = 0;
    for file in files.iter().take(MOST) {
        size += std::fs::metadata(file)?.len();
        if size > LARGEST {
            return Err(std::io::Error::other(format!(
                "the scripts are larger than {LARGEST} bytes together"
            )));
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // One that fails leaves the others alone.
        text.extend_from_slice(format!("// source: {}/{name} \ntry {{\n", file.display()).as_bytes());
        text.extend(std::fs::read(file)?);
        let end = format!("\n}} catch(e) {{ console.error({}, e); }}\n", quoted(&name));
        text.extend_from_slice(end.as_bytes());
    }
    Ok(text)
}

/// What is said of a script that fails, as a text of JavaScript.
fn quoted(name: &str) -> String {
    let plain: String = name.chars().filter(|letter| !matches!(letter, '\'' | '\\' | '\n' | '\r')).collect();
    format!("'Extension {plain} failed to load:'")
}

/// Files only: a link could lead anywhere.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if depth > DEEPEST {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir() {
            collect(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() && name.starts_with("extension") && name.ends_with(".js") {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn scripts_are_joined_in_order_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("resources/b")).unwrap();
        std::fs::write(root.join("resources/b/extension-b.js"), "b()").unwrap();
        std::fs::write(root.join("extension-a.js"), "a()").unwrap();
        std::fs::write(root.join("other.js"), "no()").unwrap();
        std::fs::write(root.join("secret"), "no()").unwrap();
        std::os::unix::fs::symlink(root.join("secret"), root.join("extension-c.js")).unwrap();
        let text = String::from_utf8(joined(root).unwrap()).unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.starts_with("//")).collect();
        let caught =
            |name: &str| format!("}} catch(e) {{ console.error('Extension {name} failed to load:', e); }}");
        let (a, b) = (caught("extension-a.js"), caught("extension-b.js"));
        assert_eq!(code, ["try {", "a()", &a, "try {", "b()", &b]);
        assert_eq!(joined(&root.join("none")).unwrap(), b"");
    }
}
