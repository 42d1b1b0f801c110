//! Recorded HTTP exchanges: `# note`, `# as: who`, the request, `>>>`, status, headers, body.

use crate::record::Malformed;

/// One recorded exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What the recorder noted.
    pub note: String,
    /// Whose token was sent, in the recorder's words (`ADMIN`, `no token`).
    pub caller: String,
    /// What was asked.
    pub request: Request,
    /// What was answered.
    pub response: Response,
}

/// A request. Placeholders are still in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET` and so on.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: String,
}

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status; 0 when the recorder got none in time.
    pub status: u16,
    /// Headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// The recorder stopped reading in the middle of the body.
    pub cut: bool,
    /// The answer is a stream that did not end by itself.
    pub endless: bool,
}

/// What the recorder wrote where it stopped reading.
const CUT: &str = "<recorder stopped reading>";
/// What the recorder wrote where a stream ended by itself.
const END: &str = "<end of stream>";
/// What the recorder wrote where a stream went quiet.
const QUIET: &str = "<nothing more within ";
/// What the recorder wrote about the body, not of it.
const ABOUT: [&str; 2] = ["<body was gzip>", "<error "];
/// What the server logged afterwards is another program's.
const LOG: &str = "--- api-server log messages afterwards";

impl Exchange {
    /// Reads one file.
    ///
    /// # Errors
    /// When it has no request line or no response.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = |what: &str| Malformed(what.to_owned());
        let (mut note, mut caller, mut rest) = (String::new(), String::new(), text);
        while let Some(line) = rest.strip_prefix("# ") {
            let (line, after) = line.split_once('\n').ok_or_else(|| malformed("no request"))?;
            match line.strip_prefix("as: ") {
                Some(who) => who.clone_into(&mut caller),
                None => note.push_str(line),
            }
            rest = after;
        }
        let (request, response) = rest.split_once("\n>>>\n").ok_or_else(|| malformed("no line `>>>`"))?;
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next());
        let target = target.ok_or_else(|| malformed("no request line"))?.to_owned();
        let body = body.strip_suffix('\n').unwrap_or(body).to_owned();
        let request = Request { method: method.to_owned(), target, headers: headers(lines), body };
        Ok(Self { note, caller, request, response: Response::parse(response)? })
    }
}

impl Response {
    fn parse(text: &str) -> Result<Self, Malformed> {
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| Malformed("no status".into()))?;
        let body = body.split_once(LOG).map_or(body, |(body, _)| body.trim_end_matches('\n'));
        let marked = |mark: &str| body.lines().any(|line| line.starts_with(mark));
        let (cut, endless) = (marked(CUT), marked(QUIET));
        let own = |line: &str| {
            let marks = [CUT, QUIET, END];
            marks.iter().chain(&ABOUT).any(|mark| line.starts_with(mark))
        };
        let kept: Vec<&str> = body.lines().filter(|line| !own(line)).collect();
        Ok(Self { status, headers: headers(lines), body: kept.join("\n"), cut, endless })
    }
}

fn headers<'text>(lines: impl Iterator<Item = &'text str>) -> Vec<(String, String)> {
    let pairs = lines.filter_map(|line| line.split_once(": "));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
