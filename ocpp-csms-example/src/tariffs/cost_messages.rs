//! How stations are told of prices. 1.6 has no words for them.

use serde::Deserialize;

/// How often stations are told what a session costs, and by which names those of 1.6 are: the part `[cost_messages]` of the configuration.
///
/// By default the names are those of the white paper *OCPP & California Pricing Requirements* of the Open Charge Alliance, which is no part of
/// the standard. A station whose maker calls them otherwise needs others here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CostMessages {
    /// The `vendorId` of the DataTransfer. Default: `org.openchargealliance.costmsg`.
    pub vendor_id: String,
    /// The `messageId` with what a session costs so far. Default: `RunningCost`.
    pub running_cost: String,
    /// The `messageId` with what a session has cost. Default: `FinalCost`.
    pub final_cost: String,
    /// The configuration key by which a station says that it shows prices. Default: `CustomDisplayCostAndPrice`.
    pub enabled_key: String,
    /// The configuration key of the price that it shows to everybody. Default: `DefaultPrice`.
    pub default_price_key: String,
    /// How often a station of 2.x is told what a session costs whose cost grows by time, in seconds, 1 to 3600. Default: 60.
    pub interval: u32,
}

impl Default for CostMessages {
    fn default() -> Self {
        Self {
            vendor_id: "org.openchargealliance.costmsg".to_owned(),
            running_cost: "RunningCost".to_owned(),
            final_cost: "FinalCost".to_owned(),
            enabled_key: "CustomDisplayCostAndPrice".to_owned(),
            default_price_key: "DefaultPrice".to_owned(),
            interval: 60,
        }
    }
}

impl CostMessages {
    /// Refuses names that 1.6 cannot send, and an interval that makes no sense.
    pub(crate) fn check(self) -> Result<Self, (&'static str, String, &'static str)> {
        let names = [
            ("cost_messages vendor_id", &self.vendor_id, 255, "1 to 255 characters"),
            ("cost_messages running_cost", &self.running_cost, 50, "1 to 50 characters"),
            ("cost_messages final_cost", &self.final_cost, 50, "1 to 50 characters"),
            ("cost_messages enabled_key", &self.enabled_key, 50, "1 to 50 characters"),
            ("cost_messages default_price_key", &self.default_price_key, 50, "1 to 50 characters"),
        ];
        for (name, value, longest, allowed) in names {
            if value.is_empty() || value.chars().count() > longest {
                return Err((name, value.clone(), allowed));
            }
        }
        if !(1..=3600).contains(&self.interval) {
            return Err(("cost_messages interval", self.interval.to_string(), "1 to 3600 seconds"));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_the_name_of_the_white_paper() {
        let read: CostMessages = toml::from_str(r#"vendor_id = "com.example""#).unwrap();
        assert_eq!(read, CostMessages { vendor_id: "com.example".to_owned(), ..CostMessages::default() });
    }

    #[test]
    fn a_name_that_is_too_long_for_1_6_is_refused() {
        let names = CostMessages { running_cost: "x".repeat(51), ..CostMessages::default() };
        assert_eq!(names.check().unwrap_err().0, "cost_messages running_cost");
        let names = CostMessages { vendor_id: String::new(), ..CostMessages::default() };
        assert_eq!(names.check().unwrap_err().0, "cost_messages vendor_id");
        let never = CostMessages { interval: 0, ..CostMessages::default() };
        assert_eq!(never.check().unwrap_err().0, "cost_messages interval");
    }
}
