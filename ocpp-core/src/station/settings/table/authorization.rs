//! Authorization: the cache, the local list and who may charge without being asked about.
//!
//! 1.6 edition 2, 9.1.1 to 9.1.3, 9.1.12 to 9.1.14, 9.2.1 to 9.2.3

use super::super::super::authorization_cache;
use super::{Definition, Key, Kind, LOCAL_LIST_LENGTH, SECONDS, row, variable};

pub(super) const ROWS: &[Definition] = &[
    row(Key::AuthCacheAvailable, None, variable("AuthCacheCtrlr", "Available"), Kind::Boolean, "true").read_only(),
    row(
        Key::AuthCacheDisablePostAuthorize,
        None,
        variable("AuthCacheCtrlr", "DisablePostAuthorize"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::AuthCacheEnabled,
        Some("AuthorizationCacheEnabled"),
        variable("AuthCacheCtrlr", "Enabled"),
        Kind::Boolean,
        "false",
    ),
    // 0 for no end.
    row(Key::AuthCacheLifeTime, None, variable("AuthCacheCtrlr", "LifeTime"), SECONDS, "0").unit("s"),
    row(Key::AuthCachePolicy, None, variable("AuthCacheCtrlr", "Policy"), Kind::OneOf(&["LRU", "LFU", "FIFO"]), "LRU"),
    row(
        Key::AuthCacheStorage,
        None,
        variable("AuthCacheCtrlr", "Storage"),
        Kind::Integer { minimum: 0, maximum: authorization_cache::CAPACITY as i64 },
        "0",
    )
    .read_only()
    .unit("B"),
    row(
        Key::AuthorizeRemoteStart,
        Some("AuthorizeRemoteTxRequests"),
        variable("AuthCtrlr", "AuthorizeRemoteStart"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::DisableRemoteAuthorization,
        None,
        variable("AuthCtrlr", "DisableRemoteAuthorization"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::LocalAuthorizeOffline,
        Some("LocalAuthorizeOffline"),
        variable("AuthCtrlr", "LocalAuthorizeOffline"),
        Kind::Boolean,
        "true",
    ),
    row(Key::LocalListAvailable, None, variable("LocalAuthListCtrlr", "Available"), Kind::Boolean, "true").read_only(),
    row(
        Key::LocalListBytesPerMessage,
        None,
        variable("LocalAuthListCtrlr", "BytesPerMessage"),
        Kind::Integer { minimum: 0, maximum: 1_048_576 },
        "131072",
    )
    .read_only(),
    row(
        Key::LocalListDisablePostAuthorize,
        None,
        variable("LocalAuthListCtrlr", "DisablePostAuthorize"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::LocalListEnabled,
        Some("LocalAuthListEnabled"),
        variable("LocalAuthListCtrlr", "Enabled"),
        Kind::Boolean,
        "true",
    ),
    row(
        Key::LocalListEntries,
        None,
        variable("LocalAuthListCtrlr", "Entries"),
        Kind::Integer { minimum: 0, maximum: LOCAL_LIST_LENGTH },
        "0",
    )
    .read_only(),
    row(
        Key::LocalListItemsPerMessage,
        Some("SendLocalListMaxLength"),
        variable("LocalAuthListCtrlr", "ItemsPerMessage"),
        Kind::Integer { minimum: 1, maximum: LOCAL_LIST_LENGTH },
        "250",
    )
    .read_only(),
    row(
        Key::LocalListMaxLength,
        Some("LocalAuthListMaxLength"),
        None,
        Kind::Integer { minimum: 1, maximum: LOCAL_LIST_LENGTH },
        "1000",
    )
    .read_only(),
    row(
        Key::LocalListSupportsExpiry,
        None,
        variable("LocalAuthListCtrlr", "SupportsExpiryDateTime"),
        Kind::Boolean,
        "true",
    )
    .read_only(),
    row(
        Key::LocalPreAuthorize,
        Some("LocalPreAuthorize"),
        variable("AuthCtrlr", "LocalPreAuthorize"),
        Kind::Boolean,
        "false",
    ),
    row(Key::MasterPassGroupId, None, variable("AuthCtrlr", "MasterPassGroupId"), Kind::Text { maximum: 36 }, ""),
    row(
        Key::OfflineTxForUnknownId,
        Some("AllowOfflineTxForUnknownId"),
        variable("AuthCtrlr", "OfflineTxForUnknownIdEnabled"),
        Kind::Boolean,
        "false",
    ),
];
