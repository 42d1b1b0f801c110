//! Exact decimal arithmetic behind `addf` and its kin, so that 0.1 and 0.2 are 0.3.

use crate::cast::to_float;
use crate::value::Value;
use num_bigint::{BigInt, Sign};

/// Digits after the point that a division keeps.
const DIVISION_DIGITS: i32 = 16;

/// A whole number and a power of ten.
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i32,
}

/// Applies an operation from left to right.
pub(super) fn fold(
    first: &Value,
    others: &[Value],
    operation: fn(Decimal, Decimal) -> Result<Decimal, String>,
) -> Result<Value, String> {
    let mut result = Decimal::from_float(to_float(first))?;
    for other in others {
        result = operation(result, Decimal::from_float(to_float(other))?)?;
        if result.exponent.abs() > 20_000 || result.digits.bits() > 200_000 {
            return Err("decimal is too large".into());
        }
    }
    Ok(Value::Float(result.to_float()))
}

fn power(exponent: i32) -> BigInt {
    BigInt::from(10).pow(exponent.unsigned_abs())
}

impl Decimal {
    fn from_float(float: f64) -> Result<Self, String> {
        if !float.is_finite() {
            return Err(format!(
                "Cannot create a Decimal from {}",
                crate::floats::format_float(float, 'g', None)
            ));
        }
        let text = format!("{float:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().unwrap_or_default();
        Ok(Self { digits, exponent: exponent - i32::try_from(fraction.len()).unwrap_or(0) })
    }

    fn to_float(&self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(0.0)
    }

    /// Both with the smaller exponent.
    fn aligned(&self, other: &Self) -> (BigInt, BigInt, i32) {
        let exponent = self.exponent.min(other.exponent);
        let scaled = |decimal: &Self| &decimal.digits * power(decimal.exponent - exponent);
        (scaled(self), scaled(other), exponent)
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let (left, right, exponent) = self.aligned(other);
        Self { digits: left + right, exponent }
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        let (left, right, exponent) = self.aligned(other);
        Self { digits: left - right, exponent }
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        Self { digits: &self.digits * &other.digits, exponent: self.exponent + other.exponent }
    }

    /// Division, rounded half away from zero.
    pub(super) fn over(&self, other: &Self) -> Result<Self, String> {
        if other.digits.sign() == Sign::NoSign {
            return Err("decimal division by 0".into());
        }
        let shift = self.exponent - other.exponent + DIVISION_DIGITS;
        let (numerator, denominator) = if shift >= 0 {
            (&self.digits * power(shift), other.digits.clone())
        } else {
            (self.digits.clone(), &other.digits * power(shift))
        };
        let negative = (numerator.sign() == Sign::Minus) != (denominator.sign() == Sign::Minus);
        let (numerator, denominator) = (numerator.magnitude(), denominator.magnitude());
        let (mut quotient, rest) = (numerator / denominator, numerator % denominator);
        if rest * 2_u32 >= *denominator {
            quotient += 1_u32;
        }
        let sign = if negative { Sign::Minus } else { Sign::Plus };
        Ok(Self { digits: BigInt::from_biguint(sign, quotient), exponent: -DIVISION_DIGITS })
    }
}
