//! What a station and a CSMS agree on about compression (RFC 7692, 7.1), without I/O.

use std::fmt;

use http::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS};

const NAME: &str = "permessage-deflate";
const SERVER_RESETS: &str = "server_no_context_takeover";
const CLIENT_RESETS: &str = "client_no_context_takeover";
const SERVER_WINDOW: &str = "server_max_window_bits";
const CLIENT_WINDOW: &str = "client_max_window_bits";
/// The largest window, which is what holds where none is named.
const WINDOW: u8 = 15;

/// Whether messages are compressed (permessage-deflate of RFC 7692; 2.1 part 4, 3.4; 1.6-J, 5.1).
///
/// The CSMS has to support it, a station may. A peer that does not offer it, or does not accept the offer, is spoken with plainly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Never.
    Off,
    /// Each message by itself. A connection holds nothing between its messages, so that it costs no more than a plain one.
    #[default]
    EachMessage,
    /// Each message with regard to those before it, which makes the small messages of OCPP much smaller. A connection holds some 300 KiB
    /// for it: for a station and its one CSMS.
    Continuous,
}

/// Terms that both sides keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// The server begins each message anew.
    pub(super) server_resets: bool,
    /// The client begins each message anew.
    pub(super) client_resets: bool,
    /// The server looks back at most 2 to this power bytes.
    pub(super) server_window: u8,
    /// The client does.
    pub(super) client_window: u8,
}

/// As it is written in a header.
impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        for (resets, name) in [(self.server_resets, SERVER_RESETS), (self.client_resets, CLIENT_RESETS)] {
            if resets {
                write!(f, "; {name}")?;
            }
        }
        for (bits, name) in [(self.server_window, SERVER_WINDOW), (self.client_window, CLIENT_WINDOW)] {
            if bits < WINDOW {
                write!(f, "; {name}={bits}")?;
            }
        }
        Ok(())
    }
}

impl Agreement {
    /// What a server answers to what a client offers: the first offer that it can keep, in the client's order of preference.
    pub(in super::super) fn of_offers(headers: &HeaderMap, ours: Compression) -> Option<Self> {
        if ours == Compression::Off {
            return None;
        }
        let resets = ours == Compression::EachMessage;
        extensions(headers).filter_map(|offer| Parameters::read(offer, true)).find_map(|offer| {
            let server_window = offer.server_window.unwrap_or(WINDOW);
            // A window of 256 bytes is in the RFC, but zlib does not have it: the offer is declined (RFC 7692, 7.1.2.1).
            (server_window > 8).then_some(Self {
                server_resets: resets || offer.server_resets,
                // The server may ask for it whatever was offered (RFC 7692, 7.1.1.2).
                client_resets: resets,
                server_window,
                client_window: WINDOW,
            })
        })
    }

    /// What a client offers.
    pub(in super::super) fn offer(ours: Compression) -> Option<HeaderValue> {
        let resets = match ours {
            Compression::Off => return None,
            Compression::EachMessage => true,
            Compression::Continuous => false,
        };
        let offer = Self { server_resets: resets, client_resets: resets, server_window: WINDOW, client_window: WINDOW };
        HeaderValue::from_str(&offer.to_string()).ok()
    }

    /// What a server answered to that: `Ok(None)` where it does not compress.
    ///
    /// # Errors
    /// It answered what was not offered, which ends the connection (RFC 7692, 7.1; RFC 6455, 4.1).
    pub(in super::super) fn of_response(headers: &HeaderMap, ours: Compression) -> Result<Option<Self>, NotOffered> {
        let mut answers = extensions(headers);
        let Some(answer) = answers.next() else { return Ok(None) };
        let answer = Parameters::read(answer, false).filter(|_| answers.next().is_none()).ok_or(NotOffered)?;
        let resets = ours == Compression::EachMessage;
        // It was not offered that the client narrows its window (RFC 7692, 7.1.2.2).
        if ours == Compression::Off || (resets && !answer.server_resets) || answer.client_window.is_some() {
            return Err(NotOffered);
        }
        Ok(Some(Self {
            server_resets: answer.server_resets,
            // Whoever compresses may always begin anew, and need not say so.
            client_resets: resets || answer.client_resets,
            server_window: answer.server_window.unwrap_or(WINDOW),
            client_window: WINDOW,
        }))
    }
}

/// The server answered the offer of an extension with something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotOffered;

#[derive(Debug, Default)]
struct Parameters {
    server_resets: bool,
    client_resets: bool,
    server_window: Option<u8>,
    client_window: Option<u8>,
}

