//! Downloads on the terminal: a bar for each file.

use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};
use vigc_pipeline::core::progress::{Progress, Update};

/// Shows a bar for each file, one after the other.
pub(crate) fn bars() -> Progress {
    let current: Mutex<Option<(String, ProgressBar)>> = Mutex::new(None);
    Progress::new(move |Update { task, done, total }| {
        let mut current = current.lock().expect("a bar does not panic");
        match current.as_ref() {
            Some((name, bar)) if name == task => bar.set_position(done),
            _ => *current = Some((task.to_owned(), begun(task, done, total))),
        }
        if let Some((_, bar)) = current.as_ref().filter(|_| done == total) {
            bar.finish();
        }
    })
}

fn begun(file: &str, done: u64, total: u64) -> ProgressBar {
    let template = "{msg}  {bar:24} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template is valid");
    let bar = ProgressBar::new(total).with_style(style).with_message(file.to_owned());
    bar.set_position(done);
    // What an earlier run left says nothing about today's rate.
    bar.reset_eta();
    bar
}
