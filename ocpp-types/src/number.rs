//! JSON numbers: integers of 64 bits and exact decimals.

use alloc::string::ToString;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::decode::{Decode, Encode, Reader, Unreadable};
use crate::schema::Kind;

/// Reads the text of a JSON number exactly; `None` for what 28 digits cannot hold (`1e400`) and for what is no number.
#[must_use]
pub fn decimal_from_json(text: &str) -> Option<Decimal> {
    plain_decimal(text).or_else(|| {
        let is_number = text.bytes().next().is_some_and(|byte| byte == b'-' || byte.is_ascii_digit());
        if !is_number {
            return None;
        }
        if text.contains(['e', 'E']) { scientific_decimal(text) } else { text.parse().ok() }
    })
}

/// The common form, digits and at most one point, without a general parser.
fn plain_decimal(text: &str) -> Option<Decimal> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut mantissa: i64 = 0;
    let mut scale = None;
    for byte in digits.bytes() {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + i64::from(byte - b'0');
                scale = scale.map(|places: u32| places + 1);
            }
            b'.' if scale.is_none() => scale = Some(0),
            _ => return None,
        }
    }
    Some(Decimal::new(if negative { -mantissa } else { mantissa }, scale.unwrap_or(0)))
}

/// `1.5e-3`: refuses what would lose digits, which rust_decimal's own reading rounds away.
fn scientific_decimal(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let exponent: i32 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let mantissa: Decimal = plain_decimal(mantissa).or_else(|| mantissa.parse().ok())?;
    let mantissa = mantissa.normalize();
    if mantissa.is_zero() {
        return Some(Decimal::ZERO);
    }
    let scale = i64::from(mantissa.scale()) - i64::from(exponent);
    if scale > 28 {
        return None;
    }
    if scale >= 0 {
        return Decimal::try_from_i128_with_scale(mantissa.mantissa(), u32::try_from(scale).ok()?).ok();
    }
    let factor = 10_i128.checked_pow(u32::try_from(-scale).ok()?)?;
    Decimal::try_from_i128_with_scale(mantissa.mantissa().checked_mul(factor)?, 0).ok()
}

impl Decode for Decimal {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        // From the text, which has every digit; the way through a float would lose some.
        decimal_from_json(reader.number()?).ok_or(Unreadable)
    }

    fn conforms(&self, kind: &Kind) -> bool {
        match kind {
            Kind::Number { minimum, maximum, decimal_places } => {
                minimum.is_none_or(|minimum| *self >= Decimal::from(minimum))
                    && maximum.is_none_or(|maximum| *self <= Decimal::from(maximum))
                    && decimal_places.is_none_or(|places| self.scale() <= places || self.normalize().scale() <= places)
            }
            _ => true,
        }
    }
}

/// The powers of ten that a float holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The float whose shortest text is exactly this decimal, if there is one: the division of two exact floats is rounded once,
/// and 15 digits survive the way there and back.
fn exact_float(value: &Decimal) -> Option<f64> {
    let mantissa = i64::try_from(value.mantissa()).ok()?;
    if mantissa.unsigned_abs() >= 1_000_000_000_000_000 || mantissa % 10 == 0 {
        return None;
    }
    #[allow(clippy::cast_precision_loss)] // below 10^15, so exact
    Some(mantissa as f64 / EXACT_POWERS.get(value.scale() as usize)?)
}

impl Encode for Decimal {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.scale() == 0
            && let Ok(integer) = i64::try_from(self.mantissa())
        {
            return serializer.serialize_i64(integer);
        }
        if let Some(float) = exact_float(self) {
            return serializer.serialize_f64(float);
        }
        let text = self.to_string();
        let raw: &RawValue = serde_json::from_str(&text).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// An integer that is none to the letter, `1.0`: to the schemas of 2.x it is one, to those of 1.6 it is not. So it is usable, and looked
/// at a second time.
#[cold]
fn unusual_integer(reader: &mut Reader<'_>) -> Result<i64, Unreadable> {
    let text = reader.number()?;
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    reader.note();
    let value: f64 = text.parse().map_err(|_| Unreadable)?;
    let range = -9_007_199_254_740_992.0..=9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation)] // within 2^53
    let integer = value as i64;
    #[allow(clippy::cast_precision_loss, clippy::float_cmp)]
    if range.contains(&value) && integer as f64 == value { Ok(integer) } else { Err(Unreadable) }
}

impl Decode for i64 {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        match reader.small_integer() {
            Some(value) => Ok(value),
            None => unusual_integer(reader),
        }
    }

    fn conforms(&self, kind: &Kind) -> bool {
        match kind {
            Kind::Integer { minimum, maximum } => {
                minimum.is_none_or(|minimum| *self >= minimum) && maximum.is_none_or(|maximum| *self <= maximum)
            }
            _ => true,
        }
    }
}

impl Encode for i64 {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(*self)
    }
}

impl Decode for bool {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        reader.boolean()
    }
}

impl Encode for bool {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*self)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn written(text: &str) -> String {
        let value = decimal_from_json(text).unwrap();
        serde_json::to_string(&crate::decode::Wire(&value)).unwrap()
    }

    #[test]
    fn decimals_keep_every_digit_through_a_round_trip() {
        for text in [
            "0",
            "7",
            "-7",
            "7.4",
            "-0.001",
            "2935.600",
            "0.10",
            "100.0",
            "123456789012345.678",
            "79228162514264337593543950335",
            "0.1234567890123456789012345678",
            "9007199254740993",
            "12345678901234.5",
        ] {
            assert_eq!(written(text), text);
        }
    }

    #[test]
    fn exponents_are_understood_and_never_rounded() {
        assert_eq!(decimal_from_json("1e3"), Some(Decimal::from(1000)));
        assert_eq!(decimal_from_json("1.5E-3"), Some(Decimal::new(15, 4)));
        assert_eq!(decimal_from_json("-2.50e+1"), Some(Decimal::from(-25)));
        assert_eq!(decimal_from_json("0e400"), Some(Decimal::ZERO));
        assert_eq!(decimal_from_json("1e400"), None);
        assert_eq!(decimal_from_json("1e-29"), None);
        assert_eq!(decimal_from_json("1e99999999999"), None);
    }

    #[test]
    fn what_is_not_a_number_is_none() {
        for text in ["", "-", "null", "\"1\"", "true", "[1]", "NaN", "Infinity"] {
            assert_eq!(decimal_from_json(text), None, "{text}");
        }
    }
}
