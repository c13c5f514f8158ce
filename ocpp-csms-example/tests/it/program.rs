//! The binary itself.

use std::process::{Command, Output};

use crate::harness::Folder;

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ocpp-csms"))
        .args(arguments)
        .env_remove("OCPP_CSMS_API_TOKEN")
        .output()
        .expect("the program runs")
}

fn complaint(arguments: &[&str]) -> String {
    let output = program(arguments);
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_file_that_is_no_database_is_refused_with_what_to_do() {
    let folder = Folder::new();
    let file = folder.file("notes.txt");
    std::fs::write(&file, "these are notes, and not a database\n".repeat(200)).unwrap();
    let path = file.to_str().unwrap();
    let complaint = complaint(&["serve", "--listen", "127.0.0.1:0", "--database", path]);
    assert!(complaint.contains("is not a database") && complaint.contains("--database"), "{complaint}");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("these are notes"));
}

#[test]
fn a_folder_that_does_not_exist_is_refused_with_what_to_do() {
    let complaint = complaint(&["serve", "--listen", "127.0.0.1:0", "--database", "/nowhere/at/all/csms.sqlite"]);
    assert!(complaint.contains("/nowhere/at/all/csms.sqlite") && complaint.contains("folder exists"), "{complaint}");
}

#[test]
fn a_configuration_with_an_unknown_member_is_refused_with_its_name() {
    let folder = Folder::new();
    let file = folder.file("csms.toml");
    std::fs::write(&file, "price = 0.39\n").unwrap();
    let complaint = complaint(&["serve", "--config", file.to_str().unwrap()]);
    assert!(complaint.contains("csms.toml") && complaint.contains("price"), "{complaint}");
}

#[test]
fn an_option_that_does_nothing_is_refused() {
    let complaint = complaint(&["serve", "--bus", "nats://localhost"]);
    assert!(complaint.contains("--bus"), "{complaint}");
}

#[test]
fn an_address_that_is_taken_is_refused_with_what_to_do() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let database = folder.file("csms.sqlite");
    let complaint = complaint(&["serve", "--listen", &address, "--database", database.to_str().unwrap()]);
    assert!(complaint.contains(&address) && complaint.contains("--listen"), "{complaint}");
}

#[test]
fn an_empty_token_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_ocpp-csms"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("OCPP_CSMS_API_TOKEN", " ")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("OCPP_CSMS_API_TOKEN"));
}

#[test]
fn the_demonstration_charges_once_in_each_version_and_its_bills_agree_with_the_meters() {
    let output = program(&["demo", "--once"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    for row in ["1.6    DEMO-16", "2.0.1  DEMO-201", "2.1    DEMO-21"] {
        assert_eq!(told.lines().filter(|line| line.starts_with(row)).count(), 1, "{row}: {told}");
    }
}

#[cfg(unix)]
#[test]
fn a_termination_signal_ends_the_program_in_order() {
    use std::io::{BufRead as _, BufReader};
    let folder = Folder::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ocpp-csms"))
        .args(["serve", "--listen", "127.0.0.1:0", "--database"])
        .arg(folder.file("csms.sqlite"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("Page") {
        line.clear();
        assert_ne!(told.read_line(&mut line).unwrap(), 0, "the program ended");
    }
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(child.wait().unwrap().success());
    // A database that was closed in order has no journal beside it.
    assert!(!folder.file("csms.sqlite-wal").exists());
}