impl Parameters {
    /// `None` for another extension, and for parameters that are unknown, repeated or out of range: such an offer is declined
    /// (RFC 7692, 7.1).
    fn read(extension: &str, is_offer: bool) -> Option<Self> {
        let mut parts = extension.split(';').map(str::trim);
        if parts.next() != Some(NAME) {
            return None;
        }
        let mut parameters = Self::default();
        let mut seen = Vec::new();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(unquoted(value.trim_start()))),
                None => (part, None),
            };
            if seen.contains(&name) {
                return None;
            }
            seen.push(name);
            match (name, value) {
                (SERVER_RESETS, None) => parameters.server_resets = true,
                (CLIENT_RESETS, None) => parameters.client_resets = true,
                (SERVER_WINDOW, Some(bits)) => parameters.server_window = Some(window(bits)?),
                (CLIENT_WINDOW, Some(bits)) => parameters.client_window = Some(window(bits)?),
                // An offer may leave the size to the server.
                (CLIENT_WINDOW, None) if is_offer => parameters.client_window = Some(WINDOW),
                _ => return None,
            }
        }
        Some(parameters)
    }
}

fn extensions(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// 8 to 15, without leading zeros.
fn window(bits: &str) -> Option<u8> {
    let is_plain = bits.bytes().all(|byte| byte.is_ascii_digit()) && !bits.starts_with('0');
    bits.parse().ok().filter(|bits| is_plain && (8..=WINDOW).contains(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_str(value).unwrap())).collect()
    }

    fn answer(offers: &[&str], ours: Compression) -> Option<String> {
        Agreement::of_offers(&headers(offers), ours).map(|agreement| agreement.to_string())
    }

    fn each(offer: &str) -> Option<String> {
        answer(&[offer], Compression::EachMessage)
    }

    // 2.1 part 4, 3.4
    #[test]
    fn an_offer_is_accepted_and_no_context_is_held() {
        let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        assert_eq!(each("permessage-deflate").as_deref(), Some(both));
        assert_eq!(each("permessage-deflate; client_max_window_bits").as_deref(), Some(both));
        assert_eq!(each(both).as_deref(), Some(both));
        assert_eq!(each(""), None);
        assert_eq!(answer(&[], Compression::EachMessage), None);
        assert_eq!(answer(&["permessage-deflate"], Compression::Off), None);
    }

    // RFC 7692, 7.1.1.1
    #[test]
    fn context_is_held_only_where_the_client_lets_the_server() {
        let plain = answer(&["permessage-deflate; client_max_window_bits=10"], Compression::Continuous);
        assert_eq!(plain.as_deref(), Some("permessage-deflate"));
        let resets = answer(&["permessage-deflate; server_no_context_takeover"], Compression::Continuous);
        assert_eq!(resets.as_deref(), Some("permessage-deflate; server_no_context_takeover"));
    }

    // RFC 7692, 7.1.2.1
    #[test]
    fn the_window_of_the_server_is_as_small_as_the_client_asks() {
        let narrow = each("permessage-deflate; server_max_window_bits=\"10\"").unwrap();
        assert!(narrow.ends_with("; server_max_window_bits=10"), "{narrow}");
        assert_eq!(each("permessage-deflate; server_max_window_bits=8"), None);
    }

    // RFC 7692, 5.1 and 7.1
    #[test]
    fn the_first_offer_that_can_be_kept_is_taken() {
        let offers = [
            "x-other; a=1, permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=12",
        ];
        assert!(answer(&offers, Compression::EachMessage).unwrap().ends_with("=12"));
    }

    // RFC 7692, 7.1
    #[test]
    fn an_offer_with_a_wrong_parameter_is_declined() {
        for parameter in [
            "unknown",
            "server_no_context_takeover; server_no_context_takeover",
            "server_no_context_takeover=1",
            "server_max_window_bits",
            "server_max_window_bits=7",
            "server_max_window_bits=16",
            "server_max_window_bits=015",
            "server_max_window_bits=x",
            "client_max_window_bits=16",
            "",
        ] {
            assert_eq!(each(&format!("permessage-deflate; {parameter}")), None, "{parameter}");
        }
    }

    #[test]
    fn a_client_takes_no_answer_that_it_did_not_ask_for() {
        let read = |value: &str, ours| Agreement::of_response(&headers(&[value]), ours);
        let resets = "permessage-deflate; server_no_context_takeover";
        assert!(read(resets, Compression::EachMessage).unwrap().is_some());
        assert!(read("permessage-deflate; server_max_window_bits=9", Compression::Continuous).unwrap().is_some());
        assert_eq!(Agreement::of_response(&HeaderMap::new(), Compression::EachMessage), Ok(None));
        for (value, ours) in [
            ("permessage-deflate", Compression::EachMessage),
            (resets, Compression::Off),
            ("permessage-deflate; client_max_window_bits=10", Compression::Continuous),
            ("permessage-deflate; unknown", Compression::Continuous),
            ("permessage-deflate, permessage-deflate", Compression::Continuous),
            ("x-webkit-deflate-frame", Compression::Continuous),
        ] {
            assert_eq!(read(value, ours), Err(NotOffered), "{value}");
        }
    }
}
