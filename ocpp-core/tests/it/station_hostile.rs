//! Whatever a CSMS sends and answers, a station doesn't fail, doesn't grow, and tells its transactions whole.

use ocpp_core::types::Version;
use proptest::prelude::*;

use crate::hostile;

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_csms_does_the_running_transaction_ends_whole(
        version in prop::sample::select(vec![Version::V1_6, Version::V2_0_1, Version::V2_1]),
        data in prop::collection::vec(any::<u8>(), 0..3_000),
    ) {
        hostile::check(version, &data);
    }
}
