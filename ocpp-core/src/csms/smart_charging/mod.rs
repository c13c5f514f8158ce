//! Smart charging as the CSMS does it: one plan for all versions, in the types of 2.1, checked before it's sent (2.1 part 2, K
//! and Q).

mod requests;
mod rules;
mod within;

pub(super) use self::rules::{check_clear, check_criterion, check_profile, check_start};
pub(super) use self::within::is_within;
