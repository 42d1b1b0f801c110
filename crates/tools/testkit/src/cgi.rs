//! One request answered by the real `git http-backend`.

use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::thread;

use crate::git_repo::git_command;
use crate::http::{self, Request};

/// Runs the back end for a request and writes its answer. `user` is who was let in.
pub(crate) fn run(root: &Path, request: Request, user: Option<&str>, out: &mut impl Write) -> io::Result<()> {
    let mut command = git_command(root);
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("REMOTE_ADDR", "127.0.0.1");
    // Whoever owns the folder, it was made for this test.
    command
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*");
    for (header, variable) in
        [("git-protocol", "GIT_PROTOCOL"), ("content-encoding", "HTTP_CONTENT_ENCODING")]
    {
        if let Some(value) = request.header(header) {
            command.env(variable, value);
        }
    }
    if let Some(user) = user {
        command.env("REMOTE_USER", user);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let writer = child.stdin.take().map(|mut stdin| {
        thread::spawn(move || {
            // The back end may answer without reading all.
            let _ = stdin.write_all(&request.body);
        })
    });
    let answered = child.stdout.take().map_or(Ok(()), |stdout| relay(stdout, out));
    if answered.is_err() {
        let _ = child.kill();
    }
    child.wait()?;
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    answered
}

fn relay(stdout: impl Read, out: &mut impl Write) -> io::Result<()> {
    let mut reader = BufReader::new(stdout);
    let mut status = "200 OK".to_owned();
    let mut headers = Vec::new();
    loop {
        let text = http::line(&mut reader)?;
        let Some((name, value)) = text.split_once(':') else { break };
        if name.eq_ignore_ascii_case("status") {
            value.trim().clone_into(&mut status);
        } else {
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    http::answer(out, &status, &headers, &mut reader)
}
