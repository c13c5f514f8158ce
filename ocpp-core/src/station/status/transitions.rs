//! From which status to which a connector goes (1.6 edition 2, 4.9; 1.6 errata 3.20, 3.21, 3.55).

use crate::station::event::ConnectorStatus::{
    self, Available, Charging, Faulted, Finishing, Preparing, Reserved, SuspendedEv, SuspendedEvse, Unavailable,
};

/// The table of 1.6: each row a status, and what may follow it. What is not in it does not happen in one step.
const TRANSITIONS: [(ConnectorStatus, &[ConnectorStatus]); 9] = [
    // A2 to A9
    (Available, &[Preparing, Charging, SuspendedEv, SuspendedEvse, Reserved, Unavailable, Faulted]),
    // B1 to B9
    (Preparing, &[Available, Charging, SuspendedEv, SuspendedEvse, Finishing, Faulted]),
    // C1 to C9
    (Charging, &[Available, SuspendedEv, SuspendedEvse, Finishing, Unavailable, Faulted]),
    // D1 to D9
    (SuspendedEv, &[Available, Charging, SuspendedEvse, Finishing, Unavailable, Faulted]),
    // E1 to E9
    (SuspendedEvse, &[Available, Charging, SuspendedEv, Finishing, Unavailable, Faulted]),
    // F1 to F9
    (Finishing, &[Available, Preparing, Unavailable, Faulted]),
    // G1 to G9
    (Reserved, &[Available, Preparing, Unavailable, Faulted]),
    // H1 to H9
    (Unavailable, &[Available, Preparing, Charging, SuspendedEv, SuspendedEvse, Faulted]),
    // I1 to I8
    (Faulted, &[Available, Preparing, Charging, SuspendedEv, SuspendedEvse, Finishing, Reserved, Unavailable]),
];

/// What may follow a status.
fn after(status: ConnectorStatus) -> &'static [ConnectorStatus] {
    TRANSITIONS.iter().find(|(from, _)| *from == status).map_or(&[], |(_, to)| to)
}

/// The status that lies between two of which the second may not follow the first: one step is often the end of a use and
/// the beginning of another, such as a cable that stays when its next driver comes (F2 and B3).
pub(super) fn between(from: ConnectorStatus, to: ConnectorStatus) -> Option<ConnectorStatus> {
    if from == to || after(from).contains(&to) {
        return None;
    }
    // The end of the use before, or the beginning of the next: a fault or an outage is never made up.
    let candidates = match to {
        Preparing => [Finishing, Available],
        Charging | SuspendedEv | SuspendedEvse | Finishing => [Preparing, Available],
        Available | Reserved | Unavailable | Faulted => [Available, Finishing],
    };
    candidates.into_iter().find(|via| after(from).contains(via) && after(*via).contains(&to))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1.6 edition 2, 4.9: the table as it is printed; 1.6 errata 3.20 adds B6.
    #[test]
    fn the_transitions_are_those_of_the_standard() {
        let columns =
            [Available, Preparing, Charging, SuspendedEv, SuspendedEvse, Finishing, Reserved, Unavailable, Faulted];
        let printed = [
            "A2 A3 A4 A5 A7 A8 A9",
            "B1 B3 B4 B5 B6 B9",
            "C1 C4 C5 C6 C8 C9",
            "D1 D3 D5 D6 D8 D9",
            "E1 E3 E4 E6 E8 E9",
            "F1 F2 F8 F9",
            "G1 G2 G8 G9",
            "H1 H2 H3 H4 H5 H9",
            "I1 I2 I3 I4 I5 I6 I7 I8",
        ];
        for (row, (from, cells)) in columns.iter().zip(printed).enumerate() {
            let letter = char::from(b'A' + u8::try_from(row).unwrap());
            let expected: alloc::vec::Vec<_> = (0..9)
                .filter(|column| cells.contains(&alloc::format!("{letter}{}", column + 1)))
                .map(|at| columns[at])
                .collect();
            assert_eq!(after(*from), expected, "{from:?}");
        }
    }

    #[test]
    fn every_status_is_reached_in_at_most_two_steps() {
        for (from, _) in TRANSITIONS {
            for (to, _) in TRANSITIONS {
                let direct = from == to || after(from).contains(&to);
                assert_eq!(between(from, to).is_none(), direct, "{from:?} {to:?}");
            }
        }
    }
}
