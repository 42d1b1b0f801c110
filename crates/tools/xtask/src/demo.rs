//! `cargo xtask demo`.

pub(crate) fn run(_arguments: &[String]) -> anyhow::Result<()> {
    crate::prerequisites::demo()?;
    anyhow::bail!("the demo is not here yet")
}
