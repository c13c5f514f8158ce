//! How payments are set up.

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
        Ok(self)
    }
}
