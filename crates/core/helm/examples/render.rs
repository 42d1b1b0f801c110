//! Renders a chart folder many times and tells how long it took:
//! `cargo run --release -p helm --example render -- CHART [TIMES] [VALUES.yaml]`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "an example reads files, looks at the clock and prints"
)]

use helm::{Options, ValuesFile};
use source_tree::{MemoryTree, TreePath};
use std::path::Path;
use std::time::Instant;

/// The allocator of the real program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct World(u64);

impl gotemplate::Outside for World {
    fn random(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        for byte in buffer {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_le_bytes()[0];
        }
        Ok(())
    }
}

type Files = Vec<(TreePath, Vec<u8>)>;

fn collect(folder: &Path, prefix: &str, files: &mut Files) -> Result<(), Box<dyn std::error::Error>> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((TreePath::parse(&name)?, std::fs::read(entry.path())?));
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let chart = arguments.next().ok_or("which chart?")?;
    let times: u32 = arguments.next().unwrap_or_else(|| "20".into()).parse()?;
    let mut files = Files::new();
    collect(Path::new(&chart), "", &mut files)?;
    let tree = MemoryTree::from_files(files)?;
    let mut options = Options::new("r1", "default", "1.31.0");
    for name in arguments {
        options.values.push(ValuesFile { text: std::fs::read_to_string(&name)?, name });
    }
    let mut bytes = 0;
    let started = Instant::now();
    let mut loading = std::time::Duration::ZERO;
    for _ in 0..times {
        let before = Instant::now();
        let chart = helm::load(&tree, &TreePath::root())?;
        loading += before.elapsed();
        bytes = chart.render(&options, &mut World(88_172_645_463_325_252))?.text().len();
    }
    let each = |duration: std::time::Duration| duration.as_secs_f64() * 1000.0 / f64::from(times);
    println!(
        "{bytes} bytes, {:.2} ms each, of which {:.2} ms to load",
        each(started.elapsed()),
        each(loading)
    );
    Ok(())
}
