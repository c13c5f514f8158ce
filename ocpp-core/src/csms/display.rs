//! What may be shown to drivers (2.1 part 2, O).

use ocpp_types::v2_1::MessageInfoType;

use super::mirrors::{Mirrors, VariableKey};

const CONTROLLER: &str = "DisplayMessageCtrlr";

/// Whether a message may be sent.
pub(super) fn check_message(mirrors: &Mirrors, message: &MessageInfoType) -> Result<(), &'static str> {
    let language = message.message.language.as_ref();
    if language.is_some_and(|language| !is_language_tag(language)) {
        return Err("O01.FR.17, O02.FR.12: a language is a tag of RFC 5646, such as en-US");
    }
    let supports = |variable: &str, value: &str| {
        let list = mirrors.device_model().value(&VariableKey::new(CONTROLLER, variable));
        list.is_none_or(|list| list.split(',').any(|known| known.trim() == value))
    };
    if !supports("SupportedFormats", message.message.format.as_str()) {
        return Err("DisplayMessageCtrlr.SupportedFormats: the station does not know the format");
    }
    if !supports("SupportedPriorities", message.priority.as_str()) {
        return Err("DisplayMessageCtrlr.SupportedPriorities: the station does not know the priority");
    }
    Ok(())
}

/// Whether it has the form of a language tag: a language of letters, then subtags.
fn is_language_tag(text: &str) -> bool {
    let mut subtags = text.split('-');
    let is_language =
        |subtag: &str| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_subtag =
        |subtag: &str| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    subtags.next().is_some_and(is_language) && subtags.all(is_subtag)
}
