//! Decoding and writing of messages.

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use ocpp_core::types::schema::ObjectSchema;
use ocpp_core::types::{Conformance, DecodeError, Decoded};

use crate::frame::is_json;
use crate::json::is_same;
use crate::payload;

macro_rules! version {
    ($(#[$attribute:meta])* $version:ident) => {
        $(#[$attribute])*
        pub fn $version(data: &[u8]) {
            use ocpp_core::types::$version::{CsmsRequest, CsmsResponse, StationRequest, StationResponse};
            let mut input = Unstructured::new(data);
            let _ = match input.int_in_range(0..=3) {
                Ok(0) => any::<StationRequest>(&mut input),
                Ok(1) => any::<CsmsRequest>(&mut input),
                Ok(2) => any::<StationResponse>(&mut input),
                _ => any::<CsmsResponse>(&mut input),
            };
        }

        version!(@sum $version StationRequest CsmsRequest StationResponse CsmsResponse);
    };
    (@sum $version:ident $($sum:ident)*) => {
        $(impl Sum for ocpp_core::types::$version::$sum {
            const ACTIONS: &'static [&'static str] = Self::ACTIONS;

            fn schema(action: &str) -> Option<&'static ObjectSchema> {
                Self::schema(action)
            }

            fn decode(
                action: &str,
                payload: &str,
                conformance: Conformance,
            ) -> std::result::Result<Decoded<Self>, DecodeError> {
                Self::decode(action, payload, conformance)
            }

            fn encode(&self) -> String {
                self.encode()
            }
        })*
    };
}

version! {
    /// Messages of 1.6.
    v1_6
}
version! {
    /// Messages of 2.0.1.
    v2_0_1
}
version! {
    /// Messages of 2.1.
    v2_1
}

/// What all sums of messages have in common.
trait Sum: Sized + PartialEq + std::fmt::Debug {
    const ACTIONS: &'static [&'static str];
    fn schema(action: &str) -> Option<&'static ObjectSchema>;
    fn decode(action: &str, payload: &str, conformance: Conformance)
    -> std::result::Result<Decoded<Self>, DecodeError>;
    fn encode(&self) -> String;
}

/// A payload by its schema, or any text.
fn any<M: Sum>(input: &mut Unstructured<'_>) -> Result<()> {
    let action = input.choose(M::ACTIONS)?;
    let by_schema = !input.ratio(1, 8)?;
    match M::schema(action) {
        Some(schema) if by_schema => check::<M>(action, &payload::object(schema, input, 0)?),
        _ => check::<M>(action, &input.arbitrary::<String>()?),
    }
    Ok(())
}

fn check<M: Sum>(action: &str, text: &str) {
    let strict = M::decode(action, text, Conformance::Strict);
    let lenient = M::decode(action, text, Conformance::Lenient);
    if let Ok(decoded) = &strict {
        assert!(decoded.findings.is_empty(), "strict passes on no findings");
        assert_eq!(lenient.as_ref(), Ok(decoded), "what strict accepts is nothing to judge");
    }
    match &lenient {
        Ok(decoded) => {
            let written = decoded.message.encode();
            assert!(is_same(text, &written), "{action}: {text} became {written}");
            let again = M::decode(action, &written, Conformance::Lenient).expect("what was written is read again");
            assert_eq!(again.message, decoded.message, "{action}: {text}");
            // An integer that was written with an exponent is written without.
            assert!(again.findings.len() <= decoded.findings.len(), "{action}: {text}");
            assert_eq!(strict.is_ok(), decoded.findings.is_empty(), "{action}: {text}");
        }
        Err(error) => {
            assert!(strict.is_err(), "strict accepts no more than lenient");
            assert!(error.description().chars().count() <= 255);
            assert!(is_json(error.details().get()));
            assert!(!error.findings.is_empty(), "{action}: {text} is refused without a finding");
        }
    }
}
