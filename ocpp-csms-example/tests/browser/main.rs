//! The pages as people use them: a headless Chromium walks through a server with simulated stations.
//!
//! Needs Debian's `chromium` and `chromium-driver`; without them the walk is skipped with a line that says so. With
//! `OCPP_CSMS_SCREENSHOTS=FOLDER` it leaves pictures of the main pages there, with `OCPP_CSMS_SCREENSHOTS_OF_ALL=1` besides of all of them.
// What clippy.toml allows in tests, it does not allow in their helpers.
#![allow(clippy::unwrap_used)]
#![allow(unreachable_pub, reason = "the modules of a test binary have no outside")]

mod browser;
mod look;
mod walk;
