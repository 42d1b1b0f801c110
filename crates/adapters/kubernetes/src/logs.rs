//! The logs of a pod's container, line by line.

use crate::access::built_in;
use crate::cluster::Cluster;
use crate::connect::chain;
use crate::error::Error;
use crate::read::describe;
use crate::request::Call;
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body_util::BodyExt;

/// A longer line is given in pieces of this size.
const LONGEST_LINE: usize = 1 << 20;

/// Which part of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Container; empty when the pod has only one.
    pub container: String,
    /// Whether to wait for more.
    pub follow: bool,
    /// Whether to read the log of the container before its last restart.
    pub previous: bool,
    /// Only the last so many lines.
    pub tail_lines: Option<i64>,
    /// Only lines of the last so many seconds.
    pub since_seconds: Option<i64>,
    /// Only lines since a time, RFC 3339.
    pub since_time: String,
    /// Whether each line begins with its time.
    pub timestamps: bool,
    /// Only so many bytes.
    pub limit_bytes: Option<i64>,
}

/// Lines without their ends.
pub type LogLines = BoxStream<'static, Result<String, Error>>;

impl Cluster {
    /// Reads the log of a pod.
    pub async fn logs(&self, namespace: &str, pod: &str, options: &LogOptions) -> Result<LogLines, Error> {
        let resource = built_in("", "Pod", "pods", true);
        let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
        let flag = |value: bool| if value { "true" } else { "" };
        let action = describe("read the log of", &resource, namespace, pod);
        let mut call = Call::get(action.clone(), format!("{}/log", resource.path(namespace, pod)))
            .with("container", options.container.as_str())
            .with("follow", flag(options.follow))
            .with("previous", flag(options.previous))
            .with("timestamps", flag(options.timestamps))
            .with("tailLines", number(options.tail_lines))
            .with("sinceSeconds", number(options.since_seconds))
            .with("sinceTime", options.since_time.as_str())
            .with("limitBytes", number(options.limit_bytes));
        call.accept = "*/*";
        call.lasting = true;
        let chunks = self.send(&call).await?.into_body().into_data_stream();
        let state = (chunks, Vec::<u8>::new(), false);
        Ok(futures::stream::unfold(state, move |(mut chunks, mut buffer, mut ended)| {
            let action = action.clone();
            async move {
                loop {
                    if let Some(line) = take_line(&mut buffer, ended) {
                        return Some((Ok(line), (chunks, buffer, ended)));
                    }
                    if ended {
                        return None;
                    }
                    match chunks.next().await {
                        Some(Ok(chunk)) => buffer.extend_from_slice(&chunk),
                        Some(Err(error)) => {
                            let error = Error::Transport { action, reason: chain(&error) };
                            return Some((Err(error), (chunks, Vec::new(), true)));
                        }
                        None => ended = true,
                    }
                }
            }
        })
        .boxed())
    }
}

fn take_line(buffer: &mut Vec<u8>, ended: bool) -> Option<String> {
    let (end, rest) = match buffer.iter().position(|byte| *byte == b'\n') {
        Some(end) => (end, end + 1),
        None if buffer.len() >= LONGEST_LINE || (ended && !buffer.is_empty()) => (buffer.len(), buffer.len()),
        None => return None,
    };
    let rest = buffer.split_off(rest);
    let mut line = std::mem::replace(buffer, rest);
    line.truncate(end);
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Some(String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_line_ends_and_at_the_end() {
        let mut buffer = b"one\r\n\ntwo".to_vec();
        assert_eq!(take_line(&mut buffer, false).as_deref(), Some("one"));
        assert_eq!(take_line(&mut buffer, false).as_deref(), Some(""));
        assert_eq!(take_line(&mut buffer, false), None);
        assert_eq!(take_line(&mut buffer, true).as_deref(), Some("two"));
        assert_eq!(take_line(&mut buffer, true), None);
    }
}
