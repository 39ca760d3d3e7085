//! Downloads on the terminal: a bar for each file.

use indicatif::{ProgressBar, ProgressStyle};
use vigc_pipeline::core::weights::hub::Progress;

/// The bar of the file that is on its way.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    current: Option<(String, ProgressBar)>,
}

impl Progress for Bars {
    fn update(&mut self, file: &str, done: u64, total: u64) {
        match &self.current {
            Some((name, bar)) if name == file => bar.set_position(done),
            _ => self.current = Some((file.to_owned(), begun(file, done, total))),
        }
        if let Some((_, bar)) = self.current.as_ref().filter(|_| done == total) {
            bar.finish();
        }
    }
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
