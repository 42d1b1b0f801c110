//! A measured figure, and the table of them.

use std::fmt::Write;

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    budget: Option<Budget>,
    note: String,
}

/// What a figure may be.
#[derive(Clone, Copy, Debug)]
enum Budget {
    Most(f64),
    Least(f64),
    Exactly(f64),
}

impl Budget {
    /// How it is shown, how much of it is used (above one, it is missed), and whether it is met.
    fn judge(self, value: f64, unit: &str) -> (String, f64, bool) {
        match self {
            Self::Most(most) => (format!("{} {unit}", number(most)), value / most, value <= most),
            Self::Least(least) => (format!("≥ {} {unit}", number(least)), least / value, value >= least),
            Self::Exactly(wanted) => {
                (format!("= {} {unit}", number(wanted)), value / wanted, value == wanted)
            }
        }
    }
}

impl Figure {
    /// A figure nobody has set a budget for.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), value, unit, budget: None, note: String::new() }
    }

    /// With what it may be at the most.
    pub(crate) fn budget(mut self, budget: f64) -> Self {
        self.budget = Some(Budget::Most(budget));
        self
    }

    /// With what it has to be at the least.
    pub(crate) fn least(mut self, budget: f64) -> Self {
        self.budget = Some(Budget::Least(budget));
        self
    }

    /// With what it has to be.
    pub(crate) fn exactly(mut self, budget: f64) -> Self {
        self.budget = Some(Budget::Exactly(budget));
        self
    }

    /// With a remark, such as what the original needs.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// The figures, one below the other, with a verdict where there is a budget. A ratio above one misses it.
pub(crate) fn table(figures: &[Figure]) -> String {
    let width = figures.iter().map(|figure| figure.what.chars().count()).max().unwrap_or(0).max(4);
    let mut text = format!(
        "\n{:width$}  {:>14}  {:>14}  {:>6}  {:7}\n",
        "what", "measured", "budget", "ratio", "verdict"
    );
    for figure in figures {
        let measured = format!("{} {}", number(figure.value), figure.unit);
        let (budget, ratio, verdict) = match figure.budget {
            None => Default::default(),
            Some(budget) => {
                let (shown, ratio, met) = budget.judge(figure.value, figure.unit);
                (shown, format!("{ratio:.2}"), if met { "met" } else { "MISSED" })
            }
        };
        let Figure { what, note, .. } = figure;
        // Writing to a text cannot fail.
        writeln!(text, "{what:width$}  {measured:>14}  {budget:>14}  {ratio:>6}  {verdict:7}  {note}").ok();
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
        assert!(text.contains("128 MiB         256 MiB    0.50  met"), "{text}");
        let verdicts = |figure: Figure| {
            let text = table(&[figure]);
            (text.contains("  met"), text.contains("  MISSED"))
        };
        let figure = |value| Figure::new("x", value, "x");
        for (figure, met) in [
            (figure(20.0).least(20.0), true),
            (figure(19.9).least(20.0), false),
            (figure(1.0).budget(1.0), true),
            (figure(1.1).budget(1.0), false),
            (figure(3.0).exactly(3.0), true),
            (figure(2.0).exactly(3.0), false),
            (figure(f64::NAN).least(1.0), false),
        ] {
            let shown = format!("{figure:?}");
            assert_eq!(verdicts(figure), (met, !met), "{shown}");
        }
        assert!(text.contains("1.50 s"), "{text}");
        assert_eq!(percentile(&mut [3.0, 1.0, 2.0], 0.5), 2.0);
        assert!(percentile(&mut [], 0.5).is_nan());
    }
}
