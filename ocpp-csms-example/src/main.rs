//! `ocpp-csms`: see the library.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    ocpp_csms::run().await
}
