//! Charts, as the script that draws them reads them. A table beside each says the same without scripts.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;

/// A chart: values over time, or over named things.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Chart {
    /// Seconds since 1970, or the numbers of the things.
    x: Vec<f64>,
    /// What the things are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<Vec<String>>,
    series: Vec<Series>,
}

#[derive(Debug, Clone, Serialize)]
struct Series {
    label: String,
    unit: String,
    /// `None` is a gap.
    values: Vec<Option<f64>>,
    bars: bool,
    steps: bool,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// From point to point.
    Line,
    /// Each value until the next.
    Steps,
    /// A bar for each value.
    Bars,
}

impl Chart {
    /// Over moments in seconds, in their order.
    #[must_use]
    pub fn over_time(seconds: impl IntoIterator<Item = i64>) -> Self {
        #[allow(clippy::cast_precision_loss)] // a second of this age has 31 bits
        Self { x: seconds.into_iter().map(|second| second as f64).collect(), ..Self::default() }
    }

    /// Over things that have names.
    #[must_use]
    pub fn over(names: impl IntoIterator<Item = String>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        let x = (0..names.len()).map(|index| u32::try_from(index).map_or(0.0, f64::from)).collect();
        Self { x, names: Some(names), series: Vec::new() }
    }

    /// Adds a series.
    #[must_use]
    pub fn with(
        mut self,
        label: &str,
        unit: &str,
        shape: Shape,
        values: impl IntoIterator<Item = Option<Decimal>>,
    ) -> Self {
        self.series.push(Series {
            label: label.to_owned(),
            unit: unit.to_owned(),
            values: values.into_iter().map(|value| value.and_then(|value| value.to_f64())).collect(),
            bars: shape == Shape::Bars,
            steps: shape == Shape::Steps,
        });
        self
    }

    /// Whether there is nothing to draw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.x.is_empty() || self.series.iter().all(|series| series.values.iter().all(Option::is_none))
    }

    /// For the attribute `data-chart`.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
