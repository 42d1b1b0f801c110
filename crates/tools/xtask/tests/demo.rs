//! The demo as a new user meets it: what it says, that it works, and that it leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use testkit::control_plane::{ControlPlane, Options};
use testkit::poll;

const LIMIT: Duration = Duration::from_secs(180);
const XTASK: &str = env!("CARGO_BIN_EXE_xtask");

/// The program the whole test run built beside this one. Without it the demo builds its own.
fn argocd() -> Option<PathBuf> {
    let beside = Path::new(XTASK).parent().unwrap().join("argocd");
    beside.is_file().then_some(beside)
}

/// A demo in a process group of its own, as a terminal starts one, with everything it writes in one folder.
struct Demo {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.signal("KILL");
        self.child.wait().ok();
    }
}

impl Demo {
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let temporary = folder.path().join("temporary");
        std::fs::create_dir(&temporary).unwrap();
        let port = testkit::free_port().unwrap();
        let mut command = Command::new(XTASK);
        command.args(["demo", "--port", &port.to_string()]).args(more);
        if let Some(argocd) = argocd() {
            command.arg("--binary").arg(argocd);
        }
        let output = |name: &str| File::create(folder.path().join(name)).unwrap();
        let child = command
            .env("TMPDIR", &temporary)
            .stdin(Stdio::null())
            .stdout(output("out"))
            .stderr(output("err"))
            .process_group(0)
            .spawn()
            .unwrap();
        Self { child, folder, port }
    }

    fn said(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    fn until_ready(&mut self) {
        let ready = poll(LIMIT, || {
            if self.said("out").contains("Ctrl-C ends everything.") {
                return Some(true);
            }
            self.child.try_wait().unwrap().map(|_| false)
        });
        assert_eq!(ready, Some(true), "{}\n{}", self.said("out"), self.said("err"));
    }

    /// Signals everything a terminal would.
    fn signal(&self, name: &str) {
        let group = format!("kill -s {name} -- -{} 2>/dev/null", self.child.id());
        Command::new("sh").args(["-c", &group]).status().ok();
    }

    /// Waits for nothing to run and nothing to lie there any more.
    fn until_gone(&mut self) {
        self.child.wait().unwrap();
        let temporary = self.folder.path().join("temporary");
        let needle = temporary.display().to_string();
        let left = || {
            let files = std::fs::read_dir(&temporary).unwrap().flatten().map(|entry| entry.path());
            (processes_with(&needle), files.collect::<Vec<_>>())
        };
        let gone =
            poll(Duration::from_secs(30), || (left().0.is_empty() && left().1.is_empty()).then_some(()));
        assert!(gone.is_some(), "left behind: {:?}", left());
    }

    fn cli(&self, arguments: &[&str]) -> (bool, String) {
        let said = self.said("out");
        let program = said.split("alias argocd=").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
        let output = Command::new(program)
            .args(arguments)
            .env("ARGOCD_CONFIG_DIR", self.folder.path().join("config"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }
}

/// Processes that name something in their arguments or environment.
fn processes_with(needle: &str) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers
        .filter(|number| {
            let read = |name: &str| std::fs::read(format!("/proc/{number}/{name}")).unwrap_or_default();
            let has = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).contains(needle);
            has(read("cmdline")) || has(read("environ"))
        })
        .collect()
}

#[test]
fn the_demo_works_as_it_says_and_ends_with_ctrl_c() {
    let mut demo = Demo::start(&[]);
    demo.until_ready();
    // What it says to try next, word for word.
    let said = demo.said("out");
    let login = said.lines().find_map(|line| line.trim().strip_prefix("argocd login ")).unwrap();
    let words: Vec<&str> = ["login"].into_iter().chain(login.split_whitespace()).collect();
    let (done, text) = demo.cli(&words);
    assert!(done, "{text}");
    let (done, text) = demo.cli(&["app", "get", "guestbook"]);
    assert!(done && text.contains("Synced") && text.contains("Healthy"), "{text}");

    // A second one beside it cannot have the port, and says what to do.
    let mut second = Demo::start(&["--port", &demo.port.to_string()]);
    assert!(!second.child.wait().unwrap().success());
    let error = second.said("err");
    assert!(error.contains("--port"), "{error}");
    second.until_gone();

    demo.signal("INT");
    demo.until_gone();
}

#[test]
fn the_demo_uses_a_cluster_that_is_there_and_may_be_started_again() {
    let plane = ControlPlane::start(&Options::default()).unwrap();
    let kubeconfig = plane.kubeconfig_path.display().to_string();
    for _ in 0..2 {
        let mut demo = Demo::start(&["--kubeconfig", &kubeconfig, "--once"]);
        let status = demo.child.wait().unwrap();
        assert!(status.success(), "{}\n{}", demo.said("out"), demo.said("err"));
        demo.until_gone();
    }
}
