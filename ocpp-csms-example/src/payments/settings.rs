//! How payments are set up.

use jiff::SignedDuration;
use serde::Deserialize;

use super::card::CardSettings;
use super::mobile_money::MobileMoneySettings;

/// Which payment providers there are: the part `[payments]` of the configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentSettings {
    /// The sandbox, a provider whose money is none. Default: where the server listens on a loopback address only and no other
    /// provider is set up.
    pub sandbox: Option<bool>,
    /// Cards, through Stripe's interface.
    pub card: Option<CardSettings>,
    /// Mobile money.
    pub mobile_money: Option<MobileMoneySettings>,
    /// The seconds that a payer has to pay, 1 to 86400. Default: 1800.
    pub pay_within: Option<u32>,
    /// The seconds that a station has to start a session that is paid for, 1 to 86400: a driver needs a while to plug in. Default: 300.
    pub start_within: Option<u32>,
}

/// How long is waited for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// For a payer to pay.
    pub(super) pay: SignedDuration,
    /// For a station to start.
    pub(super) start: SignedDuration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { pay: SignedDuration::from_mins(30), start: SignedDuration::from_mins(5) }
    }
}

impl PaymentSettings {
    /// Decides about the sandbox.
    pub(crate) fn check(mut self, is_loopback: bool) -> Result<Self, (&'static str, String, &'static str)> {
        self.sandbox.get_or_insert(is_loopback && self.card.is_none() && self.mobile_money.is_none());
        let urls = [
            ("payments card url", self.card.as_mut().map(|card| &mut card.url)),
            ("payments mobile_money url", self.mobile_money.as_mut().map(|mobile| &mut mobile.url)),
        ];
        for (name, url) in urls {
            let Some(url) = url else { continue };
            if !(url.starts_with("https://") || url.starts_with("http://")) {
                return Err((name, url.clone(), "an address such as https://charge.example"));
            }
            url.truncate(url.trim_end_matches('/').len());
        }
        for (name, seconds) in [("payments pay_within", self.pay_within), ("payments start_within", self.start_within)]
        {
            if let Some(seconds) = seconds.filter(|seconds| !(1..=86_400).contains(seconds)) {
                return Err((name, seconds.to_string(), "1 to 86400 seconds"));
            }
        }
        Ok(self)
    }

    pub(super) fn patience(&self) -> Patience {
        let usual = Patience::default();
        let seconds = |value: Option<u32>| value.map(|seconds| SignedDuration::from_secs(seconds.into()));
        Patience {
            pay: seconds(self.pay_within).unwrap_or(usual.pay),
            start: seconds(self.start_within).unwrap_or(usual.start),
        }
    }
}
