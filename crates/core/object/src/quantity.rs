//! Kubernetes quantities: `100m`, `1.5Gi`, `2e3`. Read, compared, and written in their canonical form.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Finest part a quantity keeps: a billionth.
const FINEST: i32 = -9;
/// Longest text that is looked at.
const LONGEST: usize = 128;

/// How a quantity was spelled, and will be again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Decimal,
    Binary,
    Exponent,
}

/// An amount of something.
#[derive(Clone, Debug)]
pub struct Quantity {
    mantissa: i128,
    /// Power of ten.
    scale: i32,
    format: Format,
    /// The spelling, where the original keeps it.
    kept: Option<String>,
}

/// A text that is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuantity {
    /// Not a number with a suffix.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// A suffix that is none.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// A number that is none, or one beyond all use.
    #[error("unable to parse numeric part of quantity")]
    Number,
}

struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

fn parts(text: &str) -> Result<Parts<'_>, InvalidQuantity> {
    let (negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = rest.trim_start_matches('0');
    let (whole, rest) = rest.split_at(digits(rest));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    let letters = suffix.bytes().take_while(|byte| b"eEinumkKMGTP".contains(byte)).count();
    let exponent = suffix.get(letters..).ok_or(InvalidQuantity::Format)?;
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidQuantity::Format);
    }
    Ok(Parts { negative, whole: if whole.is_empty() { "0" } else { whole }, fraction, suffix })
}

/// Base, exponent and format of a suffix.
fn suffix(text: &str) -> Result<(u32, i32, Format), InvalidQuantity> {
    let decimal = |exponent| Ok((10, exponent, Format::Decimal));
    let binary = |exponent| Ok((2, exponent, Format::Binary));
    match text {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let exponent = text.strip_prefix(['e', 'E']).ok_or(InvalidQuantity::Suffix)?;
            let exponent: i32 = exponent.parse().map_err(|_| InvalidQuantity::Suffix)?;
            Ok((10, exponent, Format::Exponent))
        }
    }
}

impl FromStr for Quantity {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > LONGEST || !text.is_ascii() {
            return Err(InvalidQuantity::Format);
        }
        let Parts { negative, whole, fraction, suffix: letters } = parts(text)?;
        let (base, exponent, mut format) = suffix(letters)?;
        let digits = format!("{whole}{fraction}");
        let number: i128 = digits.parse().map_err(|_| InvalidQuantity::Number)?;
        let mut scale = -i32::try_from(fraction.len()).map_err(|_| InvalidQuantity::Number)?;
        let mut mantissa = number;
        if base == 10 {
            scale = scale.checked_add(exponent).ok_or(InvalidQuantity::Number)?;
        } else {
            mantissa = mantissa.checked_mul(1 << exponent).ok_or(InvalidQuantity::Number)?;
        }
        let kept =
            keeps_spelling(&digits, number, fraction, scale, exponent, format).then(|| text.to_owned());
        if scale < FINEST && mantissa != 0 {
            mantissa = round_up(mantissa, FINEST - scale);
            scale = FINEST;
        }
        let below_one = mantissa != 0 && scale < 0 && power(-scale).is_none_or(|one| mantissa < one);
        if format == Format::Binary && below_one {
            format = Format::Decimal;
        }
        if format == Format::Binary && scale == 0 {
            mantissa = mantissa.min(i128::from(i64::MAX));
        }
        Ok(Self { mantissa: if negative { -mantissa } else { mantissa }, scale, format, kept })
    }
}

/// The original takes some spellings for canonical at a glance and gives them back as they came, even where
/// they are not (`1.500`).
fn keeps_spelling(
    digits: &str,
    number: i128,
    fraction: &str,
    scale: i32,
    exponent: i32,
    format: Format,
) -> bool {
    let length = digits.len();
    match format {
        Format::Binary => {
            let precision = 15 - length as i32 - (exponent as f32 * 3.0 / 10.0) as i32 - 1;
            fraction.is_empty() && precision >= 0 && exponent % 10 == 0 && number & 7 != 0
        }
        Format::Decimal | Format::Exponent => {
            length <= 18
                && scale >= FINEST
                && scale % 3 == 0
                && !digits.ends_with("000")
                && !digits.starts_with('0')
        }
    }
}

fn power(exponent: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}

/// Divides by a power of ten, away from zero.
fn round_up(mantissa: i128, places: i32) -> i128 {
    match power(places) {
        Some(divisor) => mantissa / divisor + i128::from(mantissa % divisor != 0),
        None => 1,
    }
}

/// Canonical form: `1` for `1000m`, `512Mi` for `0.5Gi`.
impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kept) = &self.kept {
            return formatter.write_str(kept);
        }
        if self.mantissa == 0 {
            return formatter.write_str("0");
        }
        if self.format == Format::Binary
            && let Some(whole) = self.whole_value().filter(|whole| whole.abs() >= 1024)
        {
            let (mut amount, mut index) = (whole, 0);
            while amount % 1024 == 0 && index < 6 {
                amount /= 1024;
                index += 1;
            }
            return write!(formatter, "{amount}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][index]);
        }
        let (mut amount, mut exponent) = (self.mantissa, self.scale);
        while amount % 10 == 0 {
            amount /= 10;
            exponent += 1;
        }
        while exponent % 3 != 0 {
            amount = amount.saturating_mul(10);
            exponent -= 1;
        }
        write!(formatter, "{amount}")?;
        match (self.format, exponent) {
            (_, 0) => Ok(()),
            (Format::Exponent, exponent) => write!(formatter, "e{exponent}"),
            (_, -9) => formatter.write_str("n"),
            (_, -6) => formatter.write_str("u"),
            (_, -3) => formatter.write_str("m"),
            (_, 3) => formatter.write_str("k"),
            (_, 6) => formatter.write_str("M"),
            (_, 9) => formatter.write_str("G"),
            (_, 12) => formatter.write_str("T"),
            (_, 15) => formatter.write_str("P"),
            (_, 18) => formatter.write_str("E"),
            (_, exponent) => write!(formatter, "e{exponent}"),
        }
    }
}

impl Quantity {
    /// The value without a fraction, where it has none.
    fn whole_value(&self) -> Option<i128> {
        if self.scale >= 0 {
            return self.mantissa.checked_mul(power(self.scale)?);
        }
        let divisor = power(-self.scale)?;
        (self.mantissa % divisor == 0).then(|| self.mantissa / divisor)
    }

    /// The value, about.
    pub fn as_f64(&self) -> f64 {
        self.mantissa as f64 * 10_f64.powi(self.scale)
    }
}

/// By value: `1000m` equals `1`.
impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = self.scale.min(other.scale);
        let scaled = |quantity: &Self| quantity.mantissa.checked_mul(power(quantity.scale - lower)?);
        match (scaled(self), scaled(other)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}
