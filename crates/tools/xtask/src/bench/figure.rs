//! A measured figure, and the table of them.

use std::fmt::Write;

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    budget: Option<f64>,
    note: String,
}

impl Figure {
    /// A figure nobody has set a budget for.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), value, unit, budget: None, note: String::new() }
    }

    /// With what it may be at the most.
    pub(crate) fn budget(mut self, budget: f64) -> Self {
        self.budget = Some(budget);
        self
    }

    /// With a remark, such as what the original needs.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// The figures, one below the other. A ratio above one is over the budget.
pub(crate) fn table(figures: &[Figure]) -> String {
    let width = figures.iter().map(|figure| figure.what.chars().count()).max().unwrap_or(0).max(4);
    let mut text = format!("\n{:width$}  {:>14}  {:>14}  {:>6}\n", "what", "measured", "budget", "ratio");
    for figure in figures {
        let measured = format!("{} {}", number(figure.value), figure.unit);
        let budget =
            figure.budget.map_or_else(String::new, |most| format!("{} {}", number(most), figure.unit));
        let ratio = figure.budget.map_or_else(String::new, |most| format!("{:.2}", figure.value / most));
        // Writing to a text cannot fail.
        writeln!(text, "{:width$}  {measured:>14}  {budget:>14}  {ratio:>6}  {}", figure.what, figure.note)
            .ok();
    }
    text
}

fn number(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// The value below which a share of the values lies.
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len().saturating_sub(1)) as f64 * share;
    values.get(at.round() as usize).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::{Figure, percentile, table};

    #[test]
    fn a_figure_stands_beside_its_budget() {
        let text = table(&[Figure::new("memory", 128.0, "MiB").budget(256.0), Figure::new("time", 1.5, "s")]);
        assert!(text.contains("128 MiB         256 MiB    0.50"), "{text}");
        assert!(text.contains("1.50 s"), "{text}");
        assert_eq!(percentile(&mut [3.0, 1.0, 2.0], 0.5), 2.0);
        assert!(percentile(&mut [], 0.5).is_nan());
    }
}
