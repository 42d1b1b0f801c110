//! A component as a process of its own, and what the kernel and its own counters say of it.

use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::process::Process;

const READY: Duration = Duration::from_secs(90);
/// The kernel's clock ticks in a second, on every Linux there is.
const TICKS: f64 = 100.0;
const KIB_IN_MIB: f64 = 1024.0;

/// Seconds of CPU a process has used so far.
fn cpu_of(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    // The command may hold blanks: what follows its closing parenthesis does not.
    let fields: Vec<&str> =
        text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    let ticks = ticks(11).zip(ticks(12)).context("read the CPU time")?;
    Ok((ticks.0 + ticks.1) / TICKS)
}

/// The same of a process and those it started.
pub(crate) fn cpu_of_family(process: u32) -> Result<f64> {
    let mut sum = cpu_of(process)?;
    for task in std::fs::read_dir(format!("/proc/{process}/task")).context("list the threads of a process")? {
        let children = std::fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            sum += cpu_of_family(child).unwrap_or_default();
        }
    }
    Ok(sum)
}

/// A running component. Dropping it kills it.
pub(crate) struct Component {
    name: &'static str,
    process: Process,
    metrics: u16,
    /// Where it serves.
    pub(crate) port: u16,
}

/// How a component is started.
pub(crate) struct Start<'a> {
    /// The component's name, which is what the program goes by.
    pub(crate) name: &'static str,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    /// Where it serves; it is ready when somebody listens there.
    pub(crate) port: u16,
    /// Where its counters are served.
    pub(crate) metrics: u16,
    /// Where it logs.
    pub(crate) home: &'a Path,
}

impl Component {
    pub(crate) fn start(binary: &Path, start: Start<'_>) -> Result<Self> {
        let mut command = Command::new(binary);
        command
            .args(&start.arguments)
            .env("ARGOCD_BINARY_NAME", start.name)
            .env("ARGOCD_FAKE_IN_CLUSTER", "true")
            .envs(start.environment);
        let log = start.home.join(format!("{}.log", start.name));
        let process = Process::start(command, &log)?;
        let mut component = Self { name: start.name, process, metrics: start.metrics, port: start.port };
        let listens = testkit::poll(READY, || TcpStream::connect(("127.0.0.1", start.port)).ok());
        if listens.is_none() || !component.process.alive() {
            bail!("{} did not start:\n{}", start.name, component.last_words());
        }
        Ok(component)
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        let text = self.process.log();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// Seconds of CPU it has used so far.
    pub(crate) fn cpu(&self) -> Result<f64> {
        cpu_of(self.process.id()).with_context(|| format!("{}: has it ended?", self.name))
    }

    /// Resident MiB.
    pub(crate) fn resident(&self) -> Result<f64> {
        self.memory("status", "VmRSS:")
    }

    /// Resident MiB, shared pages counted by their share.
    pub(crate) fn proportional(&self) -> Result<f64> {
        self.memory("smaps_rollup", "Pss:")
    }

    /// The most MiB that were resident since the start.
    pub(crate) fn peak(&self) -> Result<f64> {
        self.memory("status", "VmHWM:")
    }

    fn memory(&self, file: &str, name: &str) -> Result<f64> {
        let text = self.read(file)?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        Ok(kib.with_context(|| format!("{}: {name} is not told", self.name))? / KIB_IN_MIB)
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.process.id());
        std::fs::read_to_string(&path).with_context(|| format!("read {path}: has {} ended?", self.name))
    }

    /// Waits until it has hardly anything to do, and gives the CPU seconds it took until then.
    pub(crate) fn settle(&self, limit: Duration) -> Result<f64> {
        let deadline = Instant::now() + limit;
        let mut before = self.cpu()?;
        let mut quiet = 0;
        while quiet < 3 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(500));
            let now = self.cpu()?;
            quiet = if now - before <= 0.03 { quiet + 1 } else { 0 };
            before = now;
        }
        Ok(before)
    }

    /// The sum over all labels of one of its counters.
    pub(crate) fn counted(&self, metric: &str) -> Result<f64> {
        let text = self.counters()?;
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(metric)?;
            if !rest.starts_with(['{', ' ']) {
                return None;
            }
            rest.rsplit_once(' ')?.1.parse::<f64>().ok()
        });
        Ok(values.sum())
    }

    fn counters(&self) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.metrics)).context("reach the counters")?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").context("ask for the counters")?;
        let mut text = String::new();
        stream.read_to_string(&mut text).context("read the counters")?;
        Ok(text)
    }
}
