//! A new migration is compiled in without touching any other file.
fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
