//! The frames that are read and written.

/// The id that all measured frames have.
pub const ID: &str = "0194c9a4-2f3b-7c51-9d1e-5a7e8f1b2c3d";

/// A message that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Message {
    BootNotification16,
    MeterValues16,
    BootNotification21,
    TransactionEvent21,
}

impl Message {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::BootNotification16, Self::MeterValues16, Self::BootNotification21, Self::TransactionEvent21];

    /// What to call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::BootNotification16 => "1.6 BootNotification",
            Self::MeterValues16 => "1.6 MeterValues, 10 samples",
            Self::BootNotification21 => "2.1 BootNotification",
            Self::TransactionEvent21 => "2.1 TransactionEvent, 10 samples",
        }
    }

    /// A CALL that keeps the schema.
    #[must_use]
    pub fn frame(self) -> &'static str {
        match self {
            Self::BootNotification16 => include_str!("../frames/v1_6_boot_notification.json"),
            Self::MeterValues16 => include_str!("../frames/v1_6_meter_values.json"),
            Self::BootNotification21 => include_str!("../frames/v2_1_boot_notification.json"),
            Self::TransactionEvent21 => include_str!("../frames/v2_1_transaction_event.json"),
        }
        .trim_end()
    }
}

/// A frame of which one place is special, and what a good reader does with it.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// What is special.
    pub title: &'static str,
    /// The message.
    pub message: Message,
    /// The text that is replaced in its frame.
    pub from: &'static str,
    /// The text in its place.
    pub to: &'static str,
    /// What has to be found in the frame that is written again.
    pub kept: &'static str,
    /// Whether the schema allows it.
    pub valid: bool,
}

impl Probe {
    /// The frame.
    #[must_use]
    pub fn frame(&self) -> String {
        let frame = self.message.frame().replacen(self.from, self.to, 1);
        assert!(frame != self.message.frame(), "{} replaces nothing", self.title);
        frame
    }
}

const fn probe(
    title: &'static str,
    valid: bool,
    message: Message,
    from: &'static str,
    to: &'static str,
    kept: &'static str,
) -> Probe {
    Probe { title, message, from, to, kept, valid }
}

/// What is sent through every path to see what it checks and what it keeps.
pub const PROBES: &[Probe] = &[
    probe(
        "20 × `é` where 20 characters are allowed",
        true,
        Message::BootNotification16,
        "VendorX",
        "éééééééééééééééééééé",
        "éééééééééééééééééééé",
    ),
    probe(
        "21 characters where 20 are allowed",
        false,
        Message::BootNotification16,
        "VendorX",
        "VendorXVendorXVendorX",
        "VendorXVendorXVendorX",
    ),
    probe(
        "a required member is missing",
        false,
        Message::BootNotification16,
        "\"chargePointModel\":\"SingleSocketCharger\",",
        "",
        "VendorX",
    ),
    probe(
        "a member that the schema does not have",
        false,
        Message::BootNotification16,
        "\"iccid\"",
        "\"color\":\"red\",\"iccid\"",
        "\"color\":\"red\"",
    ),
    probe(
        "a value that the enumeration does not have",
        false,
        Message::MeterValues16,
        "\"Voltage\"",
        "\"Voltage.Peak\"",
        "\"Voltage.Peak\"",
    ),
    probe(
        "a fraction where an integer belongs",
        false,
        Message::MeterValues16,
        "\"transactionId\":417",
        "\"transactionId\":417.5",
        "417.5",
    ),
    probe("a date without an offset", false, Message::MeterValues16, "08:15:30.000Z", "08:15:30.000", "08:15:30.000"),
    probe("a date that is none", false, Message::MeterValues16, "2025-01-31T", "2025-02-31T", "2025-02-31T"),
    probe(
        "37 characters where 36 are allowed, inside an object",
        false,
        Message::TransactionEvent21,
        "8c5d3f0e-",
        "8c5d3f0e--",
        "8c5d3f0e--",
    ),
    probe(
        "a member that the schema does not have, inside a list",
        false,
        Message::TransactionEvent21,
        "\"location\":\"Outlet\"",
        "\"location\":\"Outlet\",\"quality\":1",
        "\"quality\":1",
    ),
    probe(
        "a value that the enumeration does not have",
        false,
        Message::TransactionEvent21,
        "\"Charging\"",
        "\"Parked\"",
        "\"Parked\"",
    ),
    probe(
        "an empty list where one item is needed",
        false,
        Message::TransactionEvent21,
        "\"type\":\"ISO14443\"",
        "\"type\":\"ISO14443\",\"additionalInfo\":[]",
        "[]",
    ),
    probe(
        "an integer past its maximum",
        false,
        Message::TransactionEvent21,
        "\"numberOfPhasesUsed\":3",
        "\"numberOfPhasesUsed\":4",
        "\"numberOfPhasesUsed\":4",
    ),
    probe(
        "`null` where an optional member is left out",
        false,
        Message::TransactionEvent21,
        "\"offline\":false",
        "\"offline\":null",
        "null",
    ),
    probe("a text where a number belongs", false, Message::TransactionEvent21, "2935.6", "\"2935.6\"", "\"2935.6\""),
    probe("a number with trailing zeros", true, Message::TransactionEvent21, "2935.6", "2935.600", "2935.600"),
    probe(
        "a number of 20 digits",
        true,
        Message::TransactionEvent21,
        "2935.6",
        "12345678901234567.891",
        "12345678901234567.891",
    ),
    probe(
        "an offset of +01:00",
        true,
        Message::TransactionEvent21,
        "08:15:30.250Z",
        "09:15:30.250+01:00",
        ":15:30.250",
    ),
    probe(
        "members of the vendor's own in `customData`",
        true,
        Message::TransactionEvent21,
        "\"offline\"",
        "\"customData\":{\"vendorId\":\"x\",\"bay\":7},\"offline\"",
        "\"bay\":7",
    ),
];
