//! The store under a process that is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use ocpp_core::station::{Change, Record};
use ocpp_cp::store::Store;

/// Names the folder for the writer, and makes it write.
const FOLDER: &str = "OCPP_CP_TEST_KILL_FOLDER";
/// The test below, as the test program knows it.
const NAME: &str = "kill::a_process_that_is_killed_leaves_whole_batches_and_none_that_it_reported_is_lost";
/// Keys that every batch writes with one value.
const KEYS: u32 = 20;

/// What the process does that gets killed: it writes batches until it is, and says when each is done.
fn write_until_killed(folder: &Path) {
    let mut store = Store::open(folder).unwrap();
    let start = store.load().unwrap().first().map_or(0, |record| record.value.parse::<u64>().unwrap());
    for number in start + 1.. {
        let record = |key| Record { key: format!("key/{key}"), value: number.to_string() };
        let batch: Vec<_> = (0..KEYS).map(|key| Change::Put(record(key))).collect();
        store.commit(&batch).unwrap();
        println!("committed {number}");
    }
}

#[test]
fn a_process_that_is_killed_leaves_whole_batches_and_none_that_it_reported_is_lost() {
    // The test starts itself once more as the process to kill.
    if let Some(folder) = std::env::var_os(FOLDER) {
        return write_until_killed(Path::new(&folder));
    }
    let folder = std::env::temp_dir().join(format!("ocpp-cp-kill-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    for round in 0..8_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([NAME, "--exact", "--nocapture"])
            .env(FOLDER, &folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number_of = |line: String| line.rsplit_once("committed ")?.1.parse::<u64>().ok();
        // Killed after another number of batches each time, while the next one is being written.
        let mut reported = 0;
        for _ in 0..=round * 3 {
            reported = lines.by_ref().find_map(|line| number_of(line.unwrap())).unwrap();
        }
        child.kill().unwrap();
        reported = lines.map_while(Result::ok).filter_map(number_of).last().unwrap_or(reported);
        child.wait().unwrap();
        let records = Store::open(&folder).unwrap().load().unwrap();
        assert_eq!(records.len(), KEYS as usize);
        let stored: Vec<u64> = records.iter().map(|record| record.value.parse().unwrap()).collect();
        assert!(stored.iter().all(|number| *number == stored[0]), "half a batch: {stored:?}");
        assert!(stored[0] >= reported, "{reported} was reported, {} is stored", stored[0]);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
