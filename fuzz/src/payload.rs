//! Payloads that a schema describes, with departures.

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use ocpp_core::types::schema::{Kind, ObjectSchema};

/// Objects within objects; the schemas themselves go no deeper than this, except where they are recursive.
const DEPTH: usize = 8;

/// One departure in this many values.
const DEPARTURE: u32 = 24;

/// The text of an object of this schema.
pub(crate) fn object(schema: &ObjectSchema, input: &mut Unstructured<'_>, depth: usize) -> Result<String> {
    let mut members = Vec::new();
    for member in schema.members {
        let wanted = if member.required { !input.ratio(1, DEPARTURE)? } else { depth < DEPTH && input.ratio(1, 3)? };
        if wanted {
            members.push(format!("\"{}\":{}", member.name, value(&member.kind, input, depth)?));
            if input.ratio(1, DEPARTURE)? {
                members.push(format!("\"{}\":{}", member.name, anything(input)?));
            }
        }
    }
    if input.ratio(1, if schema.open { 2 } else { DEPARTURE })? {
        members.push(format!("{}:{}", string(input)?, anything(input)?));
    }
    Ok(format!("{{{}}}", members.join(",")))
}

fn value(kind: &Kind, input: &mut Unstructured<'_>, depth: usize) -> Result<String> {
    if input.ratio(1, DEPARTURE)? {
        return anything(input);
    }
    Ok(match kind {
        Kind::Text { maximum } => {
            let text = string(input)?;
            match maximum {
                Some(maximum) if input.ratio(1, DEPARTURE)? => format!("\"{}\"", "é".repeat(*maximum + 1)),
                Some(maximum) if input.ratio(1, DEPARTURE)? => format!("\"{}\"", "é".repeat(*maximum)),
                _ => text,
            }
        }
        Kind::Uri => {
            (*input.choose(&["\"https://example.com/a%20b?c=d#e\"", "\"urn:x:y\"", "\"no uri\"", "\"\""])?).into()
        }
        Kind::DateTime => (*input.choose(&DATES)?).into(),
        Kind::Integer { minimum, maximum } => {
            let bounds = [minimum.unwrap_or(0), maximum.unwrap_or(i64::MAX)];
            match input.int_in_range(0..=3)? {
                0 => input.choose(&bounds)?.to_string(),
                1 => input.choose(&bounds)?.wrapping_add(input.int_in_range(-1..=1)?).to_string(),
                2 => input.arbitrary::<i64>()?.to_string(),
                _ => input.arbitrary::<u8>()?.to_string(),
            }
        }
        Kind::Number { .. } => number(input)?,
        Kind::Boolean => input.arbitrary::<bool>()?.to_string(),
        Kind::Enum(schema) => format!("\"{}\"", input.choose(schema.values)?),
        Kind::Object(schema) => object(schema, input, depth + 1)?,
        Kind::List { item, minimum, maximum } => {
            let most = maximum.unwrap_or(3).clamp(*minimum, minimum + 3);
            let length = input.int_in_range(minimum.saturating_sub(1)..=most + 1)?;
            let length = if depth < DEPTH { length } else { *minimum };
            let items = (0..length).map(|_| value(item, input, depth)).collect::<Result<Vec<_>>>()?;
            format!("[{}]", items.join(","))
        }
        _ => anything(input)?,
    })
}

const DATES: [&str; 12] = [
    "\"2025-01-31T08:15:30.250Z\"",
    "\"2025-01-31T08:15:30Z\"",
    "\"2025-01-31T09:15:30+01:00\"",
    "\"2025-01-31T08:15:30.123456789-23:59\"",
    "\"2016-12-31T23:59:60Z\"",
    "\"2025-01-31t08:15:30z\"",
    "\"0000-01-01T00:00:00-00:00\"",
    "\"9999-12-31T23:59:59Z\"",
    "\"2025-01-31T08:15:30+0100\"",
    "\"2025-01-31T08:15\"",
    "\"2025-02-30T08:15:30Z\"",
    "\"yesterday\"",
];

fn number(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(match input.int_in_range(0..=4)? {
        0 => input.arbitrary::<i32>()?.to_string(),
        1 => format!("{}.{:02}", input.arbitrary::<i16>()?, input.arbitrary::<u8>()?),
        2 => format!("{}e{}", input.arbitrary::<i8>()?, input.arbitrary::<i8>()?),
        3 => (*input.choose(&[
            "-0",
            "-0.0",
            "0.1000",
            "1E+2",
            "79228162514264337593543950335",
            "1e400",
            "0.00000001",
        ])?)
        .into(),
        _ => format!("{}.{}", input.arbitrary::<u64>()?, input.arbitrary::<u64>()?),
    })
}

fn string(input: &mut Unstructured<'_>) -> Result<String> {
    if input.ratio(1, DEPARTURE)? {
        return Ok((*input.choose(&[r#""\ud800""#, r#""\u0000""#, r#""\"\\\/""#, r#""vendorId""#, r#""""#])?).into());
    }
    let length = input.int_in_range(0..=12)?;
    let text: String = (0..length).map(|_| input.arbitrary::<char>()).collect::<Result<_>>()?;
    Ok(serde_json::to_string(&text).unwrap_or_default())
}

/// Any JSON value, and now and then something that is none.
fn anything(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(match input.int_in_range(0..=8)? {
        0 => "null".into(),
        1 => number(input)?,
        2 => string(input)?,
        3 => "{}".into(),
        4 => "[]".into(),
        5 => format!("[{},{}]", number(input)?, string(input)?),
        6 => format!("{{{}:{}}}", string(input)?, number(input)?),
        7 => input.arbitrary::<bool>()?.to_string(),
        _ => (*input.choose(&["", "NaN", "{", "[1,]", "\"", "01", "[[[[]]]]", "{\"a\":{\"a\":null}}"])?).into(),
    })
}
