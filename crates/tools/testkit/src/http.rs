//! As much of HTTP/1.1 as Git's clients speak: one request, one answer, then the end.

use std::io::{self, BufRead, Read, Write};

const LINE_LIMIT: u64 = 16 << 10;
const HEADER_LIMIT: usize = 100;
const BODY_LIMIT: usize = 64 << 20;

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header, whose name is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All headers, names in lower case.
    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Reads one request. `None` is a connection closed before it said anything.
    pub(crate) fn read<S: BufRead + Write>(stream: &mut S) -> io::Result<Option<Self>> {
        let first = line(stream)?;
        if first.is_empty() {
            return Ok(None);
        }
        let mut words = first.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(invalid("request line"));
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let text = line(stream)?;
            if text.is_empty() {
                break;
            }
            let (name, value) = text.split_once(':').ok_or_else(|| invalid("header"))?;
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            if request.headers.len() > HEADER_LIMIT {
                return Err(invalid("number of headers"));
            }
        }
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            stream.flush()?;
        }
        request.body = request.read_body(stream)?;
        Ok(Some(request))
    }

    fn read_body(&self, stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
        if self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return chunks(stream);
        }
        let mut body = Vec::new();
        let size = match self.header("content-length") {
            None => 0,
            Some(text) => {
                text.parse().ok().filter(|&size| size <= BODY_LIMIT).ok_or_else(|| invalid("body size"))?
            }
        };
        exactly(stream, size, &mut body)?;
        Ok(body)
    }
}

/// A body that comes in chunks.
pub(crate) fn chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(line(stream)?.trim(), 16).map_err(|_| invalid("chunk size"))?;
        if body.len() + size > BODY_LIMIT {
            return Err(invalid("body size"));
        }
        exactly(stream, size, &mut body)?;
        line(stream)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

pub(crate) fn exactly(stream: &mut impl BufRead, size: usize, into: &mut Vec<u8>) -> io::Result<()> {
    let before = into.len();
    stream.take(size as u64).read_to_end(into)?;
    if into.len() - before == size { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// One line without its end.
pub(crate) fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut text = String::new();
    stream.take(LINE_LIMIT).read_line(&mut text)?;
    if text.len() as u64 == LINE_LIMIT {
        return Err(invalid("line length"));
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Writes an answer that ends with the connection.
pub(crate) fn answer(
    out: &mut impl Write,
    status: &str,
    headers: &[(String, String)],
    body: &mut impl Read,
) -> io::Result<()> {
    write!(out, "HTTP/1.1 {status}\r\nConnection: close\r\n")?;
    for (name, value) in headers {
        write!(out, "{name}: {value}\r\n")?;
    }
    out.write_all(b"\r\n")?;
    io::copy(body, out)?;
    out.flush()
}

pub(crate) fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("bad {what}"))
}
